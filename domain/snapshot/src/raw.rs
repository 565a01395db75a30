//! What a source hands over: tables of text that are not validated yet (specification 1.2).
//!
//! A source (CSV, an embedded database, a server) knows nothing of the columns. It fills
//! [`RawTable`]s and lists what it could not read. [`validate`](super::validate()) does the rest.

pub use powerfill_events::input::{RawTable, TooLarge};

use powerfill_events::run::event::SourceMapping;

use super::report::FaultCode;

/// The tables of a source and what went wrong in reading them.
#[derive(Debug, Default)]
pub struct RawSnapshot {
    /// The tables that could be read, in any order. Names compare as text; a table whose name is
    /// not in 1.2 is ignored.
    pub tables: Vec<RawTable>,
    /// The tables that could not.
    pub faults: Vec<SourceFault>,
    /// Files or tables with other names, for the log.
    pub ignored: Vec<String>,
    /// Warnings about how the source was read, for the log of the run. They are no part of the
    /// snapshot.
    pub warnings: Vec<String>,
    /// The mapping that made the tables, for the record of the run.
    pub mapping: Option<SourceMapping>,
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
