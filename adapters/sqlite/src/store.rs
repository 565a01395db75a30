//! The ports: each call runs on the writer's thread or on one that may block.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use powerfill_events::log::Hash;
use powerfill_events::run::RunId;
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::StoreError;
use powerfill_ports::events::{
    Append, AppendReceipt, EVENTS_PER_BATCH, EventBatches, EventPart, EventParts, EventStore,
    LogHead, Verification,
};
use powerfill_ports::index::{EntryBatches, IndexState, IndexStore, IndexedVersions};
use powerfill_ports::projections::{ProjectionStore, RowBatches};
use powerfill_ports::retention::{ArchivedBlock, BlockPayload, RetentionStore};
use powerfill_ports::runs::{
    Lease, ProjectionWriter, QueuedRun, RunCursor, RunFilter, RunStatus, RunStore,
};
use powerfill_ports::snapshot_codec::CheckedSnapshot;
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::subscribers::SubscriberStore;
use powerfill_tables::event_index::{RunIndex, Subject};
use powerfill_tables::table::{Cell, RowBatch, TableSpec};

use crate::notifier::raise;
use crate::output_reader::OutputReader;
use crate::worker_lock::WorkerLock;
use crate::{
    SqliteStore, append, archive, index, log, migrate, queue, read, run_blocking, snapshots,
    staging, subscribers, verify,
};

impl SqliteStore {
    fn worker_lock(&self) -> Arc<WorkerLock> {
        Arc::clone(&self.inner.worker_lock)
    }

    /// Reads a stream between two versions, about a batch of events at a time; all events, or those
    /// of some types.
    fn read_stream(
        &self,
        stream: &str,
        from_version: u64,
        to_version: u64,
        types: Option<Arc<[String]>>,
    ) -> BoxStream<'_, Result<Vec<EventPart>, StoreError>> {
        let stream: Arc<str> = stream.into();
        let start = (self.clone(), from_version.max(1), None);
        stream::try_unfold(start, move |(store, from, end)| {
            let (stream, types) = (Arc::clone(&stream), types.clone());
            async move {
                let (parts, next, end) = store
                    .read_with(move |conn| {
                        let end = match end {
                            Some(end) => end,
                            None => log::stream_version(conn, &stream)?.min(to_version),
                        };
                        let types = types.as_deref();
                        let (parts, next) =
                            read::parts_from_version(conn, &stream, from, end, types)?;
                        Ok((parts, next, end))
                    })
                    .await?;
                Ok((!parts.is_empty()).then_some((parts, (store, next, Some(end)))))
            }
        })
        .boxed()
    }

    /// As [`Self::read_stream`], with the events of the parts.
    fn read_events(
        &self,
        stream: &str,
        from_version: u64,
        to_version: u64,
        types: Option<Arc<[String]>>,
    ) -> EventBatches<'_> {
        self.read_stream(stream, from_version, to_version, types)
            .and_then(|parts| run_blocking(move || read::events_of(parts)))
            .try_filter(|batch| std::future::ready(!batch.is_empty()))
            .boxed()
    }
}

#[async_trait]
impl EventStore for SqliteStore {
    async fn append(&self, append: Append) -> Result<AppendReceipt, StoreError> {
        let (position, lock) = (self.inner.notifier.sender(), self.worker_lock());
        self.write(move |conn| {
            let appended = append::append(conn, &lock, &append)?;
            raise(&position, appended.position);
            Ok(appended)
        })
        .await
    }

    async fn tenant(&self) -> Result<Option<TenantId>, StoreError> {
        self.read_with(log::tenant).await
    }

    async fn stream_version(&self, stream: &str) -> Result<u64, StoreError> {
        let stream = stream.to_owned();
        self.read_with(move |conn| log::stream_version(conn, &stream)).await
    }

    async fn stored_bytes(&self, stream: &str) -> Result<Option<u64>, StoreError> {
        let stream = stream.to_owned();
        self.read_with(move |conn| log::stored_bytes(conn, &stream).map(Some)).await
    }

    async fn streams(&self) -> Result<Vec<String>, StoreError> {
        self.read_with(log::streams).await
    }

