//! Rows in eight bytes a cell: a run of a hundred thousand loans has millions of candidates, and
//! two of them are held side by side.

use std::cmp::Ordering;

use chrono::NaiveDate;
use powerfill_events::values::{Day, Timestamp};
use powerfill_tables::csv::write_text;
use powerfill_tables::table::{Cell, CellType, Column, RowBatch};
use rust_decimal::Decimal;

use crate::names::{Interner, TextSpace};

/// A cell. NULL; a number in units of its column's scale, a day or a moment counted, a text by its
/// number in [`Interner`]; or a text that could not be read as what its column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackedCell(i64);

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub struct GridColumn {
    /// The type of its cells.
    pub cell_type: CellType,
    /// Whether it is a part of one, so that `12.5%` is 0.125 there; rates are per cent already.
    pub is_share: bool,
    /// Where its texts are numbered.
    pub space: TextSpace,
}

impl GridColumn {
    /// A column of our own tables.
    pub fn of(column: &Column, names: &mut Interner) -> Self {
        let (cell_type, space) = (column.cell_type, names.space(column.name));
        Self { cell_type, is_share: column.name == "used_share", space }
    }

    fn scale(self) -> u32 {
        match self.cell_type {
            CellType::Decimal(scale) => scale.into(),
            _ => 0,
        }
    }
}

/// The first of the unread texts: below every amount (1.1 keeps them within 9×10^18 cents).
const UNREAD: i64 = i64::MIN + 1;
/// One past the last of them.
const READ: i64 = UNREAD + (1 << 32);

impl PackedCell {
    /// NULL.
    pub const NULL: Self = Self(i64::MIN);

    /// A text.
    pub fn text(text: &str, holds: GridColumn, names: &mut Interner) -> Self {
        if text.is_empty() { Self::NULL } else { Self(names.number(text, holds.space).into()) }
    }

    /// A number in units of its column's scale. One that these cannot hold stays the text that it
    /// is.
    pub fn number(number: Decimal, holds: GridColumn, names: &mut Interner) -> Self {
        let scale = holds.scale();
        let number = number.normalize();
        let units = (number.scale() <= scale).then(|| {
            10_i128
                .checked_pow(scale - number.scale())
                .and_then(|power| number.mantissa().checked_mul(power))
                .and_then(|units| i64::try_from(units).ok())
        });
        match units.flatten() {
            Some(units) if units >= READ => Self(units),
            _ => Self::unread(&number.to_string(), holds, names),
        }
    }

    /// A day.
    pub fn day(day: Day) -> Self {
        Self(i64::from(Day::from(NaiveDate::default()).days_until(day)))
    }

    /// A text that is not what its column holds.
    pub fn unread(text: &str, holds: GridColumn, names: &mut Interner) -> Self {
        Self(UNREAD + i64::from(names.number(text, holds.space)))
    }

    /// A cell of our own tables.
    pub fn of(cell: &Cell, holds: GridColumn, names: &mut Interner) -> Self {
        match cell {
            Cell::Null => Self::NULL,
            Cell::Text(text) => Self::text(text, holds, names),
            Cell::Name(name) => Self::text(name, holds, names),
            Cell::Int(units) | Cell::Fixed(units, _) if *units >= READ => Self(*units),
            Cell::Int(number) => Self::number((*number).into(), holds, names),
            Cell::Fixed(units, scale) => {
                Self::number(Decimal::new(*units, (*scale).into()), holds, names)
            }
            Cell::Decimal(number) => Self::number(*number, holds, names),
            Cell::Day(day) => Self::day(*day),
            Cell::Timestamp(moment) => Self(moment.micros()),
        }
    }

    /// Whether it is a text that its column does not hold.
    pub fn is_unread(self) -> bool {
        (UNREAD..READ).contains(&self.0)
    }

    fn unread_name(self) -> Option<u32> {
        self.is_unread().then(|| u32::try_from(self.0 - UNREAD).unwrap_or_default())
    }

    /// The number of a text, in a column of texts.
    pub fn name(self) -> Option<u32> {
        if self == Self::NULL || self.is_unread() { None } else { u32::try_from(self.0).ok() }
    }

    /// As a cell of our own tables.
    pub fn cell(self, cell_type: CellType, names: &Interner) -> Cell {
        if self == Self::NULL {
            return Cell::Null;
        }
        if let Some(name) = self.unread_name() {
            return Cell::Text(names.spelled(name).clone());
        }
        match cell_type {
            CellType::Text | CellType::Json => {
                self.name().map_or(Cell::Null, |name| Cell::Text(names.spelled(name).clone()))
            }
            CellType::Int => Cell::Int(self.0),
            CellType::Decimal(scale) => Cell::Fixed(self.0, scale),
            CellType::Day => {
                let days = i32::try_from(self.0).unwrap_or_default();
                Cell::Day(Day::from(NaiveDate::default()).plus(days))
            }
            CellType::Timestamp => Cell::Timestamp(Timestamp::from_micros(self.0)),
        }
    }

