//! What copying a whole store asks of both stores, beyond what everyone else does with them: the
//! appends of the log as they were made, which snapshots there are, and the history of the queue.

use async_trait::async_trait;
use powerfill_events::run::envelope::Hash;

use crate::runs::QueuedRun;
use crate::seal::AppendRecord;
use crate::{Store, StoreError};

/// An append as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAppend {
    /// Its row.
    pub record: AppendRecord,
    /// The stream.
    pub stream: String,
    /// Its seal.
    pub seal: Hash,
}

/// The most appends in an answer.
pub const APPENDS_PER_BATCH: usize = 500;

/// A store that can be copied, and copied into.
#[async_trait]
pub trait CopyStore: Store {
    /// The next appends after a number, in commit order, at most [`APPENDS_PER_BATCH`].
    ///
    /// # Errors
    /// Where the store fails.
    async fn appends_after(&self, seq: u64) -> Result<Vec<StoredAppend>, StoreError>;

    /// The digests of all captured snapshots, in their order.
    ///
    /// # Errors
    /// Where the store fails.
    async fn snapshot_digests(&self) -> Result<Vec<String>, StoreError>;

    /// Adds a run that is over to the history of the queue, unless it is there.
    ///
    /// # Errors
    /// Where it is not over, or the store fails.
    async fn put_ended_run(&self, run: QueuedRun) -> Result<(), StoreError>;
}

/// Refuses a run that is not over.
///
/// # Errors
/// [`StoreError::RunActive`].
pub fn ensure_run_ended(run: &QueuedRun) -> Result<(), StoreError> {
    if run.status.is_over() { Ok(()) } else { Err(StoreError::RunActive(run.run_id)) }
}
