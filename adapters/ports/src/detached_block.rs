//! A block that was read from a store and neither decompressed nor checked: a reader does both on
//! any thread, and decodes the events without their envelopes.

use std::ops::RangeInclusive;

use powerfill_events::log::{AppendRecord, BlockEvent, StoredEvent, block_events};

use crate::stored_block::{NO_EVENT, StoredBlock};
use crate::{StoreError, StoreResult};

/// Whether the hashes of events are computed again when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashCheck {
    /// Each reading computes them.
    OnRead,
    /// The same command verifies the stream.
    Elsewhere,
}

/// A block that was read and neither decompressed nor checked.
#[derive(Debug, Clone)]
pub struct DetachedBlock {
    record: AppendRecord,
    stream: String,
    /// The versions that are wanted.
    versions: RangeInclusive<u64>,
    /// The types that are wanted; `None` for all.
    types: Option<Vec<String>>,
    stream_id: u64,
    first_version: u64,
    event_count: u64,
    hash_before: Vec<u8>,
    hash_after: Vec<u8>,
    codec: Vec<u8>,
    byte_count: u64,
    body: Vec<u8>,
}

impl DetachedBlock {
    /// What the events of the block share.
    pub const fn record(&self) -> &AppendRecord {
        &self.record
    }

    /// The name of the stream.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The number of versions that are wanted.
    pub fn wanted(&self) -> u64 {
        (self.versions.end() + 1).saturating_sub(*self.versions.start())
    }

    fn stored(&self) -> StoredBlock<'_> {
        StoredBlock {
            stream_id: self.stream_id,
            first_version: self.first_version,
            event_count: self.event_count,
            event_types: &[],
            hash_before: &self.hash_before,
            hash_after: &self.hash_after,
            event_checks: &[],
            codec: &self.codec,
            byte_count: self.byte_count,
            stored_hash: &[],
            body: &self.body,
        }
    }

    fn wants(&self, version: u64, event_type: &str) -> bool {
        let types = self.types.as_deref();
        self.versions.contains(&version)
            && types.is_none_or(|types| types.iter().any(|wanted| wanted == event_type))
    }

    /// The wanted events, each with its envelope.
    ///
    /// # Errors
    /// As for [`StoredBlock::events`].
    pub fn events(&self) -> StoreResult<Vec<StoredEvent>> {
        let is_wanted = |version, event_type: &str| self.wants(version, event_type);
        self.stored().events(&self.record, &self.stream, is_wanted)
    }

    /// Decodes the wanted events without their envelopes, which cost as much as decoding does. All
    /// events of the block are hashed first, unless that is done elsewhere.
    ///
    /// # Errors
    /// As for [`StoredBlock::events`]; an event that cannot be decoded.
    pub fn decode<T, E: From<StoreError>>(
        &self,
        hashes: HashCheck,
        mut decode: impl FnMut(u64, BlockEvent<'_>) -> Result<T, E>,
    ) -> Result<Vec<T>, E> {
        let block = self.stored();
        let lines = block.text(&self.record, &self.stream)?;
        if hashes == HashCheck::OnRead {
            block.check(&self.record, &self.stream, &lines, |_, _, _| {})?;
        }
        let mut decoded = Vec::with_capacity(usize::try_from(self.wanted()).unwrap_or_default());
        let mut version = self.first_version;
        for event in block_events(&lines) {
            let event = event.ok_or_else(|| block.corrupt(NO_EVENT))?;
            if self.wants(version, event.event_type) {
                decoded.push(decode(version, event)?);
            }
            version += 1;
        }
        if version != block.last_version() + 1 {
            return Err(block.corrupt("does not have as many events as it says").into());
        }
        Ok(decoded)
    }
}

impl StoredBlock<'_> {
    /// The block with its append, to be read on any thread: the events between two versions, which
    /// are included, and of some types.
    pub fn detach(
        &self,
        record: &AppendRecord,
        stream: &str,
        versions: RangeInclusive<u64>,
        types: Option<&[String]>,
    ) -> DetachedBlock {
        DetachedBlock {
            record: record.clone(),
            stream: stream.to_owned(),
            versions,
            types: types.map(<[String]>::to_vec),
            stream_id: self.stream_id,
            first_version: self.first_version,
            event_count: self.event_count,
            hash_before: self.hash_before.to_vec(),
            hash_after: self.hash_after.to_vec(),
            codec: self.codec.to_vec(),
            byte_count: self.byte_count,
            body: self.body.to_vec(),
        }
    }
}