    fn read_between(&self, stream: &str, from_version: u64, to_version: u64) -> EventBatches<'_> {
        self.read_events(stream, from_version, to_version, None)
    }

    fn read_types(&self, stream: &str, from_version: u64, types: Vec<String>) -> EventBatches<'_> {
        self.read_events(stream, from_version, u64::MAX, Some(types.into()))
    }

    fn read_parts(
        &self,
        stream: &str,
        from_version: u64,
        to_version: u64,
        types: Option<Vec<String>>,
    ) -> EventParts<'_> {
        self.read_stream(stream, from_version, to_version, types.map(Into::into))
            .map_ok(|parts| stream::iter(parts.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }

    fn read_versions(&self, stream: &str, versions: Vec<u64>) -> EventBatches<'_> {
        let (stream, versions): (Arc<str>, Arc<[u64]>) = (stream.into(), versions.into());
        stream::try_unfold((self.clone(), 0, None), move |(store, from, end)| {
            let (stream, versions) = (Arc::clone(&stream), Arc::clone(&versions));
            async move {
                let next = versions.len().min(from + EVENTS_PER_BATCH);
                if from == next {
                    return Ok(None);
                }
                let (batch, end) = store
                    .read_with(move |conn| {
                        let end = match end {
                            Some(end) => end,
                            None => log::stream_version(conn, &stream)?,
                        };
                        let wanted = &versions[from..next];
                        Ok((read::batch_of_versions(conn, &stream, wanted, end)?, end))
                    })
                    .await?;
                Ok((!batch.is_empty()).then_some((batch, (store, next, Some(end)))))
            }
        })
        .boxed()
    }

    fn read_all(&self, after_position: u64) -> EventBatches<'_> {
        stream::try_unfold((self.clone(), after_position, None), |(store, after, end)| async move {
            let (batch, end) = store
                .read_with(move |conn| {
                    let end = match end {
                        Some(end) => end,
                        None => log::head(conn)?.position,
                    };
                    Ok((read::batch_after_position(conn, after, end)?, end))
                })
                .await?;
            let next = batch.last().map(|last| last.global_position);
            Ok(next.map(|next| (batch, (store, next, Some(end)))))
        })
        .boxed()
    }

    fn subscribe(&self, after_position: u64) -> EventBatches<'static> {
        let start = (self.clone(), after_position, None);
        stream::try_unfold(start, |(store, after, mut receiver)| async move {
            loop {
                // Subscribed before the log is read, so that no append between the two is missed.
                let positions = match receiver.as_mut() {
                    Some(positions) => positions,
                    None => receiver.insert(store.inner.notifier.subscribe(&store.inner.readers)?),
                };
                let batch = store
                    .read_with(move |conn| {
                        let end = log::head(conn)?.position;
                        read::batch_after_position(conn, after, end)
                    })
                    .await?;
                if let Some(last) = batch.last().map(|last| last.global_position) {
                    return Ok(Some((batch, (store, last, receiver))));
                }
                if store.inner.readers.is_frozen() {
                    let what = "no process writes this store, so that no more events can come";
                    return Err(StoreError::ReadOnly(what.into()));
                }
                positions
                    .wait_for(|position| *position > after)
                    .await
                    .map_err(|_| StoreError::Failed("the store was closed".into()))?;
            }
        })
        .boxed()
    }

    async fn head(&self) -> Result<LogHead, StoreError> {
        self.read_with(log::head).await
    }

    async fn seal_at(&self, seq: u64) -> Result<Option<Hash>, StoreError> {
        self.read_with(move |conn| log::seal_at(conn, seq)).await
    }

    async fn move_rows_into_blocks(&self) -> Result<Option<u64>, StoreError> {
        self.write(migrate::move_rows_into_blocks).await
    }

    async fn verify(&self, stream: Option<&str>) -> Result<Verification, StoreError> {
        let stream = stream.map(str::to_owned);
        self.read_with(move |conn| verify::verify(conn, stream.as_deref())).await
    }
}

