//! Errors of both readers.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use powerfill_mapping::HeaderError;
use powerfill_snapshot::{FaultCode, SourceFault, TableTooLarge, TooLarge};

use crate::parser::{MAX_COLUMNS, MAX_FIELD_BYTES};

/// A folder or a file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be read: {source}")]
pub struct CsvFileError {
    path: PathBuf,
    source: CsvError,
}

impl CsvFileError {
    /// The file, if it is too large.
    pub fn too_large(&self) -> Option<TableTooLarge> {
        let (CsvError::TooLarge(limit) | CsvError::Header(HeaderError::TooLarge(limit))) =
            self.source
        else {
            return None;
        };
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        Some(TooLarge::of(&file)(limit))
    }

    /// Adds the path to an error.
    pub(crate) fn at<E: Into<CsvError>>(path: &Path) -> impl Fn(E) -> Self {
        move |error| Self { path: path.to_owned(), source: error.into() }
    }
}

/// Why a file cannot be read as a table.
#[derive(Debug, thiserror::Error)]
pub enum CsvError {
    /// The file has no line that is not blank.
    #[error("the file is empty: a header is expected")]
    MissingHeader,
    /// A field is not UTF-8.
    #[error(
        "{at}: not UTF-8; as Windows-1252 it reads {text:?}: save the file as CSV UTF-8 if that is \
         right"
    )]
    NotUtf8 {
        /// The field.
        at: FieldPosition,
        /// The field as Windows-1252.
        text: String,
    },
    /// The file has another encoding or format than a table of a snapshot.
    #[error("it is {0}")]
    OtherFormat(&'static str),
    /// The header is not separated by commas.
    #[error(
        "the header is one field, {header:?}; it looks separated by {delimiter}, a comma is \
         expected: save the file as CSV with commas"
    )]
    OtherDelimiter {
        /// The beginning of the header.
        header: String,
        /// The likely delimiter.
        delimiter: &'static str,
    },
    /// A quote within a field that does not begin with one, or text after a closing quote.
    #[error("{0}: a quote within a field; a field with quotes is quoted, and they are doubled")]
    StrayQuote(FieldPosition),
    /// A quote that is never closed.
    #[error("{0}: the field begins with a quote that is never closed")]
    OpenQuote(FieldPosition),
    /// A field is longer than [`MAX_FIELD_BYTES`].
    #[error("{0}: a field of more than {MAX_FIELD_BYTES} bytes")]
    LongField(FieldPosition),
    /// The header has more than [`MAX_COLUMNS`].
    #[error("the header has more than {MAX_COLUMNS} columns")]
    ManyColumns,
    /// A quote of a tolerant file that is never closed.
    #[error("line {0}: the field begins with a quote that is never closed")]
    OpenQuoteAt(usize),
    /// The mapping names an encoding that does not exist.
    #[error("unknown encoding {0}; there are utf-8, utf-16le, utf-16be, windows-1252, and others")]
    UnknownEncoding(String),
    /// The text is not in the encoding that its mark or the mapping names.
    #[error("the text is not in {0}; write encoding = \"…\" for the file into the mapping")]
    NotInEncoding(&'static str),
    /// The rows of a tolerant file are no table.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The table is too large to be addressed.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The tolerant reader cannot read the text.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// The file or its compression cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl CsvError {
    /// The error as a fault of a table.
    pub(crate) fn fault(&self, table: &str) -> SourceFault {
        let code = match self {
            Self::MissingHeader => FaultCode::MissingHeader,
            _ => FaultCode::Unreadable,
        };
        SourceFault { table: table.to_owned(), code, reason: self.to_string() }
    }
}

/// The position of a field in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldPosition {
    /// The data row, from 1; 0 is the header.
    pub row: usize,
    /// The field in the row, from 1.
    pub field: usize,
}

impl fmt::Display for FieldPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row {
            0 => write!(f, "header, field {}", self.field),
            row => write!(f, "row {row}, field {}", self.field),
        }
    }
}
