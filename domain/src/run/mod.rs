//! A run is an aggregate: commands, events, state, rejections (specification 3.1).

pub mod codec;
pub mod envelope;
pub mod event;

pub use envelope::{EncodedBatch, Meta, Recorded, RunId};
pub use event::{EventType, RunEvent};
