//! A process's connection to the store, on which calls take time and meet faults.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use powerfill_events::log::Hash;
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::events::{
    Append, AppendReceipt, EventBatches, EventStore, LogHead, Verification,
};
use powerfill_ports::index::{EntryBatches, IndexState, IndexStore, IndexedVersions};
use powerfill_ports::projections::{ProjectionStore, RowBatches};
use powerfill_ports::retention::RetentionStore;
use powerfill_ports::run_list::{HeadlineStore, KeptHeadline};
use powerfill_ports::runs::{
    Lease, ProjectionWriter, QueuedRun, RunCursor, RunFilter, RunStatus, RunStore,
};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::subscribers::SubscriberStore;
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::event_index::{RunIndex, Subject};
use powerfill_tables::run_headline::RunHeadline;
use powerfill_tables::table::{Cell, RowBatch, TableRef};
use powerfill_tests::forward_calls;

use crate::faults::{CallOutcome, RetrySafety, draw_outcome};
use crate::observed::ObservedStore;
use crate::world::{Process, sleep_ms};

/// A process's connection to the store.
#[derive(Clone)]
pub(crate) struct StoreConnection {
    process: Arc<Process>,
    store: ObservedStore,
}

fn away() -> StoreError {
    StoreError::Unavailable("no answer".into())
}

fn lost(retry: RetrySafety) -> StoreError {
    match retry {
        RetrySafety::Never => StoreError::Failed("it is not known whether that was done".into()),
        RetrySafety::Safely | RetrySafety::Recognized => {
            StoreError::Unavailable("the answer was lost".into())
        }
    }
}

/// An answer in a word, for the trace.
fn said<T>(answer: &StoreResult<T>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(StoreError::Conflict { .. }) => "conflict",
        Err(StoreError::AppendIdReused { .. }) => "append id reused",
        Err(StoreError::RunActive(_)) => "run active",
        Err(StoreError::LeaseLost(_)) => "lease lost",
        Err(StoreError::AnotherTenant(_)) => "another tenant",
        Err(StoreError::Archived(_)) => "archived",
        Err(StoreError::NotFound { .. }) => "not found",
        Err(StoreError::Unavailable(_)) => "unavailable",
        Err(StoreError::ReadOnly(_) | StoreError::Failed(_)) => "failed",
        Err(StoreError::Corrupt(_) | StoreError::Schema(_)) => "damaged",
    }
}

impl StoreConnection {
    pub(crate) fn new(process: &Arc<Process>) -> Self {
        Self {
            process: Arc::clone(process),
            store: ObservedStore::new(&process.world, process.name),
        }
    }

    async fn call<T, F>(
        &self,
        name: &'static str,
        retry: RetrySafety,
        work: impl FnOnce(ObservedStore) -> F + Send + 'static,
    ) -> StoreResult<T>
    where
        T: Send + 'static,
        F: Future<Output = StoreResult<T>> + Send,
    {
        let (process, world) = (&self.process, &self.process.world);
        process.wait_while_paused().await;
        let outcome = draw_outcome(&mut world.state(), name, retry);
        let answer = match outcome {
            CallOutcome::DiesBefore => self.die().await,
            CallOutcome::DiesAfter => {
                world.record(
                    process.name,
                    name,
                    outcome.how(),
                    said(&work(self.store.clone()).await),
                );
                self.die().await
            }
            CallOutcome::DiesWhile(later) => {
                self.deliver_later(later, name, work);
                self.die().await
            }
            CallOutcome::Late(later) => {
                self.deliver_later(later, name, work);
                Err(away())
            }
            CallOutcome::Away => {
                sleep_ms(1).await;
                Err(away())
            }
            CallOutcome::Lost => {
                let done = work(self.store.clone()).await;
                // Only the answer of a call that was done can be lost.
                done.and_then(|_| Err(lost(retry)))
            }
            CallOutcome::Pauses(long) => {
                process.pause(long);
                process.wait_while_paused().await;
                work(self.store.clone()).await
            }
            CallOutcome::Done { out, back } => {
                sleep_ms(out).await;
                let gone = world.state().away_until > world.now();
                let answer = if gone { Err(away()) } else { work(self.store.clone()).await };
                sleep_ms(back).await;
                answer
            }
        };
        process.wait_while_paused().await;
        world.record(process.name, name, outcome.how(), said(&answer));
        answer
    }

    async fn die<T>(&self) -> T {
        self.process.kill();
        std::future::pending().await
    }

    /// The store receives the call later, and its answer goes nowhere.
    fn deliver_later<T, F>(
        &self,
        later: u64,
        name: &'static str,
        work: impl FnOnce(ObservedStore) -> F + Send + 'static,
    ) where
        T: Send + 'static,
        F: Future<Output = StoreResult<T>> + Send,
    {
        let (store, process) = (self.store.clone(), Arc::clone(&self.process));
        tokio::spawn(async move {
            sleep_ms(later).await;
            let answer = work(store).await;
            process.world.record(process.name, name, "arrives", said(&answer));
        });
    }

    /// A reader whose batches are read at once.
    fn read_at_once(
        &self,
        name: &'static str,
        read: impl for<'s> FnOnce(&'s ObservedStore) -> EventBatches<'s> + Send + 'static,
    ) -> EventBatches<'_> {
        let all = self.call(name, RetrySafety::Safely, move |store| async move {
            read(&store).try_collect::<Vec<_>>().await
        });
        stream::once(all)
            .map_ok(|batches| stream::iter(batches.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }
}

