//! Runs whose payloads are archived (specification 3.5): the only way in which payloads leave a
//! store, and the way back.
//!
//! A block of an archived run keeps its place, its number of events, its types, and the hashes
//! before and after it, so that the chain of the stream and every seal can still be verified. It
//! has the codec [`ARCHIVED`] and no body.

use async_trait::async_trait;
use futures::TryStreamExt;
use powerfill_events::log::{EncodedBatch, SchemaId, StoredEvent, hash_check};
use powerfill_events::retention::{RetentionEvent, RetentionState, STREAM};
use powerfill_events::run::RunId;
use powerfill_events::stream::event_name;

use crate::block_codec::{CODEC, compress_events};
use crate::events::EventStore;
use crate::{StoreError, StoreFault, StoreResult};

/// The codec of a block whose payloads are archived.
pub const ARCHIVED: &str = "archived";

/// The payloads of a block, to put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPayload {
    /// The version of the block's first event.
    pub first_version: u64,
    /// The codec of the body.
    pub codec: &'static str,
    /// The beginning of each event's hash.
    pub event_checks: Vec<u8>,
    /// The size of the text.
    pub byte_count: u64,
    /// BLAKE3 of the body.
    pub stored_hash: [u8; 32],
    /// The compressed text.
    pub body: Vec<u8>,
}

/// The place of an archived block: its first version, and the number of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchivedBlock {
    /// The version of the first event.
    pub first_version: u64,
    /// The number of events.
    pub event_count: u64,
}

/// Makes the payloads of an archived block from its events, whose hashes were checked.
///
/// # Errors
/// [`StoreError::Failed`] if they cannot be compressed; [`StoreError::Corrupt`] if they are not
/// those of one block.
pub fn block_payload(block: ArchivedBlock, events: &[StoredEvent]) -> StoreResult<BlockPayload> {
    let corrupt = |what: &str| {
        let first = block.first_version;
        StoreError::Corrupt(format!("the events of the block from event {first} {what}").into())
    };
    let mut batch = EncodedBatch::default();
    for event in events {
        let name = event_name(&event.event_type).map_err(|_| corrupt("have an unknown type"))?;
        batch.push_stored(SchemaId::new(name, event.schema_version), &event.payload);
    }
    let mut compressed = compress_events(&batch)?;
    let Some(only) = compressed.pop().filter(|_| compressed.is_empty()) else {
        return Err(corrupt("do not fit one block"));
    };
    if only.event_count != block.event_count {
        return Err(corrupt("are not all there"));
    }
    Ok(BlockPayload {
        first_version: block.first_version,
        codec: CODEC,
        event_checks: events.iter().flat_map(|event| hash_check(&event.hash)).collect(),
        byte_count: only.byte_count,
        stored_hash: *only.stored_hash.as_bytes(),
        body: only.body,
    })
}

/// The payloads of runs that leave the store and come back. Only the owner of a store may call the
/// methods that write. A store that does not implement them keeps all payloads.
///
/// # Errors
/// Each call returns an error if the store fails; a method names the others that it has.
#[async_trait]
pub trait RetentionStore: Send + Sync {
    /// The blocks of a run whose payloads are archived, in order.
    async fn archived_blocks(&self, _run: RunId) -> StoreResult<Vec<ArchivedBlock>> {
        Ok(Vec::new())
    }

    /// Removes the payloads of a run, and a captured snapshot if one is named, in one transaction.
    /// A repeated call changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the run has no events; the store fails.
    async fn remove_payloads(&self, _run: RunId, _snapshot: Option<String>) -> StoreResult<()> {
        Err(StoreError::Failed(KEEPS_ALL.into()))
    }

    /// Puts payloads back into the archived blocks of a run, in one transaction. The caller has
    /// checked their hashes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the run has no events; the store fails.
    async fn put_payloads(&self, _run: RunId, _payloads: Vec<BlockPayload>) -> StoreResult<()> {
        Err(StoreError::Failed(KEEPS_ALL.into()))
    }

    /// Gives the space of removed payloads back to the file system, where the store does not do it
    /// by itself.
    ///
    /// # Errors
    /// The store fails; it is whole without this.
    async fn give_space_back(&self) -> StoreResult<()> {
        Ok(())
    }
}

const KEEPS_ALL: &str = "this store keeps all payloads";

/// The holds and the archived runs of a store.
///
/// # Errors
/// [`StoreError::Corrupt`] if an event cannot be read; the store fails.
pub async fn read_retention<S: EventStore + ?Sized>(store: &S) -> StoreResult<RetentionState> {
    let mut state = RetentionState::default();
    let stored: Vec<StoredEvent> = store.read(STREAM, 1).try_concat().await?;
    for stored in stored {
        let event = RetentionEvent::decode_stored(&stored);
        state.apply(&event.map_err(|error| {
            let fault = StoreFault::caused_by(error);
            StoreError::Corrupt(
                fault.context(format!("event {} of {STREAM}", stored.stream_version)),
            )
        })?);
    }
    Ok(state)
}
