//! Captured snapshots (specification 3.2): stored whole, once for each content, found by digest.

use async_trait::async_trait;

use crate::StoreError;

/// The captured inputs of runs.
#[async_trait]
pub trait SnapshotStore: Send + Sync {
    /// Stores the canonical form of a snapshot, compressed, unless its digest is there already.
    /// Answers whether it was new.
    ///
    /// # Errors
    /// Where `digest` is not the BLAKE3 of the bytes, or the store fails.
    async fn capture(&self, digest: &str, canonical: &[u8]) -> Result<bool, StoreError>;

    /// The canonical form with this digest, checked against it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Corrupt`] where the bytes do not have the digest.
    async fn captured(&self, digest: &str) -> Result<Vec<u8>, StoreError>;
}
