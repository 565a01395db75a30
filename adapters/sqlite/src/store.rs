//! The events: each call runs on the writer's thread or on one that may block.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use powerfill_events::log::Hash;
use powerfill_events::values::TenantId;
use powerfill_ports::events::{
    Append, AppendReceipt, EVENTS_PER_BATCH, EventBatches, EventPart, EventParts, EventStore,
    LogHead, Verification,
};
use powerfill_ports::{StoreError, StoreResult};

use crate::notifier::raise;
use crate::{SqliteStore, append, log, migrate, read, run_blocking, verify};

impl SqliteStore {
    /// Reads a stream between two versions, about a batch of events at a time; all events, or those
    /// of some types.
    fn read_stream(
        &self,
        stream: &str,
        from_version: u64,
        to_version: u64,
        types: Option<Arc<[String]>>,
    ) -> BoxStream<'_, StoreResult<Vec<EventPart>>> {
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
    async fn append(&self, append: Append) -> StoreResult<AppendReceipt> {
        let (position, lock) = (self.inner.notifier.sender(), self.worker_lock());
        self.write(move |conn| {
            let appended = append::append(conn, &lock, &append)?;
            raise(&position, appended.position);
            Ok(appended)
        })
        .await
    }

    async fn tenant(&self) -> StoreResult<Option<TenantId>> {
        self.read_with(log::tenant).await
    }

    async fn stream_version(&self, stream: &str) -> StoreResult<u64> {
        let stream = stream.to_owned();
        self.read_with(move |conn| log::stream_version(conn, &stream)).await
    }

    async fn stored_bytes(&self, stream: &str) -> StoreResult<Option<u64>> {
        let stream = stream.to_owned();
        self.read_with(move |conn| log::stored_bytes(conn, &stream).map(Some)).await
    }

    async fn streams(&self) -> StoreResult<Vec<String>> {
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

    async fn head(&self) -> StoreResult<LogHead> {
        self.read_with(log::head).await
    }

    async fn seal_at(&self, seq: u64) -> StoreResult<Option<Hash>> {
        self.read_with(move |conn| log::seal_at(conn, seq)).await
    }

    async fn move_rows_into_blocks(&self) -> StoreResult<Option<u64>> {
        self.write(migrate::move_rows_into_blocks).await
    }

    async fn verify(&self, stream: Option<&str>) -> StoreResult<Verification> {
        let stream = stream.map(str::to_owned);
        self.read_with(move |conn| verify::verify(conn, stream.as_deref())).await
    }
}
