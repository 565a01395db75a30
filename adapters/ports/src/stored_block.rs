//! An event block as a store returns it: reading its events, and its verification (specification
//! 3.2).

use powerfill_events::log::{
    AppendRecord, BlockEvent, BlockRow, Hash, MetaHash, StoredEvent, TypeCounts, Verifier,
    block_events, chain,
};

use crate::block_codec::CODEC;
use crate::block_lines::BlockLines;
use crate::retention::ARCHIVED;
use crate::verification_stop::VerificationStop;
use crate::{StoreError, StoreResult};

/// What is wrong with a text of which a line is no event.
pub(crate) const NO_EVENT: &str = "has a line that is no event";

/// A row that claims a larger text is damaged. The limit is that of a value in PostgreSQL.
const MAX_TEXT_BYTES: u64 = 1 << 30;

/// A block's row as it was read. Its columns may be damaged.
#[derive(Debug, Clone, Copy)]
pub struct StoredBlock<'a> {
    /// The number of the stream.
    pub stream_id: u64,
    /// The version of the first event.
    pub first_version: u64,
    /// The number of events.
    pub event_count: u64,
    /// The number of events of each type, as JSON.
    pub event_types: &'a [u8],
    /// The hash of the event before the block.
    pub hash_before: &'a [u8],
    /// The hash of the last event.
    pub hash_after: &'a [u8],
    /// The beginning of each event's hash.
    pub event_checks: &'a [u8],
    /// The name of the codec.
    pub codec: &'a [u8],
    /// The size of the text.
    pub byte_count: u64,
    /// BLAKE3 of the compressed bytes.
    pub stored_hash: &'a [u8],
    /// The text, compressed.
    pub body: &'a [u8],
}

impl StoredBlock<'_> {
    /// The version of the last event.
    pub const fn last_version(&self) -> u64 {
        self.first_version.saturating_add(self.event_count).saturating_sub(1)
    }

    /// Whether the block has an event of one of these types.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the list of its types cannot be read.
    pub fn has_any(&self, types: &[String]) -> StoreResult<bool> {
        let counts = TypeCounts::from_json(self.event_types);
        Ok(counts.ok_or_else(|| self.corrupt("has no list of types"))?.has_any(types))
    }

    /// The events whose version and type are wanted. All events of the block are hashed.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the block is no part of the append, or its events are not those
    /// that were hashed.
    pub fn events(
        &self,
        record: &AppendRecord,
        stream: &str,
        is_wanted: impl Fn(u64, &str) -> bool,
    ) -> StoreResult<Vec<StoredEvent>> {
        let lines = self.text(record, stream)?;
        let mut events = Vec::new();
        self.check(record, stream, &lines, |version, event, links| {
            if is_wanted(version, event.event_type) {
                events.push(StoredEvent::in_append(record, stream, version, event, links));
            }
        })?;
        Ok(events)
    }

    /// The text of a block of an append.
    pub(crate) fn text(&self, record: &AppendRecord, stream: &str) -> StoreResult<BlockLines> {
        let is_part = self.first_version >= record.first_version
            && self.last_version() <= record.last_version();
        if !is_part {
            return Err(self.corrupt(&format!("is no part of append {}", record.seq)));
        }
        if self.is_archived() {
            return Err(StoreError::Archived(stream.to_owned()));
        }
        self.decompress().map_err(|reason| self.corrupt(reason))
    }

    /// Hashes all events of the text, and passes on each with the hash before it and its own.
    pub(crate) fn check(
        &self,
        record: &AppendRecord,
        stream: &str,
        lines: &[u8],
        mut each: impl FnMut(u64, BlockEvent<'_>, [Hash; 2]),
    ) -> StoreResult<()> {
        let meta = MetaHash::new(stream, &record.meta);
        let mut prev_hash = Hash::from_slice(self.hash_before)
            .map_err(|_| self.corrupt("has no hash before it"))?;
        let mut version = self.first_version;
        for event in block_events(lines) {
            let event = event.ok_or_else(|| self.corrupt(NO_EVENT))?;
            let BlockEvent { event_type, schema_version, payload } = event;
            let hash = chain(&prev_hash, &meta, version, event_type, schema_version, payload);
            each(version, event, [prev_hash, hash]);
            prev_hash = hash;
            version += 1;
        }
        if version != self.last_version() + 1 || prev_hash.as_bytes() != self.hash_after {
            return Err(self.corrupt("does not have the events that were hashed"));
        }
        Ok(())
    }

    /// Passes the block to the verifier.
    ///
    /// # Errors
    /// The first damage.
    pub fn verify(&self, verifier: &mut Verifier) -> Result<(), VerificationStop> {
        let lines = self.decompress();
        Ok(verifier.block(&BlockRow {
            stream_id: self.stream_id,
            first_version: self.first_version,
            event_count: self.event_count,
            event_types: self.event_types,
            hash_before: self.hash_before,
            hash_after: self.hash_after,
            event_checks: self.event_checks,
            is_archived: self.is_archived(),
            lines: lines.as_deref().map_err(|reason| *reason),
            has_stored_hash: blake3::hash(self.body).as_bytes() == self.stored_hash,
        })?)
    }

    /// Whether the payloads are archived.
    pub fn is_archived(&self) -> bool {
        self.codec == ARCHIVED.as_bytes()
    }

    /// The text, or why there is none.
    fn decompress(&self) -> Result<BlockLines, &'static str> {
        if self.codec != CODEC.as_bytes() {
            return Err("has a codec that this PowerFill does not know");
        }
        if self.byte_count > MAX_TEXT_BYTES {
            return Err("claims to be larger than any block");
        }
        let size = self.byte_count as usize;
        let lines = BlockLines::decompress(self.body, size).ok_or("cannot be decompressed")?;
        if lines.len() == size { Ok(lines) } else { Err("does not have the size that it says") }
    }

    pub(crate) fn corrupt(&self, what: &str) -> StoreError {
        let (first, last) = (self.first_version, self.last_version());
        let stream = self.stream_id;
        let what =
            format!("the block of events {first} to {last} of stream number {stream} {what}");
        StoreError::Corrupt(what.into())
    }
}

