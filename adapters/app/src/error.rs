//! Why a use case fails.

use powerfill_challenge::NotChallengeable;
use powerfill_checks::ChallengeFault;
use powerfill_events::challenge::ChallengeId;
use powerfill_events::log::{DecodeError, StoredEvent};
use powerfill_events::run::{RunId, RunRejection};
use powerfill_ports::StoreError;
use powerfill_ports::publishing::PublishError;
use powerfill_snapshot::canonical::CanonicalFault;
use powerfill_tables::UnknownTable;

use crate::adopt::NotAdoptable;

/// The result of a use case.
pub type AppResult<T> = Result<T, AppError>;

/// Why a use case fails. A run that ends as Failed, refused, or Cancelled is a result, not an
/// error.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The store fails or refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored event cannot be read.
    #[error("event {version} of {stream}: {source}")]
    Decode {
        /// The stream.
        stream: String,
        /// The event's version in its stream.
        version: u64,
        /// Why the payload cannot be read.
        source: DecodeError,
    },
    /// The aggregate does not accept a decided event.
    #[error("the run's history does not allow this: {0}")]
    Rejected(#[from] RunRejection),
    /// A later program completed the run, with output tables that this program does not know.
    #[error(transparent)]
    UnknownTable(#[from] UnknownTable),
    /// The captured snapshot cannot be read.
    #[error("the captured snapshot cannot be read: {0}")]
    Snapshot(#[from] CanonicalFault),
    /// The engine decides an event otherwise than the stream has it.
    #[error(
        "event {version} of run {run} differs from the one that this engine decides: \
         another version of PowerFill began the run"
    )]
    NotReproduced {
        /// The run.
        run: RunId,
        /// The first event that differs.
        version: u64,
    },
    /// The run has no instance to challenge.
    #[error(transparent)]
    NotChallengeable(#[from] NotChallengeable),
    /// The checks find a fault in a challenge.
    #[error("the challenge does not hold, so it is dropped: {0}")]
    ChallengeFault(#[from] ChallengeFault),
    /// The challenge cannot become a run.
    #[error(transparent)]
    NotAdoptable(#[from] NotAdoptable),
    /// The outputs cannot be published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The run has fewer events.
    #[error("run {run} has {events} events, there is none with number {event}")]
    NoSuchEvent {
        /// The run.
        run: RunId,
        /// The number that was given.
        event: u64,
        /// The number of the last event.
        events: u64,
    },
    /// The worker shuts down; the lease has ended.
    #[error("run {0} is handed over: the next worker continues it")]
    HandedOver(RunId),
    /// A thread of the run panicked.
    #[error("the run broke off: {0}")]
    Panicked(String),
}

impl AppError {
    /// This event cannot be read.
    pub(crate) fn undecodable(stored: &StoredEvent, source: DecodeError) -> Self {
        Self::Decode { stream: stored.stream.clone(), version: stored.stream_version, source }
    }

    /// The run has no events, so that for a reader it does not exist.
    pub(crate) fn no_run(run: RunId) -> Self {
        StoreError::NotFound { what: "run", name: run.to_string() }.into()
    }

    /// The challenge has no events.
    pub(crate) fn no_challenge(id: ChallengeId) -> Self {
        StoreError::NotFound { what: "challenge", name: id.stream() }.into()
    }
}
