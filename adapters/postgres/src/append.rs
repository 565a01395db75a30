//! Appending (specification 3.2): one transaction. First it locks the stream's row, so that writers
//! of one stream wait for each other. Then it writes the events, which need no position yet. Last
//! it locks the head row, which gives the position: a writer that has the head computes one seal
//! and commits. Therefore the order of positions is the order of commits, without a gap.

use deadpool_postgres::ClientWrapper;
use futures::future::{join3, join4, join5};
use powerfill_events::log::{Hash, chain_start, seal};
use powerfill_ports::block_codec::{CODEC, ChainedBlock, CompressedBlock, compress_events};
use powerfill_ports::events::{Append, AppendReceipt};
use powerfill_ports::{StoreError, StoreResult, check_tenant};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use crate::append_guard::{AppendGuard, EnqueuedRun};
use crate::errors::store_error;
use crate::pool::ConnectionPool;
use crate::statements::{execute, one_row, prepared, query};
use crate::tasks::run_blocking;
use crate::values::{ServerTimestamp, get, hash, to_bigint, unsigned};
use crate::{locks, log, read};

const LOCK_STREAM: &str =
    "SELECT stream_id, version, tail_hash FROM es_streams WHERE name = $1 FOR UPDATE";
const LAST_STREAM: &str = "SELECT coalesce(max(stream_id), 0) FROM es_streams";
const LOCK_HEAD: &str = "SELECT seq, position, seal FROM es_head WHERE id = 1 FOR UPDATE";
const MOVE_HEAD: &str = "UPDATE es_head SET seq = $1, position = $2, seal = $3 WHERE id = 1";
/// Sent after the commit, in a transaction of its own. Within a transaction, NOTIFY takes a lock
/// that makes all commits of the server wait for each other, also those of other tenants.
const NOTIFY: &str = "NOTIFY powerfill_events";

/// A stream before an append.
struct StreamTail {
    stream_id: u64,
    version: u64,
    hash: Hash,
}

/// Appends all events or none.
pub(crate) async fn append(pool: &ConnectionPool, append: Append) -> StoreResult<AppendReceipt> {
    append_with_retries(pool, append, None).await
}

/// Adds a run to the queue together with its first event.
pub(crate) async fn enqueue(
    pool: &ConnectionPool,
    request: Append,
    is_scenario: bool,
) -> StoreResult<AppendReceipt> {
    let run = request.run()?;
    append_with_retries(pool, request, Some(EnqueuedRun { run, is_scenario })).await
}

async fn append_with_retries(
    pool: &ConnectionPool,
    append: Append,
    enqueued: Option<EnqueuedRun>,
) -> StoreResult<AppendReceipt> {
    append.ensure_events()?;
    // Before other writers have to wait.
    let events = append.events.clone();
    let blocks = run_blocking(move || compress_events(&events)).await?;
    let session = pool.session().await?;
    loop {
        let refusal = match try_append(&session, &append, &blocks, enqueued).await {
            Ok(appended) => {
                session.give_back();
                return Ok(appended);
            }
            Err(refusal) => refusal,
        };
        let rolled_back = session.batch_execute("ROLLBACK").await.map_err(store_error);
        match (refusal, rolled_back) {
            // The session is dropped here, which closes its connection and ends the transaction.
            (Refusal::Store(error), Err(_)) => return Err(error),
            (_, Err(error)) => return Err(error),
            (Refusal::Store(error), Ok(())) => {
                session.give_back();
                return Err(error);
            }
            (Refusal::AppendIdTaken, Ok(())) => {
                let appended = find_repeated(&session, &append).await?;
                session.give_back();
                let append_id = append.append_id;
                return appended.ok_or(StoreError::AppendIdReused { append_id });
            }
            (Refusal::QueueWasBusy, Ok(())) => {}
        }
    }
}

/// Why nothing was appended.
enum Refusal {
    Store(StoreError),
    /// Another writer used the same append id at the same time, on another stream.
    AppendIdTaken,
    /// The run that blocked this one has just ended: try again.
    QueueWasBusy,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Store(store_error(error))
    }
}

