//! The rows of captured snapshots (specification 3.2).

use async_trait::async_trait;
use deadpool_postgres::{ClientWrapper, Transaction};
use powerfill_ports::snapshot_codec::{CheckedSnapshot, CompressedSnapshot, StoredSnapshot};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::{StoreError, StoreResult};
use tokio_postgres::Row;

use crate::PostgresStore;
use crate::errors::store_error;
use crate::statements::{execute, one_row};
use crate::tasks::run_blocking;
use crate::values::{RawBytes, get, to_bigint};

const READ: &str =
    "SELECT digest, byte_count, stored_hash, compressed FROM snapshots WHERE digest = $1";

/// Stores a snapshot. Returns whether its digest was new.
async fn insert(client: &ClientWrapper, snapshot: &CompressedSnapshot) -> StoreResult<bool> {
    let CompressedSnapshot { digest, byte_count, stored_hash, compressed } = snapshot;
    let sql = "INSERT INTO snapshots (digest, byte_count, stored_hash, compressed)
               VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO NOTHING";
    let (byte_count, stored_hash) = (to_bigint(*byte_count), &stored_hash.as_bytes()[..]);
    Ok(execute(client, sql, &[digest, &byte_count, &stored_hash, compressed]).await? > 0)
}

fn decompress(row: &Row) -> StoreResult<Vec<u8>> {
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
pub(crate) async fn verify(tx: &Transaction<'_>) -> StoreResult<u64> {
    let digests =
        tx.query("SELECT digest FROM snapshots ORDER BY digest", &[]).await.map_err(store_error)?;
    for row in &digests {
        let digest: &str = get(row, 0)?;
        let stored = tx.query_one(READ, &[&digest]).await.map_err(store_error)?;
        run_blocking(move || decompress(&stored)).await?;
    }
    Ok(digests.len() as u64)
}

#[async_trait]
impl SnapshotStore for PostgresStore {
    async fn capture(&self, digest: &str, canonical: &[u8]) -> StoreResult<bool> {
        let client = self.inner.pool.get().await?;
        CheckedSnapshot::new(digest, canonical)?;
        let find = "SELECT FROM snapshots WHERE digest = $1";
        if one_row(&client, find, &[&digest], |_| Ok(())).await?.is_some() {
            return Ok(false);
        }
        let (digest, canonical) = (digest.to_owned(), canonical.to_vec());
        let snapshot =
            run_blocking(move || CheckedSnapshot::new(&digest, &canonical)?.compress()).await?;
        insert(&client, &snapshot).await
    }

    async fn captured(&self, digest: &str) -> StoreResult<Vec<u8>> {
        let client = self.inner.pool.get().await?;
        let row = client.query_opt(READ, &[&digest]).await.map_err(store_error)?;
        let not_found = || StoreError::NotFound { what: "snapshot", name: digest.to_owned() };
        let row = row.ok_or_else(not_found)?;
        run_blocking(move || decompress(&row)).await
    }
}
