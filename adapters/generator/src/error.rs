//! Why a snapshot was not written.

use std::path::PathBuf;

/// Why [`generate`](crate::generate) wrote nothing. Whatever it had begun is removed.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The folder has something in it already; a snapshot never mixes with other files.
    #[error("the folder {} is not empty: choose a new one, or empty it first", path.display())]
    NotEmpty {
        /// The folder asked for.
        path: PathBuf,
    },
    /// The path cannot be a new folder.
    #[error("{} cannot be a snapshot folder: {reason}", path.display())]
    NotAFolder {
        /// The path asked for.
        path: PathBuf,
        /// What it is instead.
        reason: &'static str,
    },
    /// The sizes contradict each other.
    #[error("{size} = {value} is not possible: {reason}")]
    Sizes {
        /// Which size.
        size: &'static str,
        /// What was asked for.
        value: u32,
        /// Why it cannot be.
        reason: &'static str,
    },
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which path.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A table could not be written.
    #[error("cannot write the table {table}")]
    Table {
        /// Which table.
        table: &'static str,
        /// Why.
        source: csv::Error,
    },
}
