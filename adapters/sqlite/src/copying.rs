//! What copying a whole store needs in addition to the other ports.

use async_trait::async_trait;
use powerfill_ports::StoreResult;
use powerfill_ports::copying::{APPENDS_PER_BATCH, CopyStore, StoredAppend, ensure_run_ended};
use powerfill_ports::events::LogHead;
use powerfill_ports::runs::QueuedRun;
use rusqlite::Connection;

use crate::decode::get;
use crate::migrate::stored_append;
use crate::queue::mark_scenario;
use crate::statements::{execute, first_row, query, rows};
use crate::{SqliteStore, log};

fn put_ended_run(conn: &Connection, run: &QueuedRun) -> StoreResult<()> {
    let QueuedRun { run_id, status, requested_at, cancel_requested_by, .. } = run;
    let values = (run_id.to_string(), status.name(), requested_at.micros(), cancel_requested_by);
    execute(conn, query!("insert_ended_run"), values)?;
    if run.is_scenario { mark_scenario(conn, run.run_id) } else { Ok(()) }
}

#[async_trait]
impl CopyStore for SqliteStore {
    async fn appends_after(&self, seq: u64) -> StoreResult<Vec<StoredAppend>> {
        self.read_with(move |conn| {
            rows(conn, query!("appends_after"), (seq, APPENDS_PER_BATCH), stored_append)
        })
        .await
    }

    async fn snapshot_digests(&self) -> StoreResult<Vec<String>> {
        let all = "SELECT digest FROM snapshots ORDER BY digest";
        self.read_with(|conn| rows(conn, all, [], |row| get(row, 0))).await
    }

    async fn verified_log(&self) -> StoreResult<Option<LogHead>> {
        let find = "SELECT seq, position, seal FROM verified_log WHERE id = 1";
        self.read_with(|conn| first_row(conn, find, [], log::head_from)).await
    }

    async fn set_verified_log(&self, head: LogHead) -> StoreResult<()> {
        let put = "INSERT OR REPLACE INTO verified_log VALUES (1, ?1, ?2, ?3)";
        let values = (head.seq, head.position, *head.seal.as_bytes());
        self.write(move |conn| execute(conn, put, values).map(|_| ())).await
    }

    async fn put_ended_run(&self, run: QueuedRun) -> StoreResult<()> {
        ensure_run_ended(&run)?;
        self.write(move |conn| put_ended_run(conn, &run)).await
    }
}
