//! A run is an aggregate: commands, events, state, rejections (specification 3.1).

pub mod aggregate;
pub mod envelope;
pub mod event;
pub mod options;
pub mod rejection;
pub mod state;
mod upcasters;

pub use crate::log::{DecodeError, EncodedBatch};
pub use aggregate::{Run, RunCommand};
pub use envelope::{AppendMeta, RecordedEvent, RunId};
pub use event::{EventType, RunEvent};
pub use rejection::RunRejection;
pub use state::RunState;
