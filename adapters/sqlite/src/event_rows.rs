//! The events of a store of 0.1.0, a row each: they are read as they are until `powerfill migrate`
//! moves them into blocks.

use powerfill_events::log::{AppendRecord, BlockEvent, Hash, StoredEvent, chain_start};
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::Connection;

use crate::connection::store_error;
use crate::decode::{bytes, get, hash};
use crate::statements::{first_row, query};

/// Selects rows between two positions.
pub(crate) const EVENTS_BETWEEN: &str =
    include_str!("../../../sql/sqlite/queries/events_between.sql");

/// The events of an append between two versions.
///
/// # Errors
/// [`StoreError::Corrupt`] if one is missing.
pub(crate) fn events(
    conn: &Connection,
    record: &AppendRecord,
    stream: &str,
    first: u64,
    last: u64,
) -> StoreResult<Vec<StoredEvent>> {
    let mut prev_hash = hash_before(conn, record.stream_id, stream, first)?;
    let mut select = conn.prepare_cached(EVENTS_BETWEEN).map_err(store_error)?;
    let positions = (record.position_of(first), record.position_of(last));
    let mut rows = select.query(positions).map_err(store_error)?;
    let mut events = Vec::new();
    for version in first..=last {
        let missing = || StoreError::missing_event(stream, version);
        let row = rows.next().map_err(store_error)?.ok_or_else(missing)?;
        let found: [u64; 3] = [get(row, 0)?, get(row, 1)?, get(row, 2)?];
        if found != [record.position_of(version), record.stream_id, version] {
            return Err(missing());
        }
        let hash = hash(row, 6)?;
        let event_type: String = get(row, 3)?;
        let (schema_version, payload) = (get(row, 4)?, bytes(row, 5)?);
        let event = BlockEvent { event_type: &event_type, schema_version, payload };
        let links = [prev_hash, hash];
        events.push(StoredEvent::in_append(record, stream, version, event, links));
        prev_hash = hash;
    }
    Ok(events)
}

/// The hash that a version links to.
fn hash_before(conn: &Connection, stream_id: u64, stream: &str, version: u64) -> StoreResult<Hash> {
    if version == 1 {
        return Ok(chain_start(stream));
    }
    let found =
        first_row(conn, query!("hash_of_version"), (stream_id, version - 1), |row| hash(row, 0))?;
    found.ok_or_else(|| StoreError::missing_event(stream, version - 1))
}