#[async_trait]
impl RetentionStore for SqliteStore {
    async fn archived_blocks(&self, run: RunId) -> Result<Vec<ArchivedBlock>, StoreError> {
        self.read_with(move |conn| archive::archived_blocks(conn, run)).await
    }

    async fn remove_payloads(
        &self,
        run: RunId,
        snapshot: Option<String>,
    ) -> Result<(), StoreError> {
        self.write(move |conn| archive::remove_payloads(conn, run, snapshot.as_deref())).await
    }

    async fn put_payloads(
        &self,
        run: RunId,
        payloads: Vec<BlockPayload>,
    ) -> Result<(), StoreError> {
        self.write(move |conn| archive::put_payloads(conn, run, &payloads)).await
    }

    async fn give_space_back(&self) -> Result<(), StoreError> {
        self.write(|conn| migrate::shrink(conn)).await
    }
}

#[async_trait]
impl SnapshotStore for SqliteStore {
    async fn capture(&self, digest: &str, canonical: &[u8]) -> Result<bool, StoreError> {
        let (digest, canonical) = (digest.to_owned(), canonical.to_vec());
        let snapshot = self
            .read_with(move |conn| {
                let checked = CheckedSnapshot::new(&digest, &canonical)?;
                if snapshots::exists(conn, &digest)? {
                    return Ok(None);
                }
                checked.compress().map(Some)
            })
            .await?;
        let Some(snapshot) = snapshot else { return Ok(false) };
        self.write(move |conn| snapshots::insert(conn, &snapshot)).await
    }

    async fn captured(&self, digest: &str) -> Result<Vec<u8>, StoreError> {
        let digest = digest.to_owned();
        self.read_with(move |conn| snapshots::read(conn, &digest)).await
    }
}

#[async_trait]
impl ProjectionStore for SqliteStore {
    async fn begin_staging(
        &self,
        writer: ProjectionWriter,
        tables: &[&'static TableSpec],
    ) -> Result<(), StoreError> {
        let (lock, tables) = (self.worker_lock(), tables.to_vec());
        self.write(move |conn| staging::begin(conn, &lock, writer, &tables)).await
    }

    async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to_version: u64,
    ) -> Result<(), StoreError> {
        let lock = self.worker_lock();
        self.write(move |conn| staging::stage(conn, &lock, writer, &rows, up_to_version)).await
    }

    async fn publish(
        &self,
        writer: ProjectionWriter,
        left_out: &[&'static TableSpec],
    ) -> Result<(), StoreError> {
        let (lock, left_out) = (self.worker_lock(), left_out.to_vec());
        self.write(move |conn| staging::publish(conn, &lock, writer, &left_out)).await
    }

    async fn published(&self) -> Result<Option<(RunId, u64)>, StoreError> {
        self.read_with(|conn| staging::slot(conn, "shown")).await
    }

    async fn is_stored(&self, table: &'static TableSpec) -> Result<bool, StoreError> {
        let columns = self.read_with(|conn| staging::columns_of(conn, table.name)).await?;
        Ok(!columns.is_empty())
    }

    async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: &'static TableSpec,
        row: Vec<Cell>,
    ) -> Result<(), StoreError> {
        let lock = self.worker_lock();
        self.write(move |conn| staging::put_row(conn, &lock, writer, table, row)).await
    }

    fn rows(&self, table: &'static TableSpec) -> RowBatches<'_> {
        stream::try_unfold((self.clone(), None), move |(store, reader)| async move {
            let inner = Arc::clone(&store.inner);
            let next = run_blocking(move || {
                let mut reader = match reader {
                    Some(reader) => reader,
                    None => OutputReader::begin(inner.readers.take()?, table)?,
                };
                let batches = inner.readers.checked(reader.next(table))?;
                if batches.is_empty() {
                    inner.readers.give_back(reader.end()?);
                    return Ok(None);
                }
                Ok(Some((batches, reader)))
            })
            .await?;
            Ok(next.map(|(batches, reader)| {
                (stream::iter(batches.into_iter().map(Ok)), (store, Some(reader)))
            }))
        })
        .try_flatten()
        .boxed()
    }
}

#[async_trait]
impl IndexStore for SqliteStore {
    async fn put_index(
        &self,
        writer: ProjectionWriter,
        index: Arc<RunIndex>,
    ) -> Result<(), StoreError> {
        let lock = self.worker_lock();
        self.write(move |conn| index::put(conn, &lock, writer, &index)).await
    }

