//! Payloads of archived runs: out of the file, and back. Each is one transaction, which replaces
//! the guard of the blocks: no other connection sees the file without it.

use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::retention::{ARCHIVED, ArchivedBlock, BlockPayload};
use rusqlite::{Connection, OptionalExtension};

use crate::connection::{begin_write, store_error};
use crate::decode::get;

/// The trigger that refuses a change of a block.
const GUARD: &str = "es_event_blocks_no_update";

const ARCHIVED_BLOCKS: &str = "SELECT first_version, event_count FROM es_event_blocks
     WHERE stream_id = ?1 AND codec = ?2 ORDER BY first_version";
const REMOVE: &str = "UPDATE es_event_blocks
     SET codec = ?2, event_checks = x'', byte_count = 0, stored_hash = x'', body = x''
     WHERE stream_id = ?1 AND codec <> ?2";
const PUT: &str = "UPDATE es_event_blocks
     SET codec = ?3, event_checks = ?4, byte_count = ?5, stored_hash = ?6, body = ?7
     WHERE stream_id = ?1 AND first_version = ?2 AND codec = ?8";

fn stream_id(conn: &Connection, run: RunId) -> Result<i64, StoreError> {
    let id = conn
        .query_row("SELECT stream_id FROM es_streams WHERE name = ?1", [run.stream()], |row| {
            row.get(0)
        })
        .optional()
        .map_err(store_error)?;
    id.ok_or_else(|| StoreError::NotFound { what: "run", name: run.to_string() })
}

pub(crate) fn archived_blocks(
    conn: &Connection,
    run: RunId,
) -> Result<Vec<ArchivedBlock>, StoreError> {
    let stream_id = stream_id(conn, run)?;
    let mut find = conn.prepare_cached(ARCHIVED_BLOCKS).map_err(store_error)?;
    let mut rows = find.query((stream_id, ARCHIVED)).map_err(store_error)?;
    let mut blocks = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        blocks.push(ArchivedBlock { first_version: get(row, 0)?, event_count: get(row, 1)? });
    }
    Ok(blocks)
}

/// Lifts the guard. Returns the statement that restores it.
fn lift_guard(conn: &Connection) -> Result<String, StoreError> {
    let sql: Option<String> = conn
        .query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [GUARD], |row| row.get(0))
        .optional()
        .map_err(store_error)?;
    let sql = sql.ok_or_else(|| {
        StoreError::Schema(format!("the trigger {GUARD} of the store is missing").into())
    })?;
    conn.execute_batch(&format!("DROP TRIGGER {GUARD}")).map_err(store_error)?;
    Ok(sql)
}

pub(crate) fn remove_payloads(
    conn: &mut Connection,
    run: RunId,
    snapshot: Option<&str>,
) -> Result<(), StoreError> {
    let tx = begin_write(conn)?;
    let stream_id = stream_id(&tx, run)?;
    let guard = lift_guard(&tx)?;
    tx.execute(REMOVE, (stream_id, ARCHIVED)).map_err(store_error)?;
    if let Some(digest) = snapshot {
        tx.execute("DELETE FROM snapshots WHERE digest = ?1", [digest]).map_err(store_error)?;
    }
    tx.execute_batch(&guard).map_err(store_error)?;
    tx.commit().map_err(store_error)
}

pub(crate) fn put_payloads(
    conn: &mut Connection,
    run: RunId,
    payloads: &[BlockPayload],
) -> Result<(), StoreError> {
    let tx = begin_write(conn)?;
    let stream_id = stream_id(&tx, run)?;
    let guard = lift_guard(&tx)?;
    for payload in payloads {
        let BlockPayload { first_version, codec, event_checks, byte_count, stored_hash, body } =
            payload;
        let row = (
            stream_id,
            first_version,
            codec,
            event_checks,
            byte_count,
            &stored_hash[..],
            body,
            ARCHIVED,
        );
        tx.execute(PUT, row).map_err(store_error)?;
    }
    tx.execute_batch(&guard).map_err(store_error)?;
    tx.commit().map_err(store_error)
}
