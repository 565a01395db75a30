//! What PowerFill asks of a store, in terms that know no database: events, captured snapshots, projections, runs.
//!
//! * [`events`]: append, read, subscribe, verify (specification 3.2)
//! * [`snapshots`]: the captured inputs, by digest
//! * [`projections`]: output tables, staged and swapped (3.3)
//! * [`index`]: which events concern which loan and trade (3.3)
//! * [`runs`]: one active run a tenant, with a lease (4.4)
//!
//! What every adapter must do alike is here too:
//! * [`seal`]: the bytes under an append's seal
//! * [`verifier`]: what a sound log is
//! * [`cloud_event`]: an event as subscribers see it
//! * [`eventually`]: the public face for code written to the traits of `eventually`

pub mod cloud_event;
pub mod error;
pub mod events;
pub mod eventually;
pub mod index;
pub mod projections;
pub mod runs;
pub mod seal;
pub mod snapshots;
pub mod verifier;

pub use error::StoreError;

/// All of a store.
pub trait Store:
    events::EventStore
    + snapshots::SnapshotStore
    + projections::ProjectionStore
    + index::IndexStore
    + runs::RunStore
{
}

impl<T> Store for T where
    T: events::EventStore
        + snapshots::SnapshotStore
        + projections::ProjectionStore
        + index::IndexStore
        + runs::RunStore
{
}
