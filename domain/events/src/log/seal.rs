//! The seal of an append (specification 3.2). Every store computes the same seal, so that an
//! exported one can be compared with any copy of the log.

use uuid::Uuid;

use super::{AppendMeta, Hash};

/// The row of an append in the log, without the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendRecord {
    /// Its number in commit order, from 1, without gaps.
    pub seq: u64,
    /// The global position of its first event.
    pub first_position: u64,
    /// The number that the store gave the stream.
    pub stream_id: u64,
    /// The version of its first event.
    pub first_version: u64,
    /// The number of its events, at least 1.
    pub event_count: u64,
    /// The id by which a retry is recognized.
    pub append_id: Uuid,
    /// What its events share.
    pub meta: AppendMeta,
}

impl AppendRecord {
    /// The version of its last event.
    pub const fn last_version(&self) -> u64 {
        self.first_version + self.event_count - 1
    }

    /// The global position of its last event.
    pub const fn last_position(&self) -> u64 {
        self.first_position + self.event_count - 1
    }

    /// The global position of the event with a version, which the append must have.
    pub const fn position_of(&self, version: u64) -> u64 {
        self.first_position + (version - self.first_version)
    }

    /// The version of the event at a global position, which the append must have.
    pub const fn version_at(&self, position: u64) -> u64 {
        self.first_version + (position - self.first_position)
    }
}

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// The number of the last append.
    pub seq: u64,
    /// The position of the last event.
    pub position: u64,
    /// The seal of the last append. A copy that is kept elsewhere shows whether appends were
    /// removed from the end of the log.
    pub seal: Hash,
}

/// The seal that the first append links to.
pub fn seal_start() -> Hash {
    blake3::hash(b"powerfill log")
}

/// BLAKE3 over the seal before, the hash of the append's last event, and every column of its row,
/// each field of variable length with its length before it. By the hash chain, the last hash covers
/// all events of the stream up to it.
pub fn seal(prev: &Hash, record: &AppendRecord, last_hash: &Hash) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(prev.as_bytes());
    hasher.update(last_hash.as_bytes());
    for number in [
        record.seq,
        record.first_position,
        record.stream_id,
        record.first_version,
        record.event_count,
    ] {
        hasher.update(&number.to_le_bytes());
    }
    let meta = &record.meta;
    hasher.update(&meta.recorded_at.micros().to_le_bytes());
    let id_bytes = |id: &Option<Uuid>| id.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    for field in [
        record.append_id.as_bytes(),
        meta.tenant_id.as_str().as_bytes(),
        meta.actor.as_bytes(),
        &id_bytes(&meta.causation_id)[..],
        &id_bytes(&meta.correlation_id)[..],
    ] {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    hasher.finalize()
}
