//! A run is an aggregate: commands, events, state, rejections (specification 3.1).

pub mod aggregate;
#[macro_use]
pub mod event;
mod id;
pub mod options;
mod recorded;
pub mod rejection;
pub mod state;
mod upcasters;

pub use aggregate::{Run, RunCommand};
pub use event::{EventType, RunEvent};
pub use id::RunId;
pub use recorded::RecordedEvent;
pub use rejection::RunRejection;
pub use state::RunState;
