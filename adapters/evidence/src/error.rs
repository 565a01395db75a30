//! Why evidence is not written, or not accepted.

use std::io;
use std::path::{Path, PathBuf};

use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_tables::UnknownTable;
use powerfill_tables::status::RunStatus;

/// Why evidence is not written, or not accepted.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is a file already.
    #[error("{} exists already; name another file, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// The store fails, or does not have the run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run can still get events.
    #[error("run {run} is {}; export it when it is over", status.name())]
    NotOver {
        /// The run.
        run: RunId,
        /// Its status.
        status: RunStatus,
    },
    /// The store has no record that the run of the evidence is archived.
    #[error("run {0} of the evidence is not archived in this store; nothing was changed")]
    NotArchived(RunId),
    /// A seal that does not cover the run.
    #[error(
        "the seal is that of append {sealed}, and run {run} ends with append {last}: take a seal \
         that was exported after the run"
    )]
    SealedBefore {
        /// The run.
        run: RunId,
        /// The append of the seal.
        sealed: u64,
        /// The run's last append.
        last: u64,
    },
    /// The store has another log than the one that was sealed.
    #[error(
        "append {0} of the store is not the one that was sealed: the log was truncated or \
         rewritten; `powerfill seal check` says more"
    )]
    AnotherSeal(u64),
    /// A later program completed the run.
    #[error(transparent)]
    UnknownTable(#[from] UnknownTable),
    /// A newer program wrote the file.
    #[error(
        "the evidence has format version {0}, and this PowerFill reads version \
         {FORMAT_VERSION}: use a newer PowerFill",
        FORMAT_VERSION = crate::parts::FORMAT_VERSION
    )]
    Newer(u32),
    /// A key or a signature cannot be used.
    #[error("{}: {what}", path.display())]
    Key {
        /// The file of the key or of the signature.
        path: PathBuf,
        /// Why, and what to do.
        what: String,
    },
    /// The evidence is whole, but lacks the expected seal or signature.
    #[error("{0}")]
    Unproven(String),
    /// The file is not the evidence that was written.
    #[error("{0}")]
    Damaged(String),
}

impl EvidenceError {
    /// A file cannot be read or written.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), source }
    }

    /// Adds the name of the file to damage.
    pub(crate) fn in_file(self, file: &Path) -> Self {
        match self {
            Self::Damaged(what) => Self::Damaged(format!("{}: {what}", file.display())),
            other => other,
        }
    }

    /// A part of the file is not what was written.
    pub(crate) fn damaged(part: &str, what: impl std::fmt::Display) -> Self {
        Self::Damaged(format!("{part}: {what}"))
    }
}

impl From<EvidenceError> for StoreError {
    /// As a store, a file that is not what was written is damaged.
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Store(error) => error,
            EvidenceError::Damaged(what) => Self::Corrupt(what.into()),
            other => Self::Failed(other.to_string().into()),
        }
    }
}
