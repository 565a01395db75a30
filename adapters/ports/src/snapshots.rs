//! Captured snapshots (specification 3.2). Equal snapshots are stored once, under their digest.

use async_trait::async_trait;

use crate::StoreError;

/// The captured inputs of runs.
#[async_trait]
pub trait SnapshotStore: Send + Sync {
    /// Stores the canonical form of a snapshot, compressed, unless the store has its digest.
    /// Returns whether the digest was new.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if `digest` is not the BLAKE3 of the bytes; the store fails.
    async fn capture(&self, digest: &str, canonical: &[u8]) -> Result<bool, StoreError>;

    /// The canonical form with this digest.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Corrupt`] if the stored bytes do not have the
    /// digest; the store fails.
    async fn captured(&self, digest: &str) -> Result<Vec<u8>, StoreError>;
}
