//! The events that a run's stream has when a worker takes the run up.

use std::time::Duration;

use futures::TryStreamExt;
use powerfill_events::log::EncodedBatch;
use powerfill_events::run::{EventType, RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_ports::events::{EventStore, StoredEvent};
use powerfill_ports::runs::QueuedRun;
use powerfill_ports::{Store, StoreResult};
use powerfill_tables::status::RunStatus;
use tokio::time::{Instant, sleep};

use crate::AppResult;
use crate::events::read_event;

/// A stream as a worker compares it with its own decisions.
#[derive(Default)]
pub(crate) struct StreamHistory {
    /// The first event, which is the request.
    pub(crate) first: Option<StoredEvent>,
    /// All events, from the first one.
    pub(crate) events: Vec<HistoryEvent>,
    /// The status at the end of the run; `None` if no event ends it.
    pub(crate) ended: Option<RunStatus>,
}

/// A stored event: what is compared, and what the output tables show of its envelope.
pub(crate) struct HistoryEvent {
    /// `None` for a type that this build does not know.
    pub(crate) event_type: Option<EventType>,
    /// The hash of the payload in the present schema.
    pub(crate) payload: blake3::Hash,
    pub(crate) recorded_at: Timestamp,
    pub(crate) actor: String,
}

/// Reads the stream of a run.
pub(crate) async fn read_history(store: &dyn Store, run: RunId) -> StoreResult<StreamHistory> {
    let mut history = StreamHistory::default();
    let mut batches = store.read(&run.stream(), 1);
    while let Some(batch) = batches.try_next().await? {
        for stored in batch {
            let event_type = EventType::from_name(&stored.event_type).ok();
            history.ended = history.ended.or(event_type.and_then(status_at_end));
            let payload = present_hash(event_type, &stored);
            let (recorded_at, actor) = (stored.recorded_at, stored.actor.clone());
            history.events.push(HistoryEvent { event_type, payload, recorded_at, actor });
            history.first.get_or_insert(stored);
        }
    }
    Ok(history)
}

/// The hash of an event's payload as this build writes it: an older schema is converted first.
fn present_hash(event_type: Option<EventType>, stored: &StoredEvent) -> blake3::Hash {
    let older = event_type.filter(|known| stored.schema_version != known.schema_version());
    let event = older.and_then(|event_type| {
        RunEvent::decode(event_type, stored.schema_version, &stored.payload).ok()
    });
    let encoded = event.map(|event| EncodedBatch::encode([&event]));
    let present = encoded.as_ref().and_then(|batch| batch.iter().next());
    blake3::hash(present.map_or(&stored.payload, |(_, payload)| payload))
}

/// A run of the queue with the status by its last event. The queue learns a status only after the
/// event is stored, and that of a Complete run only after its tables are shown.
///
/// # Errors
/// The event cannot be read; the store fails.
pub async fn with_logged_status(store: &dyn Store, queued: QueuedRun) -> AppResult<QueuedRun> {
    if queued.status.is_over() {
        return Ok(queued);
    }
    let run = queued.run_id;
    let version = store.stream_version(&run.stream()).await?;
    let last = read_event(store, run, version.max(1)).await?;
    let status = last.map_or(queued.status, |last| RunStatus::reached_with(&last.event));
    Ok(QueuedRun { status, ..queued })
}

/// The time in which a worker shows the tables of a run after its last event.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(20);

const SETTLE_POLL: Duration = Duration::from_millis(25);

/// The active run. A run whose last event is in the log is over for those who read the log: this
/// waits, at most 20 s, until the queue knows it, too.
///
/// # Errors
/// An event cannot be read; the store fails.
pub async fn active_run_settled(store: &dyn Store) -> AppResult<Option<RunId>> {
    let until = Instant::now() + SETTLE_TIMEOUT;
    loop {
        let Some(active) = store.active_run().await? else { return Ok(None) };
        let active = with_logged_status(store, active).await?;
        if !active.status.is_over() || Instant::now() >= until {
            return Ok(Some(active.run_id));
        }
        sleep(SETTLE_POLL).await;
    }
}

/// The first and the last event of a stream, without those in between.
pub(crate) struct StreamEnds {
    /// The number of events.
    pub(crate) version: u64,
    /// The first event, which is the request.
    pub(crate) first: Option<StoredEvent>,
    /// The status at the end of the run; `None` if the last event does not end it.
    pub(crate) ended: Option<RunStatus>,
}

pub(crate) async fn read_ends(store: &dyn Store, run: RunId) -> StoreResult<StreamEnds> {
    let version = store.stream_version(&run.stream()).await?;
    let first = event_at(store, run, 1).await?;
    let last = event_at(store, run, version.max(1)).await?;
    let last = last.and_then(|last| EventType::from_name(&last.event_type).ok());
    Ok(StreamEnds { version, first, ended: last.and_then(status_at_end) })
}

async fn event_at(
    store: &dyn EventStore,
    run: RunId,
    version: u64,
) -> StoreResult<Option<StoredEvent>> {
    let batch = store.read_between(&run.stream(), version, version).try_next().await?;
    Ok(batch.and_then(|batch| batch.into_iter().next()))
}

/// The status of a run that ends with an event of this type.
fn status_at_end(event_type: EventType) -> Option<RunStatus> {
    match event_type {
        EventType::RunCompleted => Some(RunStatus::Complete),
        EventType::RunFailed => Some(RunStatus::Failed),
        EventType::RunCancelled => Some(RunStatus::Cancelled),
        other => {
            debug_assert!(!other.is_terminal(), "{other:?} ends a run with a status of its own");
            None
        }
    }
}