async fn try_append(
    client: &ClientWrapper,
    append: &Append,
    blocks: &[CompressedBlock],
    enqueued: Option<EnqueuedRun>,
) -> Result<AppendReceipt, Refusal> {
    let guard = AppendGuard::prepare(client, append, enqueued).await?;
    let lock_stream = client.prepare_cached(LOCK_STREAM).await?;
    let by_id = client.prepare_cached(query!("append_by_id")).await?;
    // The append id is looked up after the stream is locked, so that a former attempt that was
    // just committed is seen.
    let (begun, is_enqueued, stream, known, has_lease) = join5(
        client.batch_execute("BEGIN"),
        guard.enqueue(client, append),
        client.query_opt(&lock_stream, &[&append.stream]),
        client.query_opt(&by_id, &[&append.append_id]),
        guard.find_lease(client),
    )
    .await;
    begun?;
    let is_enqueued = is_enqueued?;
    let (mut stream, mut known) = (stream?, known?);
    if !has_lease? {
        return Err(guard.lease_lost().into());
    }
    if stream.is_none() {
        // Prepared first: the three statements are then sent together, and carried out in order.
        let lock_new_stream = client.prepare_cached(&locks::take(locks::NEW_STREAM)).await?;
        (_, stream, known) = {
            let (locked, stream, known) = join3(
                client.query_one(&lock_new_stream, &[]),
                client.query_opt(&lock_stream, &[&append.stream]),
                client.query_opt(&by_id, &[&append.append_id]),
            )
            .await;
            (locked?, stream?, known?)
        };
    }
    if let Some(known) = known {
        let appended = repeated(client, append, &known).await?;
        client.batch_execute("ROLLBACK").await?;
        return Ok(appended);
    }
    if !is_enqueued {
        let refusal = guard.refusal(client).await?;
        return Err(refusal.map_or(Refusal::QueueWasBusy, Refusal::Store));
    }
    let tail = stream_tail(client, append, stream.as_ref()).await?;
    append.ensure_version(tail.version)?;
    let chained = append.chained_blocks(blocks, tail.hash);
    insert_blocks(client, tail.stream_id, &chained).await?;
    let last_hash = chained.last().map_or(tail.hash, |block| block.hash_after);
    finish_append(client, append, &guard, &tail, &last_hash).await
}

/// The tail of a stream; for a stream that does not exist yet, its future number and version 0.
async fn stream_tail(
    client: &ClientWrapper,
    append: &Append,
    stream: Option<&Row>,
) -> StoreResult<StreamTail> {
    if let Some(row) = stream {
        return Ok(StreamTail {
            stream_id: unsigned(row, 0)?,
            version: unsigned(row, 1)?,
            hash: hash(row, 2)?,
        });
    }
    // The first stream is committed, because streams begin one after the other.
    check_tenant(log::tenant(client).await?.as_ref(), &append.meta.tenant_id)?;
    let last = one_row(client, LAST_STREAM, &[], |row| unsigned(row, 0)).await?;
    let stream_id = last.unwrap_or_default() + 1;
    Ok(StreamTail { stream_id, version: 0, hash: chain_start(&append.stream) })
}

/// Writes the rows of blocks.
pub(crate) async fn insert_blocks(
    client: &ClientWrapper,
    stream_id: u64,
    blocks: &[ChainedBlock<'_>],
) -> StoreResult<()> {
    let insert = prepared(client, query!("insert_blocks")).await?;
    fn column<'b, T>(
        blocks: &'b [ChainedBlock<'_>],
        value: impl Fn(&'b ChainedBlock<'_>) -> T,
    ) -> Vec<T> {
        blocks.iter().map(value).collect()
    }
    let (first_version, event_count, byte_count) = (
        column(blocks, |block| to_bigint(block.first_version)),
        column(blocks, |block| to_bigint(block.compressed.event_count)),
        column(blocks, |block| to_bigint(block.compressed.byte_count)),
    );
    let event_types = column(blocks, |block| block.compressed.event_types.as_str());
    let (hash_before, hash_after, stored_hash) = (
        column(blocks, |block| &block.hash_before.as_bytes()[..]),
        column(blocks, |block| &block.hash_after.as_bytes()[..]),
        column(blocks, |block| &block.compressed.stored_hash.as_bytes()[..]),
    );
    let event_checks = column(blocks, |block| &block.event_checks[..]);
    let body = column(blocks, |block| &block.compressed.body[..]);
    let columns: [&(dyn ToSql + Sync); 11] = [
        &to_bigint(stream_id),
        &CODEC,
        &first_version,
        &event_count,
        &event_types,
        &hash_before,
        &hash_after,
        &event_checks,
        &byte_count,
        &stored_hash,
        &body,
    ];
    execute(client, &insert, &columns).await.map(|_| ())
}

