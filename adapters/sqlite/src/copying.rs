//! What copying a whole store needs in addition to the other ports.

use async_trait::async_trait;
use powerfill_ports::StoreError;
use powerfill_ports::copying::{APPENDS_PER_BATCH, CopyStore, StoredAppend, ensure_run_ended};
use powerfill_ports::events::LogHead;
use powerfill_ports::runs::QueuedRun;
use rusqlite::Connection;

use crate::connection::store_error;
use crate::decode::{append_record, get, hash};
use crate::queue::mark_scenario;
use crate::{SqliteStore, log};

const APPENDS_AFTER: &str = include_str!("../../../sql/sqlite/queries/appends_after.sql");
const INSERT_ENDED: &str = include_str!("../../../sql/sqlite/queries/insert_ended_run.sql");

fn appends_after(conn: &Connection, seq: u64) -> Result<Vec<StoredAppend>, StoreError> {
    let mut find = conn.prepare_cached(APPENDS_AFTER).map_err(store_error)?;
    let mut rows = find.query((seq, APPENDS_PER_BATCH)).map_err(store_error)?;
    let mut appends = Vec::new();
    while let Some(row) = rows.next().map_err(store_error)? {
        let (record, stream, seal) = (append_record(row)?, get(row, 11)?, hash(row, 12)?);
        appends.push(StoredAppend { record, stream, seal });
    }
    Ok(appends)
}

fn snapshot_digests(conn: &Connection) -> Result<Vec<String>, StoreError> {
    conn.prepare_cached("SELECT digest FROM snapshots ORDER BY digest")
        .and_then(|mut find| find.query_map([], |row| row.get(0))?.collect())
        .map_err(store_error)
}

fn put_ended_run(conn: &Connection, run: &QueuedRun) -> Result<(), StoreError> {
    let QueuedRun { run_id, status, requested_at, cancel_requested_by, .. } = run;
    let values = (run_id.to_string(), status.name(), requested_at.micros(), cancel_requested_by);
    conn.execute(INSERT_ENDED, values).map_err(store_error)?;
    if run.is_scenario { mark_scenario(conn, run.run_id) } else { Ok(()) }
}

fn verified_log(conn: &Connection) -> Result<Option<LogHead>, StoreError> {
    let mut find = conn
        .prepare_cached("SELECT seq, position, seal FROM verified_log WHERE id = 1")
        .map_err(store_error)?;
    let mut rows = find.query([]).map_err(store_error)?;
    rows.next().map_err(store_error)?.map(log::head_from).transpose()
}

fn set_verified_log(conn: &Connection, head: &LogHead) -> Result<(), StoreError> {
    let values = (head.seq, head.position, &head.seal.as_bytes()[..]);
    conn.execute("INSERT OR REPLACE INTO verified_log VALUES (1, ?1, ?2, ?3)", values)
        .map(|_| ())
        .map_err(store_error)
}

#[async_trait]
impl CopyStore for SqliteStore {
    async fn appends_after(&self, seq: u64) -> Result<Vec<StoredAppend>, StoreError> {
        self.read_with(move |conn| appends_after(conn, seq)).await
    }

    async fn snapshot_digests(&self) -> Result<Vec<String>, StoreError> {
        self.read_with(snapshot_digests).await
    }

    async fn verified_log(&self) -> Result<Option<LogHead>, StoreError> {
        self.read_with(verified_log).await
    }

    async fn set_verified_log(&self, head: LogHead) -> Result<(), StoreError> {
        self.write(move |conn| set_verified_log(conn, &head)).await
    }

    async fn put_ended_run(&self, run: QueuedRun) -> Result<(), StoreError> {
        ensure_run_ended(&run)?;
        self.write(move |conn| put_ended_run(conn, &run)).await
    }
}
