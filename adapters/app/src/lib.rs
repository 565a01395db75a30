//! The use cases of PowerFill over the ports of a store, with an injected clock (specification
//! 4.4).
//!
//! * [`Runner`]: requests runs, and carries them from the claim to the published tables
//! * [`run_list`]: the list of runs, their names and notes
//! * [`rebuild`]: output tables and indexes made again from a run's events
//! * [`as_of`]: a run after any of its events
//! * [`track`]: a run step by step
//! * [`replay`]: a run decided again and compared with its stream
//! * [`verify`]: the log, and everything that is kept beside it, checked against the events
//! * [`explain`]: the story of a loan or a trade in a run
//! * [`brief`]: what changed between two runs, and what it was worth
//! * [`certificate`]: how far a run is from the best possible, as it is recorded
//! * [`challenge`]: how far a run is from the best possible, and a better allocation
//! * [`adopt`]: the allocation of a challenger as a run
//! * [`compare`]: what a comparison reads of runs
//! * [`configure`]: changes of a tenant's configuration
//! * [`overview`]: what a run decided and is worth, as one document
//! * [`publish`]: a run's outputs in a database for reports
//! * [`in_memory`]: runs that are recorded nowhere
//! * [`tries`]: edited inputs beside their base
//! * [`relay`]: a tenant's events to a message broker
//! * [`copy`]: a copy of a whole store
//!
//! A worker decides a run again from the captured snapshot, also if another worker began it: the
//! events that the stream has are compared, and the missing events are appended. So the stream of a
//! run that was interrupted equals that of a run that was not, up to times.

pub mod adopt;
pub mod as_of;
pub mod brief;
pub mod certificate;
pub mod challenge;
mod clock;
pub mod compare;
pub mod configure;
pub mod copy;
mod error;
mod events;
pub mod explain;
pub mod in_memory;
pub mod overview;
pub mod publish;
pub mod rebuild;
pub mod relay;
pub mod replay;
mod retry;
mod run;
pub mod run_list;
pub mod track;
pub mod tries;
pub mod verify;

pub use clock::{Clock, SystemClock};
pub use error::{AppError, AppResult};
pub use events::{
    DecodedBatches, DecodedEvent, for_each_event, read_run, read_versions, run_input,
};
pub use run::Runner;
pub use run::control::{RunControl, StopReason};
pub use run::history::{active_run_settled, with_logged_status};
pub use run::observer::{NoObserver, RunObserver, RunProgress};
pub use run::request::RunRequest;
pub use run::work::FinishedRun;
