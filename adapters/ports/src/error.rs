//! What can go wrong with a store.

use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;

/// What a store answers when it cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The stream is not at the version that the writer expects: another wrote in between.
    #[error("stream {stream} is at version {actual}, not {expected}: another writer was faster")]
    Conflict {
        /// The stream.
        stream: String,
        /// What the writer expected.
        expected: u64,
        /// What is there.
        actual: u64,
    },
    /// The append id was used before, with other content.
    #[error("append {append_id} was made before with other content; nothing was written")]
    AppendIdReused {
        /// The id.
        append_id: uuid::Uuid,
    },
    /// The tenant has an active run (BR-8).
    #[error("run {0} is active for this tenant; wait for it, or cancel it")]
    RunActive(RunId),
    /// The store is another tenant's. Whose, is not this one's business.
    #[error("this store holds another tenant's events: tenant {0} can neither read nor write here")]
    AnotherTenant(TenantId),
    /// The worker's lease is over: another one may have the run now.
    #[error("the lease on run {0} is over; this worker must not write for it any more")]
    LeaseLost(RunId),
    /// There is no such thing.
    #[error("no {what} {name} in this store")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Which one.
        name: String,
    },
    /// What is stored is damaged.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The store was made by another version of PowerFill.
    #[error("{0}")]
    Schema(String),
    /// The store cannot be reached or is busy now; the same call may work later. It is safe to make
    /// it again: nothing was done, or, of an append, the second one is recognised.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The store refuses for another reason: a full disk, a read-only file, missing rights.
    #[error("the store failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Whether the same call may work later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
