//! The queue of runs (specification 4.4): one active run a tenant, guarded in the store; claimed
//! with a lease, which everything that a worker writes is held against, in the very transaction
//! that writes it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::stream::{Stream, TryStreamExt, iter, try_unfold};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
pub use powerfill_tables::status::RunStatus;

use crate::StoreError;
use crate::events::{Append, AppendReceipt};

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

impl QueuedRun {
    /// The place of the run in the list of runs.
    pub const fn cursor(&self) -> RunCursor {
        RunCursor { requested_at: self.requested_at, run_id: self.run_id }
    }
}

/// A place in the list of runs. The list begins with the newest run, and orders runs of the same
/// moment by descending id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunCursor {
    /// When the run was requested.
    pub requested_at: Timestamp,
    /// The id of the run.
    pub run_id: RunId,
}

impl RunCursor {
    /// Before the newest run.
    pub const START: Self =
        Self { requested_at: Timestamp::from_micros(i64::MAX), run_id: RunId(uuid::Uuid::nil()) };
}

/// The runs that a reader of the whole list asks for at once.
pub const RUNS_PER_PAGE: usize = 500;

/// A worker's right to write for a run. The token grows with every claim, so that a worker whose
/// lease is over is told apart from the one that took the run up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run_id: RunId,
    /// The fencing token.
    pub token: u64,
}

/// Who writes what is kept beside the events: the output tables, and what is kept of every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectionWriter {
    /// The worker that has the run. With a token that is not the run's own any more, or when the
    /// run is over, nothing is written ([`StoreError::LeaseLost`]). A lease whose time has passed
    /// holds until another worker claims the run.
    Worker(Lease),
    /// Whoever makes a run's tables anew. Nothing is written while any run of the tenant is not
    /// over ([`StoreError::RunActive`]): there is one staging area, and it is that run's.
    Maintenance(RunId),
}

impl ProjectionWriter {
    /// Whose tables are written.
    pub const fn run(self) -> RunId {
        match self {
            Self::Worker(lease) => lease.run_id,
            Self::Maintenance(run) => run,
        }
    }
}

/// The queue of one tenant's runs. Times are given by the caller: a store has no clock of its own
/// here.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Puts the run whose stream this append begins in the queue, as of the append's time, and
    /// appends it: both, or neither, so that no worker ever finds a run without its request. As an
    /// append, it is recognised when it is made again, also after the run is over.
    ///
    /// # Errors
    /// [`StoreError::AnotherTenant`] where the log is another one's; [`StoreError::RunActive`]
    /// while a run of the tenant is not over (BR-8), this very one with another request included;
    /// [`StoreError::Failed`] where the run was asked for otherwise and is over; else as
    /// [`append`](crate::events::EventStore::append).
    async fn enqueue(&self, request: Append) -> Result<AppendReceipt, StoreError>;

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

    /// The run that is not over, if there is one (BR-8 allows one per tenant).
    ///
    /// # Errors
    /// If the store fails.
    async fn active_run(&self) -> Result<Option<QueuedRun>, StoreError>;

    /// The newest run with this status.
    ///
    /// # Errors
    /// If the store fails.
    async fn latest_run(&self, status: RunStatus) -> Result<Option<QueuedRun>, StoreError>;

    /// The next runs of the list after `cursor`, at most `limit`, newest first. The list is read by
    /// an index, so that a page costs the same at any place.
    ///
    /// # Errors
    /// If the store fails.
    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
    ) -> Result<Vec<QueuedRun>, StoreError>;

    /// The number of runs per status. A status without runs is absent.
    ///
    /// # Errors
    /// If the store fails.
    async fn run_counts(&self) -> Result<BTreeMap<RunStatus, u64>, StoreError>;
}

/// The runs of a store, newest first. A page is read when the stream needs it, because the history
/// grows without bound. An error ends the stream.
pub fn stream_runs<S: RunStore + ?Sized>(
    store: &S,
) -> impl Stream<Item = Result<QueuedRun, StoreError>> {
    let pages = try_unfold(Some(RunCursor::START), move |cursor: Option<RunCursor>| async move {
        let Some(cursor) = cursor else { return Ok(None) };
        let page = store.runs_after(cursor, RUNS_PER_PAGE).await?;
        let next = page.last().filter(|_| page.len() == RUNS_PER_PAGE).map(QueuedRun::cursor);
        Ok::<_, StoreError>(Some((iter(page.into_iter().map(Ok)), next)))
    });
    pages.try_flatten()
}