/// Locks the head, writes the append's row, and commits. Between locking the head and COMMIT there
/// is one round trip.
async fn finish_append(
    client: &ClientWrapper,
    append: &Append,
    guard: &AppendGuard,
    tail: &StreamTail,
    last_hash: &Hash,
) -> Result<AppendReceipt, Refusal> {
    let put_stream = client.prepare_cached(query!("put_stream")).await?;
    let lock_head = client.prepare_cached(LOCK_HEAD).await?;
    let insert_append = client.prepare_cached(query!("insert_append")).await?;
    let move_head = client.prepare_cached(MOVE_HEAD).await?;
    let version = to_bigint(tail.version + append.events.len() as u64);
    let (put, has_lease, head) = join3(
        client.execute(
            &put_stream,
            &[&to_bigint(tail.stream_id), &append.stream, &version, &&last_hash.as_bytes()[..]],
        ),
        guard.lock_lease(client),
        client.query_opt(&lock_head, &[]),
    )
    .await;
    put?;
    if !has_lease? {
        return Err(guard.lease_lost().into());
    }
    let head = log::head_from(head?.as_ref())?;
    let record = append.record(&head, tail.stream_id);
    let seal = seal(&head.seal, &record, last_hash);
    let (seq, position) = (to_bigint(record.seq), to_bigint(record.last_position()));
    let (seal, meta) = (&seal.as_bytes()[..], &record.meta);
    let (inserted, moved, committed, _) = join4(
        client.execute(
            &insert_append,
            &[
                &seq,
                &to_bigint(record.first_position),
                &to_bigint(record.stream_id),
                &to_bigint(record.first_version),
                &to_bigint(record.event_count),
                &record.append_id,
                &meta.tenant_id.as_str(),
                &meta.actor,
                &ServerTimestamp(meta.recorded_at),
                &meta.causation_id,
                &meta.correlation_id,
                &seal,
            ],
        ),
        client.execute(&move_head, &[&seq, &position, &seal]),
        client.batch_execute("COMMIT"),
        // A subscriber that misses the notification polls soon after.
        client.batch_execute(NOTIFY),
    )
    .await;
    match inserted {
        Err(error) if is_append_id_taken(&error) => return Err(Refusal::AppendIdTaken),
        inserted => inserted?,
    };
    moved?;
    committed?;
    Ok(AppendReceipt::new(&record, false))
}

fn is_append_id_taken(error: &Error) -> bool {
    let answer = error.as_db_error();
    answer.is_some_and(|answer| {
        *answer.code() == SqlState::UNIQUE_VIOLATION
            && answer.constraint() == Some("es_appends_append_id_key")
    })
}

/// The answer to an append that repeats an earlier one; `None` if the append id is new.
async fn find_repeated(
    client: &ClientWrapper,
    append: &Append,
) -> StoreResult<Option<AppendReceipt>> {
    let by_id = prepared(client, query!("append_by_id")).await?;
    let known = client.query_opt(&by_id, &[&append.append_id]).await.map_err(store_error)?;
    match known {
        Some(known) => repeated(client, append, &known).await.map(Some),
        None => Ok(None),
    }
}

/// The answer to a repeated append. Actor and time may differ from those of the earlier one.
///
/// # Errors
/// [`StoreError::AppendIdReused`] if the content differs.
async fn repeated(
    client: &ClientWrapper,
    append: &Append,
    known: &Row,
) -> StoreResult<AppendReceipt> {
    let (seq, first_position, stream_id) =
        (unsigned(known, 0)?, unsigned(known, 1)?, unsigned(known, 2)?);
    let (first_version, event_count) = (unsigned(known, 3)?, unsigned(known, 4)?);
    let stream: &str = get(known, 5)?;
    let is_same = stream == append.stream
        && first_version == append.expected_version + 1
        && event_count == append.events.len() as u64
        && has_same_events(client, append, stream_id, first_version).await?;
    if !is_same {
        return Err(StoreError::AppendIdReused { append_id: append.append_id });
    }
    Ok(AppendReceipt {
        seq,
        stream_version: first_version + event_count - 1,
        position: first_position + event_count - 1,
        repeated: true,
    })
}

async fn has_same_events(
    client: &ClientWrapper,
    append: &Append,
    stream_id: u64,
    first_version: u64,
) -> StoreResult<bool> {
    let last_version = first_version + append.events.len() as u64 - 1;
    let (mut version, mut written) = (first_version, append.events.iter());
    while version <= last_version {
        let stream = (stream_id, append.stream.as_str());
        let stored = read::batch_from_version(client, stream, version, last_version).await?;
        let Some(last) = stored.last() else { return Ok(false) };
        version = last.stream_version + 1;
        let mut pairs = stored.iter().zip(written.by_ref());
        if !pairs.all(|(stored, (schema, payload))| stored.is_written_as(schema, payload)) {
            return Ok(false);
        }
    }
    Ok(true)
}
