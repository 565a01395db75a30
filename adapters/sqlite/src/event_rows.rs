//! The events of a store of 0.1.0, a row each: they are read as they are until `powerfill migrate`
//! moves them into blocks.

use powerfill_events::log::{AppendRecord, Hash, StoredEvent, chain_start};
use powerfill_ports::StoreError;
use rusqlite::Connection;

use crate::connection::store_error;
use crate::decode::{bytes, get, hash};
use crate::read::missing_event;

/// Selects rows between two positions.
pub(crate) const EVENTS_BETWEEN: &str =
    include_str!("../../../sql/sqlite/queries/events_between.sql");
const HASH_OF_VERSION: &str = include_str!("../../../sql/sqlite/queries/hash_of_version.sql");

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
) -> Result<Vec<StoredEvent>, StoreError> {
    let position_of = |version| record.first_position + (version - record.first_version);
    let mut prev_hash = hash_before(conn, record.stream_id, stream, first)?;
    let mut select = conn.prepare_cached(EVENTS_BETWEEN).map_err(store_error)?;
    let mut rows = select.query((position_of(first), position_of(last))).map_err(store_error)?;
    let mut events = Vec::new();
    for version in first..=last {
        let missing = || missing_event(stream, version);
        let row = rows.next().map_err(store_error)?.ok_or_else(missing)?;
        let found: [u64; 3] = [get(row, 0)?, get(row, 1)?, get(row, 2)?];
        if found != [position_of(version), record.stream_id, version] {
            return Err(missing());
        }
        let hash = hash(row, 6)?;
        events.push(StoredEvent {
            stream: stream.to_owned(),
            stream_version: version,
            global_position: position_of(version),
            event_type: get(row, 3)?,
            schema_version: get(row, 4)?,
            payload: bytes(row, 5)?.to_vec(),
            tenant_id: record.meta.tenant_id.clone(),
            actor: record.meta.actor.clone(),
            recorded_at: record.meta.recorded_at,
            causation_id: record.meta.causation_id,
            correlation_id: record.meta.correlation_id,
            prev_hash,
            hash,
        });
        prev_hash = hash;
    }
    Ok(events)
}

/// The hash that a version links to.
fn hash_before(
    conn: &Connection,
    stream_id: u64,
    stream: &str,
    version: u64,
) -> Result<Hash, StoreError> {
    if version == 1 {
        return Ok(chain_start(stream));
    }
    let mut find = conn.prepare_cached(HASH_OF_VERSION).map_err(store_error)?;
    let mut rows = find.query((stream_id, version - 1)).map_err(store_error)?;
    let row = rows.next().map_err(store_error)?;
    hash(row.ok_or_else(|| missing_event(stream, version - 1))?, 0)
}