forward_calls! {
    impl EventStore for StoreConnection, |this| this.store.inner();
    sent call {
        append(append: Append) -> AppendReceipt, RetrySafety::Recognized,
            |store| store.append(append);
        stream_version(stream: &str) -> u64, RetrySafety::Safely,
            |store| store.inner().stream_version(&stream);
    }
    direct {
        streams() -> Vec<String>;
        head() -> LogHead;
        seal_at(seq: u64) -> Option<Hash>;
        verify(stream: Option<&str>) -> Verification;
    }
    written {
        fn read_between(&self, stream: &str, from: u64, to: u64) -> EventBatches<'_> {
            let stream = stream.to_owned();
            self.read_at_once("read", move |store| store.read_between(&stream, from, to))
        }

        fn read_versions(&self, stream: &str, versions: Vec<u64>) -> EventBatches<'_> {
            let stream = stream.to_owned();
            self.read_at_once("read_versions", move |store| {
                store.inner().read_versions(&stream, versions)
            })
        }

        fn read_all(&self, after: u64) -> EventBatches<'_> {
            self.read_at_once("read_all", move |store| store.read_all(after))
        }

        fn subscribe(&self, after: u64) -> EventBatches<'static> {
            let connection = self.clone();
            let begun = async move {
                connection.call("subscribe", RetrySafety::Safely, |_| async { Ok(()) }).await?;
                Ok(connection.store.subscribe(after))
            };
            stream::once(begun).try_flatten().boxed()
        }
    }
}

forward_calls! {
    impl SnapshotStore for StoreConnection, |this| this.store.inner();
    sent call {
        capture(digest: &str, canonical: &[u8]) -> bool, RetrySafety::Safely,
            |store| store.inner().capture(&digest, &canonical);
        captured(digest: &str) -> Vec<u8>, RetrySafety::Safely,
            |store| store.inner().captured(&digest);
    }
}

forward_calls! {
    impl ProjectionStore for StoreConnection, |this| this.store.inner();
    sent call {
        begin_staging(writer: ProjectionWriter, tables: &[TableRef]) -> (),
            RetrySafety::Safely, |store| store.begin_staging(writer, &tables);
        stage(writer: ProjectionWriter, rows: Arc<[RowBatch]>, up_to: u64) -> (),
            RetrySafety::Never, |store| store.stage(writer, rows, up_to);
        publish(writer: ProjectionWriter, left_out: &[TableRef]) -> (),
            RetrySafety::Never, |store| store.publish(writer, &left_out);
    }
    direct {
        published() -> Option<(RunId, u64)>;
        is_stored(table: TableRef) -> bool;
    }
    readers {
        rows(table: TableRef) -> RowBatches<'_>;
    }
    written {
        async fn put_row(
            &self,
            writer: ProjectionWriter,
            table: TableRef,
            row: Vec<Cell>,
        ) -> StoreResult<()> {
            let work =
                move |store: ObservedStore| async move { store.put_row(writer, table, row).await };
            self.call("put_row", RetrySafety::Safely, work).await
        }
    }
}

forward_calls! {
    impl IndexStore for StoreConnection, |this| this.store.inner();
    sent call {
        put_index(writer: ProjectionWriter, index: Arc<RunIndex>) -> (), RetrySafety::Safely,
            |store| store.put_index(writer, index);
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
    impl HeadlineStore for StoreConnection, |this| this.store.inner();
    sent call {
        put_headline(run: RunId, headline: &RunHeadline) -> (), RetrySafety::Safely,
            |store| store.inner().put_headline(run, &headline);
    }
    direct {
        headlines(runs: Vec<RunId>) -> BTreeMap<RunId, KeptHeadline>;
    }
}

forward_calls! {
    impl SubscriberStore for StoreConnection, |this| this.store.inner();
    direct {
        subscriber(name: &str) -> Option<u64>;
        subscribers() -> Vec<(String, u64)>;
        advance(name: &str, before: Option<u64>, position: u64) -> bool;
    }
}

forward_calls! {
    impl RunStore for StoreConnection, |this| this.store.inner();
    sent call {
        enqueue(request: Append, is_scenario: bool) -> AppendReceipt, RetrySafety::Recognized,
            |store| store.enqueue(request, is_scenario);
        claim(worker: &str, now: Timestamp, until: Timestamp) -> Option<Lease>, RetrySafety::Never,
            |store| store.claim(&worker, now, until);
        renew(lease: Lease, until: Timestamp) -> Option<String>, RetrySafety::Safely,
            |store| store.renew(lease, until);
        run(run: RunId) -> Option<QueuedRun>, RetrySafety::Safely, |store| store.run(run);
        set_status(lease: Lease, status: RunStatus) -> (),
            if status.is_over() { RetrySafety::Never } else { RetrySafety::Safely },
            |store| store.set_status(lease, status);
        request_cancel(run: RunId, by: &str) -> bool, RetrySafety::Safely,
            |store| store.inner().request_cancel(run, &by);
    }
    direct {
        active_run() -> Option<QueuedRun>;
        latest_run(status: RunStatus) -> Option<QueuedRun>;
        runs_after(cursor: RunCursor, limit: usize, filter: RunFilter) -> Vec<QueuedRun>;
        runs_between(first: RunId, last: RunId, limit: usize) -> Vec<QueuedRun>;
        run_counts() -> BTreeMap<RunStatus, u64>;
    }
}

impl RetentionStore for StoreConnection {}
