//! The queue of runs (specification 4.4): one active run a tenant, guarded in the store; claimed with a lease.

use async_trait::async_trait;
use powerfill_domain::run::RunId;
use powerfill_domain::values::Timestamp;
pub use powerfill_projections::status::RunStatus;

use crate::StoreError;

/// A run in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRun {
    /// Which.
    pub run_id: RunId,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Who has it, where somebody has.
    pub worker: Option<String>,
    /// Until when.
    pub lease_expires_at: Option<Timestamp>,
    /// Whether someone asked to cancel it, and who.
    pub cancel_requested_by: Option<String>,
}

/// A worker's right to write for a run. The token grows with every claim, so that a worker whose lease is over is told
/// apart from the one that took the run up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run_id: RunId,
    /// The fencing token.
    pub token: u64,
}

/// The queue of one tenant's runs. Times are given by the caller: a store has no clock of its own here.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Puts a run in the queue.
    ///
    /// # Errors
    /// [`StoreError::RunActive`] while another run of the tenant is not over (BR-8).
    async fn enqueue(&self, run: RunId, requested_at: Timestamp) -> Result<(), StoreError>;

    /// Takes the run that is pending, or whose lease is over, for this worker until `until`.
    ///
    /// # Errors
    /// Where the store fails; nothing to do is `None`.
    async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError>;

    /// Extends a lease and answers who asked to cancel the run, where somebody did.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where another worker has claimed the run since.
    async fn renew(&self, lease: Lease, until: Timestamp) -> Result<Option<String>, StoreError>;

    /// Says where the run stands. A status that is over ends the lease and frees the tenant.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`].
    async fn set_status(&self, lease: Lease, status: RunStatus) -> Result<(), StoreError>;

    /// Asks for a run to be cancelled; `false` where it is over.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn request_cancel(&self, run: RunId, by: &str) -> Result<bool, StoreError>;

    /// One run.
    ///
    /// # Errors
    /// Where the store fails.
    async fn run(&self, run: RunId) -> Result<Option<QueuedRun>, StoreError>;

    /// All runs, the latest first.
    ///
    /// # Errors
    /// Where the store fails.
    async fn runs(&self) -> Result<Vec<QueuedRun>, StoreError>;
}
