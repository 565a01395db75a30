//! The ports.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use powerfill_events::run::RunId;
use powerfill_events::run::envelope::Hash;
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::StoreError;
use powerfill_ports::events::{
    Append, AppendReceipt, EVENTS_PER_BATCH, EventBatches, EventStore, LogHead, StoredEvent,
    Verification,
};
use powerfill_ports::index::{EntryBatches, IndexState, IndexStore, IndexedVersions};
use powerfill_ports::projections::{ProjectionStore, RowBatches};
use powerfill_ports::runs::{Lease, ProjectionWriter, QueuedRun, RunCursor, RunStatus, RunStore};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::subscribers::SubscriberStore;
use powerfill_tables::event_index::{RunIndex, Subject};
use powerfill_tables::table::{Cell, RowBatch, TableSpec};

use crate::shown::Shown;
use crate::wake::Backoff;
use crate::{
    Inner, PostgresStore, append, index, read, runs, snapshots, staging, subscribers, verify,
};

/// Carries something through to its end, even where the caller goes away meanwhile.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(work)
        .await
        .map_err(|panic| StoreError::Failed(format!("a call was broken off: {panic}")))?
}

/// What takes a while, off the threads that others wait for.
pub(crate) async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|panic| StoreError::Failed(format!("a call was broken off: {panic}")))?
}

/// Where a reader of a stream has got to: its number, the next version, and the last one that is asked for.
type InStream = Option<(u64, u64, u64)>;

async fn next_of_stream(
    inner: &Inner,
    name: &str,
    at: InStream,
    from: u64,
    to: u64,
) -> Result<(Vec<StoredEvent>, InStream), StoreError> {
    let client = inner.connections.get().await?;
    let (stream_id, from, end) = match at {
        Some(at) => at,
        None => match read::stream(&client, name).await? {
            Some((stream_id, version)) => (stream_id, from, version.min(to)),
            None => return Ok((Vec::new(), None)),
        },
    };
    let batch = read::batch_from_version(&client, (stream_id, name), from, end).await?;
    let next = batch.last().map_or(from, |last| last.stream_version + 1);
    Ok((batch, Some((stream_id, next, end))))
}

/// The next of chosen versions from the one at an index on, the index after them, and the stream's number and its end
/// at the first call.
async fn next_of_versions(
    inner: &Inner,
    name: &str,
    versions: &[u64],
    from: usize,
    at: Option<(u64, u64)>,
) -> Result<(Vec<StoredEvent>, usize, Option<(u64, u64)>), StoreError> {
    let client = inner.connections.get().await?;
    let found = match at {
        Some(at) => Some(at),
        None => read::stream(&client, name).await?,
    };
    let Some((stream_id, end)) = found else { return Ok((Vec::new(), from, None)) };
    let there = versions.partition_point(|version| *version <= end);
    let next = there.min(from + EVENTS_PER_BATCH);
    let batch =
        read::batch_of_versions(&client, (stream_id, name), &versions[from.min(next)..next])
            .await?;
    Ok((batch, next, found))
}

/// What came after a position, and how far the log reaches.
async fn after_position(
    inner: &Inner,
    after: u64,
    end: Option<u64>,
) -> Result<(Vec<StoredEvent>, u64), StoreError> {
    let client = inner.connections.get().await?;
    let end = match end {
        Some(end) => end,
        None => append::head(&client).await?.position,
    };
    Ok((read::batch_after_position(&client, after, end).await?, end))
}

