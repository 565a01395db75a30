//! A run's events, read from the store and decoded.

use futures::TryStreamExt;
use futures::stream::{BoxStream, StreamExt};
use powerfill_events::run::event::RunRequested;
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_ports::Store;
use powerfill_ports::events::{EventBatches, EventStore, StoredEvent};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::spawn_blocking;

use crate::AppError;
use crate::run::panicked;

/// An event as it is stored, together with its content in the present schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedEvent {
    /// The event as it is stored.
    pub stored: StoredEvent,
    /// Its content.
    pub event: RunEvent,
}

impl TryFrom<StoredEvent> for DecodedEvent {
    type Error = AppError;

    fn try_from(stored: StoredEvent) -> Result<Self, AppError> {
        match RunEvent::decode_stored(&stored) {
            Ok(event) => Ok(Self { stored, event }),
            Err(source) => Err(AppError::undecodable(&stored, source)),
        }
    }
}

impl DecodedEvent {
    /// The event as projections take it.
    pub const fn recorded(&self, run_id: RunId) -> RecordedEvent<'_> {
        RecordedEvent {
            run_id,
            stream_version: self.stored.stream_version,
            recorded_at: self.stored.recorded_at,
            actor: self.stored.actor.as_str(),
            event: &self.event,
        }
    }
}

/// Decoded events in order, in batches.
pub type DecodedBatches<'a> = BoxStream<'a, Result<Vec<DecodedEvent>, AppError>>;

/// The events of a run.
pub fn read_run(store: &dyn EventStore, run: RunId) -> DecodedBatches<'_> {
    read_versions(store, run, 1, u64::MAX)
}

/// The events of a run from one version to another, both included.
pub fn read_versions(store: &dyn EventStore, run: RunId, from: u64, to: u64) -> DecodedBatches<'_> {
    decode_batches(store.read_between(&run.stream(), from, to))
}

/// Batches that are being read or decoded while another one is used.
const BATCHES_AHEAD: usize = 2;

/// Decodes events as they are read. A runtime with several threads reads and decodes the next
/// batches on other threads meanwhile.
pub(crate) fn decode_batches(batches: EventBatches<'_>) -> DecodedBatches<'_> {
    let has_threads = Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if !has_threads {
        return batches.map_err(AppError::from).and_then(async |batch| decode(batch)).boxed();
    }
    let decoding = |batch| async move {
        let decoded = spawn_blocking(move || decode(batch)).await;
        decoded.map_err(|panic| panicked(&panic))?
    };
    batches.map_err(AppError::from).map_ok(decoding).try_buffered(BATCHES_AHEAD).boxed()
}

/// One event of a run; `None` if the run is shorter.
pub(crate) async fn read_event(
    store: &dyn EventStore,
    run: RunId,
    version: u64,
) -> Result<Option<DecodedEvent>, AppError> {
    let batch = read_versions(store, run, version, version).try_next().await?;
    Ok(batch.and_then(|batch| batch.into_iter().next()))
}

/// The request of a run, and the canonical form of its captured snapshot.
///
/// # Errors
/// [`NotFound`](powerfill_ports::StoreError::NotFound) if the run has no events; the request or the
/// snapshot cannot be read; the store fails.
pub async fn run_input(
    store: &dyn Store,
    run: RunId,
) -> Result<(Box<RunRequested>, Vec<u8>), AppError> {
    let first = read_event(store, run, 1).await?.map(|first| first.event);
    let Some(RunEvent::RunRequested(requested)) = first else { return Err(AppError::no_run(run)) };
    let canonical = store.captured(&requested.snapshot_digest).await?;
    Ok((requested, canonical))
}

fn decode(batch: Vec<StoredEvent>) -> Result<Vec<DecodedEvent>, AppError> {
    batch.into_iter().map(DecodedEvent::try_from).collect()
}

/// Calls `each` with every event of a run that is read, in order.
///
/// # Errors
/// [`NotFound`](powerfill_ports::StoreError::NotFound) if there is no event; an event cannot be
/// read; the store fails.
pub async fn for_each_event(
    run: RunId,
    mut batches: DecodedBatches<'_>,
    mut each: impl FnMut(&RecordedEvent<'_>) + Send,
) -> Result<(), AppError> {
    let mut has_events = false;
    while let Some(batch) = batches.try_next().await? {
        has_events = true;
        batch.iter().for_each(|event| each(&event.recorded(run)));
    }
    if has_events { Ok(()) } else { Err(AppError::no_run(run)) }
}
