//! Single values of the log: its head, its tenant, its streams, its seals.

use powerfill_events::log::{Hash, seal_start};
use powerfill_events::values::TenantId;
use powerfill_ports::events::LogHead;
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::{Connection, Row};

use crate::decode::{get, hash};
use crate::statements::{first_row, rows};

/// The end of the log.
pub(crate) fn head(conn: &Connection) -> StoreResult<LogHead> {
    let find = "SELECT seq, position, seal FROM es_head WHERE id = 1";
    let head = first_row(conn, find, [], head_from)?;
    head.ok_or_else(|| StoreError::Corrupt("the log has no head".into()))
}

/// The head of a row of number, position, and seal.
pub(crate) fn head_from(row: &Row<'_>) -> StoreResult<LogHead> {
    Ok(LogHead { seq: get(row, 0)?, position: get(row, 1)?, seal: hash(row, 2)? })
}

/// The tenant of the first event. `None` for an empty log.
pub(crate) fn tenant(conn: &Connection) -> StoreResult<Option<TenantId>> {
    let find = "SELECT tenant_id FROM es_appends WHERE seq = 1";
    first_row(conn, find, [], |row| get::<String>(row, 0).map(TenantId::from))
}

/// The names of all streams, in the order of their first events.
pub(crate) fn streams(conn: &Connection) -> StoreResult<Vec<String>> {
    rows(conn, "SELECT name FROM es_streams ORDER BY stream_id", [], |row| get(row, 0))
}

/// The version of a stream; 0 if it does not exist.
pub(crate) fn stream_version(conn: &Connection, stream: &str) -> StoreResult<u64> {
    let find = "SELECT version FROM es_streams WHERE name = ?1";
    first_row(conn, find, [stream], |row| get(row, 0)).map(Option::unwrap_or_default)
}

/// The bytes of a stream's blocks, and of its events that are not in blocks yet.
pub(crate) fn stored_bytes(conn: &Connection, stream: &str) -> StoreResult<u64> {
    let sql = "SELECT (SELECT COALESCE(SUM(LENGTH(b.body)), 0) FROM es_event_blocks b
                       WHERE b.stream_id = s.stream_id)
                    + (SELECT COALESCE(SUM(LENGTH(CAST(e.payload AS BLOB))), 0) FROM es_appends a
                       JOIN es_events e ON e.position >= a.first_position
                                       AND e.position < a.first_position + a.event_count
                       WHERE a.stream_id = s.stream_id)
               FROM es_streams s WHERE s.name = ?1";
    first_row(conn, sql, [stream], |row| get(row, 0)).map(Option::unwrap_or_default)
}

/// The stored seal of an append. `None` if the log ends before it.
pub(crate) fn seal_at(conn: &Connection, seq: u64) -> StoreResult<Option<Hash>> {
    if seq == 0 {
        return Ok(Some(seal_start()));
    }
    first_row(conn, "SELECT seal FROM es_appends WHERE seq = ?1", [seq], |row| hash(row, 0))
}
