//! What copying a whole store needs in addition to the other ports.

use async_trait::async_trait;
use powerfill_ports::StoreResult;
use powerfill_ports::copying::{APPENDS_PER_BATCH, CopyStore, StoredAppend, ensure_run_ended};
use powerfill_ports::events::LogHead;
use powerfill_ports::runs::QueuedRun;

use crate::PostgresStore;
use crate::log::head_from;
use crate::migrate::stored_append;
use crate::statements::{execute, one_row, rows};
use crate::values::{ServerTimestamp, get, to_bigint};

const APPENDS_AFTER: &str = include_str!("../../../sql/postgres/queries/appends_after.sql");
const SET_VERIFIED_LOG: &str = include_str!("../../../sql/postgres/queries/set_verified_log.sql");
const MARK_SCENARIO: &str = include_str!("../../../sql/postgres/queries/mark_scenario.sql");
const INSERT_ENDED: &str = include_str!("../../../sql/postgres/queries/insert_ended_run.sql");

#[async_trait]
impl CopyStore for PostgresStore {
    async fn appends_after(&self, seq: u64) -> StoreResult<Vec<StoredAppend>> {
        let client = self.inner.pool.get().await?;
        let limit = to_bigint(APPENDS_PER_BATCH as u64);
        rows(&client, APPENDS_AFTER, &[&to_bigint(seq), &limit], stored_append).await
    }

    async fn snapshot_digests(&self) -> StoreResult<Vec<String>> {
        let client = self.inner.pool.get().await?;
        let all = "SELECT digest FROM snapshots ORDER BY digest";
        rows(&client, all, &[], |row| get(row, 0)).await
    }

    async fn verified_log(&self) -> StoreResult<Option<LogHead>> {
        let client = self.inner.pool.get().await?;
        let find = "SELECT seq, position, seal FROM verified_log";
        one_row(&client, find, &[], |row| head_from(Some(row))).await
    }

    async fn set_verified_log(&self, head: LogHead) -> StoreResult<()> {
        let client = self.inner.pool.get().await?;
        let (seq, position) = (to_bigint(head.seq), to_bigint(head.position));
        let seal = &head.seal.as_bytes()[..];
        execute(&client, SET_VERIFIED_LOG, &[&seq, &position, &seal]).await.map(|_| ())
    }

    async fn put_ended_run(&self, run: QueuedRun) -> StoreResult<()> {
        ensure_run_ended(&run)?;
        let client = self.inner.pool.get().await?;
        let QueuedRun { run_id, status, requested_at, cancel_requested_by, .. } = &run;
        let at = ServerTimestamp(*requested_at);
        let status = status.name();
        execute(&client, INSERT_ENDED, &[&run_id.0, &status, &at, cancel_requested_by]).await?;
        if run.is_scenario {
            execute(&client, MARK_SCENARIO, &[&run_id.0]).await?;
        }
        Ok(())
    }
}