#[cfg(test)]
mod tests {
    use powerfill_events::log::{
        AppendMeta, EncodedBatch, LogHead, MAX_BLOCK_EVENTS, SchemaId, StreamRow, chain_start,
        seal, seal_start,
    };
    use powerfill_events::values::{TenantId, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::block_codec::compress_events;
    use crate::events::Append;

    const STREAM: &str = "run-x";

    fn append(count: usize) -> Append {
        let mut events = EncodedBatch::default();
        for number in 0..count {
            let payload = format!("{{\"candidate_rank\":{number}}}");
            events.push_stored(SchemaId::new("CandidateScored", 1), payload.as_bytes());
        }
        let meta = AppendMeta::new(TenantId::from("acme"), "desk", Timestamp::from_micros(7));
        let meta = AppendMeta { correlation_id: Some(Uuid::from_u128(1)), ..meta };
        Append {
            append_id: Uuid::from_u128(2),
            stream: STREAM.to_owned(),
            expected_version: 0,
            meta,
            events,
            lease: None,
        }
    }

    fn record(append: &Append) -> AppendRecord {
        append.record(&LogHead { seq: 0, position: 0, seal: seal_start() }, 1)
    }

    fn damage(append: &Append, blocks: &[StoredBlock<'_>]) -> Option<(Option<u64>, String)> {
        let record = record(append);
        let tail = append.chained_events(chain_start(STREAM)).last().unwrap().hash;
        let version = record.event_count;
        let row = StreamRow { stream_id: 1, name: STREAM.to_owned(), version, tail_hash: tail };
        let mut verifier = Verifier::for_log([row]);
        let seal = seal(&seal_start(), &record, &tail);
        verifier.append(record, seal, seal).unwrap();
        match blocks.iter().try_for_each(|block| block.verify(&mut verifier)) {
            Ok(()) => None,
            Err(VerificationStop::Damage(damage)) => Some((damage.stream_version, damage.what)),
            Err(VerificationStop::Store(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn blocks_give_the_events_with_their_hashes() {
        let append = append(MAX_BLOCK_EVENTS + 10);
        let compressed = compress_events(&append.events).unwrap();
        let tail = chain_start(STREAM);
        let blocks = append.chained_blocks(&compressed, tail);
        assert_eq!(blocks.len(), 2);
        let record = record(&append);
        let read = |versions: std::ops::RangeInclusive<u64>| -> Vec<StoredEvent> {
            let events = blocks.iter().map(|block| {
                block
                    .as_stored(1)
                    .events(&record, STREAM, |version, _| versions.contains(&version))
                    .unwrap()
            });
            events.flatten().collect()
        };
        let all = read(1..=u64::MAX);
        assert_eq!(all.len(), append.events.len());
        let mut prev_hash = tail;
        for (event, written) in all.iter().zip(append.chained_events(tail)) {
            assert_eq!((event.prev_hash, event.hash), (prev_hash, written.hash));
            assert_eq!(
                (event.stream_version, &event.payload[..]),
                (written.version, written.payload)
            );
            prev_hash = written.hash;
        }
        let last = MAX_BLOCK_EVENTS as u64;
        assert_eq!(read(last..=last + 1), all[MAX_BLOCK_EVENTS - 1..=MAX_BLOCK_EVENTS]);
        assert_eq!(
            damage(&append, &blocks.iter().map(|block| block.as_stored(1)).collect::<Vec<_>>()),
            None
        );
    }

    #[test]
    fn damage_to_any_column_is_named() {
        let append = append(40);
        let compressed = compress_events(&append.events).unwrap();
        let blocks = append.chained_blocks(&compressed, chain_start(STREAM));
        let sound = blocks[0].as_stored(1);
        let text = std::str::from_utf8(&sound.decompress().unwrap()).unwrap().to_owned();
        let changed = |text: &str| zstd::bulk::compress(text.as_bytes(), 3).unwrap();
        let edited = changed(&text.replace("\"candidate_rank\":17}", "\"candidate_rank\":71}"));
        let cut = changed(&text.replace("CandidateScored 1 {\"candidate_rank\":17}\n", ""));
        let recompressed = changed(&text);
        let mut flipped = compressed[0].body.clone();
        flipped[2] ^= 1;
        let mut checks = blocks[0].event_checks.clone();
        checks[9] ^= 1;
        let other = [9; 32];
        let rows = [
            (StoredBlock { body: &edited, ..sound }, Some(18), "its hash does not match"),
            (
                StoredBlock {
                    body: &cut,
                    byte_count: sound.byte_count
                        - "CandidateScored 1 {\"candidate_rank\":17}\n".len() as u64,
                    ..sound
                },
                Some(18),
                "its hash does not match",
            ),
            (StoredBlock { body: &recompressed, ..sound }, Some(1), "the bytes that were written"),
            (StoredBlock { stored_hash: &other, ..sound }, Some(1), "the bytes that were written"),
            (
                StoredBlock { body: &flipped, ..sound },
                Some(1),
                "the block of events 1 to 40, at positions 1 to 40, cannot be decompressed",
            ),
            (StoredBlock { byte_count: 1, ..sound }, Some(1), "cannot be decompressed"),
            (StoredBlock { byte_count: 9_999, ..sound }, Some(1), "the size that it says"),
            (StoredBlock { byte_count: u64::MAX, ..sound }, Some(1), "larger than any block"),
            (StoredBlock { codec: b"zstD", ..sound }, Some(1), "a codec that this PowerFill"),
            (StoredBlock { stream_id: 2, ..sound }, Some(1), "event 1 is missing"),
            (StoredBlock { first_version: 2, ..sound }, Some(1), "begins at 2"),
            (StoredBlock { event_count: 39, ..sound }, Some(41), "has 40 events"),
            (StoredBlock { event_count: 41, ..sound }, Some(41), "has 40 events"),
            (StoredBlock { event_types: b"[]", ..sound }, Some(1), "the types that it says"),
            (StoredBlock { hash_before: &other, ..sound }, Some(1), "does not continue"),
            (StoredBlock { hash_after: &other, ..sound }, Some(1), "does not end with the hash"),
            (StoredBlock { event_checks: &checks, ..sound }, Some(5), "its hash does not match"),
            (StoredBlock { event_checks: &checks[..8], ..sound }, Some(5), "its hash does not"),
        ];
        assert_eq!(damage(&append, &[sound]), None);
        for (row, version, what) in rows {
            let (found, said) = damage(&append, &[row]).unwrap_or_else(|| panic!("{what}"));
            assert!(said.contains(what), "{what}: {said}");
            assert_eq!(found, version, "{said}");
        }
        let (_, said) = damage(&append, &[sound, sound]).unwrap();
        assert!(said.contains("belongs to no append"), "{said}");
    }

    #[test]
    fn a_damaged_block_is_not_read() {
        let append = append(40);
        let compressed = compress_events(&append.events).unwrap();
        let blocks = append.chained_blocks(&compressed, chain_start(STREAM));
        let (sound, record) = (blocks[0].as_stored(1), record(&append));
        let text = sound.decompress().unwrap();
        let other = zstd::bulk::compress(&[&text[..], b"\n"].concat(), 3).unwrap();
        for row in [
            StoredBlock { first_version: 2, ..sound },
            StoredBlock { codec: b"none", ..sound },
            StoredBlock { hash_before: b"", ..sound },
            StoredBlock { hash_after: sound.hash_before, ..sound },
            StoredBlock { event_count: 39, ..sound },
            StoredBlock { body: &other, byte_count: sound.byte_count + 1, ..sound },
        ] {
            let read = row.events(&record, STREAM, |version, _| version < 3);
            assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
        }
        assert!(sound.has_any(&["CandidateScored".to_owned()]).unwrap());
        assert!(StoredBlock { event_types: b"{", ..sound }.has_any(&[]).is_err());
    }
}
