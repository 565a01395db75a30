//! Errors of a store.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;

/// The result of a store call.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why a store call fails.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The stream is not at the version that the writer expects.
    #[error("stream {stream} is at version {actual}, not {expected}: another writer was faster")]
    Conflict {
        /// The stream.
        stream: String,
        /// The version that the writer expects.
        expected: u64,
        /// The version of the stream.
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
    /// The store belongs to another tenant. The error has the caller's tenant only, because the
    /// other one is a secret.
    #[error("this store holds another tenant's events: tenant {0} can neither read nor write here")]
    AnotherTenant(TenantId),
    /// The worker's lease is over. Another worker may have the run.
    #[error("the lease on run {0} is over; this worker must not write for it any more")]
    LeaseLost(RunId),
    /// The named thing does not exist.
    #[error("no {what} {name} in this store")]
    NotFound {
        /// The kind of thing: "run", "snapshot".
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The payloads of a stream are not in the store any more.
    #[error(
        "the payloads of stream {0} are archived; `powerfill restore FILE` brings them back, and \
         --store evidence:FILE reads them"
    )]
    Archived(String),
    /// The stored data is damaged.
    #[error("the store is damaged: {0}")]
    Corrupt(#[source] StoreFault),
    /// The store was made by another version of PowerFill.
    #[error("{0}")]
    Schema(#[source] StoreFault),
    /// The store cannot be reached or is busy. The same call may succeed later, and it is safe to
    /// make it again: either nothing was done, or the store recognizes the repeated append.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] StoreFault),
    /// The store can be read, but not written.
    #[error("{0}")]
    ReadOnly(#[source] StoreFault),
    /// The store refuses for another reason: a full disk, missing rights.
    #[error("the store failed: {0}")]
    Failed(#[source] StoreFault),
}

impl StoreError {
    /// The error for an event that should be stored and is not.
    pub fn missing_event(stream: &str, version: u64) -> Self {
        let what = format!("event {version} of stream {stream} is missing or misplaced");
        Self::Corrupt(what.into())
    }

    /// Whether the same call may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// What went wrong in a store, with the error of the database or of the system, if there is one.
///
/// It is shown as `context: source` and a suffix, without the parts that are absent.
#[derive(Debug)]
pub struct StoreFault {
    context: Cow<'static, str>,
    source: Option<Box<dyn Error + Send + Sync>>,
    suffix: &'static str,
}

impl StoreFault {
    /// A fault with a cause.
    pub fn caused_by(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { context: Cow::Borrowed(""), source: Some(source.into()), suffix: "" }
    }

    /// Adds where it happened or what it means, before what is there.
    #[must_use]
    pub fn context(self, context: impl Into<Cow<'static, str>>) -> Self {
        let context = context.into();
        let context = match &*self.context {
            "" => context,
            inner => Cow::Owned(format!("{context}: {inner}")),
        };
        Self { context, ..self }
    }

    /// Adds what to do, with its punctuation, after what is there.
    #[must_use]
    pub fn suffix(self, suffix: &'static str) -> Self {
        Self { suffix, ..self }
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)?;
        if let Some(source) = &self.source {
            let separator = if self.context.is_empty() { "" } else { ": " };
            write!(f, "{separator}{source}")?;
        }
        f.write_str(self.suffix)
    }
}

impl Error for StoreFault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<&'static str> for StoreFault {
    fn from(what: &'static str) -> Self {
        Self { context: what.into(), source: None, suffix: "" }
    }
}

impl From<String> for StoreFault {
    fn from(what: String) -> Self {
        Self { context: what.into(), source: None, suffix: "" }
    }
}
