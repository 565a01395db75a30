//! Payloads of archived runs: out of the database, and back. Each is one transaction, which lifts
//! the guards of the rows that it changes; only the owner of the store may do this.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use powerfill_events::run::RunId;
use powerfill_ports::retention::{ARCHIVED, ArchivedBlock, BlockPayload, RetentionStore};
use powerfill_ports::{StoreError, StoreResult};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::PostgresStore;
use crate::locks;
use crate::pool::ConnectionPool;
use crate::statements::{execute, execute_batch, one_row, rows};
use crate::tasks::run_detached;
use crate::values::{get, to_bigint, unsigned};

const LIFT_GUARDS: &str = "ALTER TABLE es_event_blocks DISABLE TRIGGER es_event_blocks_append_only;
     ALTER TABLE snapshots DISABLE TRIGGER snapshots_append_only";
const RESTORE_GUARDS: &str =
    "ALTER TABLE es_event_blocks ENABLE TRIGGER es_event_blocks_append_only;
     ALTER TABLE snapshots ENABLE TRIGGER snapshots_append_only";
const ARCHIVED_BLOCKS: &str = "SELECT first_version, event_count FROM es_event_blocks
     WHERE stream_id = $1 AND codec = $2 ORDER BY first_version";
const REMOVE: &str = "UPDATE es_event_blocks
     SET codec = $2, event_checks = '', byte_count = 0, stored_hash = '', body = ''
     WHERE stream_id = $1 AND codec <> $2";
const PUT: &str = "UPDATE es_event_blocks
     SET codec = $3, event_checks = $4, byte_count = $5, stored_hash = $6, body = $7
     WHERE stream_id = $1 AND first_version = $2 AND codec = $8";

async fn stream_id(client: &ClientWrapper, run: RunId) -> StoreResult<i64> {
    let find = "SELECT stream_id FROM es_streams WHERE name = $1";
    let stream_id = one_row(client, find, &[&run.stream()], |row| get(row, 0)).await?;
    stream_id.ok_or_else(|| StoreError::NotFound { what: "run", name: run.to_string() })
}

async fn remove_payloads(
    pool: &ConnectionPool,
    run: RunId,
    snapshot: Option<&str>,
) -> StoreResult<()> {
    // If a statement fails, the session is dropped, which ends the transaction.
    let session = pool.session().await?;
    begin(&session).await?;
    let stream_id = stream_id(&session, run).await?;
    execute(&session, REMOVE, &[&stream_id, &ARCHIVED]).await?;
    if let Some(digest) = snapshot {
        execute(&session, "DELETE FROM snapshots WHERE digest = $1", &[&digest]).await?;
    }
    commit(&session).await?;
    session.give_back();
    Ok(())
}

async fn put_payloads(
    pool: &ConnectionPool,
    run: RunId,
    payloads: &[BlockPayload],
) -> StoreResult<()> {
    let session = pool.session().await?;
    begin(&session).await?;
    let stream_id = stream_id(&session, run).await?;
    for payload in payloads {
        let BlockPayload { first_version, codec, event_checks, byte_count, stored_hash, body } =
            payload;
        let (first, bytes) = (to_bigint(*first_version), to_bigint(*byte_count));
        let hash = &stored_hash[..];
        let values: [&(dyn ToSql + Sync); 8] =
            [&stream_id, &first, codec, event_checks, &bytes, &hash, body, &ARCHIVED];
        execute(&session, PUT, &values).await?;
    }
    commit(&session).await?;
    session.give_back();
    Ok(())
}

async fn begin(client: &ClientWrapper) -> StoreResult<()> {
    execute_batch(client, "BEGIN").await?;
    execute_batch(client, &locks::take(locks::SCHEMA)).await?;
    execute_batch(client, LIFT_GUARDS).await
}

async fn commit(client: &ClientWrapper) -> StoreResult<()> {
    execute_batch(client, RESTORE_GUARDS).await?;
    execute_batch(client, "COMMIT").await
}

#[async_trait]
impl RetentionStore for PostgresStore {
    async fn archived_blocks(&self, run: RunId) -> StoreResult<Vec<ArchivedBlock>> {
        let client = self.inner.pool.get().await?;
        let stream_id = stream_id(&client, run).await?;
        let block = |row: &Row| {
            Ok(ArchivedBlock { first_version: unsigned(row, 0)?, event_count: unsigned(row, 1)? })
        };
        rows(&client, ARCHIVED_BLOCKS, &[&stream_id, &ARCHIVED], block).await
    }

    async fn remove_payloads(&self, run: RunId, snapshot: Option<String>) -> StoreResult<()> {
        let inner = Arc::clone(&self.inner);
        run_detached(async move { remove_payloads(&inner.pool, run, snapshot.as_deref()).await })
            .await
    }

    async fn put_payloads(&self, run: RunId, payloads: Vec<BlockPayload>) -> StoreResult<()> {
        let inner = Arc::clone(&self.inner);
        run_detached(async move { put_payloads(&inner.pool, run, &payloads).await }).await
    }
}
