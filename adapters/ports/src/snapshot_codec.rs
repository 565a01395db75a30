//! The stored form of a captured snapshot (specification 3.2): zstd over the canonical form. The
//! digest is checked before a snapshot is stored and after it is read. Every store uses this form.

use powerfill_events::log::Hash;

use crate::{StoreError, StoreFault, StoreResult};

/// The zstd level. On 20 MB of rows, level 3 took a third longer than level 1 and compressed no
/// better.
const COMPRESSION_LEVEL: i32 = 1;

/// A canonical form whose digest was checked.
pub struct CheckedSnapshot<'a> {
    digest: &'a str,
    canonical: &'a [u8],
}

/// The columns of a snapshot's row.
pub struct CompressedSnapshot {
    /// BLAKE3 of the canonical form, hexadecimal.
    pub digest: String,
    /// The size of the canonical form.
    pub byte_count: u64,
    /// BLAKE3 of the compressed bytes.
    pub stored_hash: Hash,
    /// The canonical form, compressed.
    pub compressed: Vec<u8>,
}

impl<'a> CheckedSnapshot<'a> {
    /// Checks that the digest is that of the canonical form.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if it is not.
    pub fn new(digest: &'a str, canonical: &'a [u8]) -> StoreResult<Self> {
        let actual = blake3::hash(canonical).to_hex();
        if actual.as_str() != digest {
            let what =
                format!("the snapshot's digest is {actual}, not {digest}; it was not stored");
            return Err(StoreError::Failed(what.into()));
        }
        Ok(Self { digest, canonical })
    }

    /// Compresses the canonical form. This takes long for a large book: call it on a thread that
    /// may block.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if zstd fails.
    pub fn compress(&self) -> StoreResult<CompressedSnapshot> {
        let compressed =
            zstd::bulk::compress(self.canonical, COMPRESSION_LEVEL).map_err(|error| {
                let fault = StoreFault::caused_by(error);
                StoreError::Failed(fault.context("the snapshot cannot be compressed"))
            })?;
        Ok(CompressedSnapshot {
            digest: self.digest.to_owned(),
            byte_count: self.canonical.len() as u64,
            stored_hash: blake3::hash(&compressed),
            compressed,
        })
    }
}

/// A snapshot's row as it was read. Its columns may be damaged.
#[derive(Debug, Clone, Copy)]
pub struct StoredSnapshot<'a> {
    /// The key of the row.
    pub digest: &'a [u8],
    /// The size of the canonical form.
    pub byte_count: i64,
    /// BLAKE3 of the compressed bytes.
    pub stored_hash: &'a [u8],
    /// The canonical form, compressed.
    pub compressed: &'a [u8],
}

impl StoredSnapshot<'_> {
    /// The canonical form.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if a hash, the size, or the digest does not match.
    pub fn decompress(&self) -> StoreResult<Vec<u8>> {
        let Self { digest, byte_count, stored_hash, compressed } = *self;
        let name = String::from_utf8_lossy(digest);
        if blake3::hash(compressed).as_bytes() != stored_hash {
            let what = format!("snapshot {name} is not the bytes that were stored");
            return Err(StoreError::Corrupt(what.into()));
        }
        let canonical = usize::try_from(byte_count)
            .ok()
            .and_then(|size| zstd::bulk::decompress(compressed, size).ok())
            .filter(|canonical| i64::try_from(canonical.len()) == Ok(byte_count))
            .ok_or_else(|| {
                StoreError::Corrupt(format!("snapshot {name} is not {byte_count} bytes").into())
            })?;
        let actual = blake3::hash(&canonical).to_hex();
        if actual.as_bytes() != digest {
            let what = format!("snapshot {name} has the content of {actual}");
            return Err(StoreError::Corrupt(what.into()));
        }
        Ok(canonical)
    }
}
