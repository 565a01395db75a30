//! A store whose calls fail as a test decides.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use powerfill_events::log::Hash;
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::events::{
    Append, AppendReceipt, EventBatches, EventStore, LogHead, Verification,
};
use powerfill_ports::index::{EntryBatches, IndexState, IndexStore, IndexedVersions};
use powerfill_ports::projections::{ProjectionStore, RowBatches};
use powerfill_ports::retention::RetentionStore;
use powerfill_ports::run_list::{AnnotationHead, HeadlineStore, KeptHeadline};
use powerfill_ports::runs::{
    Lease, ProjectionWriter, QueuedRun, RunCursor, RunFilter, RunStatus, RunStore,
};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::subscribers::SubscriberStore;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::event_index::{RunIndex, Subject};
use powerfill_tables::run_headline::RunHeadline;
use powerfill_tables::table::{Cell, RowBatch, TableSpec};

/// The outcome of a call.
pub(crate) enum CallOutcome {
    Done,
    /// The call does not reach the store.
    Refused(StoreError),
    /// The store carries the call out, and the answer is lost.
    Unanswered(StoreError),
}

/// Decides the outcome of a call by its name, the number of calls of this name before it, and the
/// number of all calls before it. Renewals of the lease are not counted.
type Decide = dyn Fn(&'static str, u32, u32) -> CallOutcome + Send + Sync;

pub(crate) struct FaultyStore {
    store: Arc<dyn Store>,
    decide: Box<Decide>,
    counts: Mutex<(BTreeMap<&'static str, u32>, u32)>,
}

impl FaultyStore {
    pub(crate) fn wrap(
        store: &Arc<dyn Store>,
        decide: impl Fn(&'static str, u32, u32) -> CallOutcome + Send + Sync + 'static,
    ) -> Arc<Self> {
        let store = Arc::clone(store);
        Arc::new(Self { store, decide: Box::new(decide), counts: Mutex::default() })
    }

    /// The number of calls.
    pub(crate) fn calls(&self) -> u32 {
        self.counts.lock().expect("counting does not fail").1
    }

    fn outcome(&self, call: &'static str) -> CallOutcome {
        let mut counts = self.counts.lock().expect("counting does not fail");
        let all = counts.1;
        let of_this = counts.0.entry(call).or_default();
        let before = *of_this;
        *of_this += 1;
        counts.1 += 1;
        (self.decide)(call, before, all)
    }

    async fn call<T>(
        &self,
        name: &'static str,
        done: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self.outcome(name) {
            CallOutcome::Done => done.await,
            CallOutcome::Refused(error) => Err(error),
            CallOutcome::Unanswered(error) => done.await.and(Err(error)),
        }
    }
}

#[async_trait]
impl EventStore for FaultyStore {
    async fn append(&self, append: Append) -> Result<AppendReceipt, StoreError> {
        self.call("append", self.store.append(append)).await
    }

    async fn stream_version(&self, stream: &str) -> Result<u64, StoreError> {
        self.call("stream_version", self.store.stream_version(stream)).await
    }

    async fn streams(&self) -> Result<Vec<String>, StoreError> {
        self.store.streams().await
    }

    fn read_between(&self, stream: &str, from: u64, to: u64) -> EventBatches<'_> {
        match self.outcome("read") {
            CallOutcome::Done => self.store.read_between(stream, from, to),
            CallOutcome::Refused(error) | CallOutcome::Unanswered(error) => {
                stream::iter([Err(error)]).boxed()
            }
        }
    }

    fn read_versions(&self, stream: &str, versions: Vec<u64>) -> EventBatches<'_> {
        self.store.read_versions(stream, versions)
    }

    fn read_all(&self, after_position: u64) -> EventBatches<'_> {
        self.store.read_all(after_position)
    }

    fn subscribe(&self, after_position: u64) -> EventBatches<'static> {
        self.store.subscribe(after_position)
    }

    async fn head(&self) -> Result<LogHead, StoreError> {
        self.store.head().await
    }

    async fn seal_at(&self, seq: u64) -> Result<Option<Hash>, StoreError> {
        self.store.seal_at(seq).await
    }

    async fn verify(&self, stream: Option<&str>) -> Result<Verification, StoreError> {
        self.store.verify(stream).await
    }
}

#[async_trait]
impl SnapshotStore for FaultyStore {
    async fn capture(&self, digest: &str, canonical: &[u8]) -> Result<bool, StoreError> {
        self.call("capture", self.store.capture(digest, canonical)).await
    }

    async fn captured(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        self.call("captured", self.store.captured(digest)).await
    }
}

#[async_trait]
impl ProjectionStore for FaultyStore {
    async fn begin_staging(
        &self,
        writer: ProjectionWriter,
        tables: &[&'static TableSpec],
    ) -> Result<(), StoreError> {
        self.call("begin_staging", self.store.begin_staging(writer, tables)).await
    }

    async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to: u64,
    ) -> Result<(), StoreError> {
        self.call("stage", self.store.stage(writer, rows, up_to)).await
    }

