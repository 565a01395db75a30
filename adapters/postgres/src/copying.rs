//! What copying a whole store needs in addition to the other ports.

use async_trait::async_trait;
use powerfill_ports::StoreResult;
use powerfill_ports::copying::{APPENDS_PER_BATCH, CopyStore, StoredAppend, ensure_run_ended};
use powerfill_ports::events::LogHead;
use powerfill_ports::runs::QueuedRun;

use crate::PostgresStore;
use crate::log::head_from;
use crate::migrate::stored_append;
use crate::statements::{execute, one_row, query, rows};
use crate::values::{ServerTimestamp, get, to_bigint};

#[async_trait]
impl CopyStore for PostgresStore {
    async fn appends_after(&self, seq: u64) -> StoreResult<Vec<StoredAppend>> {
        let client = self.inner.pool.get().await?;
        let limit = to_bigint(APPENDS_PER_BATCH as u64);
        rows(&client, query!("appends_after"), &[&to_bigint(seq), &limit], stored_append).await
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
        execute(&client, query!("set_verified_log"), &[&seq, &position, &seal]).await.map(|_| ())
    }

    async fn put_ended_run(&self, run: QueuedRun) -> StoreResult<()> {
        ensure_run_ended(&run)?;
        let client = self.inner.pool.get().await?;
        let QueuedRun { run_id, status, requested_at, cancel_requested_by, .. } = &run;
        let at = ServerTimestamp(*requested_at);
        let status = status.name();
        execute(
            &client,
            query!("insert_ended_run"),
            &[&run_id.0, &status, &at, cancel_requested_by],
        )
        .await?;
        if run.is_scenario {
            execute(&client, query!("mark_scenario"), &[&run_id.0]).await?;
        }
        Ok(())
    }
}
