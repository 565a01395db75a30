//! A process's way to the store: calls take their time, and meet faults.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use powerfill_events::run::RunId;
use powerfill_events::run::envelope::Hash;
use powerfill_events::values::Timestamp;
use powerfill_ports::StoreError;
use powerfill_ports::events::{
    Append, AppendReceipt, EventBatches, EventStore, LogHead, Verification,
};
use powerfill_ports::index::{EntryBatches, IndexState, IndexStore, IndexedVersions};
use powerfill_ports::projections::{ProjectionStore, RowBatches};
use powerfill_ports::runs::{Lease, ProjectionWriter, QueuedRun, RunCursor, RunStatus, RunStore};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::subscribers::SubscriberStore;
use powerfill_tables::event_index::{RunIndex, Subject};
use powerfill_tables::table::{Cell, RowBatch, TableSpec};

use crate::faults::{Fate, Repeated, fate};
use crate::sound::Sound;
use crate::world::{Process, pass};

/// A process's way to the store.
#[derive(Clone)]
pub(crate) struct Way {
    process: Arc<Process>,
    store: Sound,
}

fn away() -> StoreError {
    StoreError::Unavailable("nobody answers".to_owned())
}

fn lost(repeated: Repeated) -> StoreError {
    match repeated {
        Repeated::Never => StoreError::Failed("it is not known whether that was done".to_owned()),
        Repeated::Safely | Repeated::Recognised => {
            StoreError::Unavailable("the answer was lost".to_owned())
        }
    }
}

/// In a word.
fn said<T>(answer: &Result<T, StoreError>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(StoreError::Conflict { .. }) => "conflict",
        Err(StoreError::AppendIdReused { .. }) => "append id reused",
        Err(StoreError::RunActive(_)) => "run active",
        Err(StoreError::LeaseLost(_)) => "lease lost",
        Err(StoreError::AnotherTenant(_)) => "another tenant",
        Err(StoreError::NotFound { .. }) => "not found",
        Err(StoreError::Unavailable(_)) => "unavailable",
        Err(StoreError::Failed(_)) => "failed",
        Err(StoreError::Corrupt(_) | StoreError::Schema(_)) => "damaged",
    }
}

impl Way {
    pub(crate) fn new(process: &Arc<Process>) -> Self {
        Self { process: Arc::clone(process), store: Sound::new(&process.world, process.who) }
    }

    async fn call<T, F>(
        &self,
        name: &'static str,
        repeated: Repeated,
        work: impl FnOnce(Sound) -> F + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let (process, world) = (&self.process, &self.process.world);
        process.gate().await;
        let fate = fate(&mut world.state(), name, repeated);
        let answer = match fate {
            Fate::DiesBefore => self.dies().await,
            Fate::DiesAfter => {
                world.tell(process.who, name, fate.how(), said(&work(self.store.clone()).await));
                self.dies().await
            }
            Fate::DiesWhile(later) => {
                self.arrives(later, name, work);
                self.dies().await
            }
            Fate::Late(later) => {
                self.arrives(later, name, work);
                Err(away())
            }
            Fate::Away => {
                pass(1).await;
                Err(away())
            }
            Fate::Lost => {
                let done = work(self.store.clone()).await;
                // What was refused was refused: an answer is lost with what was done.
                done.and_then(|_| Err(lost(repeated)))
            }
            Fate::StandsStill(long) => {
                process.stand_still(long);
                process.gate().await;
                work(self.store.clone()).await
            }
            Fate::Done { out, back } => {
                pass(out).await;
                let gone = world.state().away_until > world.now();
                let answer = if gone { Err(away()) } else { work(self.store.clone()).await };
                pass(back).await;
                answer
            }
        };
        process.gate().await;
        world.tell(process.who, name, fate.how(), said(&answer));
        answer
    }

    async fn dies<T>(&self) -> T {
        self.process.kill();
        std::future::pending().await
    }

