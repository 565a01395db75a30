//! A store whose calls fail as a test decides.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

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
use powerfill_ports::{Store, StoreError, StoreResult};
use powerfill_tables::event_index::{RunIndex, Subject};
use powerfill_tables::run_headline::RunHeadline;
use powerfill_tables::table::{Cell, RowBatch, TableRef};
use powerfill_tests::forward_calls;

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
        done: impl Future<Output = StoreResult<T>>,
    ) -> StoreResult<T> {
        match self.outcome(name) {
            CallOutcome::Done => done.await,
            CallOutcome::Refused(error) => Err(error),
            CallOutcome::Unanswered(error) => done.await.and(Err(error)),
        }
    }
}

forward_calls! {
    impl EventStore for FaultyStore, |this| this.store;
    through call {
        append(append: Append) -> AppendReceipt;
        stream_version(stream: &str) -> u64;
    }
    direct {
        streams() -> Vec<String>;
        head() -> LogHead;
        seal_at(seq: u64) -> Option<Hash>;
        verify(stream: Option<&str>) -> Verification;
    }
    readers {
        read_versions(stream: &str, versions: Vec<u64>) -> EventBatches<'_>;
        read_all(after_position: u64) -> EventBatches<'_>;
        subscribe(after_position: u64) -> EventBatches<'static>;
    }
    written {
        fn read_between(&self, stream: &str, from: u64, to: u64) -> EventBatches<'_> {
            match self.outcome("read") {
                CallOutcome::Done => self.store.read_between(stream, from, to),
                CallOutcome::Refused(error) | CallOutcome::Unanswered(error) => {
                    stream::iter([Err(error)]).boxed()
                }
            }
        }
    }
}

forward_calls! {
    impl SnapshotStore for FaultyStore, |this| this.store;
    through call {
        capture(digest: &str, canonical: &[u8]) -> bool;
        captured(digest: &str) -> Vec<u8>;
    }
}

forward_calls! {
    impl ProjectionStore for FaultyStore, |this| this.store;
    through call {
        begin_staging(writer: ProjectionWriter, tables: &[TableRef]) -> ();
        stage(writer: ProjectionWriter, rows: Arc<[RowBatch]>, up_to: u64) -> ();
        publish(writer: ProjectionWriter, left_out: &[TableRef]) -> ();
        published() -> Option<(RunId, u64)>;
        is_stored(table: TableRef) -> bool;
        put_row(writer: ProjectionWriter, table: TableRef, row: Vec<Cell>) -> ();
    }
    readers {
        rows(table: TableRef) -> RowBatches<'_>;
    }
}

forward_calls! {
    impl IndexStore for FaultyStore, |this| this.store;
    through call {
        put_index(writer: ProjectionWriter, index: Arc<RunIndex>) -> ();
    }
    direct {
        indexed(run: RunId, subjects: Vec<Subject>) -> Option<IndexedVersions>;
        indexed_runs() -> Vec<(RunId, IndexState)>;
    }
    readers {
        index_entries(run: RunId) -> EntryBatches<'_>;
    }
}

forward_calls! {
    impl HeadlineStore for FaultyStore, |this| this.store;
    through call {
        put_headline(run: RunId, headline: &RunHeadline) -> ();
    }
    direct {
        put_annotation_head(run: RunId, annotations: &AnnotationHead) -> ();
        headlines(runs: Vec<RunId>) -> BTreeMap<RunId, KeptHeadline>;
        runs_named(name: &str) -> Vec<RunId>;
    }
}

forward_calls! {
    impl SubscriberStore for FaultyStore, |this| this.store;
    direct {
        subscriber(name: &str) -> Option<u64>;
        subscribers() -> Vec<(String, u64)>;
        advance(name: &str, before: Option<u64>, position: u64) -> bool;
    }
}

forward_calls! {
    impl RunStore for FaultyStore, |this| this.store;
    through call {
        enqueue(request: Append, is_scenario: bool) -> AppendReceipt;
        claim(worker: &str, now: Timestamp, until: Timestamp) -> Option<Lease>;
        set_status(lease: Lease, status: RunStatus) -> ();
        run(run: RunId) -> Option<QueuedRun>;
    }
    direct {
        renew(lease: Lease, until: Timestamp) -> Option<String>;
        request_cancel(run: RunId, by: &str) -> bool;
        active_run() -> Option<QueuedRun>;
        latest_run(status: RunStatus) -> Option<QueuedRun>;
        runs_after(cursor: RunCursor, limit: usize, filter: RunFilter) -> Vec<QueuedRun>;
        runs_between(first: RunId, last: RunId, limit: usize) -> Vec<QueuedRun>;
        run_counts() -> BTreeMap<RunStatus, u64>;
    }
}

impl RetentionStore for FaultyStore {}
