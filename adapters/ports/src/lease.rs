//! The right to write for a run (specification 4.4).

use powerfill_events::run::RunId;

/// A worker's right to write for a run. The token grows with every claim, so that the store can
/// refuse a worker whose run was claimed by another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run_id: RunId,
    /// The fencing token.
    pub token: u64,
}

/// The writer of what a store keeps beside the events: output tables, history rows, and indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectionWriter {
    /// The worker of the run. If its token is not the newest, or the run is over, the write is
    /// refused as [`LeaseLost`](crate::StoreError::LeaseLost). A lease whose time has passed is
    /// valid until another worker claims the run.
    Worker(Lease),
    /// A rebuild of the run's tables. While any run of the tenant is active, the write is refused
    /// as [`RunActive`](crate::StoreError::RunActive), because that run owns the only staging area.
    Maintenance(RunId),
}

impl ProjectionWriter {
    /// The run whose tables are written.
    pub const fn run(self) -> RunId {
        match self {
            Self::Worker(lease) => lease.run_id,
            Self::Maintenance(run) => run,
        }
    }
}
