//! Events as an append takes them.

use std::sync::Arc;

/// An event that a stream of the log takes, whatever it is the stream of.
pub trait LogEvent {
    /// Its type, and the version that it is written in today.
    fn schema_id(&self) -> SchemaId;

    /// Writes the payload as JSON at the end of `out`.
    ///
    /// # Errors
    /// Never in practice: payloads hold nothing that JSON cannot say.
    fn write_payload(&self, out: &mut Vec<u8>) -> serde_json::Result<()>;
}

/// The type of an encoded event, and the version of the schema that its payload is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaId {
    name: &'static str,
    schema_version: u16,
}

impl SchemaId {
    /// The version of a type's schema.
    pub const fn new(name: &'static str, schema_version: u16) -> Self {
        Self { name, schema_version }
    }

    /// The type's name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The version of the schema.
    pub const fn schema_version(self) -> u16 {
        self.schema_version
    }
}

/// Events encoded one behind the other in one buffer, ready to be appended.
///
/// A clone shares the buffer, so that an append can be repeated without a copy of its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncodedBatch {
    encoded: Arc<EncodedEvents>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct EncodedEvents {
    payloads: Vec<u8>,
    /// The type of each event, and where its payload ends.
    entries: Vec<(SchemaId, usize)>,
}

impl EncodedBatch {
    /// Encodes events in their present schema versions.
    pub fn encode<'a, E: LogEvent + 'a>(events: impl IntoIterator<Item = &'a E>) -> Self {
        let mut batch = Self::default();
        for event in events {
            batch.push(event);
        }
        batch
    }

    /// An empty batch with room for as many events, and as many bytes, as another one has.
    pub fn as_large_as(other: &Self) -> Self {
        let payloads = Vec::with_capacity(other.encoded.payloads.len());
        let entries = Vec::with_capacity(other.encoded.entries.len());
        Self { encoded: Arc::new(EncodedEvents { payloads, entries }) }
    }

    /// Encodes one more event.
    ///
    /// # Panics
    /// Never: a payload holds nothing that JSON cannot say, and memory takes every write.
    pub fn push<E: LogEvent>(&mut self, event: &E) {
        let EncodedEvents { payloads, entries } = Arc::make_mut(&mut self.encoded);
        event.write_payload(payloads).expect("every payload is JSON");
        entries.push((event.schema_id(), payloads.len()));
    }

    /// Takes an event as it was stored, byte for byte and in whatever version: for a copy of a log.
    pub fn push_stored(&mut self, written: SchemaId, payload: &[u8]) {
        let EncodedEvents { payloads, entries } = Arc::make_mut(&mut self.encoded);
        payloads.extend_from_slice(payload);
        entries.push((written, payloads.len()));
    }

    /// How many events.
    pub fn len(&self) -> usize {
        self.encoded.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.encoded.entries.is_empty()
    }

    /// The bytes of all payloads.
    pub fn byte_count(&self) -> usize {
        self.encoded.payloads.len()
    }

    /// Type and payload of each event, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (SchemaId, &[u8])> {
        let mut from = 0;
        self.encoded.entries.iter().map(move |(written, to)| {
            let payload = &self.encoded.payloads[from..*to];
            from = *to;
            (*written, payload)
        })
    }
}
