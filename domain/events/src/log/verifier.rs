//! Verification of a log (specification 3.2), the same for every store: the store passes its rows
//! in order, and returns the first damage.

use std::collections::{BTreeMap, BTreeSet};

mod block;

use super::{
    AppendRecord, BlockEvent, Hash, LogHead, MetaHash, chain, chain_start, seal as seal_of,
    seal_start,
};

/// The first thing that verification found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The damaged stream, if the damage belongs to one.
    pub stream: Option<String>,
    /// The version of the damaged event in its stream, if the damage belongs to one event.
    pub stream_version: Option<u64>,
    /// The number of the damaged append, if the damage belongs to one.
    pub seq: Option<u64>,
    /// What does not match, is missing, or was reordered.
    pub what: String,
}

/// How much verification read, and its result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// The number of streams.
    pub streams: u64,
    /// The number of events whose hash was computed again.
    pub events: u64,
    /// The number of appends whose seal was computed again.
    pub appends: u64,
    /// The number of snapshots whose digest was computed again.
    pub snapshots: u64,
    /// The streams with events whose payloads are archived. Their hashes are those of the blocks.
    pub archived: BTreeSet<String>,
    /// The first damage, if there is any.
    pub damage: Option<Damage>,
}

/// The row of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    /// The number that the store gave the stream.
    pub stream_id: u64,
    /// The name of the stream.
    pub name: String,
    /// The version of its last event.
    pub version: u64,
    /// The hash of its last event.
    pub tail_hash: Hash,
}

pub use block::BlockRow;

/// The row of an event in a store of 0.1.0. Texts are bytes, because a damaged row may have any.
#[derive(Debug, Clone, Copy)]
pub struct EventRow<'a> {
    /// The global position.
    pub position: u64,
    /// The number of its stream.
    pub stream_id: u64,
    /// The version in the stream.
    pub version: u64,
    /// The name of its type.
    pub event_type: &'a [u8],
    /// The version of the payload's schema.
    pub schema_version: u64,
    /// The payload.
    pub payload: &'a [u8],
    /// The stored hash.
    pub hash: &'a [u8],
}

/// Verifies a log, or one stream of it. Every method returns the first damage.
#[derive(Debug)]
pub struct Verifier {
    streams: BTreeMap<u64, VerifiedStream>,
    /// Whether all appends are read. The appends of a single stream have gaps, and the stored seals
    /// before them are trusted.
    whole: bool,
    seq: u64,
    position: u64,
    seal: Hash,
    open: Option<OpenAppend>,
    counts: Verification,
}

#[derive(Debug)]
struct VerifiedStream {
    row: StreamRow,
    version: u64,
    tail: Hash,
}

/// What is wrong with an event whose hash is not the stored one.
const WRONG_HASH: &str =
    "its hash does not match its envelope, its payload and the event before it";

impl VerifiedStream {
    /// The hash that the next event has.
    fn next_hash(&self, meta: &MetaHash, event: &BlockEvent<'_>) -> Hash {
        let BlockEvent { event_type, schema_version, payload } = *event;
        chain(&self.tail, meta, self.version + 1, event_type, schema_version, payload)
    }
}

/// The append whose events are being read.
#[derive(Debug)]
struct OpenAppend {
    record: AppendRecord,
    seal: Hash,
    meta: MetaHash,
    events: u64,
}

type VerifyResult<T = ()> = Result<T, Box<Damage>>;

fn damage<T>(
    stream: Option<&str>,
    version: Option<u64>,
    seq: Option<u64>,
    what: String,
) -> VerifyResult<T> {
    Err(Box::new(Damage { stream: stream.map(str::to_owned), stream_version: version, seq, what }))
}

impl Verifier {
    /// Verifies the whole log, which has these streams.
    pub fn for_log(streams: impl IntoIterator<Item = StreamRow>) -> Self {
        Self::new(streams, true)
    }

    /// Verifies one stream. The seals of its appends are computed from the stored seals before
    /// them.
    pub fn for_stream(stream: StreamRow) -> Self {
        Self::new([stream], false)
    }

    fn new(streams: impl IntoIterator<Item = StreamRow>, whole: bool) -> Self {
        let streams = streams
            .into_iter()
            .map(|row| {
                let tail = chain_start(&row.name);
                (row.stream_id, VerifiedStream { row, version: 0, tail })
            })
            .collect();
        Self {
            streams,
            whole,
            seq: 0,
            position: 0,
            seal: seal_start(),
            open: None,
            counts: Verification::default(),
        }
    }

