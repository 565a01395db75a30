//! The mechanics of the event log (specification 3.1, 3.2), which know no aggregate: encoding and
//! reading of payloads, the hash chain, seals, and verification.

mod batch;
mod block;
mod chain;
mod codec;
mod declare;
mod seal;
mod stored;
mod verifier;

pub use batch::{EncodedBatch, LogEvent, SchemaId};
pub use block::{
    BlockEvent, BlockText, CHECK_BYTES, MAX_BLOCK_EVENTS, TypeCounts, block_events, block_texts,
    hash_check, is_one_line,
};
pub use chain::{AppendMeta, Hash, MetaHash, chain, chain_start};
pub use codec::DecodeError;
pub(crate) use codec::{Upcaster, present_version, read_any_version, read_json};
pub(crate) use declare::event_types;
pub use seal::{AppendRecord, LogHead, seal, seal_start};
pub use stored::StoredEvent;
pub use verifier::{BlockRow, Damage, EventRow, StreamRow, Verification, Verifier};
