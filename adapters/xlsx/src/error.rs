//! Errors of reading and writing workbooks.

use std::io;
use std::path::{Path, PathBuf};

use powerfill_snapshot::{TableTooLarge, TooLarge};

/// Why a workbook cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum XlsxError {
    /// The file does not exist, or the disk failed.
    #[error("the workbook {} cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file has another format, is encrypted, is too large, or is damaged.
    #[error("the workbook {} cannot be read: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A sheet cannot be read as a table of texts.
    #[error("the workbook {} cannot be read, sheet {sheet}: {reason}", path.display())]
    Sheet {
        /// The file.
        path: PathBuf,
        /// The sheet.
        sheet: String,
        /// What is wrong, with the address of the cell.
        reason: String,
    },
    /// A sheet is larger than its reader admits.
    #[error("the workbook {} cannot be read, sheet {source}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The sheet, and the exceeded limit.
        source: TableTooLarge,
    },
    /// The disk failed, or a text is too long for a cell.
    #[error("the workbook {} cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The error of the library that writes workbooks.
        source: Box<rust_xlsxwriter::XlsxError>,
    },
    /// The library that writes workbooks panicked, as it does when a temporary file cannot be
    /// written.
    #[error("the workbook {} cannot be written: the disk may be full", path.display())]
    WriterPanicked {
        /// The file.
        path: PathBuf,
    },
}

impl XlsxError {
    pub(crate) fn unwritable(path: &Path, source: rust_xlsxwriter::XlsxError) -> Self {
        Self::Unwritable { path: path.to_owned(), source: Box::new(source) }
    }

    pub(crate) fn in_sheet(path: &Path, sheet: &str, reason: impl ToString) -> Self {
        let (path, sheet) = (path.to_owned(), sheet.to_owned());
        Self::Sheet { path, sheet, reason: reason.to_string() }
    }

    pub(crate) fn too_large(path: &Path, sheet: &str, limit: TooLarge) -> Self {
        Self::TooLarge { path: path.to_owned(), source: TooLarge::of(sheet)(limit) }
    }

    pub(crate) fn unsupported(path: &Path, reason: impl Into<String>) -> Self {
        Self::Unsupported { path: path.to_owned(), reason: reason.into() }
    }
}
