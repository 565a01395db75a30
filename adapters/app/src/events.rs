//! A run's events, read from the store and decoded.

use std::future::ready;
use std::sync::Arc;

use futures::TryStreamExt;
use futures::stream::{BoxStream, StreamExt};
use powerfill_events::log::BlockEvent;
use powerfill_events::run::event::RunRequested;
use powerfill_events::run::{EventType, RecordedEvent, RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_ports::Store;
use powerfill_ports::detached_block::HashCheck;
use powerfill_ports::events::{EventPart, EventParts, EventStore, StoredEvent};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::spawn_blocking;

use crate::run::panicked;
use crate::{AppError, AppResult};

/// An event of a run, with its content in the present schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedEvent {
    /// Its version in the stream of the run.
    pub stream_version: u64,
    /// When it was appended.
    pub recorded_at: Timestamp,
    /// The user or program that caused it.
    pub actor: Arc<str>,
    /// Its content.
    pub event: RunEvent,
}

impl TryFrom<StoredEvent> for DecodedEvent {
    type Error = AppError;

    fn try_from(stored: StoredEvent) -> AppResult<Self> {
        let event = RunEvent::decode_stored(&stored)
            .map_err(|source| AppError::undecodable(&stored, source))?;
        let StoredEvent { stream_version, recorded_at, actor, .. } = stored;
        Ok(Self { stream_version, recorded_at, actor: actor.into(), event })
    }
}

impl DecodedEvent {
    /// The event as projections take it.
    pub fn recorded(&self, run_id: RunId) -> RecordedEvent<'_> {
        RecordedEvent {
            run_id,
            stream_version: self.stream_version,
            recorded_at: self.recorded_at,
            actor: &self.actor,
            event: &self.event,
        }
    }
}

/// Decoded events in order, in batches.
pub type DecodedBatches<'a> = BoxStream<'a, AppResult<Vec<DecodedEvent>>>;

/// The events of a run.
pub fn read_run(store: &dyn EventStore, run: RunId) -> DecodedBatches<'_> {
    read_versions(store, run, 1, u64::MAX)
}

/// The events of a run from one version to another, both included.
pub fn read_versions(store: &dyn EventStore, run: RunId, from: u64, to: u64) -> DecodedBatches<'_> {
    read_checked(store, run, from, to, HashCheck::OnRead)
}

/// As [`read_versions`]; the hashes can be checked elsewhere.
pub(crate) fn read_checked(
    store: &dyn EventStore,
    run: RunId,
    from: u64,
    to: u64,
    hashes: HashCheck,
) -> DecodedBatches<'_> {
    decode_parts(store.read_parts(&run.stream(), from, to, None), hashes)
}

/// The events of some types of a run, from a version on.
pub(crate) fn read_types(
    store: &dyn EventStore,
    run: RunId,
    from: u64,
    types: Vec<String>,
) -> DecodedBatches<'_> {
    let parts = store.read_parts(&run.stream(), from, u64::MAX, Some(types));
    decode_parts(parts, HashCheck::OnRead)
}

/// Chosen events of a run.
pub(crate) fn read_chosen(
    store: &dyn EventStore,
    run: RunId,
    versions: Vec<u64>,
) -> DecodedBatches<'_> {
    let batches = store.read_versions(&run.stream(), versions);
    decode_parts(batches.map_ok(EventPart::Events).boxed(), HashCheck::OnRead)
}

/// Batches that are being decoded while another one is used.
const BATCHES_AHEAD: usize = 3;

/// Decodes events as they are read. A runtime with several threads reads, checks, and decodes the
/// next parts on other threads meanwhile.
fn decode_parts(parts: EventParts<'_>, hashes: HashCheck) -> DecodedBatches<'_> {
    let parts = parts.map_err(AppError::from);
    let has_threads = Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if !has_threads {
        return parts.and_then(move |part| ready(decode(part, hashes))).boxed();
    }
    let decoding = move |part| async move {
        let decoded = spawn_blocking(move || decode(part, hashes)).await;
        decoded.map_err(|panic| panicked(&panic))?
    };
    parts.map_ok(decoding).try_buffered(BATCHES_AHEAD).boxed()
}

/// One event of a run as it is stored; `None` if the run is shorter.
pub(crate) async fn read_stored(
    store: &dyn EventStore,
    run: RunId,
    version: u64,
) -> AppResult<Option<StoredEvent>> {
    let batch = store.read_between(&run.stream(), version, version).try_next().await?;
    Ok(batch.and_then(|batch| batch.into_iter().next()))
}

/// One event of a run; `None` if the run is shorter.
pub(crate) async fn read_event(
    store: &dyn EventStore,
    run: RunId,
    version: u64,
) -> AppResult<Option<DecodedEvent>> {
    read_stored(store, run, version).await?.map(DecodedEvent::try_from).transpose()
}

/// The request of a run, and the canonical form of its captured snapshot.
///
/// # Errors
/// [`NotFound`](powerfill_ports::StoreError::NotFound) if the run has no events; the request or the
/// snapshot cannot be read; the store fails.
pub async fn run_input(store: &dyn Store, run: RunId) -> AppResult<(Box<RunRequested>, Vec<u8>)> {
    let first = read_event(store, run, 1).await?.map(|first| first.event);
    let Some(RunEvent::RunRequested(requested)) = first else { return Err(AppError::no_run(run)) };
    let canonical = store.captured(&requested.snapshot_digest).await?;
    Ok((requested, canonical))
}

fn decode(part: EventPart, hashes: HashCheck) -> AppResult<Vec<DecodedEvent>> {
    let block = match part {
        EventPart::Events(events) => {
            return events.into_iter().map(DecodedEvent::try_from).collect();
        }
        EventPart::Block(block) => block,
    };
    let meta = &block.record().meta;
    let actor: Arc<str> = meta.actor.as_str().into();
    block.decode(hashes, |stream_version, written| {
        let BlockEvent { event_type, schema_version, payload } = written;
        let decoded = EventType::from_name(event_type)
            .and_then(|event_type| RunEvent::decode(event_type, schema_version, payload));
        let event = decoded.map_err(|source| AppError::Decode {
            stream: block.stream().to_owned(),
            version: stream_version,
            source,
        })?;
        let (recorded_at, actor) = (meta.recorded_at, Arc::clone(&actor));
        Ok(DecodedEvent { stream_version, recorded_at, actor, event })
    })
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
) -> AppResult<()> {
    let mut has_events = false;
    while let Some(batch) = batches.try_next().await? {
        has_events = true;
        batch.iter().for_each(|event| each(&event.recorded(run)));
    }
    if has_events { Ok(()) } else { Err(AppError::no_run(run)) }
}
