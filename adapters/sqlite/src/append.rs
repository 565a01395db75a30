//! Appending (specification 3.2): one transaction under the write lock, so that commit order, append order and the
//! order of positions are the same, and no reader ever sees a gap.

use powerfill_events::run::envelope::{Hash, MetaHash, chain, chain_start};
use powerfill_events::values::TenantId;
use powerfill_ports::events::{Append, AppendReceipt, LogHead};
use powerfill_ports::seal::{AppendRecord, seal};
use powerfill_ports::{StoreError, check_tenant};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use crate::connection::fault;
use crate::runs;
use crate::worker_lock::WorkerLock;

const APPEND_BY_ID: &str = include_str!("../../../sql/sqlite/queries/append_by_id.sql");
const EVENTS_STORED: &str = include_str!("../../../sql/sqlite/queries/append_events_stored.sql");
const INSERT_EVENT: &str = include_str!("../../../sql/sqlite/queries/insert_event.sql");
const INSERT_APPEND: &str = include_str!("../../../sql/sqlite/queries/insert_append.sql");
const PUT_STREAM: &str = include_str!("../../../sql/sqlite/queries/put_stream.sql");

/// A stream as it is before an append.
struct Tail {
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
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    if let Some(lease) = append.lease {
        runs::must_hold(&tx, lock, lease)?;
    }
    if let Some(done) = done_before(&tx, append)? {
        return Ok(done);
    }
    let appended = within(&tx, append)?;
    tx.commit().map_err(fault)?;
    Ok(appended)
}

/// Appends within a transaction that has the write lock; not what was appended before.
pub(crate) fn within(tx: &Connection, append: &Append) -> Result<AppendReceipt, StoreError> {
    if append.events.is_empty() {
        return Err(StoreError::Failed("an append has at least one event".to_owned()));
    }
    let tail = tail(tx, &append.stream)?;
    if tail.version != append.expected_version {
        return Err(StoreError::Conflict {
            stream: append.stream.clone(),
            expected: append.expected_version,
            actual: tail.version,
        });
    }
    if tail.version == 0 {
        check_tenant(tenant(tx)?.as_ref(), &append.meta.tenant_id)?;
    }
    let head = head(tx)?;
    let record = AppendRecord {
        seq: head.seq + 1,
        first_position: head.position + 1,
        stream_id: tail.stream_id,
        first_version: tail.version + 1,
        event_count: append.events.len() as u64,
        append_id: append.append_id,
        meta: append.meta.clone(),
    };
    let last_hash = insert_events(tx, append, &record, tail.hash)?;
    record_append(tx, append, &record, &last_hash, &seal(&head.seal, &record, &last_hash))?;
    Ok(appended(&record, false))
}

const fn appended(record: &AppendRecord, repeated: bool) -> AppendReceipt {
    AppendReceipt {
        seq: record.seq,
        stream_version: record.last_version(),
        position: record.last_position(),
        repeated,
    }
}

fn insert_events(
    conn: &Connection,
    append: &Append,
    record: &AppendRecord,
    tail: Hash,
) -> Result<Hash, StoreError> {
    let meta = MetaHash::new(&append.stream, &append.meta);
    let mut insert = conn.prepare_cached(INSERT_EVENT).map_err(fault)?;
    let mut hash = tail;
    for (at, (event_type, payload)) in (0..).zip(append.events.iter()) {
        let (position, version) = (record.first_position + at, record.first_version + at);
        let (name, schema_version) = (event_type.name(), event_type.schema_version());
        hash = chain(&hash, &meta, version, name, schema_version, payload);
        // A payload is JSON, thus UTF-8: bound as text without being checked again.
        let payload = ToSqlOutput::Borrowed(ValueRef::Text(payload));
        insert
            .execute((
                position,
                record.stream_id,
                version,
                name,
                schema_version,
                payload,
                &hash.as_bytes()[..],
            ))
            .map_err(fault)?;
    }
    Ok(hash)
}

fn record_append(
    conn: &Connection,
    append: &Append,
    record: &AppendRecord,
    last_hash: &Hash,
    seal: &Hash,
) -> Result<(), StoreError> {
    let meta = &record.meta;
    conn.prepare_cached(PUT_STREAM)
        .and_then(|mut put| {
            put.execute((
                record.stream_id,
                &append.stream,
                record.last_version(),
                &last_hash.as_bytes()[..],
            ))
        })
        .map_err(fault)?;
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
        .map_err(fault)?;
    conn.prepare_cached("UPDATE es_head SET seq = ?1, position = ?2, seal = ?3")
        .and_then(|mut update| {
            update.execute((record.seq, record.last_position(), &seal.as_bytes()[..]))
        })
        .map_err(fault)?;
    Ok(())
}

