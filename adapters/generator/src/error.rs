//! Errors of the generator.

use std::path::PathBuf;

/// Why [`generate`](crate::generate) wrote nothing. It has removed what it began.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The folder is not empty. A snapshot never mixes with other files.
    #[error("the folder {} is not empty: choose a new one, or empty it first", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The path cannot be a new folder.
    #[error("{} cannot be a snapshot folder: {reason}", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// The sizes contradict each other.
    #[error("{size} = {value} is not possible: {reason}")]
    Sizes {
        /// The name of the size.
        size: &'static str,
        /// Its value.
        value: u32,
        /// The contradiction.
        reason: &'static str,
    },
    /// The file system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What failed.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A table could not be written.
    #[error("cannot write the table {table}")]
    Table {
        /// The table.
        table: &'static str,
        /// The error of the writer.
        source: csv::Error,
    },
}
