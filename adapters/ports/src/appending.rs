//! What every store computes in the same way for an append: the hashes of the events, the row of
//! the append, and the receipt.

use powerfill_events::log::{AppendRecord, Hash, MetaHash, chain, is_one_line};

use crate::events::{Append, AppendReceipt, LogHead};
use crate::{StoreError, StoreResult};

/// An event of an append with its place in the hash chain of its stream.
#[derive(Debug, Clone, Copy)]
pub struct ChainedEvent<'a> {
    /// The version in the stream.
    pub version: u64,
    /// The name of the event's type.
    pub event_type: &'static str,
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// JSON.
    pub payload: &'a [u8],
    /// The event's own hash.
    pub hash: Hash,
}

impl Append {
    /// The events with their hashes, which continue the chain from the stream's last hash.
    pub fn chained_events(&self, tail: Hash) -> impl Iterator<Item = ChainedEvent<'_>> {
        let meta = MetaHash::new(&self.stream, &self.meta);
        let mut prev_hash = tail;
        (self.expected_version + 1..).zip(self.events.iter()).map(
            move |(version, (written, payload))| {
                let (event_type, schema_version) = (written.name(), written.schema_version());
                let hash = chain(&prev_hash, &meta, version, event_type, schema_version, payload);
                prev_hash = hash;
                ChainedEvent { version, event_type, schema_version, payload, hash }
            },
        )
    }

    /// The row of this append after the present end of the log.
    pub fn record(&self, head: &LogHead, stream_id: u64) -> AppendRecord {
        AppendRecord {
            seq: head.seq + 1,
            first_position: head.position + 1,
            stream_id,
            first_version: self.expected_version + 1,
            event_count: self.events.len() as u64,
            append_id: self.append_id,
            meta: self.meta.clone(),
        }
    }

    /// Refuses an append without events, because it would have no position, and one with a payload
    /// of more than one line, because an event block is made of lines.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub fn ensure_events(&self) -> StoreResult<()> {
        if self.events.is_empty() {
            return Err(StoreError::Failed("an append has at least one event".into()));
        }
        match self.events.iter().find(|(_, payload)| !is_one_line(payload)) {
            Some((schema, _)) => {
                let what = format!("the payload of {} has a line break", schema.name());
                Err(StoreError::Failed(what.into()))
            }
            None => Ok(()),
        }
    }

    /// Refuses a stream at another version than the writer expects.
    ///
    /// # Errors
    /// [`StoreError::Conflict`].
    pub fn ensure_version(&self, actual: u64) -> StoreResult<()> {
        if actual != self.expected_version {
            return Err(StoreError::Conflict {
                stream: self.stream.clone(),
                expected: self.expected_version,
                actual,
            });
        }
        Ok(())
    }
}

impl AppendReceipt {
    /// The receipt of an append with this row.
    pub const fn new(record: &AppendRecord, repeated: bool) -> Self {
        Self {
            seq: record.seq,
            stream_version: record.last_version(),
            position: record.last_position(),
            repeated,
        }
    }
}
