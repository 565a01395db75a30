//! The rows of captured snapshots (specification 3.2).

use async_trait::async_trait;
use powerfill_ports::snapshot_codec::{CheckedSnapshot, CompressedSnapshot, StoredSnapshot};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::{StoreError, StoreResult};
use rusqlite::{Connection, Row};

use crate::SqliteStore;
use crate::decode::{bytes, get};
use crate::statements::{execute, first_row, rows};

const COLUMNS: &str = "digest, byte_count, stored_hash, compressed";

/// Stores a snapshot. Returns whether its digest was new.
fn insert(conn: &Connection, snapshot: &CompressedSnapshot) -> StoreResult<bool> {
    let values = (
        &snapshot.digest,
        snapshot.byte_count,
        &snapshot.stored_hash.as_bytes()[..],
        &snapshot.compressed,
    );
    let sql = "INSERT INTO snapshots VALUES (?1, ?2, ?3, ?4) ON CONFLICT (digest) DO NOTHING";
    Ok(execute(conn, sql, values)? > 0)
}

fn decompress(row: &Row<'_>) -> StoreResult<Vec<u8>> {
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
pub(crate) fn verify(conn: &Connection) -> StoreResult<u64> {
    let all = "SELECT rowid FROM snapshots ORDER BY digest";
    let ids: Vec<i64> = rows(conn, all, [], |row| get(row, 0))?;
    let sql = format!("SELECT {COLUMNS} FROM snapshots WHERE rowid = ?1");
    for rowid in &ids {
        first_row(conn, &sql, [rowid], decompress)?;
    }
    Ok(ids.len() as u64)
}

#[async_trait]
impl SnapshotStore for SqliteStore {
    async fn capture(&self, digest: &str, canonical: &[u8]) -> StoreResult<bool> {
        let (digest, canonical) = (digest.to_owned(), canonical.to_vec());
        let snapshot = self.read_with(move |conn| {
            let checked = CheckedSnapshot::new(&digest, &canonical)?;
            let find = "SELECT 1 FROM snapshots WHERE digest = ?1";
            match first_row(conn, find, [&digest], |_| Ok(()))? {
                Some(()) => Ok(None),
                None => checked.compress().map(Some),
            }
        });
        let Some(snapshot) = snapshot.await? else { return Ok(false) };
        self.write(move |conn| insert(conn, &snapshot)).await
    }

    async fn captured(&self, digest: &str) -> StoreResult<Vec<u8>> {
        let sql = format!("SELECT {COLUMNS} FROM snapshots WHERE digest = ?1");
        let digest = digest.to_owned();
        self.read_with(move |conn| {
            first_row(conn, &sql, [&digest], decompress)?
                .ok_or(StoreError::NotFound { what: "snapshot", name: digest })
        })
        .await
    }
}