/// The answer to an append that was made before, where this one is its retry.
pub(crate) fn done_before(
    conn: &Connection,
    append: &Append,
) -> Result<Option<AppendReceipt>, StoreError> {
    let found = conn
        .prepare_cached(APPEND_BY_ID)
        .map_err(fault)?
        .query_row([append.append_id], |row| {
            let numbers: [u64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            Ok((numbers, row.get::<_, String>(4)?))
        })
        .optional()
        .map_err(fault)?;
    let Some(([seq, first_position, first_version, event_count], stream)) = found else {
        return Ok(None);
    };
    let last_position = first_position + event_count - 1;
    let same = stream == append.stream
        && first_version == append.expected_version + 1
        && event_count == append.events.len() as u64
        && same_events(conn, append, first_position, last_position)?;
    if !same {
        return Err(StoreError::AppendIdReused { append_id: append.append_id });
    }
    Ok(Some(AppendReceipt {
        seq,
        stream_version: first_version + event_count - 1,
        position: last_position,
        repeated: true,
    }))
}

fn same_events(
    conn: &Connection,
    append: &Append,
    first: u64,
    last: u64,
) -> Result<bool, StoreError> {
    let mut stored = conn.prepare_cached(EVENTS_STORED).map_err(fault)?;
    let mut stored = stored.query((first, last)).map_err(fault)?;
    for (event_type, payload) in append.events.iter() {
        let Some(row) = stored.next().map_err(fault)? else { return Ok(false) };
        let same = bytes(row, 0)? == event_type.name().as_bytes()
            && row.get::<_, u16>(1).map_err(fault)? == event_type.schema_version()
            && bytes(row, 2)? == payload;
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The bytes of a text or a blob, as stored.
pub(crate) fn bytes<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], StoreError> {
    match row.get_ref(column).map_err(fault)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(bytes),
        other => Err(StoreError::Corrupt(format!("column {column} holds {}", other.data_type()))),
    }
}

/// A hash, as stored.
pub(crate) fn hash(row: &Row<'_>, column: usize) -> Result<Hash, StoreError> {
    let bytes = bytes(row, column)?;
    Hash::from_slice(bytes)
        .map_err(|_| StoreError::Corrupt(format!("a hash of {} bytes", bytes.len())))
}

/// The number, version and last hash of a stream; those that it will begin with where it does not exist.
fn tail(conn: &Connection, stream: &str) -> Result<Tail, StoreError> {
    let mut find = conn
        .prepare_cached("SELECT stream_id, version, tail_hash FROM es_streams WHERE name = ?1")
        .map_err(fault)?;
    let mut rows = find.query([stream]).map_err(fault)?;
    if let Some(row) = rows.next().map_err(fault)? {
        return Ok(Tail {
            stream_id: row.get(0).map_err(fault)?,
            version: row.get(1).map_err(fault)?,
            hash: hash(row, 2)?,
        });
    }
    let last: u64 = conn
        .prepare_cached("SELECT coalesce(max(stream_id), 0) FROM es_streams")
        .and_then(|mut last| last.query_row([], |row| row.get(0)))
        .map_err(fault)?;
    Ok(Tail { stream_id: last + 1, version: 0, hash: chain_start(stream) })
}

/// The end of the log.
pub(crate) fn head(conn: &Connection) -> Result<LogHead, StoreError> {
    let mut find = conn
        .prepare_cached("SELECT seq, position, seal FROM es_head WHERE id = 1")
        .map_err(fault)?;
    let mut rows = find.query([]).map_err(fault)?;
    let row = rows
        .next()
        .map_err(fault)?
        .ok_or_else(|| StoreError::Corrupt("the log has no head".to_owned()))?;
    Ok(LogHead {
        seq: row.get(0).map_err(fault)?,
        position: row.get(1).map_err(fault)?,
        seal: hash(row, 2)?,
    })
}

/// Whose events these are.
pub(crate) fn tenant(conn: &Connection) -> Result<Option<TenantId>, StoreError> {
    conn.prepare_cached("SELECT tenant_id FROM es_appends WHERE seq = 1")
        .and_then(|mut find| find.query_row([], |row| row.get::<_, String>(0)).optional())
        .map(|tenant| tenant.map(TenantId::from))
        .map_err(fault)
}

/// The version of a stream; 0 where it does not exist.
pub(crate) fn stream_version(conn: &Connection, stream: &str) -> Result<u64, StoreError> {
    conn.prepare_cached("SELECT version FROM es_streams WHERE name = ?1")
        .and_then(|mut find| find.query_row([stream], |row| row.get(0)).optional())
        .map(Option::unwrap_or_default)
        .map_err(fault)
}

/// The stored seal of an append.
pub(crate) fn seal_at(conn: &Connection, seq: u64) -> Result<Option<Hash>, StoreError> {
    if seq == 0 {
        return Ok(Some(powerfill_ports::seal::seal_start()));
    }
    let mut find =
        conn.prepare_cached("SELECT seal FROM es_appends WHERE seq = ?1").map_err(fault)?;
    let mut rows = find.query([seq]).map_err(fault)?;
    rows.next().map_err(fault)?.map(|row| hash(row, 0)).transpose()
}
