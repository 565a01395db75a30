//! Captured snapshots (specification 3.2): compressed, once for each content, with the digest checked both ways.

use deadpool_postgres::{ClientWrapper, Transaction};
use powerfill_ports::StoreError;
use tokio_postgres::Row;

use crate::bytes_in::{Raw, bound, get};
use crate::fault::fault;
use crate::store::on_a_thread;

/// Of zstd, as in the other stores.
const LEVEL: i32 = 1;

/// A snapshot as it is stored.
pub(crate) struct Compressed {
    digest: String,
    byte_count: u64,
    stored_hash: blake3::Hash,
    compressed: Vec<u8>,
}

/// A canonical form that has its digest.
pub(crate) struct Checked<'a> {
    digest: &'a str,
    canonical: &'a [u8],
}

/// Checks a digest.
pub(crate) fn check<'a>(digest: &'a str, canonical: &'a [u8]) -> Result<Checked<'a>, StoreError> {
    let found = blake3::hash(canonical);
    if found.to_hex().as_str() != digest {
        return Err(StoreError::Failed(format!(
            "the snapshot's digest is {}, not {digest}; it was not stored",
            found.to_hex()
        )));
    }
    Ok(Checked { digest, canonical })
}

impl Checked<'_> {
    /// Compresses it; never on a thread that others wait for.
    pub(crate) fn compress(&self) -> Result<Compressed, StoreError> {
        let compressed = zstd::bulk::compress(self.canonical, LEVEL).map_err(|error| {
            StoreError::Failed(format!("the snapshot cannot be compressed: {error}"))
        })?;
        Ok(Compressed {
            digest: self.digest.to_owned(),
            byte_count: self.canonical.len() as u64,
            stored_hash: blake3::hash(&compressed),
            compressed,
        })
    }
}

/// Whether there is a snapshot with this digest.
pub(crate) async fn is_there(client: &ClientWrapper, digest: &str) -> Result<bool, StoreError> {
    let found = client.query_opt("SELECT FROM snapshots WHERE digest = $1", &[&digest]).await;
    found.map(|row| row.is_some()).map_err(fault)
}

/// Stores it; answers whether it was new.
pub(crate) async fn insert(
    client: &ClientWrapper,
    snapshot: &Compressed,
) -> Result<bool, StoreError> {
    let Compressed { digest, byte_count, stored_hash, compressed } = snapshot;
    client
        .execute(
            "INSERT INTO snapshots (digest, byte_count, stored_hash, compressed) VALUES ($1, $2, $3, $4)
             ON CONFLICT (digest) DO NOTHING",
            &[digest, &bound(*byte_count), &&stored_hash.as_bytes()[..], compressed],
        )
        .await
        .map(|changed| changed > 0)
        .map_err(fault)
}

const READ: &str =
    "SELECT digest, byte_count, stored_hash, compressed FROM snapshots WHERE digest = $1";

fn checked_row(row: &Row) -> Result<Result<Vec<u8>, String>, StoreError> {
    let bytes = |column| get::<Raw<'_>>(row, column).map(|raw| raw.0);
    Ok(checked(bytes(0)?, get(row, 1)?, bytes(2)?, bytes(3)?))
}

/// A snapshot as it is stored, not checked yet.
pub(crate) struct Found(Row);

impl Found {
    /// The canonical form, checked; takes a while.
    pub(crate) fn canonical(&self) -> Result<Vec<u8>, StoreError> {
        checked_row(&self.0)?.map_err(StoreError::Corrupt)
    }
}

/// The snapshot with this digest.
pub(crate) async fn find(client: &ClientWrapper, digest: &str) -> Result<Found, StoreError> {
    let row = client.query_opt(READ, &[&digest]).await.map_err(fault)?;
    row.map(Found).ok_or_else(|| StoreError::NotFound { what: "snapshot", name: digest.to_owned() })
}

fn checked(
    digest: &[u8],
    byte_count: i64,
    stored_hash: &[u8],
    compressed: &[u8],
) -> Result<Vec<u8>, String> {
    let name = String::from_utf8_lossy(digest);
    if blake3::hash(compressed).as_bytes() != stored_hash {
        return Err(format!("snapshot {name} is not the bytes that were stored"));
    }
    let canonical = usize::try_from(byte_count)
        .ok()
        .and_then(|bytes| zstd::bulk::decompress(compressed, bytes).ok())
        .filter(|canonical| i64::try_from(canonical.len()) == Ok(byte_count))
        .ok_or_else(|| format!("snapshot {name} is not {byte_count} bytes"))?;
    let found = blake3::hash(&canonical);
    if found.to_hex().as_bytes() != digest {
        return Err(format!("snapshot {name} has the content of {}", found.to_hex()));
    }
    Ok(canonical)
}

/// Checks every snapshot, one at a time; answers how many there are, or the first damage.
pub(crate) async fn verify(tx: &Transaction<'_>) -> Result<Result<u64, String>, StoreError> {
    let digests =
        tx.query("SELECT digest FROM snapshots ORDER BY digest", &[]).await.map_err(fault)?;
    for row in &digests {
        let digest: &str = get(row, 0)?;
        let stored = tx.query_one(READ, &[&digest]).await.map_err(fault)?;
        let found = on_a_thread(move || checked_row(&stored)).await?;
        if let Err(what) = found {
            return Ok(Err(what));
        }
    }
    Ok(Ok(digests.len() as u64))
}
