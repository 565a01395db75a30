//! Verification of event blocks.

use super::super::{CHECK_BYTES, Hash, TypeCounts, block_events, hash_check};
use super::{OpenAppend, VerifiedStream, Verifier, VerifyResult, WRONG_HASH, damage};

/// The row of an event block, and its text. Any column may be damaged.
#[derive(Debug, Clone, Copy)]
pub struct BlockRow<'a> {
    /// The number of its stream.
    pub stream_id: u64,
    /// The version of its first event.
    pub first_version: u64,
    /// The number of its events.
    pub event_count: u64,
    /// The number of its events of each type.
    pub event_types: &'a [u8],
    /// The hash of the event before the block.
    pub hash_before: &'a [u8],
    /// The hash of its last event.
    pub hash_after: &'a [u8],
    /// The beginning of the hash of each event.
    pub event_checks: &'a [u8],
    /// Whether its payloads are archived: the hashes before and after them stand for them.
    pub is_archived: bool,
    /// The text, or why there is none.
    pub lines: Result<&'a [u8], &'a str>,
    /// Whether the compressed bytes have the hash that was stored with them.
    pub has_stored_hash: bool,
}

impl BlockRow<'_> {
    fn last_version(&self) -> u64 {
        self.first_version.saturating_add(self.event_count).saturating_sub(1)
    }

    /// The block in words.
    fn name(&self) -> String {
        format!("the block of events {} to {}", self.first_version, self.last_version())
    }

    /// Checks that the block follows the events before it.
    fn ensure_next(&self, stream: &VerifiedStream) -> Result<(), String> {
        let next = stream.version + 1;
        if self.stream_id != stream.row.stream_id || self.first_version != next {
            let first = self.first_version;
            return Err(format!("event {next} is missing; the next block begins at {first}"));
        }
        Ok(())
    }

    /// The hash after the events of an archived block that follows the events before it, of which
    /// the append lacks `missing`.
    fn archived_after(&self, stream: &VerifiedStream, missing: u64) -> Result<Hash, String> {
        self.ensure_next(stream)?;
        if self.hash_before != stream.tail.as_bytes() {
            return Err(format!("{} does not continue the event before it", self.name()));
        }
        if self.event_count == 0 || self.event_count > missing {
            return Err(format!("{} has more events than its append", self.name()));
        }
        Hash::from_slice(self.hash_after)
            .map_err(|_| format!("{} has no hash of its last event", self.name()))
    }

    /// Checks that the block follows the events before it, and returns its text.
    fn lines_after(&self, stream: &VerifiedStream, position: u64) -> Result<&[u8], String> {
        self.ensure_next(stream)?;
        let lines = self.lines.map_err(|reason| {
            let (first, count) = (position + 1, self.event_count);
            let last = position.saturating_add(count);
            format!("{}, at positions {first} to {last}, {reason}", self.name())
        })?;
        if self.hash_before != stream.tail.as_bytes() {
            return Err(format!("{} does not continue the event before it", self.name()));
        }
        Ok(lines)
    }

    /// Compares the columns with the events. Returns the first that differs, in words.
    fn wrong_column(&self, stream: &VerifiedStream, counts: &TypeCounts) -> Option<&'static str> {
        if self.hash_after != stream.tail.as_bytes() {
            return Some("does not end with the hash of its last event");
        }
        if self.event_types != counts.to_json().as_bytes() {
            return Some("does not have the types that it says");
        }
        (!self.has_stored_hash).then_some("is not stored in the bytes that were written")
    }
}

/// Damage to an event of the append that is open.
fn damage_at<T>(
    open: &OpenAppend,
    stream: &VerifiedStream,
    version: u64,
    what: String,
) -> VerifyResult<T> {
    damage(Some(&stream.row.name), Some(version), Some(open.record.seq), what)
}

impl Verifier {
    /// Takes the next block of the last append.
    ///
    /// # Errors
    /// A block before it is missing, an event in it does not match its append, its version, or its
    /// hash, or a column of the block does not match its events.
    pub fn block(&mut self, row: &BlockRow<'_>) -> VerifyResult {
        let Some(open) = self.open.as_mut().filter(|open| open.events < open.record.event_count)
        else {
            let (name, stream_id) = (row.name(), row.stream_id);
            let what = format!("{name} of stream number {stream_id} belongs to no append");
            return damage(None, Some(row.first_version), None, what);
        };
        let Some(stream) = self.streams.get_mut(&open.record.stream_id) else {
            let what = "its stream is missing".to_owned();
            return damage(None, None, Some(open.record.seq), what);
        };
        let first = stream.version + 1;
        if row.is_archived {
            match row.archived_after(stream, open.record.event_count - open.events) {
                Ok(tail) => stream.tail = tail,
                Err(what) => return damage_at(open, stream, first, what),
            }
            stream.version += row.event_count;
            open.events += row.event_count;
            self.position += row.event_count;
            self.counts.archived.insert(stream.row.name.clone());
            return Ok(());
        }
        let lines = match row.lines_after(stream, self.position) {
            Ok(lines) => lines,
            Err(what) => return damage_at(open, stream, first, what),
        };
        let mut checks = row.event_checks.chunks(CHECK_BYTES);
        let mut counts = TypeCounts::default();
        for event in block_events(lines) {
            let next = stream.version + 1;
            if open.events == open.record.event_count {
                let what = format!("{} has more events than its append", row.name());
                return damage_at(open, stream, next, what);
            }
            let Some(event) = event else {
                let what = "its line in its block cannot be read".to_owned();
                return damage_at(open, stream, next, what);
            };
            stream.tail = stream.next_hash(&open.meta, &event);
            if checks.next() != Some(&hash_check(&stream.tail)) {
                return damage_at(open, stream, next, WRONG_HASH.to_owned());
            }
            counts.add(&event);
            stream.version = next;
            open.events += 1;
            self.position += 1;
            self.counts.events += 1;
        }
        if stream.version != row.last_version() || checks.next().is_some() {
            let what = format!("{} has {} events", row.name(), stream.version + 1 - first);
            return damage_at(open, stream, stream.version + 1, what);
        }
        match row.wrong_column(stream, &counts) {
            Some(what) => damage_at(open, stream, first, format!("{} {what}", row.name())),
            None => Ok(()),
        }
    }
}
