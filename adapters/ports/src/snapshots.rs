//! Captured snapshots (specification 3.2). Equal snapshots are stored once, under their digest.

use async_trait::async_trait;

use crate::StoreResult;

/// The captured inputs of runs.
#[async_trait]
pub trait SnapshotStore: Send + Sync {
    /// Stores the canonical form of a snapshot, compressed, unless the store has its digest.
    /// Returns whether the digest was new.
    ///
    /// # Errors
    /// [`Failed`](crate::StoreError::Failed) if `digest` is not the BLAKE3 of the bytes; the store
    /// fails.
    async fn capture(&self, digest: &str, canonical: &[u8]) -> StoreResult<bool>;

    /// The canonical form with this digest.
    ///
    /// # Errors
    /// [`NotFound`](crate::StoreError::NotFound); [`Corrupt`](crate::StoreError::Corrupt) if the
    /// stored bytes do not have the digest; the store fails.
    async fn captured(&self, digest: &str) -> StoreResult<Vec<u8>>;
}
