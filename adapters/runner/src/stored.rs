//! Reading a run's stored events back.

use futures::TryStreamExt;
use futures::stream::{BoxStream, StreamExt};
use powerfill_domain::run::codec::decode;
use powerfill_domain::run::{EventType, RunEvent, RunId};
use powerfill_ports::events::{EventStore, StoredEvent};

use crate::RunnerError;

/// Reads a stored event in whatever version it was written.
///
/// # Errors
/// [`RunnerError::Decode`], which names the run and the version.
pub fn decoded(stored: &StoredEvent) -> Result<RunEvent, RunnerError> {
    let event = EventType::from_name(&stored.event_type)
        .and_then(|event_type| decode(event_type, stored.schema_version, &stored.payload));
    event.map_err(|source| RunnerError::Decode {
        run: RunId::of_stream(&stored.stream).unwrap_or_default(),
        version: stored.stream_version,
        source,
    })
}

/// The events of a run in order, decoded, a batch at a time.
pub fn read_run<S: EventStore + ?Sized>(
    store: &S,
    run: RunId,
) -> BoxStream<'_, Result<Vec<(StoredEvent, RunEvent)>, RunnerError>> {
    store.read(&run.stream(), 1).map_err(RunnerError::from).and_then(decode_all).boxed()
}

/// Decodes a batch.
pub(crate) async fn decode_all(
    batch: Vec<StoredEvent>,
) -> Result<Vec<(StoredEvent, RunEvent)>, RunnerError> {
    let decode = |stored: StoredEvent| decoded(&stored).map(|event| (stored, event));
    batch.into_iter().map(decode).collect()
}
