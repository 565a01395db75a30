//! The event store (specification 3.2): a commit log with positions without gaps, a hash chain per
//! stream, and a seal per append.

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use powerfill_events::log::{AppendMeta, EncodedBatch, Hash, MAX_BLOCK_EVENTS};
pub use powerfill_events::log::{Damage, LogHead, StoredEvent, Verification};
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use uuid::Uuid;

use crate::detached_block::DetachedBlock;
use crate::lease::Lease;
use crate::{StoreError, StoreResult};

/// Events that a writer asks to append to one stream: all of them, or none.
#[derive(Debug, Clone)]
pub struct Append {
    /// Identifies a retry: if the same id comes again with the same content, the store returns the
    /// receipt of the first append and writes nothing.
    pub append_id: Uuid,
    /// The name of the stream.
    pub stream: String,
    /// The version that the stream must have; 0 if it must not exist yet.
    pub expected_version: u64,
    /// Actor, time, tenant, causation, and correlation.
    pub meta: AppendMeta,
    /// At least one event.
    pub events: EncodedBatch,
    /// The lease of the worker that appends for a run. If another worker has claimed the run since,
    /// nothing is appended.
    pub lease: Option<Lease>,
}

impl Append {
    /// The run whose stream it is.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if it is not the stream of a run.
    pub fn run(&self) -> StoreResult<RunId> {
        let no_run = || StoreError::Failed(format!("stream {} is no run's", self.stream).into());
        RunId::from_stream(&self.stream).ok_or_else(no_run)
    }
}

/// The result of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendReceipt {
    /// The number of the append in commit order, from 1, without gaps.
    pub seq: u64,
    /// The version of the stream after it.
    pub stream_version: u64,
    /// The global position of its last event.
    pub position: u64,
    /// Whether the append was made before, and this call only recognized it.
    pub repeated: bool,
}

/// The most events in a batch of a reader: those of a full block, so that no block is decompressed
/// for two batches.
pub const EVENTS_PER_BATCH: usize = MAX_BLOCK_EVENTS;

/// Events in order, one batch at a time, so that no reader holds a whole stream in memory.
pub type EventBatches<'a> = BoxStream<'a, StoreResult<Vec<StoredEvent>>>;

/// Events of a stream as a store keeps them.
#[derive(Debug, Clone)]
pub enum EventPart {
    /// Events of a block, which is still compressed.
    Block(Box<DetachedBlock>),
    /// Events that are kept one by one.
    Events(Vec<StoredEvent>),
}

impl EventPart {
    /// The events.
    ///
    /// # Errors
    /// As for [`DetachedBlock::events`].
    pub fn events(self) -> StoreResult<Vec<StoredEvent>> {
        match self {
            Self::Block(block) => block.events(),
            Self::Events(events) => Ok(events),
        }
    }
}

/// Parts of a stream in order.
pub type EventParts<'a> = BoxStream<'a, StoreResult<EventPart>>;

