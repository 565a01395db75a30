//! Event blocks (specification 3.2): a store keeps the events of an append together, a few thousand
//! per row. This module says which events share a block, what a store compresses, and what it
//! stores beside that. It is pure: the store compresses and writes.

use std::io::Write;

use memchr::memchr;

use super::{EncodedBatch, Hash};

/// The most events in a block.
pub const MAX_BLOCK_EVENTS: usize = 2_048;

/// The most bytes of text in a block that has more than one event. A reader holds one block at a
/// time, so that this bounds its memory.
const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;

/// How many bytes of each event's hash are stored, so that verification can name the event that was
/// changed. The whole hashes would take more space than the events do when they are compressed.
pub const CHECK_BYTES: usize = 2;

/// An event in the text of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockEvent<'a> {
    /// The name of the event's type.
    pub event_type: &'a str,
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// JSON, byte for byte as it was hashed.
    pub payload: &'a [u8],
}

/// The text of a block: one line per event, `TYPE VERSION PAYLOAD`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockText {
    lines: Vec<u8>,
    event_count: usize,
    types: TypeCounts,
}

impl BlockText {
    /// The lines, each with its line break.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The number of events of each type.
    pub const fn types(&self) -> &TypeCounts {
        &self.types
    }

    /// The number of events.
    pub const fn event_count(&self) -> usize {
        self.event_count
    }

    const fn has_room_for(&self, payload: &[u8]) -> bool {
        self.event_count == 0
            || self.event_count < MAX_BLOCK_EVENTS
                && self.lines.len() + payload.len() <= MAX_TEXT_BYTES
    }

    fn push(&mut self, event: BlockEvent<'_>) {
        self.lines.extend_from_slice(event.event_type.as_bytes());
        // Writing to a vector cannot fail.
        let _ = write!(self.lines, " {} ", event.schema_version);
        self.lines.extend_from_slice(event.payload);
        self.lines.push(b'\n');
        self.event_count += 1;
        self.types.add(&event);
    }
}

/// The texts of the blocks that hold these events, in order.
pub fn block_texts(events: &EncodedBatch) -> impl Iterator<Item = BlockText> {
    let mut events = events.iter().peekable();
    let mut expected_bytes = 0;
    std::iter::from_fn(move || {
        let lines = Vec::with_capacity(expected_bytes);
        let mut text = BlockText { lines, ..BlockText::default() };
        while let Some((schema, payload)) =
            events.next_if(|(_, payload)| text.has_room_for(payload))
        {
            let (event_type, schema_version) = (schema.name(), schema.schema_version());
            text.push(BlockEvent { event_type, schema_version, payload });
        }
        // The blocks of an append are about equally large.
        expected_bytes = text.lines.len() + text.lines.len() / 8;
        (text.event_count > 0).then_some(text)
    })
}

/// Whether a payload fits a line. JSON without white space always does, because a text in it
/// escapes a line break.
pub fn is_one_line(payload: &[u8]) -> bool {
    memchr(b'\n', payload).is_none()
}

/// The events in the text of a block; `None` for a line that is no event.
pub fn block_events(lines: &[u8]) -> impl Iterator<Item = Option<BlockEvent<'_>>> {
    let mut rest = lines;
    std::iter::from_fn(move || {
        let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        (!line.is_empty()).then(|| block_event(line))
    })
}

fn block_event(line: &[u8]) -> Option<BlockEvent<'_>> {
    let (event_type, rest) = split_at_blank(line.strip_suffix(b"\n")?)?;
    let (schema_version, payload) = split_at_blank(rest)?;
    Some(BlockEvent {
        event_type: std::str::from_utf8(event_type).ok()?,
        schema_version: std::str::from_utf8(schema_version).ok()?.parse().ok()?,
        payload,
    })
}

fn split_at_blank(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b' ')?;
    Some((&text[..at], &text[at + 1..]))
}

/// The number of events of each type and schema version in a block, in the order of the first event
/// of each. A store keeps it uncompressed, so that a reader of some types can skip blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeCounts {
    counts: Vec<(String, u16, u64)>,
}

impl TypeCounts {
    /// Counts one more event.
    pub fn add(&mut self, event: &BlockEvent<'_>) {
        let schema = (event.event_type, event.schema_version);
        // Events of one type mostly follow each other.
        let found =
            self.counts.iter_mut().rev().find(|(name, version, _)| (&**name, *version) == schema);
        match found {
            Some((_, _, count)) => *count += 1,
            None => self.counts.push((schema.0.to_owned(), schema.1, 1)),
        }
    }