    /// Its canonical text (1.5); empty for NULL.
    pub fn written(self, cell_type: CellType, names: &Interner) -> String {
        let mut text = Vec::new();
        write_text(&self.cell(cell_type, names), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The exact number, where it is one: also one with more decimals than its column.
    pub fn decimal(self, cell_type: CellType, names: &Interner) -> Option<Decimal> {
        let scale = match cell_type {
            CellType::Int => 0,
            CellType::Decimal(scale) => scale.into(),
            CellType::Text | CellType::Json | CellType::Day | CellType::Timestamp => return None,
        };
        match self.unread_name() {
            Some(name) => names.spelled(name).parse().ok(),
            None => (self != Self::NULL).then(|| Decimal::new(self.0, scale)),
        }
    }

    /// The order of keys: texts by code points of their folded form, NULL first (1.1), numbers and
    /// days by size.
    pub fn order(self, other: Self, cell_type: CellType, names: &Interner) -> Ordering {
        if self == other {
            return Ordering::Equal;
        }
        let folded = |slot: Self| match cell_type {
            CellType::Text | CellType::Json => slot.name().or(slot.unread_name()),
            _ => slot.unread_name(),
        };
        match (folded(self), folded(other)) {
            (Some(a), Some(b)) => names.folded(a).cmp(names.folded(b)),
            _ => self.0.cmp(&other.0),
        }
    }
}

/// Rows, one behind the other.
#[derive(Debug, Clone)]
pub struct Grid {
    columns: Vec<GridColumn>,
    slots: Vec<PackedCell>,
}

impl Grid {
    /// No rows yet.
    pub fn new(columns: Vec<GridColumn>) -> Self {
        Self { columns, slots: Vec::new() }
    }

    /// Adds the rows of our own table.
    pub fn extend(&mut self, rows: &RowBatch, names: &mut Interner) {
        let columns = self.columns.iter().cycle();
        let cells = rows.cells.iter().zip(columns);
        self.slots.extend(cells.map(|(cell, holds)| PackedCell::of(cell, *holds, names)));
    }

    /// Adds a row.
    pub fn push(&mut self, row: &[PackedCell]) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.slots.extend_from_slice(row);
    }

    /// How many rows.
    pub fn len(&self) -> u32 {
        let rows = self.slots.len().checked_div(self.columns.len()).unwrap_or_default();
        u32::try_from(rows).unwrap_or(u32::MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// A row.
    pub fn row(&self, row: u32) -> &[PackedCell] {
        let width = self.columns.len();
        &self.slots[row as usize * width..][..width]
    }

    /// What its columns hold.
    pub fn columns(&self) -> &[GridColumn] {
        &self.columns
    }

    /// The canonical text of a cell.
    pub fn written(&self, row: u32, column: usize, names: &Interner) -> String {
        self.row(row)[column].written(self.columns[column].cell_type, names)
    }

    /// The rows by the number of a text column, for looking one up.
    pub fn by_name(&self, column: usize) -> Vec<(u32, u32)> {
        let names = (0..self.len()).filter_map(|row| Some((self.row(row)[column].name()?, row)));
        let mut rows: Vec<(u32, u32)> = names.collect();
        rows.sort_unstable();
        rows
    }
}

#[cfg(test)]
mod tests {
    use powerfill_events::values::Money;

    use super::*;

    #[test]
    fn a_cell_comes_back_as_it_went_in() {
        let mut names = Interner::default();
        let day: Day = "2026-02-12".parse().unwrap();
        for (cell, cell_type, text) in [
            (Cell::Null, CellType::Text, ""),
            (Cell::from("T 1"), CellType::Text, "T 1"),
            (Cell::from(Money::from_units(-5)), CellType::Decimal(2), "-0.05"),
            (Cell::Int(-3), CellType::Int, "-3"),
            (Cell::Decimal(Decimal::new(712_500_000, 6)), CellType::Decimal(6), "712.500000"),
            (Cell::from(day), CellType::Day, "2026-02-12"),
            (
                Cell::from(Timestamp::from_micros(1)),
                CellType::Timestamp,
                "1970-01-01T00:00:00.000001Z",
            ),
        ] {
            let space = names.space("any");
            let holds = GridColumn { cell_type, is_share: false, space };
            let slot = PackedCell::of(&cell, holds, &mut names);
            assert_eq!(slot.written(cell_type, &names), text);
            assert!(!slot.is_unread());
        }
    }

    #[test]
    fn a_number_beyond_its_column_keeps_its_value_and_equals_only_itself() {
        let mut names = Interner::default();
        let money = CellType::Decimal(2);
        let space = names.space("any");
        let holds = GridColumn { cell_type: money, is_share: false, space };
        let mut slot = |text: &str| PackedCell::number(text.parse().unwrap(), holds, &mut names);
        let (plain, padded) = (slot("100"), slot("100.000"));
        let (finer, same, huge) = (
            slot("100.001"),
            slot("100.0010"),
            slot("1e27".replace("e27", &"0".repeat(27)).as_str()),
        );
        assert_eq!(plain, padded);
        assert_ne!(plain, finer);
        assert_eq!(finer, same);
        assert!(finer.is_unread() && huge.is_unread());
        assert_eq!(finer.decimal(money, &names), Some("100.001".parse().unwrap()));
        assert_eq!(finer.written(money, &names), "100.001");
        assert_eq!(plain.decimal(money, &names), Some(Decimal::new(10_000, 2)));
    }
}
