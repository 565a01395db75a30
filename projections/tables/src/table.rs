//! Tables as every store, file, and report sees them: a declaration, and rows of typed cells.

mod cell;

use powerfill_events::run::EventType;

pub use cell::Cell;

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    /// Compares without case and trailing blanks (1.1).
    Text,
    /// 64 bits with a sign.
    Int,
    /// An exact decimal with this many places: money 2, prices 8, rates, shares, and averages 6.
    Decimal(u8),
    /// A calendar date without a time zone.
    Day,
    /// A moment in UTC, in microseconds.
    Timestamp,
    /// A JSON document as text.
    Json,
}

/// A column of an output table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The legacy name.
    pub name: &'static str,
    /// Decides the column's type in each database and its form in each file.
    pub cell_type: CellType,
    /// The version of its table that added the column; 1 for the columns of release 0.1.0. The
    /// digest of an older run does not cover the column.
    pub since: u32,
}

impl Column {
    /// A column of the first version of its table.
    pub const fn new(name: &'static str, cell_type: CellType) -> Self {
        Self { name, cell_type, since: 1 }
    }

    /// The same column, added by this version of the table.
    #[must_use]
    pub const fn since(self, version: u32) -> Self {
        Self { since: version, ..self }
    }

    /// A column of names, reasons, or other text; also Y or N.
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, CellType::Text)
    }

    /// A whole number: days, ranks, priorities, counts.
    pub const fn int(name: &'static str) -> Self {
        Self::new(name, CellType::Int)
    }

    /// Dollars, 2 decimals (1.1).
    pub const fn money(name: &'static str) -> Self {
        Self::new(name, CellType::Decimal(2))
    }

    /// A price, pay-up, carry, or score: points per 100 of par, 8 decimals (1.1).
    pub const fn price(name: &'static str) -> Self {
        Self::new(name, CellType::Decimal(8))
    }

    /// A rate, a share, or an average of attributes: 6 decimals (1.1, 1.5).
    pub const fn ratio(name: &'static str) -> Self {
        Self::new(name, CellType::Decimal(6))
    }

    /// A calendar date.
    pub const fn day(name: &'static str) -> Self {
        Self::new(name, CellType::Day)
    }

    /// A moment in UTC.
    pub const fn timestamp(name: &'static str) -> Self {
        Self::new(name, CellType::Timestamp)
    }

    /// A JSON document as text.
    pub const fn json(name: &'static str) -> Self {
        Self::new(name, CellType::Json)
    }

    /// The decimal digits that a value of the column can have. Amounts are 64-bit units, so 19 are
    /// enough; averages have no such bound.
    pub fn precision(&self) -> u8 {
        if self.name.starts_with("wavg_") { 38 } else { 19 }
    }

    /// Whether a value has the column's type and scale. NULL is valid in every column.
    pub fn admits(&self, cell: &Cell) -> bool {
        match (self.cell_type, cell) {
            (_, Cell::Null)
            | (CellType::Text, Cell::Text(_) | Cell::Name(_))
            | (CellType::Json, Cell::Text(_))
            | (CellType::Int, Cell::Int(_))
            | (CellType::Day, Cell::Day(_))
            | (CellType::Timestamp, Cell::Timestamp(_)) => true,
            (CellType::Decimal(scale), Cell::Fixed(_, of)) => scale == *of,
            (CellType::Decimal(scale), Cell::Decimal(number)) => u32::from(scale) == number.scale(),
            _ => false,
        }
    }
}

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableRole {
    /// It says what the run decided. The output digest covers it.
    Decision,
    /// It describes the run itself. The digest does not cover it, and comparisons skip it unless a
    /// mapping names it.
    Record,
}

/// The declaration of an output table (1.5). Stores, files, publishing, comparisons, reports, and
/// the reference all read it. `run_id` is the first column of every table and is not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSpec {
    /// The legacy name.
    pub name: &'static str,
    /// What the table holds, as a clause with the section of part 2.
    pub purpose: &'static str,
    /// What one row is, and how the rows are ordered: "One row per loan, by loan_id."
    pub rows: &'static str,
    /// In the order of 1.5.
    pub columns: &'static [Column],
    /// Names of the columns that identify a row within a run; some of them may be NULL.
    pub key: &'static [&'static str],
    /// Whether the output digest covers the table.
    pub role: TableRole,
    /// The table has one row per run and keeps the rows of all runs. The other tables hold the rows
    /// of the latest Complete run only.
    pub keeps_every_run: bool,
    /// The type of the events that alone give rows, each its own, in their order. Such a table is
    /// large, and is built from these events when it is asked for, unless the store has its rows
    /// ([`LargeTables`]).
    pub built_from: Option<EventType>,
    /// How `diff` judges the rows.
    pub diff: DiffRules,
    /// The reports over HTTP that show rows of this table.
    pub reports: &'static [ReportSpec],
}

