//! The rows of captured snapshots (specification 3.2).

use deadpool_postgres::{ClientWrapper, Transaction};
use powerfill_ports::StoreError;
use powerfill_ports::snapshot_codec::{CompressedSnapshot, StoredSnapshot};
use tokio_postgres::Row;

use crate::errors::store_error;
use crate::tasks::run_blocking;
use crate::values::{RawBytes, get, to_bigint};

const READ: &str =
    "SELECT digest, byte_count, stored_hash, compressed FROM snapshots WHERE digest = $1";

/// Whether there is a snapshot with this digest.
pub(crate) async fn exists(client: &ClientWrapper, digest: &str) -> Result<bool, StoreError> {
    let found = client.query_opt("SELECT FROM snapshots WHERE digest = $1", &[&digest]).await;
    found.map(|row| row.is_some()).map_err(store_error)
}

/// Stores a snapshot. Returns whether its digest was new.
pub(crate) async fn insert(
    client: &ClientWrapper,
    snapshot: &CompressedSnapshot,
) -> Result<bool, StoreError> {
    let CompressedSnapshot { digest, byte_count, stored_hash, compressed } = snapshot;
    client
        .execute(
            "INSERT INTO snapshots (digest, byte_count, stored_hash, compressed)
             VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO NOTHING",
            &[digest, &to_bigint(*byte_count), &&stored_hash.as_bytes()[..], compressed],
        )
        .await
        .map(|changed| changed > 0)
        .map_err(store_error)
}

/// The canonical form with this digest.
pub(crate) async fn read(client: &ClientWrapper, digest: &str) -> Result<Vec<u8>, StoreError> {
    let not_found = || StoreError::NotFound { what: "snapshot", name: digest.to_owned() };
    let row = client.query_opt(READ, &[&digest]).await.map_err(store_error)?;
    let row = row.ok_or_else(not_found)?;
    run_blocking(move || decompress(&row)).await
}

fn decompress(row: &Row) -> Result<Vec<u8>, StoreError> {
    let bytes = |column| get::<RawBytes<'_>>(row, column).map(|raw| raw.0);
    let stored = StoredSnapshot {
        digest: bytes(0)?,
        byte_count: get(row, 1)?,
        stored_hash: bytes(2)?,
        compressed: bytes(3)?,
    };
    stored.decompress()
}

/// Checks every snapshot, one at a time, and returns how many there are.
///
/// # Errors
/// [`StoreError::Corrupt`] for the first damaged snapshot.
pub(crate) async fn verify(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    let digests =
        tx.query("SELECT digest FROM snapshots ORDER BY digest", &[]).await.map_err(store_error)?;
    for row in &digests {
        let digest: &str = get(row, 0)?;
        let stored = tx.query_one(READ, &[&digest]).await.map_err(store_error)?;
        run_blocking(move || decompress(&stored)).await?;
    }
    Ok(digests.len() as u64)
}
