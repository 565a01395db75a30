//! Reading a run's stored events back.

use futures::TryStreamExt;
use futures::stream::{BoxStream, StreamExt};
use powerfill_events::run::{EventType, RecordedEvent, RunEvent, RunId};
use powerfill_ports::events::{EventStore, StoredEvent};

use crate::RunnerError;

/// Reads a stored event in whatever version it was written.
///
/// # Errors
/// [`RunnerError::Decode`], which names the stream and the version.
pub fn decoded(stored: &StoredEvent) -> Result<RunEvent, RunnerError> {
    let event = EventType::from_name(&stored.event_type).and_then(|event_type| {
        RunEvent::decode(event_type, stored.schema_version, &stored.payload)
    });
    event.map_err(|source| RunnerError::Decode {
        stream: stored.stream.clone(),
        version: stored.stream_version,
        source,
    })
}

/// An event as stored, and what it says.
pub type Read = (StoredEvent, RunEvent);

/// The events of a run in order, decoded, a batch at a time.
pub fn read_run<S: EventStore + ?Sized>(
    store: &S,
    run: RunId,
) -> BoxStream<'_, Result<Vec<Read>, RunnerError>> {
    read_versions(store, run, 1, u64::MAX)
}

/// The events of a run from one version to another, both included, in order, decoded, a batch at a time.
pub fn read_versions<S: EventStore + ?Sized>(
    store: &S,
    run: RunId,
    from: u64,
    to: u64,
) -> BoxStream<'_, Result<Vec<Read>, RunnerError>> {
    let batches = store.read_between(&run.stream(), from, to).map_err(RunnerError::from);
    batches.and_then(decode_all).boxed()
}

/// Decodes a batch.
pub(crate) async fn decode_all(batch: Vec<StoredEvent>) -> Result<Vec<Read>, RunnerError> {
    let decode = |stored: StoredEvent| decoded(&stored).map(|event| (stored, event));
    batch.into_iter().map(decode).collect()
}

/// What projections read of it.
pub const fn recorded<'a>(run_id: RunId, (stored, event): &'a Read) -> RecordedEvent<'a> {
    RecordedEvent {
        run_id,
        stream_version: stored.stream_version,
        recorded_at: stored.recorded_at,
        actor: stored.actor.as_str(),
        event,
    }
}