    /// The store hears it later, and nobody hears the answer.
    fn arrives<T, F>(
        &self,
        later: u64,
        name: &'static str,
        work: impl FnOnce(Sound) -> F + Send + 'static,
    ) where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let (store, process) = (self.store.clone(), Arc::clone(&self.process));
        tokio::spawn(async move {
            pass(later).await;
            let answer = work(store).await;
            process.world.tell(process.who, name, "arrives", said(&answer));
        });
    }

    /// A reader: all that it gives is read at once.
    fn reads(
        &self,
        name: &'static str,
        read: impl for<'s> FnOnce(&'s Sound) -> EventBatches<'s> + Send + 'static,
    ) -> EventBatches<'_> {
        let all = self.call(name, Repeated::Safely, move |store| async move {
            read(&store).try_collect::<Vec<_>>().await
        });
        stream::once(all)
            .map_ok(|batches| stream::iter(batches.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }
}

#[async_trait]
impl EventStore for Way {
    async fn append(&self, append: Append) -> Result<AppendReceipt, StoreError> {
        let work = |store: Sound| async move { store.append(append).await };
        self.call("append", Repeated::Recognised, work).await
    }

    async fn stream_version(&self, stream: &str) -> Result<u64, StoreError> {
        let stream = stream.to_owned();
        let work = |store: Sound| async move { store.inner().stream_version(&stream).await };
        self.call("stream_version", Repeated::Safely, work).await
    }

    async fn streams(&self) -> Result<Vec<String>, StoreError> {
        self.store.inner().streams().await
    }

    fn read_between(&self, stream: &str, from: u64, to: u64) -> EventBatches<'_> {
        let stream = stream.to_owned();
        self.reads("read", move |store| store.read_between(&stream, from, to))
    }

    fn read_versions(&self, stream: &str, versions: Vec<u64>) -> EventBatches<'_> {
        let stream = stream.to_owned();
        self.reads("read_versions", move |store| store.inner().read_versions(&stream, versions))
    }

    fn read_all(&self, after: u64) -> EventBatches<'_> {
        self.reads("read_all", move |store| store.read_all(after))
    }

    fn subscribe(&self, after: u64) -> EventBatches<'static> {
        let way = self.clone();
        let begun = async move {
            way.call("subscribe", Repeated::Safely, |_| async { Ok(()) }).await?;
            Ok(way.store.subscribe(after))
        };
        stream::once(begun).try_flatten().boxed()
    }

    async fn head(&self) -> Result<LogHead, StoreError> {
        self.store.inner().head().await
    }

    async fn seal_at(&self, seq: u64) -> Result<Option<Hash>, StoreError> {
        self.store.inner().seal_at(seq).await
    }

    async fn verify(&self, stream: Option<&str>) -> Result<Verification, StoreError> {
        self.store.inner().verify(stream).await
    }
}

#[async_trait]
impl SnapshotStore for Way {
    async fn capture(&self, digest: &str, canonical: &[u8]) -> Result<bool, StoreError> {
        let (digest, canonical) = (digest.to_owned(), canonical.to_vec());
        let work = |store: Sound| async move { store.inner().capture(&digest, &canonical).await };
        self.call("capture", Repeated::Safely, work).await
    }

    async fn captured(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        let digest = digest.to_owned();
        let work = |store: Sound| async move { store.inner().captured(&digest).await };
        self.call("captured", Repeated::Safely, work).await
    }
}

#[async_trait]
impl ProjectionStore for Way {
    async fn begin_staging(
        &self,
        writer: ProjectionWriter,
        tables: &[&'static TableSpec],
    ) -> Result<(), StoreError> {
        let tables = tables.to_vec();
        let work = move |store: Sound| async move { store.begin_staging(writer, &tables).await };
        self.call("begin_staging", Repeated::Safely, work).await
    }

    async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to: u64,
    ) -> Result<(), StoreError> {
        let work = move |store: Sound| async move { store.stage(writer, rows, up_to).await };
        self.call("stage", Repeated::Never, work).await
    }

