//! An event as a store returns it.

use uuid::Uuid;

use super::{AppendRecord, BlockEvent, Hash, SchemaId};
use crate::values::{TenantId, Timestamp};

/// A stored event with its whole envelope (3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// The name of its stream.
    pub stream: String,
    /// Its version in the stream, from 1, without gaps.
    pub stream_version: u64,
    /// Its place in the order of all events, from 1, without gaps.
    pub global_position: u64,
    /// The name of its type.
    pub event_type: String,
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// JSON, byte for byte as it was hashed.
    pub payload: Vec<u8>,
    /// The tenant whose store it is in.
    pub tenant_id: TenantId,
    /// The user or program that caused it.
    pub actor: String,
    /// When it was appended.
    pub recorded_at: Timestamp,
    /// The command or event that led to it.
    pub causation_id: Option<Uuid>,
    /// The id that related events share.
    pub correlation_id: Option<Uuid>,
    /// The hash of the event before it in its stream; of the first event, that of the stream's
    /// name.
    pub prev_hash: Hash,
    /// Its own hash, which covers `prev_hash`.
    pub hash: Hash,
}

impl StoredEvent {
    /// The event of an append to a stream, with its version and its links in the hash chain.
    pub fn in_append(
        record: &AppendRecord,
        stream: &str,
        version: u64,
        event: BlockEvent<'_>,
        [prev_hash, hash]: [Hash; 2],
    ) -> Self {
        let meta = &record.meta;
        Self {
            stream: stream.to_owned(),
            stream_version: version,
            global_position: record.position_of(version),
            event_type: event.event_type.to_owned(),
            schema_version: event.schema_version,
            payload: event.payload.to_vec(),
            tenant_id: meta.tenant_id.clone(),
            actor: meta.actor.clone(),
            recorded_at: meta.recorded_at,
            causation_id: meta.causation_id,
            correlation_id: meta.correlation_id,
            prev_hash,
            hash,
        }
    }

    /// Whether the event has this type, schema version, and payload.
    pub fn is_written_as(&self, schema: SchemaId, payload: &[u8]) -> bool {
        self.event_type == schema.name()
            && self.schema_version == schema.schema_version()
            && self.payload == payload
    }
}
