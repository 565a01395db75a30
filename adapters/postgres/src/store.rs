//! The events. A call that writes runs to its end even if its caller drops the future.

use std::sync::Arc;

use async_trait::async_trait;
use backon::Retryable;
use futures::stream::{self, StreamExt};
use powerfill_events::log::Hash;
use powerfill_events::values::TenantId;
use powerfill_ports::events::{
    Append, AppendReceipt, EVENTS_PER_BATCH, EventBatches, EventStore, LogHead, StoredEvent,
    Verification,
};
use powerfill_ports::{StoreError, StoreResult};

use crate::retry::RECONNECT;
use crate::tasks::run_detached;
use crate::{Inner, PostgresStore, append, log, migrate, read, verify};

/// The position of a reader in a stream: the stream's number, the next version, and the last
/// version to read. `None` before the first batch.
type StreamPosition = Option<(u64, u64, u64)>;

async fn next_stream_batch(
    inner: &Inner,
    name: &str,
    position: StreamPosition,
    from: u64,
    to: u64,
) -> StoreResult<(Vec<StoredEvent>, StreamPosition)> {
    let client = inner.pool.get().await?;
    let (stream_id, from, end) = match position {
        Some(position) => position,
        None => match log::stream(&client, name).await? {
            Some((stream_id, version)) => (stream_id, from, version.min(to)),
            None => return Ok((Vec::new(), None)),
        },
    };
    let batch = read::batch_from_version(&client, (stream_id, name), from, end).await?;
    let next = batch.last().map_or(from, |last| last.stream_version + 1);
    Ok((batch, Some((stream_id, next, end))))
}

/// The next batch of chosen versions, from the one at index `from` on. Also returns the index after
/// them, and the stream's number and last version at the first call.
async fn next_versions_batch(
    inner: &Inner,
    name: &str,
    versions: &[u64],
    from: usize,
    stream: Option<(u64, u64)>,
) -> StoreResult<(Vec<StoredEvent>, usize, Option<(u64, u64)>)> {
    let client = inner.pool.get().await?;
    let found = match stream {
        Some(stream) => Some(stream),
        None => log::stream(&client, name).await?,
    };
    let Some((stream_id, end)) = found else { return Ok((Vec::new(), from, None)) };
    let existing = versions.partition_point(|version| *version <= end);
    let to = existing.min(from + EVENTS_PER_BATCH);
    let wanted = &versions[from.min(to)..to];
    let (batch, count) = read::batch_of_versions(&client, (stream_id, name), wanted).await?;
    Ok((batch, from + count, found))
}

/// The next events of some types of a stream. While any event of a stream of 0.1.0 is a row, all of
/// its events are read.
async fn next_types_batch(
    inner: &Inner,
    name: &str,
    position: StreamPosition,
    from: u64,
    types: &[String],
) -> StoreResult<(Vec<StoredEvent>, StreamPosition)> {
    let client = inner.pool.get().await?;
    let (stream_id, mut from, end) = match position {
        Some(position) => position,
        None => match log::stream(&client, name).await? {
            Some((stream_id, version)) => (stream_id, from, version),
            None => return Ok((Vec::new(), None)),
        },
    };
    let stream = (stream_id, name);
    if !log::has_rows(&client, stream_id).await? {
        let batch = read::batch_of_types(&client, stream, from, end, types).await?;
        let next = batch.last().map_or(from, |last| last.stream_version + 1);
        return Ok((batch, Some((stream_id, next, end))));
    }
    loop {
        let mut batch = read::batch_from_version(&client, stream, from, end).await?;
        let Some(last) = batch.last() else { return Ok((batch, None)) };
        from = last.stream_version + 1;
        batch.retain(|event| types.contains(&event.event_type));
        if !batch.is_empty() {
            return Ok((batch, Some((stream_id, from, end))));
        }
    }
}

/// The next batch of the log after a position. Also returns the end of the log at the first call.
async fn next_log_batch(
    inner: &Inner,
    after: u64,
    end: Option<u64>,
) -> StoreResult<(Vec<StoredEvent>, u64)> {
    let client = inner.pool.get().await?;
    let end = match end {
        Some(end) => end,
        None => log::head(&client).await?.position,
    };
    Ok((read::batch_after_position(&client, after, end).await?, end))
}