/// The event store of one tenant.
///
/// Events are never updated or deleted. A database that can refuse such a change itself must do so
/// (SQLite and PostgreSQL have triggers for it), and [`verify`](EventStore::verify) then checks
/// that this guard is present. A store without such a guard is complete too, because the hash chain
/// and the seals show every change.
///
/// # Errors
/// Each call returns an error if the store fails; a method names the others that it has.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Appends all events or none. If the append id is known, and stream, expected version, and
    /// events are the same, the store returns the first receipt. Actor and time may differ, because
    /// a retry may come from another worker, later.
    ///
    /// The append is made even if the future is dropped after its first poll.
    ///
    /// # Errors
    /// The first of these that applies: [`StoreError::LeaseLost`] if the lease is not the newest of
    /// the run; [`StoreError::Conflict`] at another version; [`StoreError::AppendIdReused`];
    /// [`StoreError::AnotherTenant`] if it begins a stream in the store of another tenant; the
    /// store fails.
    async fn append(&self, append: Append) -> StoreResult<AppendReceipt>;

    /// The tenant of the store, which is that of its first event; `None` if it has no event.
    async fn tenant(&self) -> StoreResult<Option<TenantId>> {
        let first = self.read_all(0).try_next().await?;
        Ok(first.and_then(|batch| batch.into_iter().next()).map(|event| event.tenant_id))
    }

    /// The version of a stream; 0 if it does not exist.
    async fn stream_version(&self, stream: &str) -> StoreResult<u64>;

    /// The names of all streams, in the order of their first events.
    async fn streams(&self) -> StoreResult<Vec<String>>;

    /// Reads a stream in order, from a version (1 is the first) to its end at the time of the call.
    fn read(&self, stream: &str, from_version: u64) -> EventBatches<'_> {
        self.read_between(stream, from_version, u64::MAX)
    }

    /// As [`EventStore::read`], but only up to a version, which is included.
    fn read_between(&self, stream: &str, from_version: u64, to_version: u64) -> EventBatches<'_>;

    /// The bytes of a stream's events as they are stored; 0 if they are archived. `None` if the
    /// store cannot say.
    async fn stored_bytes(&self, stream: &str) -> StoreResult<Option<u64>> {
        let _ = stream;
        Ok(None)
    }

    /// Reads the given versions of a stream, which must be in ascending order. Versions beyond the
    /// end of the stream at the time of the call are left out.
    fn read_versions(&self, stream: &str, versions: Vec<u64>) -> EventBatches<'_>;

    /// Reads the events of some types of a stream in order, from a version to the end of the stream
    /// at the time of the call. A store can skip blocks without such events.
    fn read_types(&self, stream: &str, from_version: u64, types: Vec<String>) -> EventBatches<'_> {
        let wanted = self.read(stream, from_version).map_ok(move |mut batch| {
            batch.retain(|event| types.contains(&event.event_type));
            batch
        });
        wanted.try_filter(|batch| std::future::ready(!batch.is_empty())).boxed()
    }

    /// As [`EventStore::read_between`] or, with types, as [`EventStore::read_types`]; a store with
    /// blocks leaves decompressing and checking them to the reader, who can do it on many threads.
    fn read_parts(
        &self,
        stream: &str,
        from_version: u64,
        to_version: u64,
        types: Option<Vec<String>>,
    ) -> EventParts<'_> {
        let batches = match types {
            None => self.read_between(stream, from_version, to_version),
            Some(types) => self.read_types(stream, from_version, types),
        };
        let within = move |mut batch: Vec<StoredEvent>| {
            batch.retain(|event| event.stream_version <= to_version);
            EventPart::Events(batch)
        };
        batches.map_ok(within).boxed()
    }

    /// Reads all streams in the order of positions, after a position (0: from the first event), to
    /// the end at the time of the call. An event is visible only after all events with smaller
    /// positions are.
    fn read_all(&self, after_position: u64) -> EventBatches<'_>;

    /// As [`EventStore::read_all`], and then continues with new events as they are appended, also
    /// by other processes. It does not end. A slow reader delays no writer and costs one batch of
    /// memory.
    fn subscribe(&self, after_position: u64) -> EventBatches<'static>;

    /// The end of the log.
    async fn head(&self) -> StoreResult<LogHead>;

    /// The stored seal of an append; `None` if the log has no append with this number. Compared
    /// with a copy that was kept elsewhere, it shows whether the end of the log was removed or
    /// rewritten; [`EventStore::verify`] shows whether the seals match the rows.
    async fn seal_at(&self, seq: u64) -> StoreResult<Option<Hash>>;

    /// Moves the next events of a store of 0.1.0, which are a row each, into blocks: in one
    /// transaction, which checks their hashes and the seals of their appends. An interrupted
    /// migration can therefore continue with the next call. Returns the position up to which events
    /// are in blocks; `None` if no event is a row.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] at the first damage, and the damaged append does not change; or the
    /// store fails.
    async fn move_rows_into_blocks(&self) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    /// Verifies one stream, or everything: events, appends with their seals, captured snapshots,
    /// and the guards of the database against changes, if it has any. Names the first thing that
    /// does not match, is missing, or was reordered.
    ///
    /// # Errors
    /// The store fails. Damage is a result, not an error.
    async fn verify(&self, stream: Option<&str>) -> StoreResult<Verification>;
}
