//! Stored values as the program uses them. A value that has another type than the program writes is
//! [`StoreError::Corrupt`].

use powerfill_events::log::{AppendMeta, AppendRecord, Hash};
use powerfill_events::run::RunId;
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

use crate::connection::store_error;

/// A value of any type that SQLite converts by itself.
pub(crate) fn get<T: FromSql>(row: &Row<'_>, column: usize) -> StoreResult<T> {
    row.get(column).map_err(store_error)
}

/// A timestamp, which is stored in microseconds since 1970.
pub(crate) fn timestamp(row: &Row<'_>, column: usize) -> StoreResult<Timestamp> {
    get(row, column).map(Timestamp::from_micros)
}

/// The bytes of a text or a blob.
pub(crate) fn bytes<'r>(row: &'r Row<'_>, column: usize) -> StoreResult<&'r [u8]> {
    match row.get_ref(column).map_err(store_error)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Ok(bytes),
        other => {
            Err(StoreError::Corrupt(format!("column {column} holds {}", other.data_type()).into()))
        }
    }
}

/// A BLAKE3 hash.
pub(crate) fn hash(row: &Row<'_>, column: usize) -> StoreResult<Hash> {
    let bytes = bytes(row, column)?;
    Hash::from_slice(bytes)
        .map_err(|_| StoreError::Corrupt(format!("a hash of {} bytes", bytes.len()).into()))
}

/// A run id, which is stored as text.
pub(crate) fn run_id(text: &str) -> StoreResult<RunId> {
    text.parse().map_err(|_| StoreError::Corrupt(format!("{text:?} is not a run id").into()))
}

/// The columns that every query of appends begins with.
pub(crate) fn append_record(row: &Row<'_>) -> StoreResult<AppendRecord> {
    Ok(AppendRecord {
        seq: get(row, 0)?,
        first_position: get(row, 1)?,
        stream_id: get(row, 2)?,
        first_version: get(row, 3)?,
        event_count: get(row, 4)?,
        append_id: get(row, 5)?,
        meta: AppendMeta {
            tenant_id: TenantId::from(get::<String>(row, 6)?),
            actor: get(row, 7)?,
            recorded_at: timestamp(row, 8)?,
            causation_id: get(row, 9)?,
            correlation_id: get(row, 10)?,
        },
    })
}