#[async_trait]
impl EventStore for PostgresStore {
    async fn append(&self, append: Append) -> Result<AppendReceipt, StoreError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let appended = append::append(&inner.connections, append).await?;
            inner.wake.raise(appended.position);
            Ok(appended)
        })
        .await
    }

    async fn tenant(&self) -> Result<Option<TenantId>, StoreError> {
        append::tenant(&*self.inner.connections.get().await?).await
    }

    async fn stream_version(&self, stream: &str) -> Result<u64, StoreError> {
        let client = self.inner.connections.get().await?;
        Ok(read::stream(&client, stream).await?.map_or(0, |(_, version)| version))
    }

    async fn streams(&self) -> Result<Vec<String>, StoreError> {
        read::streams(&*self.inner.connections.get().await?).await
    }

    fn read_between(&self, stream: &str, from_version: u64, to_version: u64) -> EventBatches<'_> {
        let name: Arc<str> = stream.into();
        let from = from_version.max(1);
        stream::try_unfold(None, move |at| {
            let name = Arc::clone(&name);
            async move {
                let (batch, at) = next_of_stream(&self.inner, &name, at, from, to_version).await?;
                Ok((!batch.is_empty()).then_some((batch, at)))
            }
        })
        .boxed()
    }

    fn read_versions(&self, stream: &str, versions: Vec<u64>) -> EventBatches<'_> {
        let (name, versions): (Arc<str>, Arc<[u64]>) = (stream.into(), versions.into());
        stream::try_unfold((0, None), move |(from, at)| {
            let (name, versions) = (Arc::clone(&name), Arc::clone(&versions));
            async move {
                let (batch, next, at) =
                    next_of_versions(&self.inner, &name, &versions, from, at).await?;
                Ok((!batch.is_empty()).then_some((batch, (next, at))))
            }
        })
        .boxed()
    }

    fn read_all(&self, after_position: u64) -> EventBatches<'_> {
        stream::try_unfold((after_position, None), move |(after, end)| async move {
            let (batch, end) = self::after_position(&self.inner, after, end).await?;
            let next = batch.last().map(|last| last.global_position);
            Ok(next.map(|next| (batch, (next, Some(end)))))
        })
        .boxed()
    }

    fn subscribe(&self, after_position: u64) -> EventBatches<'static> {
        let begin = (self.clone(), after_position, None);
        stream::try_unfold(begin, |(store, after, mut woken)| async move {
            let mut backoff = Backoff::new();
            loop {
                // Waiting begins before the look at the log, so that nothing can come in between unseen.
                let receiver =
                    woken.get_or_insert_with(|| store.inner.wake.subscribe(&store.inner));
                let (batch, end) = match self::after_position(&store.inner, after, None).await {
                    Ok(found) => found,
                    // The server comes back, and the position is the same.
                    Err(error) if error.is_transient() => {
                        backoff.wait().await;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                backoff = Backoff::new();
                if let Some(last) = batch.last().map(|last| last.global_position) {
                    return Ok(Some((batch, (store, last, woken))));
                }
                if end < after {
                    let what = format!("the log ends at {end}, before position {after}");
                    return Err(StoreError::Corrupt(what));
                }
                receiver
                    .wait_for(|position| *position > after)
                    .await
                    .map_err(|_| StoreError::Failed("the store was closed".to_owned()))?;
            }
        })
        .boxed()
    }

    async fn head(&self) -> Result<LogHead, StoreError> {
        append::head(&*self.inner.connections.get().await?).await
    }

    async fn seal_at(&self, seq: u64) -> Result<Option<Hash>, StoreError> {
        append::seal_at(&*self.inner.connections.get().await?, seq).await
    }

    async fn verify(&self, stream: Option<&str>) -> Result<Verification, StoreError> {
        verify::verify(self.inner.connections.session().await?, stream).await
    }
}

#[async_trait]
impl SnapshotStore for PostgresStore {
    async fn capture(&self, digest: &str, canonical: &[u8]) -> Result<bool, StoreError> {
        let client = self.inner.connections.get().await?;
        if snapshots::check(digest, canonical).is_ok()
            && snapshots::is_there(&client, digest).await?
        {
            return Ok(false);
        }
        let (digest, canonical) = (digest.to_owned(), canonical.to_vec());
        let snapshot =
            on_a_thread(move || snapshots::check(&digest, &canonical)?.compress()).await?;
        snapshots::insert(&client, &snapshot).await
    }

    async fn captured(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        let found = snapshots::find(&*self.inner.connections.get().await?, digest).await?;
        on_a_thread(move || found.canonical()).await
    }
}

