//! What PowerFill asks of a store, in terms that know no database: events, captured snapshots,
//! projections, runs.
//!
//! * [`events`]: append, read, subscribe, verify (specification 3.2)
//! * [`snapshots`]: the captured inputs, by digest
//! * [`projections`]: output tables, staged and swapped (3.3)
//! * [`index`]: which events concern which loan and trade (3.3)
//! * [`publishing`]: showing outputs where reports look for them (4.1)
//! * [`subscribers`]: how far subscribers have come (4.5)
//! * [`runs`]: one active run a tenant, with a lease (4.4)
//!
//! * [`copying`]: what copying a whole store asks of both
//!
//! What every adapter must do alike is here too:
//! * [`appending`]: hashes, row, and answer of an append
//! * [`schema_steps`]: which steps of its schema a store has seen
//! * [`seal`]: the bytes under an append's seal
//! * [`snapshot_codec`]: the stored form of a captured snapshot
//! * [`verifier`]: what a sound log is
//! * [`verification_stop`]: why a verification ends early
//! * [`cloud_event`]: an event as subscribers see it
//! * [`retry`]: growing pauses between attempts

pub mod appending;
pub mod cloud_event;
pub mod copying;
pub mod error;
pub mod events;
pub mod index;
pub mod projections;
pub mod publishing;
pub mod retry;
pub mod runs;
pub mod schema_steps;
pub mod seal;
pub mod snapshot_codec;
pub mod snapshots;
pub mod subscribers;
pub mod verification_stop;
pub mod verifier;

pub use error::StoreError;

use powerfill_events::values::TenantId;

/// Whether a store may be this tenant's: it holds events of no other. An empty one may be
/// anybody's.
///
/// # Errors
/// [`StoreError::AnotherTenant`], without saying whose it is; or the store fails.
pub async fn ensure_tenant<S: events::EventStore + ?Sized>(
    store: &S,
    tenant: &TenantId,
) -> Result<(), StoreError> {
    check_tenant(store.tenant().await?.as_ref(), tenant)
}

/// Whether a store that was `found` to be a tenant's, or nobody's, may be this one's.
///
/// # Errors
/// [`StoreError::AnotherTenant`], without saying whose it is.
pub fn check_tenant(found: Option<&TenantId>, tenant: &TenantId) -> Result<(), StoreError> {
    match found {
        Some(found) if found != tenant => Err(StoreError::AnotherTenant(tenant.clone())),
        _ => Ok(()),
    }
}

/// All of a store.
pub trait Store:
    events::EventStore
    + snapshots::SnapshotStore
    + projections::ProjectionStore
    + index::IndexStore
    + runs::RunStore
    + subscribers::SubscriberStore
{
}

impl<T> Store for T where
    T: events::EventStore
        + snapshots::SnapshotStore
        + projections::ProjectionStore
        + index::IndexStore
        + runs::RunStore
        + subscribers::SubscriberStore
{
}
