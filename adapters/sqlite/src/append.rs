//! Appending (specification 3.2): one transaction under the write lock. Therefore commit order,
//! append order, and the order of positions are the same, and no reader sees a gap.

use powerfill_events::log::{AppendRecord, Hash, chain_start, seal};
use powerfill_ports::events::{Append, AppendReceipt};
use powerfill_ports::{StoreError, check_tenant};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension};

use crate::connection::{begin_write, store_error};
use crate::decode::{bytes, get, hash};
use crate::lease::ensure_lease;
use crate::log;
use crate::worker_lock::WorkerLock;

const APPEND_BY_ID: &str = include_str!("../../../sql/sqlite/queries/append_by_id.sql");
const EVENTS_STORED: &str = include_str!("../../../sql/sqlite/queries/append_events_stored.sql");
const INSERT_EVENT: &str = include_str!("../../../sql/sqlite/queries/insert_event.sql");
const INSERT_APPEND: &str = include_str!("../../../sql/sqlite/queries/insert_append.sql");
const PUT_STREAM: &str = include_str!("../../../sql/sqlite/queries/put_stream.sql");

/// A stream before an append.
struct StreamTail {
    stream_id: u64,
    version: u64,
    hash: Hash,
}

/// Appends all events or none.
pub(crate) fn append(
    conn: &mut Connection,
    lock: &WorkerLock,
    append: &Append,
) -> Result<AppendReceipt, StoreError> {
    let tx = begin_write(conn)?;
    if let Some(lease) = append.lease {
        ensure_lease(&tx, lock, lease)?;
    }
    if let Some(appended) = find_repeated(&tx, append)? {
        return Ok(appended);
    }
    let appended = append_within(&tx, append)?;
    tx.commit().map_err(store_error)?;
    Ok(appended)
}

/// Appends within a transaction that holds the write lock. The append id must be new.
pub(crate) fn append_within(tx: &Connection, append: &Append) -> Result<AppendReceipt, StoreError> {
    append.ensure_events()?;
    let tail = stream_tail(tx, &append.stream)?;
    append.ensure_version(tail.version)?;
    if tail.version == 0 {
        check_tenant(log::tenant(tx)?.as_ref(), &append.meta.tenant_id)?;
    }
    let head = log::head(tx)?;
    let record = append.record(&head, tail.stream_id);
    let last_hash = insert_events(tx, append, &record, tail.hash)?;
    let seal = seal(&head.seal, &record, &last_hash);
    insert_record(tx, &append.stream, &record, &last_hash, &seal)?;
    Ok(AppendReceipt::new(&record, false))
}

/// Returns the hash of the last event.
fn insert_events(
    conn: &Connection,
    append: &Append,
    record: &AppendRecord,
    tail: Hash,
) -> Result<Hash, StoreError> {
    let mut insert = conn.prepare_cached(INSERT_EVENT).map_err(store_error)?;
    let mut last_hash = tail;
    for (position, event) in (record.first_position..).zip(append.chained_events(tail)) {
        // A payload is JSON and therefore UTF-8: it is bound as text without a check.
        let payload = ToSqlOutput::Borrowed(ValueRef::Text(event.payload));
        insert
            .execute((
                position,
                record.stream_id,
                event.version,
                event.event_type,
                event.schema_version,
                payload,
                &event.hash.as_bytes()[..],
            ))
            .map_err(store_error)?;
        last_hash = event.hash;
    }
    Ok(last_hash)
}

/// Writes the rows of the stream, the append, and the head.
fn insert_record(
    conn: &Connection,
    stream: &str,
    record: &AppendRecord,
    last_hash: &Hash,
    seal: &Hash,
) -> Result<(), StoreError> {
    let meta = &record.meta;
    conn.prepare_cached(PUT_STREAM)
        .and_then(|mut put| {
            put.execute((
                record.stream_id,
                stream,
                record.last_version(),
                &last_hash.as_bytes()[..],
            ))
        })
        .map_err(store_error)?;
    conn.prepare_cached(INSERT_APPEND)
        .and_then(|mut insert| {
            insert.execute((
                record.seq,
                record.first_position,
                record.stream_id,
                record.first_version,
                record.event_count,
                record.append_id,
                meta.tenant_id.as_str(),
                &meta.actor,
                meta.recorded_at.micros(),
                meta.causation_id,
                meta.correlation_id,
                &seal.as_bytes()[..],
            ))
        })
        .map_err(store_error)?;
    conn.prepare_cached("UPDATE es_head SET seq = ?1, position = ?2, seal = ?3")
        .and_then(|mut update| {
            update.execute((record.seq, record.last_position(), &seal.as_bytes()[..]))
        })
        .map_err(store_error)?;
    Ok(())
}

/// The answer to an append that repeats an earlier one; `None` if the append id is new.
///
/// # Errors
/// [`StoreError::AppendIdReused`] if the content differs.
pub(crate) fn find_repeated(
    conn: &Connection,
    append: &Append,
) -> Result<Option<AppendReceipt>, StoreError> {
    let found = conn
        .prepare_cached(APPEND_BY_ID)
        .map_err(store_error)?
        .query_row([append.append_id], |row| {
            let numbers: [u64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            Ok((numbers, row.get::<_, String>(4)?))
        })
        .optional()
        .map_err(store_error)?;
    let Some(([seq, first_position, first_version, event_count], stream)) = found else {
        return Ok(None);
    };
    let last_position = first_position + event_count - 1;
    let is_same = stream == append.stream
        && first_version == append.expected_version + 1
        && event_count == append.events.len() as u64
        && has_same_events(conn, append, first_position, last_position)?;
    if !is_same {
        return Err(StoreError::AppendIdReused { append_id: append.append_id });
    }
    Ok(Some(AppendReceipt {
        seq,
        stream_version: first_version + event_count - 1,
        position: last_position,
        repeated: true,
    }))
}

fn has_same_events(
    conn: &Connection,
    append: &Append,
    first_position: u64,
    last_position: u64,
) -> Result<bool, StoreError> {
    let mut stored = conn.prepare_cached(EVENTS_STORED).map_err(store_error)?;
    let mut stored = stored.query((first_position, last_position)).map_err(store_error)?;
    for (event_type, payload) in append.events.iter() {
        let Some(row) = stored.next().map_err(store_error)? else { return Ok(false) };
        let is_same = bytes(row, 0)? == event_type.name().as_bytes()
            && get::<u16>(row, 1)? == event_type.schema_version()
            && bytes(row, 2)? == payload;
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The tail of a stream; for a stream that does not exist yet, its future number and version 0.
fn stream_tail(conn: &Connection, stream: &str) -> Result<StreamTail, StoreError> {
    let mut find = conn
        .prepare_cached("SELECT stream_id, version, tail_hash FROM es_streams WHERE name = ?1")
        .map_err(store_error)?;
    let mut rows = find.query([stream]).map_err(store_error)?;
    if let Some(row) = rows.next().map_err(store_error)? {
        return Ok(StreamTail {
            stream_id: get(row, 0)?,
            version: get(row, 1)?,
            hash: hash(row, 2)?,
        });
    }
    let last: u64 = conn
        .prepare_cached("SELECT coalesce(max(stream_id), 0) FROM es_streams")
        .and_then(|mut last| last.query_row([], |row| row.get(0)))
        .map_err(store_error)?;
    Ok(StreamTail { stream_id: last + 1, version: 0, hash: chain_start(stream) })
}
