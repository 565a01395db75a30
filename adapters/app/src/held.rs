//! What the stream of a run holds when a worker takes the run up.

use futures::TryStreamExt;
use powerfill_events::run::{EncodedBatch, EventType, RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_ports::events::StoredEvent;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::status::RunStatus;

/// What the stream holds.
#[derive(Default)]
pub(crate) struct Held {
    /// The first event, which is the request.
    pub(crate) first: Option<StoredEvent>,
    /// All events, the first included.
    pub(crate) events: Vec<HeldEvent>,
    /// How the run ended, where its last event says so.
    pub(crate) ended: Option<RunStatus>,
}

/// An event that the stream holds: its type, the hash of its payload in the present version, and its envelope's part that tables show.
pub(crate) struct HeldEvent {
    /// `None` for one that this build does not know.
    pub(crate) event_type: Option<EventType>,
    pub(crate) payload: blake3::Hash,
    pub(crate) recorded_at: Timestamp,
    pub(crate) actor: String,
}

/// Reads what the stream of a run holds.
pub(crate) async fn held<S: Store + ?Sized>(store: &S, run: RunId) -> Result<Held, StoreError> {
    let mut held = Held::default();
    let stream = run.stream();
    let mut batches = store.read(&stream, 1);
    while let Some(batch) = batches.try_next().await? {
        for stored in batch {
            let event_type = EventType::from_name(&stored.event_type).ok();
            held.ended = event_type.and_then(status_at_the_end);
            let payload = in_the_present_version(event_type, &stored);
            let (recorded_at, actor) = (stored.recorded_at, stored.actor.clone());
            held.events.push(HeldEvent { event_type, payload, recorded_at, actor });
            held.first.get_or_insert(stored);
        }
    }
    Ok(held)
}

/// The hash of an event's payload as this build writes it: one of an older version is written anew.
fn in_the_present_version(event_type: Option<EventType>, stored: &StoredEvent) -> blake3::Hash {
    let older = event_type.filter(|of| stored.schema_version != of.schema_version());
    let event =
        older.and_then(|of| RunEvent::decode(of, stored.schema_version, &stored.payload).ok());
    let written = event.map(|event| EncodedBatch::encode([&event]));
    let present = written.as_ref().and_then(|batch| batch.iter().next());
    blake3::hash(present.map_or(&stored.payload, |(_, payload)| payload))
}

/// The two ends of a stream, which is read no further for them.
pub(crate) struct Ends {
    /// How many events there are.
    pub(crate) version: u64,
    /// The first event, which is the request.
    pub(crate) first: Option<StoredEvent>,
    /// How the run ended, where its last event says so.
    pub(crate) ended: Option<RunStatus>,
}

/// Reads the two ends of the stream of a run.
pub(crate) async fn ends<S: Store + ?Sized>(store: &S, run: RunId) -> Result<Ends, StoreError> {
    let stream = run.stream();
    let version = store.stream_version(&stream).await?;
    let (mut first, mut last) = (None, None);
    for (at, event) in [(1, &mut first), (version.max(1), &mut last)] {
        let batch = store.read_between(&stream, at, at).try_next().await?;
        *event = batch.and_then(|batch| batch.into_iter().next());
    }
    let last = last.and_then(|last| EventType::from_name(&last.event_type).ok());
    Ok(Ends { version, first, ended: last.and_then(status_at_the_end) })
}

/// The status of a run whose last event has this type, where no other may follow.
fn status_at_the_end(event_type: EventType) -> Option<RunStatus> {
    let ends = [
        (EventType::RunCompleted, RunStatus::Complete),
        (EventType::RunFailed, RunStatus::Failed),
        (EventType::RunCancelled, RunStatus::Cancelled),
    ];
    ends.into_iter().find(|(last, _)| *last == event_type).map(|(_, status)| status)
}
