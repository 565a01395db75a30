//! What the events of an append share, and the hash chain over envelopes and payloads
//! (specification 3.1, 3.2).

use uuid::Uuid;

use crate::values::{TenantId, Timestamp};

/// What all events of one append have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendMeta {
    /// The tenant whose store it is.
    pub tenant_id: TenantId,
    /// The user or program that caused the append.
    pub actor: String,
    /// When it was appended; injected, never read from a clock here.
    pub recorded_at: Timestamp,
    /// The command or event that led to it.
    pub causation_id: Option<Uuid>,
    /// The id that related events share: of a run's events, the run.
    pub correlation_id: Option<Uuid>,
}

impl AppendMeta {
    /// Of an append that nothing else led to.
    pub fn new(tenant_id: TenantId, actor: impl Into<String>, recorded_at: Timestamp) -> Self {
        let actor = actor.into();
        Self { tenant_id, actor, recorded_at, causation_id: None, correlation_id: None }
    }
}

/// A link of the hash chain.
pub type Hash = blake3::Hash;

/// The hash that the first event of a stream links to: that of the stream's name.
pub fn chain_start(stream: &str) -> Hash {
    blake3::hash(stream.as_bytes())
}

/// The BLAKE3 of what all events of an append share. It is part of the hash of each event, and is
/// computed once per append.
#[derive(Debug, Clone)]
pub struct MetaHash(Hash);

impl MetaHash {
    /// Hashes the stream's name and the metadata. Each field of variable length has its length
    /// before it, so that no two envelopes have the same bytes.
    pub fn new(stream: &str, meta: &AppendMeta) -> Self {
        let mut bytes = Vec::with_capacity(160);
        put(&mut bytes, stream.as_bytes());
        put(&mut bytes, meta.tenant_id.as_str().as_bytes());
        put(&mut bytes, meta.actor.as_bytes());
        bytes.extend_from_slice(&meta.recorded_at.micros().to_le_bytes());
        for id in [meta.causation_id, meta.correlation_id] {
            put(&mut bytes, id.as_ref().map_or(&[][..], |id| id.as_bytes()));
        }
        Self(blake3::hash(&bytes))
    }
}

fn put(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend_from_slice(&(field.len() as u64).to_le_bytes());
    bytes.extend_from_slice(field);
}

/// The hash of an event: BLAKE3 over the hash before it and the canonical bytes of its envelope and
/// payload (3.2). The global position is not part of it, because the store assigns it later; the
/// seal of the append covers it.
pub fn chain(
    prev: &Hash,
    meta: &MetaHash,
    stream_version: u64,
    event_type: &str,
    schema_version: u16,
    payload: &[u8],
) -> Hash {
    let mut head = [0; 80];
    head[..32].copy_from_slice(prev.as_bytes());
    head[32..64].copy_from_slice(meta.0.as_bytes());
    head[64..72].copy_from_slice(&stream_version.to_le_bytes());
    head[72..].copy_from_slice(&(event_type.len() as u64).to_le_bytes());
    let mut tail = [0; 10];
    tail[..2].copy_from_slice(&schema_version.to_le_bytes());
    tail[2..].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    let mut hasher = blake3::Hasher::new();
    hasher.update(&head).update(event_type.as_bytes()).update(&tail).update(payload);
    hasher.finalize()
}
