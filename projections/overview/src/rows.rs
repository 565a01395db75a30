//! Rows of output tables, read by the names of their columns.

use powerfill_events::values::{Choice, Day, Fixed, Unit};
use powerfill_tables::table::{Cell, RowBatch, TableSpec};

use crate::document::NameText;

/// A row of an output table.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    table: &'static TableSpec,
    cells: &'a [Cell],
}

/// The rows of a batch.
pub(crate) fn rows(batch: &RowBatch) -> impl Iterator<Item = Row<'_>> {
    batch.rows().map(|cells| Row { table: batch.table, cells })
}

impl Row<'_> {
    fn cell(&self, column: &str) -> &Cell {
        let position = self.table.position(column);
        debug_assert!(position.is_some(), "{} has no column {column}", self.table.name);
        position.map_or(&Cell::Null, |at| &self.cells[at])
    }

    pub(crate) fn text(&self, column: &str) -> Option<NameText> {
        match self.cell(column) {
            Cell::Text(text) => Some(text.clone()),
            Cell::Name(name) => Some((*name).into()),
            _ => None,
        }
    }

    /// A text that the table always has.
    pub(crate) fn name(&self, column: &str) -> NameText {
        self.text(column).unwrap_or_default()
    }

    /// The value of an enumeration.
    pub(crate) fn choice<T: Choice>(&self, column: &str) -> Option<T> {
        let text = match self.cell(column) {
            Cell::Text(text) => text,
            Cell::Name(name) => *name,
            _ => return None,
        };
        T::ALL.iter().copied().find(|value| value.spelling() == text)
    }

    pub(crate) fn count(&self, column: &str) -> Option<u64> {
        match self.cell(column) {
            Cell::Int(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A decimal with the scale of its unit.
    pub(crate) fn fixed<K: Unit>(&self, column: &str) -> Option<Fixed<K>> {
        match self.cell(column) {
            Cell::Fixed(units, scale) if u32::from(*scale) == K::SCALE => {
                Some(Fixed::from_units(*units))
            }
            _ => None,
        }
    }

    /// A decimal that the table always has.
    pub(crate) fn amount<K: Unit>(&self, column: &str) -> Fixed<K> {
        self.fixed(column).unwrap_or_default()
    }

    pub(crate) fn day(&self, column: &str) -> Option<Day> {
        match self.cell(column) {
            Cell::Day(day) => Some(*day),
            _ => None,
        }
    }
}