#[async_trait]
impl ProjectionStore for PostgresStore {
    async fn begin_staging(
        &self,
        writer: ProjectionWriter,
        tables: &[&'static TableSpec],
    ) -> Result<(), StoreError> {
        let (inner, tables) = (Arc::clone(&self.inner), tables.to_vec());
        to_the_end(async move { staging::begin(&inner.connections, writer, &tables).await }).await
    }

    async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to_version: u64,
    ) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(
            async move { staging::stage(&inner.connections, writer, rows, up_to_version).await },
        )
        .await
    }

    async fn publish(&self, writer: ProjectionWriter) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move { staging::publish(&inner.connections, writer).await }).await
    }

    async fn published(&self) -> Result<Option<(RunId, u64)>, StoreError> {
        staging::published(&**self.inner.connections.get().await?).await
    }

    async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: &'static TableSpec,
        row: Vec<Cell>,
    ) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move { staging::put_row(&inner.connections, writer, table, row).await })
            .await
    }

    fn rows(&self, table: &'static TableSpec) -> RowBatches<'_> {
        stream::try_unfold(None, move |shown| async move {
            let mut shown = match shown {
                Some(shown) => shown,
                None => Shown::begin(self.inner.connections.session().await?, table).await?,
            };
            let batches = shown.next(table).await?;
            if batches.is_empty() {
                shown.end().await?;
                return Ok(None);
            }
            Ok(Some((stream::iter(batches.into_iter().map(Ok)), Some(shown))))
        })
        .try_flatten()
        .boxed()
    }
}

#[async_trait]
impl IndexStore for PostgresStore {
    async fn put_index(
        &self,
        writer: ProjectionWriter,
        index: Arc<RunIndex>,
    ) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move { index::put(&inner.connections, writer, index).await }).await
    }

    async fn indexed(
        &self,
        run: RunId,
        subjects: Vec<Subject>,
    ) -> Result<Option<IndexedVersions>, StoreError> {
        index::indexed(&*self.inner.connections.get().await?, run, &subjects).await
    }

    async fn indexed_runs(&self) -> Result<Vec<(RunId, IndexState)>, StoreError> {
        index::indexed_runs(&*self.inner.connections.get().await?).await
    }

    fn index_entries(&self, run: RunId) -> EntryBatches<'_> {
        stream::try_unfold(None, move |after: Option<Subject>| async move {
            let client = self.inner.connections.get().await?;
            let batch = index::entries_after(&client, run, after.as_ref()).await?;
            let last = batch.last().map(|last| last.subject.clone());
            Ok(last.map(|last| (batch, Some(last))))
        })
        .boxed()
    }
}

#[async_trait]
impl SubscriberStore for PostgresStore {
    async fn subscriber(&self, name: &str) -> Result<Option<u64>, StoreError> {
        subscribers::position(&*self.inner.connections.get().await?, name).await
    }

    async fn subscribers(&self) -> Result<Vec<(String, u64)>, StoreError> {
        subscribers::all(&*self.inner.connections.get().await?).await
    }

    async fn advance(
        &self,
        name: &str,
        before: Option<u64>,
        position: u64,
    ) -> Result<bool, StoreError> {
        let client = self.inner.connections.get().await?;
        subscribers::advance(&client, name, before, position).await
    }
}

#[async_trait]
impl RunStore for PostgresStore {
    async fn enqueue(&self, request: Append) -> Result<AppendReceipt, StoreError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let appended = append::enqueue(&inner.connections, request).await?;
            inner.wake.raise(appended.position);
            Ok(appended)
        })
        .await
    }

    async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let (inner, worker) = (Arc::clone(&self.inner), worker.to_owned());
        to_the_end(async move { runs::claim(&inner.connections, &worker, now, until).await }).await
    }

    async fn renew(&self, lease: Lease, until: Timestamp) -> Result<Option<String>, StoreError> {
        runs::renew(&*self.inner.connections.get().await?, lease, until).await
    }

    async fn set_status(&self, lease: Lease, status: RunStatus) -> Result<(), StoreError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move { runs::set_status(&inner.connections, lease, status).await }).await
    }

    async fn request_cancel(&self, run: RunId, by: &str) -> Result<bool, StoreError> {
        runs::request_cancel(&*self.inner.connections.get().await?, run, by).await
    }

    async fn run(&self, run: RunId) -> Result<Option<QueuedRun>, StoreError> {
        runs::one(&**self.inner.connections.get().await?, run).await
    }

    async fn active_run(&self) -> Result<Option<QueuedRun>, StoreError> {
        runs::active(&*self.inner.connections.get().await?).await
    }

    async fn latest_run(&self, status: RunStatus) -> Result<Option<QueuedRun>, StoreError> {
        runs::latest(&*self.inner.connections.get().await?, status).await
    }

    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
    ) -> Result<Vec<QueuedRun>, StoreError> {
        runs::after(&*self.inner.connections.get().await?, cursor, limit).await
    }

    async fn run_counts(&self) -> Result<BTreeMap<RunStatus, u64>, StoreError> {
        runs::counts(&*self.inner.connections.get().await?).await
    }
}
