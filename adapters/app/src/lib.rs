//! Runs from request to published outputs, over the ports of a store and an injected clock (specification 4.4).
//!
//! * [`Runner::ask`] captures the snapshot, and queues the run with its `RunRequested`
//! * [`Runner::work`] claims a queued or abandoned run and carries it through
//! * [`rebuild`](rebuild::rebuild) makes the output tables anew from the events
//! * [`as_of`] shows a run after any of its events
//! * [`replay`](replay::replay) decides a run again and compares
//! * [`read_story`] reads the events that a loan's or a trade's story is told from
//! * [`verify`](verify::verify) checks the log, and the tables against it
//! * [`compare`]: what a comparison reads of runs
//! * [`configure`](configure::configure) changes a tenant's configuration
//! * [`publish`](publish::publish) shows a run's outputs where reports look for them
//! * [`copy_store`](copy::copy_store) copies a whole store
//! * [`account`] tells a story together with what the captured input says
//!
//! A run is redone from its captured snapshot wherever it is taken up: what its stream holds already is compared, what
//! is missing is appended. So the stream of a run that was interrupted is that of one that was not, up to times.

pub mod account;
pub mod as_of;
mod ask;
mod clock;
pub mod compare;
pub mod configure;
mod control;
pub mod copy;
mod decide;
mod end;
mod held;
mod lease;
mod observer;
pub mod publish;
pub mod rebuild;
mod record;
pub mod replay;
mod retry;
mod stored;
mod story;
mod threads;
pub mod verify;
mod work;

pub use ask::Ask;
pub use clock::{Clock, SystemClock};
pub use control::{RunControl, StopReason};
pub use observer::{NoObserver, RunObserver, RunProgress};
pub use stored::{Read, decoded, read_run, read_versions, recorded};
pub use story::read_story;
pub use work::Finished;

use std::sync::Arc;
use std::time::Duration;

use powerfill_events::run::{DecodeError, RunId, RunRejection};
use powerfill_ports::publishing::PublishError;
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::canonical::CanonicalFault;
use powerfill_tables::UnknownTable;

/// What keeps a run from being carried through; the run itself may have failed, been refused or cancelled without one.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The store cannot do what is asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored event cannot be read.
    #[error("event {version} of {stream}: {source}")]
    Decode {
        /// The stream.
        stream: String,
        /// The event's version in its stream.
        version: u64,
        /// Why.
        source: DecodeError,
    },
    /// The aggregate does not accept what was decided.
    #[error("the run's history does not allow this: {0}")]
    Rejected(#[from] RunRejection),
    /// A later program completed the run, with output tables that this one does not know.
    #[error(transparent)]
    UnknownTable(#[from] UnknownTable),
    /// The captured snapshot cannot be read.
    #[error("the captured snapshot cannot be read: {0}")]
    Snapshot(#[from] CanonicalFault),
    /// What the engine decides is not what the stream holds.
    #[error(
        "event {version} of run {run} is stored otherwise than this engine decides it: \
         another version of PowerFill began the run"
    )]
    NotReproduced {
        /// The run.
        run: RunId,
        /// The first event that differs.
        version: u64,
    },
    /// The outputs cannot be shown elsewhere.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A run is not that long.
    #[error("run {run} has {events} events, there is none with number {event}")]
    NoSuchEvent {
        /// The run.
        run: RunId,
        /// What was asked for.
        event: u64,
        /// How many there are.
        events: u64,
    },
    /// The worker was told to stop: the run is there for the next one.
    #[error("run {0} is handed over: the next worker takes it up")]
    HandedOver(RunId),
    /// A thread of the run panicked.
    #[error("the run broke off: {0}")]
    BrokenOff(String),
}

/// Events that go into one append of a run, but for the last.
const EVENTS_PER_APPEND: u64 = 16_384;

/// Carries runs through on one store.
pub struct Runner<S: ?Sized> {
    store: Arc<S>,
    clock: Arc<dyn Clock>,
    /// Who claims, for the queue and the envelopes.
    worker: String,
    /// How long a claim holds without being renewed.
    lease: Duration,
    events_per_append: u64,
    threads: threads::Threads,
}

impl<S: Store + ?Sized + 'static> Runner<S> {
    /// A runner that claims as `worker`, for `lease` at a time.
    pub fn new(store: Arc<S>, clock: Arc<dyn Clock>, worker: String, lease: Duration) -> Self {
        let (events_per_append, threads) = (EVENTS_PER_APPEND, threads::Threads::Own);
        Self { store, clock, worker, lease, events_per_append, threads }
    }

    /// With smaller or larger appends, which changes nothing that is said by them.
    #[must_use]
    pub fn with_events_per_append(self, events: u64) -> Self {
        Self { events_per_append: events.max(1), ..self }
    }

    /// For a simulation: without threads of its own, so that nothing happens but what the caller's runtime runs.
    #[must_use]
    pub fn in_place(self) -> Self {
        Self { threads: threads::Threads::InPlace, ..self }
    }
}
