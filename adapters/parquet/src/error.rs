//! Errors of writing Parquet files.

use std::io;
use std::path::{Path, PathBuf};

/// Why the files of a run cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The disk failed, or the folder cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The library that writes Parquet failed.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The error of the library.
        source: parquet::errors::ParquetError,
    },
}

impl ExportError {
    /// An error of the operating system at a path.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// An error of the library at a path.
    pub(crate) fn in_file(path: &Path) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        move |source| Self::Unwritable { path: path.to_owned(), source }
    }
}
