//! What surrounds a payload, and the hash chain over both (specification 3.1, 3.2).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event::RunEvent;
use crate::values::{TenantId, Timestamp};

/// A run's identity: a UUID of version 7, given from outside (nothing here makes one up).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl RunId {
    /// The name of its stream, `run-<run_id>`.
    pub fn stream(self) -> String {
        format!("run-{}", self.0)
    }

    /// The run whose stream has this name.
    pub fn of_stream(stream: &str) -> Option<Self> {
        stream.strip_prefix("run-")?.parse().ok()
    }

    /// The id of an event of this run: derived from stream and version, so that a retry gives the
    /// same (3.1).
    pub fn event_id(self, stream_version: u64) -> Uuid {
        let mut hasher = blake3::Hasher::new_derive_key("powerfill 2026 event id");
        hasher.update(self.0.as_bytes());
        hasher.update(&stream_version.to_le_bytes());
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// An event with what a projection may know of its surroundings. Projections read nothing else
/// (3.3).
#[derive(Debug, Clone, Copy)]
pub struct RecordedEvent<'a> {
    /// The run.
    pub run_id: RunId,
    /// From 1, without gaps.
    pub stream_version: u64,
    /// When it was appended.
    pub recorded_at: Timestamp,
    /// Who caused it.
    pub actor: &'a str,
    /// The event.
    pub event: &'a RunEvent,
}

/// What all events of one append have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendMeta {
    /// Whose store this is.
    pub tenant_id: TenantId,
    /// Who caused the append.
    pub actor: String,
    /// When it was appended; injected, never read from a clock here.
    pub recorded_at: Timestamp,
    /// The command or event that led to it.
    pub causation_id: Option<Uuid>,
    /// What belongs together: the run.
    pub correlation_id: Option<Uuid>,
}

/// A link of the hash chain.
pub type Hash = blake3::Hash;

/// The hash that the first event of a stream links to: that of the stream's name.
pub fn chain_start(stream: &str) -> Hash {
    blake3::hash(stream.as_bytes())
}

/// The part of an envelope that all events of an append share, as it goes into their hashes: its
/// BLAKE3, made once an append and not once an event.
#[derive(Debug, Clone)]
pub struct MetaHash(Hash);

impl MetaHash {
    /// Each field length-prefixed, so that no two envelopes have the same bytes.
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
/// payload (3.2). The global position is no part of it: it is given later, and the seal of the
/// append covers it.
pub fn chain(
    prev: &Hash,
    meta: &MetaHash,
    stream_version: u64,
    event_type: &str,
    schema_version: u16,
    payload: &[u8],
) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(prev.as_bytes());
    hasher.update(meta.0.as_bytes());
    hasher.update(&stream_version.to_le_bytes());
    hasher.update(&(event_type.len() as u64).to_le_bytes());
    hasher.update(event_type.as_bytes());
    hasher.update(&schema_version.to_le_bytes());
    hasher.update(&(payload.len() as u64).to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}