    async fn publish(&self, writer: ProjectionWriter) -> Result<(), StoreError> {
        let work = move |store: Sound| async move { store.publish(writer).await };
        self.call("publish", Repeated::Never, work).await
    }

    async fn published(&self) -> Result<Option<(RunId, u64)>, StoreError> {
        self.store.inner().published().await
    }

    async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: &'static TableSpec,
        row: Vec<Cell>,
    ) -> Result<(), StoreError> {
        let work = move |store: Sound| async move { store.put_row(writer, table, row).await };
        self.call("put_row", Repeated::Safely, work).await
    }

    fn rows(&self, table: &'static TableSpec) -> RowBatches<'_> {
        self.store.inner().rows(table)
    }
}

#[async_trait]
impl IndexStore for Way {
    async fn put_index(
        &self,
        writer: ProjectionWriter,
        index: Arc<RunIndex>,
    ) -> Result<(), StoreError> {
        let work = move |store: Sound| async move { store.put_index(writer, index).await };
        self.call("put_index", Repeated::Safely, work).await
    }

    async fn indexed(
        &self,
        run: RunId,
        subjects: Vec<Subject>,
    ) -> Result<Option<IndexedVersions>, StoreError> {
        self.store.inner().indexed(run, subjects).await
    }

    async fn indexed_runs(&self) -> Result<Vec<(RunId, IndexState)>, StoreError> {
        self.store.inner().indexed_runs().await
    }

    fn index_entries(&self, run: RunId) -> EntryBatches<'_> {
        self.store.inner().index_entries(run)
    }
}

#[async_trait]
impl SubscriberStore for Way {
    async fn subscriber(&self, name: &str) -> Result<Option<u64>, StoreError> {
        self.store.inner().subscriber(name).await
    }

    async fn subscribers(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.store.inner().subscribers().await
    }

    async fn advance(
        &self,
        name: &str,
        before: Option<u64>,
        position: u64,
    ) -> Result<bool, StoreError> {
        self.store.inner().advance(name, before, position).await
    }
}

#[async_trait]
impl RunStore for Way {
    async fn enqueue(&self, request: Append) -> Result<AppendReceipt, StoreError> {
        let work = |store: Sound| async move { store.enqueue(request).await };
        self.call("enqueue", Repeated::Recognised, work).await
    }

    async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let worker = worker.to_owned();
        let work = move |store: Sound| async move { store.claim(&worker, now, until).await };
        self.call("claim", Repeated::Never, work).await
    }

    async fn renew(&self, lease: Lease, until: Timestamp) -> Result<Option<String>, StoreError> {
        let work = move |store: Sound| async move { store.renew(lease, until).await };
        self.call("renew", Repeated::Safely, work).await
    }

    async fn set_status(&self, lease: Lease, status: RunStatus) -> Result<(), StoreError> {
        let repeated = if status.is_over() { Repeated::Never } else { Repeated::Safely };
        let work = move |store: Sound| async move { store.set_status(lease, status).await };
        self.call("set_status", repeated, work).await
    }

    async fn request_cancel(&self, run: RunId, by: &str) -> Result<bool, StoreError> {
        let by = by.to_owned();
        let work = move |store: Sound| async move { store.inner().request_cancel(run, &by).await };
        self.call("request_cancel", Repeated::Safely, work).await
    }

    async fn run(&self, run: RunId) -> Result<Option<QueuedRun>, StoreError> {
        self.store.inner().run(run).await
    }

    async fn active_run(&self) -> Result<Option<QueuedRun>, StoreError> {
        self.store.inner().active_run().await
    }

    async fn latest_run(&self, status: RunStatus) -> Result<Option<QueuedRun>, StoreError> {
        self.store.inner().latest_run(status).await
    }

    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
    ) -> Result<Vec<QueuedRun>, StoreError> {
        self.store.inner().runs_after(cursor, limit).await
    }

    async fn run_counts(&self) -> Result<BTreeMap<RunStatus, u64>, StoreError> {
        self.store.inner().run_counts().await
    }
}
