//! The rows of captured snapshots (specification 3.2).

use powerfill_ports::StoreError;
use powerfill_ports::snapshot_codec::{CompressedSnapshot, StoredSnapshot};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::connection::store_error;
use crate::decode::{bytes, get};

const COLUMNS: &str = "digest, byte_count, stored_hash, compressed";

/// Whether there is a snapshot with this digest.
pub(crate) fn exists(conn: &Connection, digest: &str) -> Result<bool, StoreError> {
    conn.prepare_cached("SELECT 1 FROM snapshots WHERE digest = ?1")
        .and_then(|mut find| find.exists([digest]))
        .map_err(store_error)
}

/// Stores a snapshot. Returns whether its digest was new.
pub(crate) fn insert(conn: &Connection, snapshot: &CompressedSnapshot) -> Result<bool, StoreError> {
    let values = (
        &snapshot.digest,
        snapshot.byte_count,
        &snapshot.stored_hash.as_bytes()[..],
        &snapshot.compressed,
    );
    conn.execute(
        "INSERT INTO snapshots VALUES (?1, ?2, ?3, ?4) ON CONFLICT (digest) DO NOTHING",
        values,
    )
    .map(|changed| changed > 0)
    .map_err(store_error)
}

/// The canonical form with this digest.
pub(crate) fn read(conn: &Connection, digest: &str) -> Result<Vec<u8>, StoreError> {
    let not_found = || StoreError::NotFound { what: "snapshot", name: digest.to_owned() };
    let sql = format!("SELECT {COLUMNS} FROM snapshots WHERE digest = ?1");
    let mut find = conn.prepare_cached(&sql).map_err(store_error)?;
    let mut rows = find.query([digest]).map_err(store_error)?;
    decompress(rows.next().map_err(store_error)?.ok_or_else(not_found)?)
}

fn decompress(row: &Row<'_>) -> Result<Vec<u8>, StoreError> {
    let stored = StoredSnapshot {
        digest: bytes(row, 0)?,
        byte_count: get(row, 1)?,
        stored_hash: bytes(row, 2)?,
        compressed: bytes(row, 3)?,
    };
    stored.decompress()
}

/// Checks every snapshot, and returns how many there are.
///
/// # Errors
/// [`StoreError::Corrupt`] for the first damaged snapshot.
pub(crate) fn verify(conn: &Connection) -> Result<u64, StoreError> {
    let ids: Vec<i64> = conn
        .prepare("SELECT rowid FROM snapshots ORDER BY digest")
        .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect())
        .map_err(store_error)?;
    let sql = format!("SELECT {COLUMNS} FROM snapshots WHERE rowid = ?1");
    let mut find = conn.prepare(&sql).map_err(store_error)?;
    for rowid in &ids {
        let checked = find.query_row([rowid], |row| Ok(decompress(row))).optional();
        if let Some(checked) = checked.map_err(store_error)? {
            checked?;
        }
    }
    Ok(ids.len() as u64)
}
