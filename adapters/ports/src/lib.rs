//! The interface between PowerFill and a store. It knows no database.
//!
//! A store implements [`Store`], which is:
//! * [`events`]: append, read, subscribe, and verify events (specification 3.2)
//! * [`snapshots`]: captured inputs, by digest
//! * [`projections`]: output tables, staged and published (3.3)
//! * [`index`]: which events concern which loan and trade (3.3)
//! * [`runs`]: the queue, with one active run per tenant and a [`lease`] per claim (4.4)
//! * [`run_list`]: what the list of runs says about each (4.2)
//! * [`subscribers`]: the positions of subscribers (4.5)
//! * [`retention`]: payloads that leave the store and come back (3.5)
//!
//! It may also implement [`copying`]. Two interfaces are for other systems: [`publishing`] for
//! those that show the outputs of runs (4.1), and [`broker`] for those that receive events (4.5).
//!
//! A store must have transactions and a way to learn of new events (a notification, or polling). It
//! may lack triggers or other guards against updates: the hash chain and the seals show every
//! change. It needs no clock and no random numbers, because callers pass times and ids.
//!
//! These parts are the same for every store:
//! * [`appending`]: hashes, row, and receipt of an append
//! * [`block_codec`], [`stored_block`], [`detached_block`]: the stored form of events
//! * [`row_migration`]: the events of a store of 0.1.0 in this form
//! * [`snapshot_codec`]: the stored form of a captured snapshot
//! * [`schema_steps`]: which steps of its schema a store has seen
//! * [`verification_stop`]: why a verification ends early
//! * [`retry`]: growing pauses between attempts
//! * [`waiting`]: what a call waits for
//!
//! `powerfill_events::log` has the hash chain, the seals, and the verification of a log.

pub mod appending;
pub mod block_codec;
mod block_lines;
pub mod broker;
pub mod copying;
pub mod detached_block;
pub mod error;
pub mod events;
pub mod index;
pub mod lease;
pub mod projections;
pub mod publishing;
pub mod retention;
pub mod retry;
pub mod row_migration;
pub mod run_list;
pub mod runs;
pub mod schema_steps;
pub mod snapshot_codec;
pub mod snapshots;
pub mod stored_block;
pub mod subscribers;
pub mod verification_stop;
pub mod waiting;

pub use error::{StoreError, StoreFault, StoreResult};

use powerfill_events::values::TenantId;

/// Checks that a store belongs to this tenant or has no events.
///
/// # Errors
/// [`StoreError::AnotherTenant`], without the name of the other tenant; the store fails.
pub async fn ensure_tenant<S: events::EventStore + ?Sized>(
    store: &S,
    tenant: &TenantId,
) -> StoreResult<()> {
    check_tenant(store.tenant().await?.as_ref(), tenant)
}

/// Checks that a store whose events belong to `owner`, if it has any, is that of this tenant.
///
/// # Errors
/// [`StoreError::AnotherTenant`], without the name of the other tenant.
pub fn check_tenant(owner: Option<&TenantId>, tenant: &TenantId) -> StoreResult<()> {
    match owner {
        Some(owner) if owner != tenant => Err(StoreError::AnotherTenant(tenant.clone())),
        _ => Ok(()),
    }
}

/// The whole interface of a store.
pub trait Store:
    events::EventStore
    + snapshots::SnapshotStore
    + projections::ProjectionStore
    + index::IndexStore
    + runs::RunStore
    + run_list::HeadlineStore
    + subscribers::SubscriberStore
    + retention::RetentionStore
{
}

impl<T> Store for T where
    T: events::EventStore
        + snapshots::SnapshotStore
        + projections::ProjectionStore
        + index::IndexStore
        + runs::RunStore
        + run_list::HeadlineStore
        + subscribers::SubscriberStore
        + retention::RetentionStore
{
}
