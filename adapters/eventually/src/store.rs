//! The public face of an event store (specification 3.2): the traits of `eventually`, over any
//! [`EventStore`](powerfill_ports::events::EventStore), so that code written to them plugs in.
//!
//! It is that of runs: the events of the configuration are left out where all are read.
//!
//! Their positions have 32 bits, ours 64: a larger one is an error here, never cut.

use std::sync::Arc;

use ::eventually::store::{
    AppendError, EventStore as PublicStore, EventStream, Expected, Persisted, Select,
};
use ::eventually::subscription::{EventStream as LiveStream, EventSubscriber};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use powerfill_events::config;

use powerfill_events::run::{AppendMeta, DecodeError, EncodedBatch, EventType, RunEvent, RunId};
use uuid::Uuid;

use powerfill_ports::StoreError;
use powerfill_ports::events::{Append, EventBatches, EventStore, StoredEvent};

/// What the traits of `eventually` do not carry: the append's id, and who appends when. Asked once
/// an append, so that neither a clock nor a random number hides in here.
pub type Envelope = dyn Fn(RunId) -> (Uuid, AppendMeta) + Send + Sync;

/// An event store as `eventually` sees it: events of runs, by run id.
pub struct EventuallyStore<S: ?Sized> {
    store: Arc<S>,
    envelope: Arc<Envelope>,
}

/// What an [`EventuallyStore`] answers when it cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EventuallyError {
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored event cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The traits count in 32 bits.
    #[error(
        "{what} {number} is beyond the 32 bits of eventually's traits; use the native event store"
    )]
    BeyondU32 {
        /// What was counted.
        what: &'static str,
        /// How far.
        number: u64,
    },
    /// A stream that is not a run's.
    #[error("stream {0} is not the stream of a run")]
    NotARun(String),
    /// An audited stream is never deleted.
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
    /// Over a store, with what the traits do not carry.
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
                // Whoever expects any version does not mind that another writer was faster.
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

fn persisted(event: &StoredEvent) -> Result<Persisted<RunId, RunEvent>, EventuallyError> {
    let run = RunId::of_stream(&event.stream)
        .ok_or_else(|| EventuallyError::NotARun(event.stream.clone()))?;
    let version = narrow("stream version", event.stream_version)?;
    let position = narrow("global position", event.global_position)?;
    let event_type = EventType::from_name(&event.event_type)?;
    let decoded = RunEvent::decode(event_type, event.schema_version, &event.payload)?;
    Ok(Persisted::from(run, decoded).version(version).sequence_number(position))
}

/// The events of runs among them: those of the configuration are another aggregate's.
fn one_by_one(batches: EventBatches<'_>) -> RunEvents<'_> {
    let of_a_run = |event: &StoredEvent| event.stream != config::STREAM;
    batches
        .map_err(EventuallyError::from)
        .map_ok(move |batch| {
            let of_runs: Vec<StoredEvent> = batch.into_iter().filter(of_a_run).collect();
            stream::iter(of_runs).map(|event| persisted(&event))
        })
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
        let events = one_by_one(self.store.read(&source_id.stream(), from));
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
        let events = one_by_one(self.store.read_all(after));
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

    /// Events from now on. For catch-up and live in one, without doubles, use
    /// [`EventStore::subscribe`](powerfill_ports::events::EventStore::subscribe).
    fn subscribe_all(&self) -> BoxFuture<'_, Result<LiveStream<'_, Self>, EventuallyError>> {
        Box::pin(async move {
            let now = self.store.head().await?.position;
            Ok(one_by_one(self.store.subscribe(now)))
        })
    }
}
