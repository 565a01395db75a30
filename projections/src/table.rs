//! Tables as every store, file and report sees them: a specification and rows of typed cells.

use std::sync::Arc;

use powerfill_domain::values::{Day, Fixed, Kind, Timestamp};
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

impl<K: Kind> From<Fixed<K>> for Cell {
    fn from(number: Fixed<K>) -> Self {
        Self::Fixed(number.units(), K::SCALE as u8)
    }
}
impl From<Day> for Cell {
    fn from(day: Day) -> Self {
        Self::Day(day)
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
