//! Tables as every store, file and report sees them: a specification and rows of typed cells.

use std::sync::Arc;

use powerfill_events::values::{
    ConstraintName, Day, Fixed, InstrumentName, InvestorId, LoanId, PoolName, SynTradeId, TenantId,
    Timestamp, TradeId, Unit,
};
use rust_decimal::Decimal;

/// What a column holds; decides its type in each database and its form in each file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellType {
    /// Text.
    Text,
    /// A whole number.
    Int,
    /// An exact decimal with this many decimals: money 2, prices 8, rates, shares and averages 6.
    Decimal(u8),
    /// A calendar date.
    Day,
    /// A moment in UTC.
    Timestamp,
    /// A JSON text.
    Json,
}

/// A column of an output table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its legacy name.
    pub name: &'static str,
    /// What it holds.
    pub cell_type: CellType,
}

impl Column {
    /// A column of names, reasons or other text; also Y/N.
    pub const fn text(name: &'static str) -> Self {
        Self { name, cell_type: CellType::Text }
    }

    /// A whole number: days, ranks, priorities, counts.
    pub const fn int(name: &'static str) -> Self {
        Self { name, cell_type: CellType::Int }
    }

    /// Dollars, 2 decimals (1.1).
    pub const fn money(name: &'static str) -> Self {
        Self { name, cell_type: CellType::Decimal(2) }
    }

    /// A price, pay-up, carry or score: points per 100 of par, 8 decimals (1.1).
    pub const fn price(name: &'static str) -> Self {
        Self { name, cell_type: CellType::Decimal(8) }
    }

    /// A rate, a share or an average of attributes: 6 decimals (1.1, 1.5).
    pub const fn ratio(name: &'static str) -> Self {
        Self { name, cell_type: CellType::Decimal(6) }
    }

    /// A date.
    pub const fn day(name: &'static str) -> Self {
        Self { name, cell_type: CellType::Day }
    }

    /// A moment in UTC.
    pub const fn timestamp(name: &'static str) -> Self {
        Self { name, cell_type: CellType::Timestamp }
    }

    /// A JSON text.
    pub const fn json(name: &'static str) -> Self {
        Self { name, cell_type: CellType::Json }
    }

    /// Whether a value is of the column's type and scale; NULL always is.
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

/// An output table of 1.5: `run_id` comes first in every one and is not listed.
#[derive(Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// Its legacy name.
    pub name: &'static str,
    /// In the order of 1.5, `run_id` left out.
    pub columns: &'static [Column],
    /// Positions of the columns that identify a row within a run; some of them may be NULL.
    pub key: &'static [usize],
    /// One row a run, kept for every run, not only for the latest Complete one (`pfill_run_history`).
    pub keeps_every_run: bool,
}

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// NULL.
    Null,
    /// Text, also for [`CellType::Json`].
    Text(Arc<str>),
    /// A text that is part of the program: an enum's name.
    Name(&'static str),
    /// A whole number.
    Int(i64),
    /// Scaled units and the scale.
    Fixed(i64, u8),
    /// An average whose magnitude has no bound.
    Decimal(Decimal),
    /// A date.
    Day(Day),
    /// A moment.
    Timestamp(Timestamp),
}

impl<K: Unit> From<Fixed<K>> for Cell {
    fn from(number: Fixed<K>) -> Self {
        Self::Fixed(number.units(), K::SCALE as u8)
    }
}
impl From<Day> for Cell {
    fn from(day: Day) -> Self {
        Self::Day(day)
    }
}
impl From<Timestamp> for Cell {
    fn from(moment: Timestamp) -> Self {
        Self::Timestamp(moment)
    }
}
impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}
impl From<bool> for Cell {
    /// Y or N, as the legacy tables have it (1.5).
    fn from(holds: bool) -> Self {
        Self::Name(if holds { "Y" } else { "N" })
    }
}

/// Names share their spelling with the event that they come from.
macro_rules! cells_of_names {
    ($($id:ident)*) => {$(
        impl From<&$id> for Cell {
            fn from(name: &$id) -> Self {
                Self::Text(name.shared())
            }
        }
    )*};
}
cells_of_names!(ConstraintName InstrumentName InvestorId LoanId PoolName SynTradeId TenantId TradeId);

/// Whole numbers that 64 bits with a sign hold.
macro_rules! cells_of_whole_numbers {
    ($($int:ty)*) => {$(
        impl From<$int> for Cell {
            fn from(number: $int) -> Self {
                Self::Int(number.into())
            }
        }
    )*};
}
cells_of_whole_numbers!(u8 u32 i32 i64);

impl From<u64> for Cell {
    /// Counts; nothing here counts beyond 63 bits, and a count that did would stop at the greatest.
    fn from(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Rows of one table, one behind the other in one vector.
#[derive(Debug, Clone)]
pub struct RowBatch {
    /// The table.
    pub table: &'static TableSpec,
    /// `table.columns.len()` cells a row.
    pub cells: Vec<Cell>,
}

impl RowBatch {
    /// No rows yet.
    pub const fn new(table: &'static TableSpec) -> Self {
        Self { table, cells: Vec::new() }
    }

    /// Adds a row.
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

    /// How many rows.
    pub fn len(&self) -> usize {
        self.cells.len() / self.table.columns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.table.columns.len())
    }
}
