//! Verification (specification 3.2) without a database: an adapter feeds it every row in order, as
//! stored, and hands on the first damage. One place says what a sound log is, for all adapters.

use std::collections::BTreeMap;

use powerfill_events::run::envelope::{Hash, MetaHash, chain, chain_start};

use crate::events::{Damage, LogHead, Verification};
use crate::seal::{AppendRecord, seal, seal_start};

/// A stream as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    /// The number that the store gave it.
    pub stream_id: u64,
    /// Its name.
    pub name: String,
    /// The version that it is at.
    pub version: u64,
    /// The hash of its last event.
    pub tail_hash: Hash,
}

/// An event as the store keeps it; text as bytes, since a damaged one need not be text.
#[derive(Debug, Clone, Copy)]
pub struct EventRow<'a> {
    /// Its global position.
    pub position: u64,
    /// The stream's number.
    pub stream_id: u64,
    /// Its version in the stream.
    pub version: u64,
    /// Its type.
    pub event_type: &'a [u8],
    /// The version of the payload's schema.
    pub schema_version: u64,
    /// The payload.
    pub payload: &'a [u8],
    /// Its hash.
    pub hash: &'a [u8],
}

/// Walks a log, or one stream of it. Every method answers with the first damage.
#[derive(Debug)]
pub struct Verifier {
    streams: BTreeMap<u64, Stream>,
    /// Of one stream, appends are not dense; the rows before them are taken as given.
    whole: bool,
    seq: u64,
    position: u64,
    seal: Hash,
    open: Option<Open>,
    counts: Verification,
}

#[derive(Debug)]
struct Stream {
    row: StreamRow,
    version: u64,
    tail: Hash,
}

/// The append whose events come now.
#[derive(Debug)]
struct Open {
    record: AppendRecord,
    seal: Hash,
    meta: MetaHash,
    events: u64,
}

type Checked<T = ()> = Result<T, Box<Damage>>;

fn damage<T>(
    stream: Option<&str>,
    version: Option<u64>,
    seq: Option<u64>,
    what: String,
) -> Checked<T> {
    Err(Box::new(Damage { stream: stream.map(str::to_owned), stream_version: version, seq, what }))
}

impl Verifier {
    /// For all streams, given as stored.
    pub fn of_log(streams: impl IntoIterator<Item = StreamRow>) -> Self {
        Self::new(streams, true)
    }

    /// For one stream: the seals of its appends are computed from the stored seals before them.
    pub fn of_stream(stream: StreamRow) -> Self {
        Self::new([stream], false)
    }

    fn new(streams: impl IntoIterator<Item = StreamRow>, whole: bool) -> Self {
        let streams = streams
            .into_iter()
            .map(|row| {
                let tail = chain_start(&row.name);
                (row.stream_id, Stream { row, version: 0, tail })
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

    /// The next append in commit order; `prev_seal` is the stored seal before it, used where one
    /// stream is walked. Its events come next, through [`Verifier::event`].
    ///
    /// # Errors
    /// The append before it is not whole, or this one does not follow.
    pub fn append(&mut self, record: AppendRecord, seal: Hash, prev_seal: Hash) -> Checked {
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
        self.open = Some(Open { record, seal, meta, events: 0 });
        Ok(())
    }

    /// How many events of the append that was given last are still to come.
    pub fn events_to_come(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.record.event_count - open.events)
    }

    /// The next event by position.
    ///
    /// # Errors
    /// One before it is missing, or it is not what its append, its version and its hash say.
    pub fn event(&mut self, row: EventRow<'_>) -> Checked {
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
        let hash =
            chain(&stream.tail, &open.meta, version, event_type, schema_version, row.payload);
        if row.hash != hash.as_bytes() {
            return at("its hash does not match its envelope, its payload and the event before it"
                .to_owned());
        }
        stream.version = version;
        stream.tail = hash;
        self.position = row.position;
        open.events += 1;
        self.counts.events += 1;
        Ok(())
    }

    fn close_append(&mut self) -> Checked {
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
        let seal = seal(&self.seal, &open.record, &stream.tail);
        if seal != open.seal {
            let what = "its seal does not match its row, its events and the seal before it";
            return damage(Some(&stream.row.name), None, seq, what.to_owned());
        }
        self.seal = seal;
        self.counts.appends += 1;
        Ok(())
    }

    /// The end: the streams' rows, and the head where the whole log was walked, must say what the
    /// rows came to.
    ///
    /// # Errors
    /// They do not.
    pub fn finish(mut self, head: Option<LogHead>) -> Checked<Verification> {
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
