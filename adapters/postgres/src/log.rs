//! Single values of the log: its head, its tenant, its streams, its seals.

use deadpool_postgres::ClientWrapper;
use powerfill_events::log::{Hash, seal_start};
use powerfill_events::values::TenantId;
use powerfill_ports::events::LogHead;
use powerfill_ports::{StoreError, StoreResult};
use tokio_postgres::Row;

use crate::errors::store_error;
use crate::statements::{one_row, prepared, rows};
use crate::values::{get, hash, to_bigint, unsigned};

/// Reads the row of the head.
pub(crate) fn head_from(row: Option<&Row>) -> StoreResult<LogHead> {
    let row = row.ok_or_else(|| StoreError::Corrupt("the log has no head".into()))?;
    Ok(LogHead { seq: unsigned(row, 0)?, position: unsigned(row, 1)?, seal: hash(row, 2)? })
}

/// The end of the log.
pub(crate) async fn head(client: &ClientWrapper) -> StoreResult<LogHead> {
    let find = prepared(client, "SELECT seq, position, seal FROM es_head WHERE id = 1").await?;
    head_from(client.query_opt(&find, &[]).await.map_err(store_error)?.as_ref())
}

/// The tenant of the first event. `None` for an empty log.
pub(crate) async fn tenant(client: &ClientWrapper) -> StoreResult<Option<TenantId>> {
    let first = "SELECT tenant_id FROM es_appends WHERE seq = 1";
    one_row(client, first, &[], |row| get::<&str>(row, 0).map(TenantId::from)).await
}

/// The number and the version of a stream. `None` if it does not exist.
pub(crate) async fn stream(client: &ClientWrapper, name: &str) -> StoreResult<Option<(u64, u64)>> {
    let find = "SELECT stream_id, version FROM es_streams WHERE name = $1";
    let find = prepared(client, find).await?;
    one_row(client, &find, &[&name], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?))).await
}

/// The names of all streams, in the order of their first events.
pub(crate) async fn streams(client: &ClientWrapper) -> StoreResult<Vec<String>> {
    rows(client, "SELECT name FROM es_streams ORDER BY stream_id", &[], |row| get(row, 0)).await
}

/// The bytes of a stream's blocks, and of its events that are not in blocks yet.
pub(crate) async fn stored_bytes(client: &ClientWrapper, name: &str) -> StoreResult<u64> {
    let sql = "SELECT (SELECT COALESCE(SUM(OCTET_LENGTH(b.body)), 0) FROM es_event_blocks b
                       WHERE b.stream_id = s.stream_id)::bigint
                    + (SELECT COALESCE(SUM(OCTET_LENGTH(e.payload::text)), 0) FROM es_events e
                       WHERE e.stream_id = s.stream_id)::bigint
               FROM es_streams s WHERE s.name = $1";
    let sum = prepared(client, sql).await?;
    Ok(one_row(client, &sum, &[&name], |row| unsigned(row, 0)).await?.unwrap_or_default())
}

/// The stored seal of an append. `None` if the log ends before it.
pub(crate) async fn seal_at(client: &ClientWrapper, seq: u64) -> StoreResult<Option<Hash>> {
    if seq == 0 {
        return Ok(Some(seal_start()));
    }
    let find = "SELECT seal FROM es_appends WHERE seq = $1";
    one_row(client, find, &[&to_bigint(seq)], |row| hash(row, 0)).await
}

/// Whether any event of a stream is stored in a row.
pub(crate) async fn has_rows(client: &ClientWrapper, stream_id: u64) -> StoreResult<bool> {
    let find = prepared(client, "SELECT FROM es_events WHERE stream_id = $1 LIMIT 1").await?;
    Ok(one_row(client, &find, &[&to_bigint(stream_id)], |_| Ok(())).await?.is_some())
}