    /// The stored form, JSON: `[["LoanPinned",1,12],["CandidateScored",1,2036]]`.
    ///
    /// # Panics
    /// Never: names and numbers can be written as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.counts).expect("names and numbers are JSON")
    }

    /// Reads the stored form; `None` if it is no such list.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(|counts| Self { counts })
    }

    /// Whether the block has an event of one of these types.
    pub fn has_any(&self, types: &[String]) -> bool {
        self.counts.iter().any(|(name, ..)| types.contains(name))
    }
}

/// The stored beginning of an event's hash.
pub fn hash_check(hash: &Hash) -> [u8; CHECK_BYTES] {
    let [first, second, ..] = *hash.as_bytes();
    [first, second]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::SchemaId;

    fn batch(payloads: impl IntoIterator<Item = Vec<u8>>) -> EncodedBatch {
        let mut batch = EncodedBatch::default();
        for (number, payload) in payloads.into_iter().enumerate() {
            let name = if number % 3 == 0 { "LoanPinned" } else { "CandidateScored" };
            batch.push_stored(SchemaId::new(name, if number % 2 == 0 { 1 } else { 2 }), &payload);
        }
        batch
    }

    fn read(texts: &[BlockText]) -> Vec<(String, u16, Vec<u8>)> {
        let events = texts.iter().flat_map(|text| block_events(text.lines()));
        let event = |event: BlockEvent<'_>| {
            (event.event_type.to_owned(), event.schema_version, event.payload.to_vec())
        };
        events.map(|read| event(read.expect("a line"))).collect()
    }

    #[test]
    fn events_come_back_byte_for_byte() {
        let payloads = ["{}", "", " ", "{\"of\":  \"another time\"}", "{\"a\":\"\\n – \"}\r"];
        let batch = batch(payloads.map(|payload| payload.as_bytes().to_vec()));
        let texts: Vec<_> = block_texts(&batch).collect();
        assert_eq!(texts.len(), 1);
        let written = batch.iter().map(|(schema, payload)| {
            (schema.name().to_owned(), schema.schema_version(), payload.to_vec())
        });
        assert_eq!(read(&texts), written.collect::<Vec<_>>());
        assert_eq!(block_texts(&EncodedBatch::default()).count(), 0);
    }

    #[test]
    fn a_block_is_bounded_in_events_and_in_bytes() {
        let small = batch((0..2 * MAX_BLOCK_EVENTS + 1).map(|_| b"{}".to_vec()));
        let counts: Vec<_> = block_texts(&small).map(|text| text.event_count()).collect();
        assert_eq!(counts, [MAX_BLOCK_EVENTS, MAX_BLOCK_EVENTS, 1]);
        let sizes = [MAX_TEXT_BYTES / 2, MAX_TEXT_BYTES / 3, MAX_TEXT_BYTES, MAX_TEXT_BYTES * 2, 7];
        let large = batch(sizes.map(|size| vec![b'1'; size]));
        let texts: Vec<_> = block_texts(&large).collect();
        let counts: Vec<_> = texts.iter().map(BlockText::event_count).collect();
        assert_eq!(counts, [2, 1, 1, 1]);
        assert_eq!(read(&texts).len(), sizes.len());
    }

    #[test]
    fn a_line_that_is_no_event_is_reported() {
        for lines in ["A 1 {}", "A 1\n", "A\n", "\n", "A one {}\n", "A 70000 {}\n"] {
            let read: Vec<_> = block_events(lines.as_bytes()).collect();
            assert_eq!(read, [None], "{lines:?}");
        }
        assert_eq!(block_events(b"\xff 1 {}\n").next(), Some(None));
        assert!(is_one_line(b"{\"a\":\"\\n\"}") && !is_one_line(b"{\n}"));
    }

    #[test]
    fn types_are_counted_in_the_order_of_their_first_events() {
        let batch = batch((0..7).map(|_| b"{}".to_vec()));
        let text = block_texts(&batch).next().unwrap();
        let mut counts = TypeCounts::default();
        block_events(text.lines()).flatten().for_each(|event| counts.add(&event));
        assert_eq!(text.types(), &counts);
        let json = counts.to_json();
        assert_eq!(
            json,
            "[[\"LoanPinned\",1,2],[\"CandidateScored\",2,2],[\"CandidateScored\",1,2],[\"LoanPinned\",2,1]]"
        );
        assert_eq!(TypeCounts::from_json(json.as_bytes()), Some(counts.clone()));
        assert!(counts.has_any(&["RunFailed".to_owned(), "LoanPinned".to_owned()]));
        assert!(!counts.has_any(&["RunFailed".to_owned()]) && !counts.has_any(&[]));
        assert_eq!(TypeCounts::from_json(b"[[1]]"), None);
    }
}
