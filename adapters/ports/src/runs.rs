//! The queue of runs (specification 4.4). The store allows one active run per tenant. A worker
//! claims it with a lease, and the store checks the lease in each transaction in which the worker
//! writes.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::stream::{Stream, TryStreamExt, iter, try_unfold};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
pub use powerfill_tables::status::RunStatus;

use crate::events::{Append, AppendReceipt};
pub use crate::lease::{Lease, ProjectionWriter};
use crate::{StoreError, StoreResult};

/// A run in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedRun {
    /// The id of the run.
    pub run_id: RunId,
    /// The status that its worker set last.
    pub status: RunStatus,
    /// When the run was requested.
    pub requested_at: Timestamp,
    /// The worker that claimed it last.
    pub worker: Option<String>,
    /// When the lease of that worker expires.
    pub lease_expires_at: Option<Timestamp>,
    /// The user who requested a cancel, if one did.
    pub cancel_requested_by: Option<String>,
    /// Whether it is a scenario: a run on edited input, which is never official (8.5).
    pub is_scenario: bool,
}

/// Which runs of the list are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunFilter {
    /// Official runs and scenarios.
    All,
    /// Without scenarios.
    Official,
    /// Only scenarios.
    Scenarios,
}

impl RunFilter {
    /// What a run must be; `None` for either.
    pub const fn is_scenario(self) -> Option<bool> {
        match self {
            Self::All => None,
            Self::Official => Some(false),
            Self::Scenarios => Some(true),
        }
    }

    /// Whether the run is wanted.
    pub fn admits(self, run: &QueuedRun) -> bool {
        self.is_scenario().is_none_or(|is_scenario| is_scenario == run.is_scenario)
    }
}

impl QueuedRun {
    /// The position of the run in the list of runs.
    pub const fn cursor(&self) -> RunCursor {
        RunCursor { requested_at: self.requested_at, run_id: self.run_id }
    }
}

/// A position in the list of runs. The list begins with the newest run, and orders runs of the same
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

/// The queue of one tenant's runs. The caller passes all times; the store reads no clock.
///
/// # Errors
/// Each call returns an error if the store fails; a method names the others that it has.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Appends the request of a run and puts the run in the queue, with the time of the append.
    /// Both happen or neither, so that no worker finds a run without its request. A repeated
    /// request is recognized like a repeated append, also after the run is over. `is_scenario` says
    /// whether the run is on edited input.
    ///
    /// # Errors
    /// [`StoreError::AnotherTenant`] if the store belongs to another tenant;
    /// [`StoreError::RunActive`] while a run of the tenant is active (BR-8), also if it is this run
    /// with another request; [`StoreError::Failed`] if this run had another request and is over;
    /// else as [`append`](crate::events::EventStore::append).
    async fn enqueue(&self, request: Append, is_scenario: bool) -> StoreResult<AppendReceipt>;

    /// Claims the run that is pending, or whose lease has expired, for this worker until `until`.
    /// `None` if there is no such run.
    async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> StoreResult<Option<Lease>>;

    /// Extends a lease. Returns the user who requested a cancel of the run, if one did.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if another worker has claimed the run since; the store fails.
    async fn renew(&self, lease: Lease, until: Timestamp) -> StoreResult<Option<String>>;

    /// Sets the status of the run. Complete, Failed, and Cancelled end the lease, and the tenant
    /// can request another run.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`]; the store fails.
    async fn set_status(&self, lease: Lease, status: RunStatus) -> StoreResult<()>;

    /// Records that a user wants the run canceled. `false` if the run is over.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the store fails.
    async fn request_cancel(&self, run: RunId, by: &str) -> StoreResult<bool>;

    /// The run with this id; `None` if it is not in the queue.
    async fn run(&self, run: RunId) -> StoreResult<Option<QueuedRun>>;

    /// The run that is not over, if there is one (BR-8 allows one per tenant).
    async fn active_run(&self) -> StoreResult<Option<QueuedRun>>;

    /// The newest official run with this status.
    async fn latest_run(&self, status: RunStatus) -> StoreResult<Option<QueuedRun>>;

    /// The next runs of the list after `cursor` that `filter` admits, at most `limit`, newest
    /// first. The list is read by an index, so that a page costs the same at any position.
    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
        filter: RunFilter,
    ) -> StoreResult<Vec<QueuedRun>>;

    /// The runs whose ids are between two ids, which are included, at most `limit`, in the order of
    /// their ids.
    async fn runs_between(
        &self,
        first: RunId,
        last: RunId,
        limit: usize,
    ) -> StoreResult<Vec<QueuedRun>>;

    /// The number of runs per status. A status without runs is absent.
    async fn run_counts(&self) -> StoreResult<BTreeMap<RunStatus, u64>>;
}

/// The runs of a store that `filter` admits, newest first. A page is read when the stream needs it,
/// because the history grows without bound. An error ends the stream.
pub fn stream_runs<S: RunStore + ?Sized>(
    store: &S,
    filter: RunFilter,
) -> impl Stream<Item = StoreResult<QueuedRun>> {
    let pages = try_unfold(Some(RunCursor::START), move |cursor: Option<RunCursor>| async move {
        let Some(cursor) = cursor else { return Ok(None) };
        let page = store.runs_after(cursor, RUNS_PER_PAGE, filter).await?;
        let next = page.last().filter(|_| page.len() == RUNS_PER_PAGE).map(QueuedRun::cursor);
        Ok::<_, StoreError>(Some((iter(page.into_iter().map(Ok)), next)))
    });
    pages.try_flatten()
}