    async fn publish(
        &self,
        writer: ProjectionWriter,
        left_out: &[&'static TableSpec],
    ) -> Result<(), StoreError> {
        self.call("publish", self.store.publish(writer, left_out)).await
    }

    async fn published(&self) -> Result<Option<(RunId, u64)>, StoreError> {
        self.call("published", self.store.published()).await
    }

    async fn is_stored(&self, table: &'static TableSpec) -> Result<bool, StoreError> {
        self.call("is_stored", self.store.is_stored(table)).await
    }

    async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: &'static TableSpec,
        row: Vec<Cell>,
    ) -> Result<(), StoreError> {
        self.call("put_row", self.store.put_row(writer, table, row)).await
    }

    fn rows(&self, table: &'static TableSpec) -> RowBatches<'_> {
        self.store.rows(table)
    }
}

#[async_trait]
impl IndexStore for FaultyStore {
    async fn put_index(
        &self,
        writer: ProjectionWriter,
        index: Arc<RunIndex>,
    ) -> Result<(), StoreError> {
        self.call("put_index", self.store.put_index(writer, index)).await
    }

    async fn indexed(
        &self,
        run: RunId,
        subjects: Vec<Subject>,
    ) -> Result<Option<IndexedVersions>, StoreError> {
        self.store.indexed(run, subjects).await
    }

    async fn indexed_runs(&self) -> Result<Vec<(RunId, IndexState)>, StoreError> {
        self.store.indexed_runs().await
    }

    fn index_entries(&self, run: RunId) -> EntryBatches<'_> {
        self.store.index_entries(run)
    }
}

#[async_trait]
impl HeadlineStore for FaultyStore {
    async fn put_headline(&self, run: RunId, headline: &RunHeadline) -> Result<(), StoreError> {
        self.call("put_headline", self.store.put_headline(run, headline)).await
    }

    async fn put_annotation_head(
        &self,
        run: RunId,
        annotations: &AnnotationHead,
    ) -> Result<(), StoreError> {
        self.store.put_annotation_head(run, annotations).await
    }

    async fn headlines(
        &self,
        runs: Vec<RunId>,
    ) -> Result<BTreeMap<RunId, KeptHeadline>, StoreError> {
        self.store.headlines(runs).await
    }

    async fn runs_named(&self, name: &str) -> Result<Vec<RunId>, StoreError> {
        self.store.runs_named(name).await
    }
}

#[async_trait]
impl SubscriberStore for FaultyStore {
    async fn subscriber(&self, name: &str) -> Result<Option<u64>, StoreError> {
        self.store.subscriber(name).await
    }

    async fn subscribers(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.store.subscribers().await
    }

    async fn advance(
        &self,
        name: &str,
        before: Option<u64>,
        position: u64,
    ) -> Result<bool, StoreError> {
        self.store.advance(name, before, position).await
    }
}

#[async_trait]
impl RunStore for FaultyStore {
    async fn enqueue(
        &self,
        request: Append,
        is_scenario: bool,
    ) -> Result<AppendReceipt, StoreError> {
        self.call("enqueue", self.store.enqueue(request, is_scenario)).await
    }

    async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        self.call("claim", self.store.claim(worker, now, until)).await
    }

    async fn renew(&self, lease: Lease, until: Timestamp) -> Result<Option<String>, StoreError> {
        self.store.renew(lease, until).await
    }

    async fn set_status(&self, lease: Lease, status: RunStatus) -> Result<(), StoreError> {
        self.call("set_status", self.store.set_status(lease, status)).await
    }

    async fn request_cancel(&self, run: RunId, by: &str) -> Result<bool, StoreError> {
        self.store.request_cancel(run, by).await
    }

    async fn run(&self, run: RunId) -> Result<Option<QueuedRun>, StoreError> {
        self.call("run", self.store.run(run)).await
    }

    async fn active_run(&self) -> Result<Option<QueuedRun>, StoreError> {
        self.store.active_run().await
    }

    async fn latest_run(&self, status: RunStatus) -> Result<Option<QueuedRun>, StoreError> {
        self.store.latest_run(status).await
    }

    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
        filter: RunFilter,
    ) -> Result<Vec<QueuedRun>, StoreError> {
        self.store.runs_after(cursor, limit, filter).await
    }

    async fn runs_between(
        &self,
        first: RunId,
        last: RunId,
        limit: usize,
    ) -> Result<Vec<QueuedRun>, StoreError> {
        self.store.runs_between(first, last, limit).await
    }

    async fn run_counts(&self) -> Result<BTreeMap<RunStatus, u64>, StoreError> {
        self.store.run_counts().await
    }
}

impl RetentionStore for FaultyStore {}