    /// Takes the next append in commit order. Its events must follow, through [`Verifier::block`]
    /// or, of a store of 0.1.0, [`Verifier::event`].
    /// `prev_seal` is the stored seal before it; it is used for a single stream only.
    ///
    /// # Errors
    /// The append before it lacks events, or this one does not follow it.
    pub fn append(&mut self, record: AppendRecord, seal: Hash, prev_seal: Hash) -> VerifyResult {
        self.close_append()?;
        let seq = Some(record.seq);
        if self.whole && record.seq != self.seq + 1 {
            let what = format!("append {} comes after append {}", record.seq, self.seq);
            return damage(None, None, Some(self.seq + 1), what);
        }
        if self.whole && record.first_position != self.position + 1 {
            let what = format!(
                "it begins at position {}, and the append before it ends at {}",
                record.first_position, self.position
            );
            return damage(None, None, seq, what);
        }
        let Some(stream) = self.streams.get(&record.stream_id) else {
            let what = format!("its stream, number {}, is missing", record.stream_id);
            return damage(None, None, seq, what);
        };
        if record.first_version != stream.version + 1 {
            let what = format!(
                "it begins at version {}, and the stream is at {}",
                record.first_version, stream.version
            );
            return damage(Some(&stream.row.name), Some(stream.version + 1), seq, what);
        }
        if record.event_count == 0 {
            return damage(Some(&stream.row.name), None, seq, "it has no events".to_owned());
        }
        if !self.whole {
            self.seal = prev_seal;
            self.position = record.first_position - 1;
        }
        self.seq = record.seq;
        let meta = MetaHash::new(&stream.row.name, &record.meta);
        self.open = Some(OpenAppend { record, seal, meta, events: 0 });
        Ok(())
    }

    /// The number of events of the last append that were not passed yet.
    pub fn missing_events(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.record.event_count - open.events)
    }

    /// Takes the next event by position.
    ///
    /// # Errors
    /// An event before it is missing, or it does not match its append, its version, or its hash.
    pub fn event(&mut self, row: EventRow<'_>) -> VerifyResult {
        let Some(open) = self.open.as_mut().filter(|open| open.events < open.record.event_count)
        else {
            let what = format!("the event at position {} belongs to no append", row.position);
            return damage(None, None, None, what);
        };
        let seq = Some(open.record.seq);
        let Some(stream) = self.streams.get_mut(&open.record.stream_id) else {
            return damage(None, None, seq, "its stream is missing".to_owned());
        };
        let version = stream.version + 1;
        let name = &stream.row.name;
        let at = |what: String| damage(Some(name), Some(version), seq, what);
        if row.position != self.position + 1 {
            return at(format!(
                "the event at position {} is missing; the next one is at {}",
                self.position + 1,
                row.position
            ));
        }
        if row.stream_id != stream.row.stream_id || row.version != version {
            return at(format!(
                "the event at position {} says that it is version {} of stream number {}",
                row.position, row.version, row.stream_id
            ));
        }
        let (Ok(event_type), Ok(schema_version)) =
            (std::str::from_utf8(row.event_type), u16::try_from(row.schema_version))
        else {
            return at("its type or schema version cannot be read".to_owned());
        };
        let event = BlockEvent { event_type, schema_version, payload: row.payload };
        let hash = stream.next_hash(&open.meta, &event);
        if row.hash != hash.as_bytes() {
            return at(WRONG_HASH.to_owned());
        }
        stream.version = version;
        stream.tail = hash;
        self.position = row.position;
        open.events += 1;
        self.counts.events += 1;
        Ok(())
    }

    fn close_append(&mut self) -> VerifyResult {
        let Some(open) = self.open.take() else { return Ok(()) };
        let seq = Some(open.record.seq);
        let Some(stream) = self.streams.get(&open.record.stream_id) else {
            return damage(None, None, seq, "its stream is missing".to_owned());
        };
        if open.events < open.record.event_count {
            let what = format!(
                "the append has {} of its {} events; the next one is missing",
                open.events, open.record.event_count
            );
            return damage(Some(&stream.row.name), Some(stream.version + 1), seq, what);
        }
        let seal = seal_of(&self.seal, &open.record, &stream.tail);
        if seal != open.seal {
            let what = "its seal does not match its row, its events and the seal before it";
            return damage(Some(&stream.row.name), None, seq, what.to_owned());
        }
        self.seal = seal;
        self.counts.appends += 1;
        Ok(())
    }

    /// Compares the rows of the streams and, for the whole log, the head with what was read.
    ///
    /// # Errors
    /// One of them differs.
    pub fn finish(mut self, head: Option<LogHead>) -> VerifyResult<Verification> {
        self.close_append()?;
        for stream in self.streams.values() {
            let row = &stream.row;
            if row.version == 0 || row.version != stream.version {
                let what = format!(
                    "the stream should be at version {}, and its events reach {}",
                    row.version, stream.version
                );
                return damage(Some(&row.name), Some(stream.version + 1), None, what);
            }
            if row.tail_hash != stream.tail {
                let what = "the stream's tail is not the hash of its last event".to_owned();
                return damage(Some(&row.name), Some(row.version), None, what);
            }
        }
        let found = LogHead { seq: self.seq, position: self.position, seal: self.seal };
        if let Some(head) = head.filter(|head| self.whole && *head != found) {
            let what = format!(
                "the head says append {} and position {}; the log ends at append {} and position {}{}",
                head.seq,
                head.position,
                found.seq,
                found.position,
                if head.seal == found.seal { "" } else { ", with another seal" }
            );
            return damage(None, None, Some(found.seq.min(head.seq) + 1), what);
        }
        self.counts.streams = self.streams.len() as u64;
        Ok(self.counts)
    }
}
