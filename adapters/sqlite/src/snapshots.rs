//! Captured snapshots (specification 3.2): compressed, once for each content, with the digest checked both ways.

use powerfill_ports::StoreError;
use rusqlite::{Connection, OptionalExtension};

use crate::append::bytes;
use crate::connection::fault;

/// Of zstd: on 20 MB of rows (`examples/append.rs`) level 3 took a third longer and came out no smaller.
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
    /// Compresses it; never on the writer's thread, which others wait for.
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
pub(crate) fn is_there(conn: &Connection, digest: &str) -> Result<bool, StoreError> {
    conn.prepare_cached("SELECT 1 FROM snapshots WHERE digest = ?1")
        .and_then(|mut find| find.exists([digest]))
        .map_err(fault)
}

/// Stores it; answers whether it was new.
pub(crate) fn insert(conn: &Connection, snapshot: &Compressed) -> Result<bool, StoreError> {
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
    .map_err(fault)
}

/// The canonical form with this digest.
pub(crate) fn read(conn: &Connection, digest: &str) -> Result<Vec<u8>, StoreError> {
    let not_found = || StoreError::NotFound { what: "snapshot", name: digest.to_owned() };
    let mut find = conn
        .prepare_cached(
            "SELECT digest, byte_count, stored_hash, compressed FROM snapshots WHERE digest = ?1",
        )
        .map_err(fault)?;
    let mut rows = find.query([digest]).map_err(fault)?;
    let row = rows.next().map_err(fault)?.ok_or_else(not_found)?;
    checked(bytes(row, 0)?, row.get(1).map_err(fault)?, bytes(row, 2)?, bytes(row, 3)?)
        .map_err(StoreError::Corrupt)
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

/// Checks every snapshot; answers how many there are, or the first damage.
pub(crate) fn verify(conn: &Connection) -> Result<Result<u64, String>, StoreError> {
    let digests: Vec<i64> = conn
        .prepare("SELECT rowid FROM snapshots ORDER BY digest")
        .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect())
        .map_err(fault)?;
    let mut find = conn
        .prepare(
            "SELECT digest, byte_count, stored_hash, compressed FROM snapshots WHERE rowid = ?1",
        )
        .map_err(fault)?;
    for rowid in &digests {
        let found = find
            .query_row([rowid], |row| {
                let blob = |at| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_bytes()?.to_vec());
                Ok(checked(&blob(0)?, row.get(1)?, &blob(2)?, &blob(3)?).map(|_| ()))
            })
            .optional()
            .map_err(fault)?;
        if let Some(Err(what)) = found {
            return Ok(Err(what));
        }
    }
    Ok(Ok(digests.len() as u64))
}
