//! Rows of output tables, read by the names of their columns.

use std::sync::Arc;

use powerfill_events::values::{Choice, Day, Fixed, Unit};

use crate::table::{Cell, RowBatch, TableRef};

/// A row of an output table. NULL, and a value of another type, is absent.
#[derive(Debug, Clone, Copy)]
pub struct NamedRow<'a> {
    table: TableRef,
    cells: &'a [Cell],
}

/// The rows of a batch.
pub fn named_rows(batch: &RowBatch) -> impl Iterator<Item = NamedRow<'_>> {
    batch.rows().map(|cells| NamedRow { table: batch.table, cells })
}

impl<'a> NamedRow<'a> {
    fn cell(&self, column: &str) -> &'a Cell {
        let position = self.table.position(column);
        debug_assert!(position.is_some(), "{} has no column {column}", self.table.name);
        position.map_or(&Cell::Null, |at| &self.cells[at])
    }

    /// A text; empty if the row has none.
    pub fn str(&self, column: &str) -> &'a str {
        match self.cell(column) {
            Cell::Text(text) => text,
            Cell::Name(name) => name,
            _ => "",
        }
    }

    /// A text, to be kept.
    pub fn text(&self, column: &str) -> Option<Arc<str>> {
        match self.cell(column) {
            Cell::Text(text) => Some(text.clone()),
            Cell::Name(name) => Some((*name).into()),
            _ => None,
        }
    }

    /// A text that the table always has, to be kept.
    pub fn name(&self, column: &str) -> Arc<str> {
        self.text(column).unwrap_or_default()
    }

    /// The value of an enumeration.
    pub fn choice<T: Choice>(&self, column: &str) -> Option<T> {
        let text = self.str(column);
        T::ALL.iter().copied().find(|value| value.spelling() == text)
    }

    /// A whole number that is not negative.
    pub fn count(&self, column: &str) -> Option<u64> {
        match self.cell(column) {
            Cell::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A decimal with the scale of its unit.
    pub fn fixed<K: Unit>(&self, column: &str) -> Option<Fixed<K>> {
        match self.cell(column) {
            Cell::Fixed(units, scale) if u32::from(*scale) == K::SCALE => {
                Some(Fixed::from_units(*units))
            }
            _ => None,
        }
    }

    /// A decimal that the table always has.
    pub fn amount<K: Unit>(&self, column: &str) -> Fixed<K> {
        self.fixed(column).unwrap_or_default()
    }

    /// A date.
    pub fn day(&self, column: &str) -> Option<Day> {
        match self.cell(column) {
            Cell::Day(day) => Some(*day),
            _ => None,
        }
    }
}