#[async_trait]
impl EventStore for PostgresStore {
    async fn append(&self, append: Append) -> StoreResult<AppendReceipt> {
        let inner = Arc::clone(&self.inner);
        run_detached(async move {
            let appended = append::append(&inner.pool, append).await?;
            inner.listener.raise(appended.position);
            Ok(appended)
        })
        .await
    }

    async fn tenant(&self) -> StoreResult<Option<TenantId>> {
        log::tenant(&*self.inner.pool.get().await?).await
    }

    async fn stream_version(&self, stream: &str) -> StoreResult<u64> {
        let client = self.inner.pool.get().await?;
        Ok(log::stream(&client, stream).await?.map_or(0, |(_, version)| version))
    }

    async fn stored_bytes(&self, stream: &str) -> StoreResult<Option<u64>> {
        log::stored_bytes(&*self.inner.pool.get().await?, stream).await.map(Some)
    }

    async fn streams(&self) -> StoreResult<Vec<String>> {
        log::streams(&*self.inner.pool.get().await?).await
    }

    fn read_between(&self, stream: &str, from_version: u64, to_version: u64) -> EventBatches<'_> {
        let name: Arc<str> = stream.into();
        let from = from_version.max(1);
        stream::try_unfold(None, move |position| {
            let name = Arc::clone(&name);
            async move {
                let (batch, position) =
                    next_stream_batch(&self.inner, &name, position, from, to_version).await?;
                Ok((!batch.is_empty()).then_some((batch, position)))
            }
        })
        .boxed()
    }

    fn read_types(&self, stream: &str, from_version: u64, types: Vec<String>) -> EventBatches<'_> {
        let (name, types): (Arc<str>, Arc<[String]>) = (stream.into(), types.into());
        let from = from_version.max(1);
        stream::try_unfold(None, move |position| {
            let (name, types) = (Arc::clone(&name), Arc::clone(&types));
            async move {
                let (batch, position) =
                    next_types_batch(&self.inner, &name, position, from, &types).await?;
                Ok((!batch.is_empty()).then_some((batch, position)))
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
                    next_versions_batch(&self.inner, &name, &versions, from, at).await?;
                Ok((!batch.is_empty()).then_some((batch, (next, at))))
            }
        })
        .boxed()
    }

    fn read_all(&self, after_position: u64) -> EventBatches<'_> {
        stream::try_unfold((after_position, None), move |(after, end)| async move {
            let (batch, end) = next_log_batch(&self.inner, after, end).await?;
            let next = batch.last().map(|last| last.global_position);
            Ok(next.map(|next| (batch, (next, Some(end)))))
        })
        .boxed()
    }

    fn subscribe(&self, after_position: u64) -> EventBatches<'static> {
        let start = (self.clone(), after_position, None);
        stream::try_unfold(start, |(store, after, mut receiver)| async move {
            loop {
                // Subscribed before the log is read, so that no append between the two is missed.
                let positions =
                    receiver.get_or_insert_with(|| store.inner.listener.subscribe(&store.inner));
                // While the server is away, the subscriber waits at its position.
                let (batch, end) = (|| next_log_batch(&store.inner, after, None))
                    .retry(RECONNECT)
                    .when(StoreError::is_transient)
                    .await?;
                if let Some(last) = batch.last().map(|last| last.global_position) {
                    return Ok(Some((batch, (store, last, receiver))));
                }
                if end < after {
                    let what = format!("the log ends at {end}, before position {after}");
                    return Err(StoreError::Corrupt(what.into()));
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
        log::head(&*self.inner.pool.get().await?).await
    }

    async fn seal_at(&self, seq: u64) -> StoreResult<Option<Hash>> {
        log::seal_at(&*self.inner.pool.get().await?, seq).await
    }

    async fn move_rows_into_blocks(&self) -> StoreResult<Option<u64>> {
        let inner = Arc::clone(&self.inner);
        run_detached(async move { migrate::move_rows_into_blocks(&inner.pool).await }).await
    }

    async fn verify(&self, stream: Option<&str>) -> StoreResult<Verification> {
        verify::verify(self.inner.pool.session().await?, stream).await
    }
}