    async fn indexed(
        &self,
        run: RunId,
        subjects: Vec<Subject>,
    ) -> Result<Option<IndexedVersions>, StoreError> {
        self.read_with(move |conn| index::indexed(conn, run, &subjects)).await
    }

    async fn indexed_runs(&self) -> Result<Vec<(RunId, IndexState)>, StoreError> {
        self.read_with(index::indexed_runs).await
    }

    fn index_entries(&self, run: RunId) -> EntryBatches<'_> {
        stream::try_unfold((self.clone(), None), move |(store, after)| async move {
            let batch = store
                .read_with(move |conn| index::entries_after(conn, run, after.as_ref()))
                .await?;
            let last = batch.last().map(|last| last.subject.clone());
            Ok(last.map(|last| (batch, (store, Some(last)))))
        })
        .boxed()
    }
}

#[async_trait]
impl SubscriberStore for SqliteStore {
    async fn subscriber(&self, name: &str) -> Result<Option<u64>, StoreError> {
        let name = name.to_owned();
        self.read_with(move |conn| subscribers::position(conn, &name)).await
    }

    async fn subscribers(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.read_with(subscribers::all).await
    }

    async fn advance(
        &self,
        name: &str,
        before: Option<u64>,
        position: u64,
    ) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.write(move |conn| subscribers::advance(conn, &name, before, position)).await
    }
}

#[async_trait]
impl RunStore for SqliteStore {
    async fn enqueue(
        &self,
        request: Append,
        is_scenario: bool,
    ) -> Result<AppendReceipt, StoreError> {
        let position = self.inner.notifier.sender();
        let enqueued = self.write(move |conn| queue::enqueue(conn, &request, is_scenario));
        let appended = enqueued.await?;
        raise(&position, appended.position);
        Ok(appended)
    }

    async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        let (lock, worker) = (self.worker_lock(), worker.to_owned());
        self.write(move |conn| queue::claim(conn, &lock, &worker, now, until)).await
    }

    async fn renew(&self, lease: Lease, until: Timestamp) -> Result<Option<String>, StoreError> {
        let lock = self.worker_lock();
        self.write(move |conn| queue::renew(conn, &lock, lease, until)).await
    }

    async fn set_status(&self, lease: Lease, status: RunStatus) -> Result<(), StoreError> {
        let lock = self.worker_lock();
        self.write(move |conn| queue::set_status(conn, &lock, lease, status)).await
    }

    async fn request_cancel(&self, run: RunId, by: &str) -> Result<bool, StoreError> {
        let by = by.to_owned();
        self.write(move |conn| queue::request_cancel(conn, run, &by)).await
    }

    async fn run(&self, run: RunId) -> Result<Option<QueuedRun>, StoreError> {
        self.read_with(move |conn| queue::find(conn, run)).await
    }

    async fn active_run(&self) -> Result<Option<QueuedRun>, StoreError> {
        self.read_with(queue::active).await
    }

    async fn latest_run(&self, status: RunStatus) -> Result<Option<QueuedRun>, StoreError> {
        self.read_with(move |conn| queue::latest(conn, status)).await
    }

    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
        filter: RunFilter,
    ) -> Result<Vec<QueuedRun>, StoreError> {
        self.read_with(move |conn| queue::after(conn, cursor, limit, filter)).await
    }

    async fn runs_between(
        &self,
        first: RunId,
        last: RunId,
        limit: usize,
    ) -> Result<Vec<QueuedRun>, StoreError> {
        self.read_with(move |conn| queue::between(conn, first, last, limit)).await
    }

    async fn run_counts(&self) -> Result<BTreeMap<RunStatus, u64>, StoreError> {
        self.read_with(queue::counts).await
    }
}
