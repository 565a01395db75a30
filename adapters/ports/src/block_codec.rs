//! The stored form of event blocks (specification 3.2): zstd over the text of a block, and the
//! columns beside it. Every store uses this form.

use powerfill_events::log::{EncodedBatch, Hash, block_texts, hash_check};

use crate::error::StoreFault;
use crate::events::Append;
use crate::stored_block::StoredBlock;
use crate::{StoreError, StoreResult};

/// The name of the codec, which each row states so that another one can follow.
pub const CODEC: &str = "zstd";

/// The zstd level. On the events of a `demo` run, level 3 compressed no better, and level 9 took
/// nine times longer for a fifth fewer bytes (decision 10).
const COMPRESSION_LEVEL: i32 = 1;

/// The columns of a block that do not depend on its place in the log. They are made before an
/// append takes any lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressedBlock {
    /// The number of events.
    pub event_count: u64,
    /// The number of events of each type, as JSON.
    pub event_types: String,
    /// The size of the text.
    pub byte_count: u64,
    /// BLAKE3 of the compressed bytes.
    pub stored_hash: Hash,
    /// The text, compressed.
    pub body: Vec<u8>,
}

/// Compresses the events of an append. The caller's thread is busy for about a millisecond per
/// thousand events.
///
/// # Errors
/// [`StoreError::Failed`] if zstd fails.
pub fn compress_events(events: &EncodedBatch) -> StoreResult<Vec<CompressedBlock>> {
    let failed = |error: std::io::Error| {
        let fault = StoreFault::caused_by(error).context("the events cannot be compressed");
        StoreError::Failed(fault)
    };
    let mut compressor = zstd::bulk::Compressor::new(COMPRESSION_LEVEL).map_err(failed)?;
    block_texts(events)
        .map(|text| {
            let body = compressor.compress(text.lines()).map_err(failed)?;
            Ok(CompressedBlock {
                event_count: text.event_count() as u64,
                event_types: text.types().to_json(),
                byte_count: text.lines().len() as u64,
                stored_hash: blake3::hash(&body),
                body,
            })
        })
        .collect()
}

/// A block at its place in the hash chain of its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainedBlock<'a> {
    /// The version of the first event.
    pub first_version: u64,
    /// The hash of the event before the block, or that of the stream's name.
    pub hash_before: Hash,
    /// The hash of the last event.
    pub hash_after: Hash,
    /// The beginning of each event's hash.
    pub event_checks: Vec<u8>,
    /// The other columns.
    pub compressed: &'a CompressedBlock,
}

impl ChainedBlock<'_> {
    /// The row that is stored.
    pub fn as_stored(&self, stream_id: u64) -> StoredBlock<'_> {
        let compressed = self.compressed;
        StoredBlock {
            stream_id,
            first_version: self.first_version,
            event_count: compressed.event_count,
            event_types: compressed.event_types.as_bytes(),
            hash_before: self.hash_before.as_bytes(),
            hash_after: self.hash_after.as_bytes(),
            event_checks: &self.event_checks,
            codec: CODEC.as_bytes(),
            byte_count: compressed.byte_count,
            stored_hash: compressed.stored_hash.as_bytes(),
            body: &compressed.body,
        }
    }
}

impl Append {
    /// The blocks of the append, which continue the chain from the stream's last hash.
    pub fn chained_blocks<'a>(
        &self,
        blocks: &'a [CompressedBlock],
        tail: Hash,
    ) -> Vec<ChainedBlock<'a>> {
        let mut events = self.chained_events(tail);
        let (mut first_version, mut hash_before) = (self.expected_version + 1, tail);
        let chained = blocks.iter().map(|compressed| {
            let count = compressed.event_count as usize;
            let hashes = events.by_ref().take(count).map(|event| event.hash);
            let (mut hash_after, mut event_checks) = (hash_before, Vec::with_capacity(2 * count));
            for hash in hashes {
                event_checks.extend_from_slice(&hash_check(&hash));
                hash_after = hash;
            }
            let block =
                ChainedBlock { first_version, hash_before, hash_after, event_checks, compressed };
            first_version += compressed.event_count;
            hash_before = hash_after;
            block
        });
        chained.collect()
    }
}
