//! The event store traits of `eventually` over any
//! [`EventStore`](powerfill_ports::events::EventStore) (specification 3.2). They show the events of
//! runs and leave out those of the configuration.
//!
//! The traits count versions and positions in 32 bits, PowerFill in 64. A larger number is an
//! error.

use std::sync::Arc;

use ::eventually::store::{
    AppendError, EventStore as PublicStore, EventStream, Expected, Persisted, Select,
};
use ::eventually::subscription::{EventStream as LiveStream, EventSubscriber};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use powerfill_events::log::{AppendMeta, DecodeError, EncodedBatch};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::stream::Stream;
use powerfill_ports::StoreError;
use powerfill_ports::events::{Append, EventBatches, EventStore, StoredEvent};
use uuid::Uuid;

/// Supplies what the traits of `eventually` do not carry: the append's id, actor, and time. It is
/// called once per append, so that this crate needs no clock and no random numbers.
pub type Envelope = dyn Fn(RunId) -> (Uuid, AppendMeta) + Send + Sync;

/// An event store of `eventually` with the events of runs, by run id.
pub struct EventuallyStore<S: ?Sized> {
    store: Arc<S>,
    envelope: Arc<Envelope>,
}

/// Why a call of an [`EventuallyStore`] fails.
#[derive(Debug, thiserror::Error)]
pub enum EventuallyError {
    /// The store fails or refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored event cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A number that the 32 bits of the traits cannot have.
    #[error(
        "{what} {number} is beyond the 32 bits of eventually's traits; use the native event store"
    )]
    BeyondU32 {
        /// What the number counts.
        what: &'static str,
        /// The number.
        number: u64,
    },
    /// The event belongs to an unknown kind of stream.
    #[error("stream {0} is not the stream of a run")]
    NotARun(String),
    /// Events are never deleted.
    #[error("the events of run {0} are an audit trail; they cannot be removed")]
    RemoveRefused(RunId),
}

impl AppendError for EventuallyError {
    fn is_conflict_error(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict { .. }))
    }
}

impl<S: ?Sized> Clone for EventuallyStore<S> {
    fn clone(&self) -> Self {
        Self { store: Arc::clone(&self.store), envelope: Arc::clone(&self.envelope) }
    }
}

impl<S: EventStore + ?Sized> EventuallyStore<S> {
    /// Wraps a store.
    pub fn new(
        store: Arc<S>,
        envelope: impl Fn(RunId) -> (Uuid, AppendMeta) + Send + Sync + 'static,
    ) -> Self {
        Self { store, envelope: Arc::new(envelope) }
    }

    async fn append_events(
        &self,
        run: RunId,
        version: Expected,
        events: Vec<RunEvent>,
    ) -> Result<u32, EventuallyError> {
        let stream = run.stream();
        let (append_id, meta) = (self.envelope)(run);
        let batch = EncodedBatch::encode(&events);
        loop {
            let expected_version = match version {
                Expected::Exact(version) => u64::from(version),
                Expected::Any => self.store.stream_version(&stream).await?,
            };
            let after = expected_version + batch.len() as u64;
            let after = narrow("stream version", after)?;
            if batch.is_empty() {
                return Ok(after);
            }
            let append = Append {
                append_id,
                stream: stream.clone(),
                expected_version,
                meta: meta.clone(),
                events: batch.clone(),
                lease: None,
            };
            match self.store.append(append).await {
                Ok(_) => return Ok(after),
                // Another writer was faster; any version is accepted.
                Err(StoreError::Conflict { .. }) if version == Expected::Any => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn narrow(what: &'static str, number: u64) -> Result<u32, EventuallyError> {
    u32::try_from(number).map_err(|_| EventuallyError::BeyondU32 { what, number })
}

type RunEvents<'a> = BoxStream<'a, Result<Persisted<RunId, RunEvent>, EventuallyError>>;

/// The event of a run; `None` for an event of another aggregate.
fn run_event(event: &StoredEvent) -> Option<Result<Persisted<RunId, RunEvent>, EventuallyError>> {
    match Stream::from_name(&event.stream) {
        Some(Stream::Run(run)) => Some(persisted(run, event)),
        Some(Stream::Config | Stream::Retention | Stream::Annotation(_) | Stream::Challenge(_)) => {
            None
        }
        None => Some(Err(EventuallyError::NotARun(event.stream.clone()))),
    }
}

fn persisted(
    run: RunId,
    event: &StoredEvent,
) -> Result<Persisted<RunId, RunEvent>, EventuallyError> {
    let version = narrow("stream version", event.stream_version)?;
    let position = narrow("global position", event.global_position)?;
    let decoded = RunEvent::decode_stored(event)?;
    Ok(Persisted::from(run, decoded).version(version).sequence_number(position))
}

fn run_events(batches: EventBatches<'_>) -> RunEvents<'_> {
    batches
        .map_err(EventuallyError::from)
        .map_ok(|batch| stream::iter(batch.iter().filter_map(run_event).collect::<Vec<_>>()))
        .try_flatten()
        .boxed()
}

impl<S: EventStore + ?Sized + 'static> PublicStore for EventuallyStore<S> {
    type SourceId = RunId;
    type Event = RunEvent;
    type Error = EventuallyError;

    fn append(
        &mut self,
        source_id: RunId,
        version: Expected,
        events: Vec<RunEvent>,
    ) -> BoxFuture<'_, Result<u32, EventuallyError>> {
        Box::pin(self.append_events(source_id, version, events))
    }

    fn stream(
        &self,
        source_id: RunId,
        select: Select,
    ) -> BoxFuture<'_, Result<EventStream<'_, Self>, EventuallyError>> {
        let from = match select {
            Select::All => 1,
            Select::From(version) => u64::from(version).max(1),
        };
        let events = run_events(self.store.read(&source_id.stream(), from));
        Box::pin(async move { Ok(events) })
    }

    fn stream_all(
        &self,
        select: Select,
    ) -> BoxFuture<'_, Result<EventStream<'_, Self>, EventuallyError>> {
        let after = match select {
            Select::All => 0,
            Select::From(position) => u64::from(position).saturating_sub(1),
        };
        let events = run_events(self.store.read_all(after));
        Box::pin(async move { Ok(events) })
    }

    fn remove(&mut self, source_id: RunId) -> BoxFuture<'_, Result<(), EventuallyError>> {
        Box::pin(async move { Err(EventuallyError::RemoveRefused(source_id)) })
    }
}

impl<S: EventStore + ?Sized + 'static> EventSubscriber for EventuallyStore<S> {
    type SourceId = RunId;
    type Event = RunEvent;
    type Error = EventuallyError;

    /// Events that are appended after this call. To read earlier events and new ones without gaps
    /// or duplicates, use
    /// [`EventStore::subscribe`](powerfill_ports::events::EventStore::subscribe).
    fn subscribe_all(&self) -> BoxFuture<'_, Result<LiveStream<'_, Self>, EventuallyError>> {
        Box::pin(async move {
            let now = self.store.head().await?.position;
            Ok(run_events(self.store.subscribe(now)))
        })
    }
}
