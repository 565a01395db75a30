//! What the event log holds: streams of runs, and the one of the tenant's configuration
//! (specification 3.1, 3.2).

mod batch;
mod codec;
mod declare;
mod stream;

pub use batch::{EncodedBatch, LogEvent, SchemaId};
pub use codec::DecodeError;
pub(crate) use codec::{Upcaster, read_any_version};
pub(crate) use declare::event_types;
pub use stream::{Stream, event_name};
