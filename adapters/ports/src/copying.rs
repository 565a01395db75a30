//! The additional calls that copying a whole store, and verifying a part of one, need.

use async_trait::async_trait;
use powerfill_events::log::{AppendRecord, Hash};

use crate::events::LogHead;
use crate::runs::QueuedRun;
use crate::{Store, StoreError, StoreResult};

/// An append of the log with its seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAppend {
    /// The row of the append.
    pub record: AppendRecord,
    /// The name of its stream.
    pub stream: String,
    /// Its seal.
    pub seal: Hash,
}

/// The most appends that [`CopyStore::appends_after`] returns.
pub const APPENDS_PER_BATCH: usize = 500;

/// A store that can be copied, copied into, and verified in parts.
///
/// # Errors
/// Each call returns an error if the store fails; a method names the others that it has.
#[async_trait]
pub trait CopyStore: Store {
    /// The next appends after a number, in commit order, at most [`APPENDS_PER_BATCH`].
    async fn appends_after(&self, seq: u64) -> StoreResult<Vec<StoredAppend>>;

    /// The digests of all captured snapshots, in ascending order.
    async fn snapshot_digests(&self) -> StoreResult<Vec<String>>;

    /// The end of the log at the last verification that [`CopyStore::set_verified_log`] recorded.
    /// It is not part of the log, and who can write the store can write it too.
    async fn verified_log(&self) -> StoreResult<Option<LogHead>>;

    /// Records that the log was verified up to here.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`]; the store fails.
    async fn set_verified_log(&self, head: LogHead) -> StoreResult<()>;

    /// Adds a run that is over to the queue, unless the queue has it.
    ///
    /// # Errors
    /// [`StoreError::RunActive`] if it is not over; the store fails.
    async fn put_ended_run(&self, run: QueuedRun) -> StoreResult<()>;
}

/// Refuses a run that is not over.
///
/// # Errors
/// [`StoreError::RunActive`].
pub fn ensure_run_ended(run: &QueuedRun) -> StoreResult<()> {
    if run.status.is_over() { Ok(()) } else { Err(StoreError::RunActive(run.run_id)) }
}
