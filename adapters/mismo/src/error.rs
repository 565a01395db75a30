//! Errors of reading messages.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MismoError {
    /// The file does not exist, or the disk failed.
    #[error("{} cannot be read: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is no message of MISMO 3, or is damaged.
    #[error("{}:{line} cannot be read: {reason}", path.display())]
    Message {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
        /// What is wrong, and what to do.
        #[source]
        reason: Box<dyn Error + Send + Sync>,
    },
    /// The folder has no file whose name ends in `.xml`.
    #[error("{} has no MISMO message; the name of a message ends in .xml", .0.display())]
    NoMessage(PathBuf),
}

impl MismoError {
    /// An error of the operating system at a path.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
