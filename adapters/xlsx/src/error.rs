//! Why a workbook cannot be read, or not be written.

use std::io;
use std::path::{Path, PathBuf};

/// What is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum XlsxError {
    /// The disk, or no such file.
    #[error("the workbook {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another sort of file, one with a password, one that is too large or damaged.
    #[error("the workbook {} cannot be read: {reason}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        reason: String,
    },
    /// A sheet that cannot be taken as a table of texts.
    #[error("the workbook {} cannot be read, sheet {sheet}: {reason}", path.display())]
    Sheet {
        /// The file.
        path: PathBuf,
        /// The sheet.
        sheet: String,
        /// What is wrong, with the cell.
        reason: String,
    },
    /// The disk, or a text that no cell can hold.
    #[error("the workbook {} cannot be written: {reason}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
}

impl XlsxError {
    pub(crate) fn unwritable(path: &Path, reason: &dyn std::fmt::Display) -> Self {
        Self::Unwritable { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn unfit(path: &Path, reason: impl Into<String>) -> Self {
        Self::Unfit { path: path.to_owned(), reason: reason.into() }
    }
}
