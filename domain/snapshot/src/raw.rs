//! What a source hands over: tables of text that are not validated yet (specification 1.2).
//!
//! A source (CSV, an embedded database, a server) knows nothing of the columns. It fills
//! [`RawTable`]s and lists what it could not read. [`validate`](super::validate()) does the rest.

use std::fmt;

pub use powerfill_events::input::{RawTable, TableLimit, TableTooLarge, TooLarge};

use powerfill_events::run::event::{SourceMapping, SourceProvenance};

use super::near::table_near;
use super::report::FaultCode;
use super::tables::table_names;

/// The tables of a source and what went wrong in reading them.
#[derive(Debug, Default)]
pub struct RawSnapshot {
    /// The tables that could be read, in any order. Names compare as text; a table whose name is
    /// not in 1.2 is ignored.
    pub tables: Vec<RawTable>,
    /// The tables that could not.
    pub faults: Vec<SourceFault>,
    /// Parts of the source with other names.
    pub ignored: Vec<IgnoredPart>,
    /// Warnings about how the source was read, for the log of the run. They are no part of the
    /// snapshot.
    pub warnings: Vec<String>,
    /// The mapping that made the tables, for the record of the run.
    pub mapping: Option<SourceMapping>,
    /// Where the tables were read, for the record of the run.
    pub provenance: Option<SourceProvenance>,
}

/// A part of a source that has not the name of a table of 1.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IgnoredPart {
    /// A file of a folder.
    File(String),
    /// A sheet of a workbook.
    Sheet(String),
    /// A table or a view of a database.
    Relation(String),
}

impl fmt::Display for IgnoredPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sheet(name) => write!(f, "the sheet {name}"),
            Self::File(name) | Self::Relation(name) => f.write_str(name),
        }
    }
}

/// Extensions of files that may hold a table, but not as a source reads it.
const OTHER_TEXTS: [&str; 7] = ["txt", "tsv", "tab", "psv", "dat", "rpt", "prn"];
const WORKBOOKS: [&str; 5] = ["xlsx", "xlsm", "xls", "xlsb", "ods"];

impl IgnoredPart {
    /// The table that it was likely meant to be, and what to do.
    pub(crate) fn near_table(&self) -> Option<(&'static str, String)> {
        let near = |name: &str| table_near(name, table_names());
        let name = match self {
            Self::Sheet(name) | Self::Relation(name) => {
                let table = near(name)?;
                return Some((table, format!("{self}: did you mean {table}? rename it")));
            }
            Self::File(name) => name,
        };
        let plain = name.strip_suffix(".gz").unwrap_or(name);
        let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, ""));
        let (table, extension) = (near(stem)?, extension.to_ascii_lowercase());
        let reason = match &*extension {
            "csv" => format!("{name}: did you mean {table}.csv? rename it"),
            "" => format!("{name} has no extension: rename it to {table}.csv"),
            extension if OTHER_TEXTS.contains(&extension) => {
                format!("{name} is there: save it as {table}.csv, separated by commas")
            }
            extension if WORKBOOKS.contains(&extension) => format!(
                "{name} is there: save its sheet as {table}.csv, or read the workbook (xlsx:{name})"
            ),
            _ => return None,
        };
        Some((table, reason))
    }
}

/// A table that a source could not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFault {
    /// The table, as the source spells it.
    pub table: String,
    /// [`FaultCode::Unreadable`], [`FaultCode::MissingHeader`], or [`FaultCode::MissingTable`] from
    /// a source that knows where the table should be.
    pub code: FaultCode,
    /// What happened, and where.
    pub reason: String,
}
