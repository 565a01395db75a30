//! Payloads of archived runs: out of the file, and back. Each is one transaction, which replaces
//! the guard of the blocks: no other connection sees the file without it.

use async_trait::async_trait;
use powerfill_events::run::RunId;
use powerfill_ports::retention::{ARCHIVED, ArchivedBlock, BlockPayload, RetentionStore};
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::{Connection, Row};

use crate::SqliteStore;
use crate::connection::{begin_write, store_error};
use crate::decode::get;
use crate::migrate::shrink;
use crate::statements::{execute, first_row, rows};

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

fn stream_id(conn: &Connection, run: RunId) -> StoreResult<i64> {
    let find = "SELECT stream_id FROM es_streams WHERE name = ?1";
    let id = first_row(conn, find, [run.stream()], |row| get(row, 0))?;
    id.ok_or_else(|| StoreError::NotFound { what: "run", name: run.to_string() })
}

fn archived_blocks(conn: &Connection, run: RunId) -> StoreResult<Vec<ArchivedBlock>> {
    let block = |row: &Row<'_>| {
        Ok(ArchivedBlock { first_version: get(row, 0)?, event_count: get(row, 1)? })
    };
    rows(conn, ARCHIVED_BLOCKS, (stream_id(conn, run)?, ARCHIVED), block)
}

/// Lifts the guard. Returns the statement that restores it.
fn lift_guard(conn: &Connection) -> StoreResult<String> {
    let sql = guard_sql(conn, GUARD)?;
    conn.execute_batch(&format!("DROP TRIGGER {GUARD}")).map_err(store_error)?;
    Ok(sql)
}

/// The statement that creates a trigger of the store.
///
/// # Errors
/// [`StoreError::Schema`] if the trigger is missing.
pub(crate) fn guard_sql(conn: &Connection, guard: &str) -> StoreResult<String> {
    let find = "SELECT sql FROM sqlite_schema WHERE name = ?1";
    first_row(conn, find, [guard], |row| get(row, 0))?.ok_or_else(|| {
        StoreError::Schema(format!("the trigger {guard} of the store is missing").into())
    })
}

fn remove_payloads(conn: &mut Connection, run: RunId, snapshot: Option<&str>) -> StoreResult<()> {
    let tx = begin_write(conn)?;
    let stream_id = stream_id(&tx, run)?;
    let guard = lift_guard(&tx)?;
    execute(&tx, REMOVE, (stream_id, ARCHIVED))?;
    if let Some(digest) = snapshot {
        execute(&tx, "DELETE FROM snapshots WHERE digest = ?1", [digest])?;
    }
    tx.execute_batch(&guard).map_err(store_error)?;
    tx.commit().map_err(store_error)
}

fn put_payloads(conn: &mut Connection, run: RunId, payloads: &[BlockPayload]) -> StoreResult<()> {
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
        execute(&tx, PUT, row)?;
    }
    tx.execute_batch(&guard).map_err(store_error)?;
    tx.commit().map_err(store_error)
}

#[async_trait]
impl RetentionStore for SqliteStore {
    async fn archived_blocks(&self, run: RunId) -> StoreResult<Vec<ArchivedBlock>> {
        self.read_with(move |conn| archived_blocks(conn, run)).await
    }

    async fn remove_payloads(&self, run: RunId, snapshot: Option<String>) -> StoreResult<()> {
        self.write(move |conn| remove_payloads(conn, run, snapshot.as_deref())).await
    }

    async fn put_payloads(&self, run: RunId, payloads: Vec<BlockPayload>) -> StoreResult<()> {
        self.write(move |conn| put_payloads(conn, run, &payloads)).await
    }

    async fn give_space_back(&self) -> StoreResult<()> {
        self.write(|conn| shrink(conn)).await
    }
}
