//! What copying a whole store needs in addition to the other ports.

use async_trait::async_trait;
use powerfill_ports::StoreError;
use powerfill_ports::copying::{APPENDS_PER_BATCH, CopyStore, StoredAppend, ensure_run_ended};
use powerfill_ports::events::LogHead;
use powerfill_ports::runs::QueuedRun;

use crate::PostgresStore;
use crate::errors::store_error;
use crate::log::head_from;
use crate::values::{ServerTimestamp, append_record, get, hash, to_bigint};

const APPENDS_AFTER: &str = include_str!("../../../sql/postgres/queries/appends_after.sql");
const SET_VERIFIED_LOG: &str = include_str!("../../../sql/postgres/queries/set_verified_log.sql");
const MARK_SCENARIO: &str = include_str!("../../../sql/postgres/queries/mark_scenario.sql");
const INSERT_ENDED: &str = include_str!("../../../sql/postgres/queries/insert_ended_run.sql");

#[async_trait]
impl CopyStore for PostgresStore {
    async fn appends_after(&self, seq: u64) -> Result<Vec<StoredAppend>, StoreError> {
        let client = self.inner.pool.get().await?;
        let limit = to_bigint(APPENDS_PER_BATCH as u64);
        let rows =
            client.query(APPENDS_AFTER, &[&to_bigint(seq), &limit]).await.map_err(store_error)?;
        let kept = |row| {
            let (stream, seal) = (get(row, 11)?, hash(row, 12)?);
            Ok(StoredAppend { record: append_record(row)?, stream, seal })
        };
        rows.iter().map(kept).collect()
    }

    async fn snapshot_digests(&self) -> Result<Vec<String>, StoreError> {
        let client = self.inner.pool.get().await?;
        let rows = client.query("SELECT digest FROM snapshots ORDER BY digest", &[]).await;
        rows.map_err(store_error)?.iter().map(|row| get(row, 0)).collect()
    }

    async fn verified_log(&self) -> Result<Option<LogHead>, StoreError> {
        let client = self.inner.pool.get().await?;
        let row = client.query_opt("SELECT seq, position, seal FROM verified_log", &[]).await;
        row.map_err(store_error)?.map(|row| head_from(Some(&row))).transpose()
    }

    async fn set_verified_log(&self, head: LogHead) -> Result<(), StoreError> {
        let client = self.inner.pool.get().await?;
        let values = [to_bigint(head.seq), to_bigint(head.position)];
        let seal = &head.seal.as_bytes()[..];
        let set = client.execute(SET_VERIFIED_LOG, &[&values[0], &values[1], &seal]).await;
        set.map(|_| ()).map_err(store_error)
    }

    async fn put_ended_run(&self, run: QueuedRun) -> Result<(), StoreError> {
        ensure_run_ended(&run)?;
        let client = self.inner.pool.get().await?;
        let QueuedRun { run_id, status, requested_at, cancel_requested_by, .. } = &run;
        let at = ServerTimestamp(*requested_at);
        client
            .execute(INSERT_ENDED, &[&run_id.0, &status.name(), &at, cancel_requested_by])
            .await
            .map_err(store_error)?;
        if run.is_scenario {
            client.execute(MARK_SCENARIO, &[&run_id.0]).await.map_err(store_error)?;
        }
        Ok(())
    }
}
