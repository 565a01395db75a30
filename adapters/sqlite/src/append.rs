//! Appending (specification 3.2): one transaction under the write lock. Therefore commit order,
//! append order, and the order of positions are the same, and no reader sees a gap.

use powerfill_events::log::{AppendRecord, Hash, chain_start, seal};
use powerfill_ports::block_codec::{CODEC, ChainedBlock, CompressedBlock, compress_events};
use powerfill_ports::events::{Append, AppendReceipt};
use powerfill_ports::{StoreError, StoreResult, check_tenant};
use rusqlite::Connection;

use crate::connection::{begin_write, store_error};
use crate::decode::{get, hash};
use crate::lease::ensure_lease;
use crate::statements::{execute, first_row, query};
use crate::worker_lock::WorkerLock;
use crate::{log, read};

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
) -> StoreResult<AppendReceipt> {
    // Before other writers have to wait.
    let blocks = compress_events(&append.events)?;
    let tx = begin_write(conn)?;
    if let Some(lease) = append.lease {
        ensure_lease(&tx, lock, lease)?;
    }
    if let Some(appended) = find_repeated(&tx, append)? {
        return Ok(appended);
    }
    let appended = append_within(&tx, append, &blocks)?;
    tx.commit().map_err(store_error)?;
    Ok(appended)
}

/// Appends within a transaction that holds the write lock. The append id must be new.
pub(crate) fn append_within(
    tx: &Connection,
    append: &Append,
    blocks: &[CompressedBlock],
) -> StoreResult<AppendReceipt> {
    append.ensure_events()?;
    let tail = stream_tail(tx, &append.stream)?;
    append.ensure_version(tail.version)?;
    if tail.version == 0 {
        check_tenant(log::tenant(tx)?.as_ref(), &append.meta.tenant_id)?;
    }
    let head = log::head(tx)?;
    let record = append.record(&head, tail.stream_id);
    let blocks = append.chained_blocks(blocks, tail.hash);
    insert_blocks(tx, tail.stream_id, &blocks)?;
    let last_hash = blocks.last().map_or(tail.hash, |block| block.hash_after);
    let seal = seal(&head.seal, &record, &last_hash);
    insert_record(tx, &append.stream, &record, &last_hash, &seal)?;
    Ok(AppendReceipt::new(&record, false))
}

/// Writes the rows of blocks.
pub(crate) fn insert_blocks(
    conn: &Connection,
    stream_id: u64,
    blocks: &[ChainedBlock<'_>],
) -> StoreResult<()> {
    for block in blocks {
        let compressed = block.compressed;
        let values = (
            stream_id,
            block.first_version,
            compressed.event_count,
            &compressed.event_types,
            &block.hash_before.as_bytes()[..],
            &block.hash_after.as_bytes()[..],
            &block.event_checks,
            CODEC,
            compressed.byte_count,
            &compressed.stored_hash.as_bytes()[..],
            &compressed.body,
        );
        execute(conn, query!("insert_block"), values)?;
    }
    Ok(())
}

/// Writes the rows of the stream, the append, and the head.
fn insert_record(
    conn: &Connection,
    stream: &str,
    record: &AppendRecord,
    last_hash: &Hash,
    seal: &Hash,
) -> StoreResult<()> {
    let meta = &record.meta;
    let (last_hash, seal) = (&last_hash.as_bytes()[..], &seal.as_bytes()[..]);
    execute(
        conn,
        query!("put_stream"),
        (record.stream_id, stream, record.last_version(), last_hash),
    )?;
    let values = (
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
        seal,
    );
    execute(conn, query!("insert_append"), values)?;
    let move_head = "UPDATE es_head SET seq = ?1, position = ?2, seal = ?3";
    execute(conn, move_head, (record.seq, record.last_position(), seal)).map(|_| ())
}

/// The answer to an append that repeats an earlier one; `None` if the append id is new.
///
/// # Errors
/// [`StoreError::AppendIdReused`] if the content differs.
pub(crate) fn find_repeated(
    conn: &Connection,
    append: &Append,
) -> StoreResult<Option<AppendReceipt>> {
    let found = first_row(conn, query!("append_by_id"), [append.append_id], |row| {
        let numbers: [u64; 4] = [get(row, 0)?, get(row, 1)?, get(row, 2)?, get(row, 3)?];
        Ok((numbers, get::<String>(row, 4)?))
    })?;
    let Some(([seq, first_position, first_version, event_count], stream)) = found else {
        return Ok(None);
    };
    let is_same = stream == append.stream
        && first_version == append.expected_version + 1
        && event_count == append.events.len() as u64
        && has_same_events(conn, append)?;
    if !is_same {
        return Err(StoreError::AppendIdReused { append_id: append.append_id });
    }
    Ok(Some(AppendReceipt {
        seq,
        stream_version: first_version + event_count - 1,
        position: first_position + event_count - 1,
        repeated: true,
    }))
}

fn has_same_events(conn: &Connection, append: &Append) -> StoreResult<bool> {
    let last_version = append.expected_version + append.events.len() as u64;
    let mut version = append.expected_version + 1;
    let mut written = append.events.iter();
    while version <= last_version {
        let (parts, _) =
            read::parts_from_version(conn, &append.stream, version, last_version, None)?;
        let stored = read::events_of(parts)?;
        let Some(last) = stored.last() else { return Ok(false) };
        version = last.stream_version + 1;
        let mut pairs = stored.iter().zip(written.by_ref());
        if !pairs.all(|(stored, (schema, payload))| stored.is_written_as(schema, payload)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The tail of a stream; for a stream that does not exist yet, its future number and version 0.
fn stream_tail(conn: &Connection, stream: &str) -> StoreResult<StreamTail> {
    let find = "SELECT stream_id, version, tail_hash FROM es_streams WHERE name = ?1";
    let tail = first_row(conn, find, [stream], |row| {
        Ok(StreamTail { stream_id: get(row, 0)?, version: get(row, 1)?, hash: hash(row, 2)? })
    })?;
    if let Some(tail) = tail {
        return Ok(tail);
    }
    let last: Option<u64> =
        first_row(conn, "SELECT max(stream_id) FROM es_streams", [], |row| get(row, 0))?.flatten();
    let stream_id = last.unwrap_or_default() + 1;
    Ok(StreamTail { stream_id, version: 0, hash: chain_start(stream) })
}
