//! The order of cells, for sorting and filters.

use std::cmp::Ordering;

use crate::csv;
use crate::table::Cell;
use powerfill_events::values::fold;

/// The folded text of a cell (1.1); `None` for other cells.
pub fn folded(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(fold(text)),
        Cell::Name(name) => Some(fold(name)),
        _ => None,
    }
}

/// A cell in the order of its column: NULL first, text folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey(Option<String>, Cell);

impl SortKey {
    /// The key of a cell.
    pub fn of(cell: &Cell) -> Self {
        match folded(cell) {
            Some(text) => Self(Some(text), Cell::Null),
            None => Self(None, cell.clone()),
        }
    }
}

impl PartialOrd for SortKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SortKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0).then_with(|| compare(&self.1, &other.1))
    }
}

/// Compares values of one column. NULL comes first.
pub fn compare(one: &Cell, other: &Cell) -> Ordering {
    match (one, other) {
        (Cell::Null, Cell::Null) => Ordering::Equal,
        (Cell::Null, _) => Ordering::Less,
        (_, Cell::Null) => Ordering::Greater,
        (Cell::Int(one), Cell::Int(other)) => one.cmp(other),
        (Cell::Fixed(one, a), Cell::Fixed(other, b)) if a == b => one.cmp(other),
        (Cell::Fixed(..) | Cell::Decimal(_), Cell::Fixed(..) | Cell::Decimal(_)) => {
            decimal(one).cmp(&decimal(other))
        }
        (Cell::Day(one), Cell::Day(other)) => one.cmp(other),
        (Cell::Timestamp(one), Cell::Timestamp(other)) => one.cmp(other),
        _ => text(one).cmp(&text(other)),
    }
}

/// As [`compare`], and text without case and trailing blanks (1.1).
pub fn compare_folded(one: &Cell, other: &Cell) -> Ordering {
    match (folded(one), folded(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => compare(one, other),
    }
}

fn decimal(cell: &Cell) -> Option<rust_decimal::Decimal> {
    match cell {
        Cell::Fixed(units, scale) => Some(rust_decimal::Decimal::new(*units, u32::from(*scale))),
        Cell::Decimal(number) => Some(*number),
        _ => None,
    }
}

fn text(cell: &Cell) -> Vec<u8> {
    let mut text = Vec::new();
    csv::write_text(cell, &mut text);
    text
}