/// Whether stores have rows of the large tables: those that are
/// [built from](TableSpec::built_from) one type of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LargeTables {
    /// No rows: the tables are built from events when they are asked for.
    #[default]
    Built,
    /// Rows, which SQL can read.
    Stored,
}

impl LargeTables {
    /// Whether a store gets rows of this table.
    pub fn stores(self, table: &TableSpec) -> bool {
        self == Self::Stored || table.built_from.is_none()
    }

    /// The tables of which a store gets rows, and the others.
    pub fn split(self, tables: &[TableRef]) -> (Vec<TableRef>, Vec<TableRef>) {
        tables.iter().partition(|table| self.stores(table))
    }
}

/// How a comparison judges the rows of a table (3.4). A column that is in none of the lists is a
/// number of the decision: where only numbers differ, the decision is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiffRules {
    /// Columns that rows pair by. This is not always the table's key: a candidate is the same one
    /// where its rank is another.
    pub pair_by: &'static [&'static str],
    /// A difference in one of these columns is another decision.
    pub decision: &'static [&'static str],
    /// Remarks about a row or its run. They are not compared.
    pub remarks: &'static [&'static str],
    /// The run decides which rows exist, so two tables may have no key in common.
    pub presence_decides: bool,
    /// Why the columns are judged this way.
    pub because: &'static str,
}

/// A report over HTTP (4.3): the rows of a table, or some of them.
#[derive(Debug, PartialEq, Eq)]
pub struct ReportSpec {
    /// The position among all reports, from 1.
    pub position: u8,
    /// The name in its path.
    pub name: &'static str,
    /// What a row is.
    pub about: &'static str,
    /// Only rows whose column has one of these values.
    pub only: Option<(&'static str, &'static [&'static str])>,
}

impl ReportSpec {
    /// A report of all rows.
    pub const fn whole(position: u8, name: &'static str, about: &'static str) -> Self {
        Self { position, name, about, only: None }
    }
}

/// A declared table, which lives as long as the program.
pub type TableRef = &'static TableSpec;

impl TableSpec {
    /// A table that is not in the list of [`crate::tables`], for stores and files that are driven
    /// by the columns alone.
    pub const fn bare(name: &'static str, columns: &'static [Column]) -> Self {
        Self {
            name,
            purpose: "",
            rows: "",
            columns,
            key: &[],
            role: TableRole::Decision,
            keeps_every_run: false,
            built_from: None,
            diff: DiffRules {
                pair_by: &[],
                decision: &[],
                remarks: &[],
                presence_decides: false,
                because: "",
            },
            reports: &[],
        }
    }

    /// The position of a column.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// The present version: that of the newest column.
    pub fn version(&self) -> u32 {
        self.columns.iter().map(|column| column.since).max().unwrap_or(1)
    }

    /// Whether release 0.1.0 did not have the table.
    pub fn is_later(&self) -> bool {
        self.columns.iter().all(|column| column.since > 1)
    }

    /// The positions of the columns that the table has in a version.
    pub fn positions_at(&self, version: u32) -> impl Iterator<Item = usize> {
        let columns = self.columns.iter().enumerate();
        columns.filter(move |(_, column)| column.since <= version).map(|(at, _)| at)
    }
}

/// Rows of one table in one vector, so that a million rows are one allocation.
#[derive(Debug, Clone)]
pub struct RowBatch {
    /// The table that the rows belong to.
    pub table: TableRef,
    /// Row after row, `table.columns.len()` cells per row.
    pub cells: Vec<Cell>,
}

impl RowBatch {
    /// An empty batch.
    pub const fn new(table: TableRef) -> Self {
        Self { table, cells: Vec::new() }
    }

    /// Adds a row at the end.
    pub fn push<const COLUMNS: usize>(&mut self, row: [Cell; COLUMNS]) {
        debug_assert_eq!(COLUMNS, self.table.columns.len(), "{}", self.table.name);
        debug_assert!(
            self.table.columns.iter().zip(&row).all(|(column, cell)| column.admits(cell)),
            "{}: {row:?}",
            self.table.name
        );
        self.cells.extend(row);
    }

    /// Moves the rows of another batch of the same table to the end of this one.
    pub fn append(&mut self, rows: &mut Self) {
        debug_assert_eq!(self.table, rows.table);
        if self.cells.is_empty() {
            std::mem::swap(&mut self.cells, &mut rows.cells);
        } else {
            self.cells.append(&mut rows.cells);
        }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.cells.len() / self.table.columns.len()
    }

    /// Whether the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The rows, in the order in which they were added.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.table.columns.len())
    }
}
