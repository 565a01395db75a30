//! What the rows of a table are checked against, and the faults in the order of the report.

use std::collections::HashSet;

use foldhash::fast::RandomState;
use powerfill_events::values::Name;

use super::loan_columns::DeclaredTypes;
use crate::report::Fault;
use crate::tables::LoanColumn;

/// The keys of a table; `None` where they cannot be known.
pub(super) type TableKeys = Option<HashSet<Name, RandomState>>;

/// A fault, and its position in the report: table, row from 1, column.
pub(super) struct PlacedFault {
    pub(super) position: (usize, usize, usize),
    pub(super) fault: Fault,
}

/// What the cells and rows of a table are checked against.
#[derive(Default)]
pub(super) struct Context {
    /// By position in [`TABLES`](crate::tables::TABLES), for the tables checked so far.
    pub(super) keys: Vec<TableKeys>,
    pub(super) declared_types: DeclaredTypes,
    /// The columns that rules can name.
    pub(super) loan_columns: Vec<LoanColumn>,
    /// Whether `loan_columns` are those of a table that was read.
    pub(super) loan_columns_known: bool,
    /// Whether the tables of a configuration are checked, which have no loans beside them.
    pub(super) is_configuration: bool,
}
