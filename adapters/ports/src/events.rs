//! The event store (specification 3.2): a commit log with dense positions, a hash chain a stream, a
//! seal an append.

use async_trait::async_trait;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use powerfill_events::run::envelope::Hash;
use powerfill_events::run::{AppendMeta, EncodedBatch, RunId};
use powerfill_events::values::{TenantId, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::runs::Lease;

/// A command to append: all of it, or nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// Makes a retry recognisable: the same id with the same content is answered as done, not
    /// doubled.
    pub append_id: Uuid,
    /// The stream.
    pub stream: String,
    /// The version that the stream must be at; 0 where it must not exist yet.
    pub expected_version: u64,
    /// Actor, time, tenant, causation, correlation.
    pub meta: AppendMeta,
    /// What is appended; at least one event.
    pub events: EncodedBatch,
    /// What a worker appends for a run by: with a lease that another worker has taken over, nothing
    /// is appended.
    pub lease: Option<Lease>,
}

impl Append {
    /// The run whose stream it is.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where the stream is no run's.
    pub fn run(&self) -> Result<RunId, StoreError> {
        let no_run = || StoreError::Failed(format!("stream {} is no run's", self.stream));
        RunId::of_stream(&self.stream).ok_or_else(no_run)
    }
}

/// What an append came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendReceipt {
    /// Its number in commit order, dense, from 1.
    pub seq: u64,
    /// The version of the stream after it.
    pub stream_version: u64,
    /// The global position of its last event, dense, from 1.
    pub position: u64,
    /// Whether it was done before and only recognised now.
    pub repeated: bool,
}

/// A stored event with its whole envelope (3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its stream.
    pub stream: String,
    /// Its version in the stream, from 1.
    pub stream_version: u64,
    /// Its place in the order of all events, dense, from 1.
    pub global_position: u64,
    /// The type's name, as stored.
    pub event_type: String,
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// JSON, byte for byte as it was hashed.
    pub payload: Vec<u8>,
    /// The tenant.
    pub tenant_id: TenantId,
    /// Who caused it.
    pub actor: String,
    /// When it was appended.
    pub recorded_at: Timestamp,
    /// The command or event that led to it.
    pub causation_id: Option<Uuid>,
    /// What belongs together.
    pub correlation_id: Option<Uuid>,
    /// The hash of the event before it in its stream, or of the stream's name.
    pub prev_hash: Hash,
    /// Its own.
    pub hash: Hash,
}

/// The most events in a batch of a reader: large enough that a query costs nothing, small enough to
/// hold many.
pub const EVENTS_PER_BATCH: usize = 2_000;

/// Events in order, a batch at a time, so that no reader holds a whole stream.
pub type EventBatches<'a> = BoxStream<'a, Result<Vec<StoredEvent>, StoreError>>;

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// Number of the last append.
    pub seq: u64,
    /// Position of the last event.
    pub position: u64,
    /// BLAKE3 over the seal before and the last append's row; kept elsewhere, it shows a tail that
    /// was cut off.
    pub seal: Hash,
}

/// The first thing that verification found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The stream, where it is one stream's.
    pub stream: Option<String>,
    /// The version in the stream, where it is one event's.
    pub stream_version: Option<u64>,
    /// The append, where it is one append's.
    pub seq: Option<u64>,
    /// What does not match, is missing, or was reordered.
    pub what: String,
}

/// What verification looked at, and what it found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Streams walked.
    pub streams: u64,
    /// Events hashed again.
    pub events: u64,
    /// Appends whose seal was computed again.
    pub appends: u64,
    /// Snapshots whose digest was computed again.
    pub snapshots: u64,
    /// The first damage, where there is any.
    pub damage: Option<Damage>,
}

/// The event store of one tenant.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Appends all events or none. An append id that is known is answered as done where stream,
    /// expected version and events are the same; actor and time may differ, since a retry may come
    /// from another worker, later.
    ///
    /// The append is made even where the future is dropped after its first poll.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], before all others, where the append's lease is not the run's;
    /// then [`StoreError::Conflict`] at another version; [`StoreError::AppendIdReused`];
    /// [`StoreError::AnotherTenant`] where it would begin a stream in a store that is not its
    /// tenant's; or the store fails.
    async fn append(&self, append: Append) -> Result<AppendReceipt, StoreError>;

    /// Whose events are here: a store is one tenant's, that of its first event. `None` where there
    /// is none yet.
    ///
    /// # Errors
    /// Where the store fails.
    async fn tenant(&self) -> Result<Option<TenantId>, StoreError> {
        let first = self.read_all(0).try_next().await?;
        Ok(first.and_then(|batch| batch.into_iter().next()).map(|event| event.tenant_id))
    }

    /// The version of a stream; 0 where it does not exist.
    ///
    /// # Errors
    /// Where the store fails.
    async fn stream_version(&self, stream: &str) -> Result<u64, StoreError>;

    /// The names of all streams, in the order in which they began.
    ///
    /// # Errors
    /// Where the store fails.
    async fn streams(&self) -> Result<Vec<String>, StoreError>;

    /// Reads a stream in order, from a version on (1 is the first), up to its end at the time of
    /// the call.
    fn read(&self, stream: &str, from_version: u64) -> EventBatches<'_> {
        self.read_between(stream, from_version, u64::MAX)
    }

    /// As [`EventStore::read`], but no further than a version, which is included.
    fn read_between(&self, stream: &str, from_version: u64, to_version: u64) -> EventBatches<'_>;

    /// Reads chosen versions of a stream, in the order of the versions, which must rise. The end of
    /// the answer is the end of the stream at the time of the call: versions beyond it are left
    /// out.
    fn read_versions(&self, stream: &str, versions: Vec<u64>) -> EventBatches<'_>;

    /// Reads all streams in global order, after a position (0: from the first), up to the end at
    /// the time of the call. No event is shown before another that will get a smaller position.
    fn read_all(&self, after_position: u64) -> EventBatches<'_>;

    /// As [`EventStore::read_all`], and then goes on with new events as they come, also those of
    /// other processes. Does not end by itself. A slow reader holds nothing back and costs one
    /// batch of memory.
    fn subscribe(&self, after_position: u64) -> EventBatches<'static>;

    /// The end of the log.
    ///
    /// # Errors
    /// Where the store fails.
    async fn head(&self) -> Result<LogHead, StoreError>;

    /// The stored seal of an append; `None` where the log does not reach it. A seal that was kept
    /// elsewhere and is not found here, or not the same, shows a tail that was cut off or written
    /// again; [`EventStore::verify`] shows that the seals here are those of the rows.
    ///
    /// # Errors
    /// Where the store fails.
    async fn seal_at(&self, seq: u64) -> Result<Option<Hash>, StoreError>;

    /// Walks one stream, or everything (events, appends with their seals, captured snapshots, the
    /// database's guards against editing), and names the first thing that does not match, is
    /// missing, or was reordered.
    ///
    /// # Errors
    /// Where the store fails; damage is an answer, not an error.
    async fn verify(&self, stream: Option<&str>) -> Result<Verification, StoreError>;
}
