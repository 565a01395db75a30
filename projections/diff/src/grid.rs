//! Rows with eight bytes per cell. A run of a hundred thousand loans has millions of candidates,
//! and a comparison keeps two runs in memory.

use std::cmp::Ordering;

use chrono::NaiveDate;
use powerfill_events::values::{Day, Timestamp};
use powerfill_mapping::ValueKind;
use powerfill_tables::csv::write_text;
use powerfill_tables::table::{Cell, CellType, Column, RowBatch};
use rust_decimal::Decimal;

use crate::interner::{Interner, TextSpace};

/// A cell: NULL; a number in units of its column's scale; a day or a moment as a count since 1970;
/// a text as its number in [`Interner`]; or an unreadable cell, whose text does not have the type
/// of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackedCell(i64);

/// The form of the cells of a column.
#[derive(Debug, Clone, Copy)]
pub struct GridColumn {
    /// Their type.
    pub cell_type: CellType,
    /// How a mapping reads their texts.
    pub kind: ValueKind,
    /// The space of its texts.
    pub space: TextSpace,
}

impl GridColumn {
    /// The form of a column of the output tables.
    pub fn new(column: &Column, names: &mut Interner) -> Self {
        let (cell_type, space) = (column.cell_type, names.space(column.name));
        Self { cell_type, kind: value_kind(column), space }
    }

    fn scale(self) -> u32 {
        match self.cell_type {
            CellType::Decimal(scale) => scale.into(),
            _ => 0,
        }
    }
}

/// How a mapping reads the texts of a column of the output tables. Rates are per cent; `used_share`
/// is a share of 1.
pub(crate) fn value_kind(column: &Column) -> ValueKind {
    match column.cell_type {
        CellType::Text | CellType::Json | CellType::Timestamp => ValueKind::Text,
        CellType::Day => ValueKind::Day,
        CellType::Int | CellType::Decimal(_) if column.name == "used_share" => ValueKind::Share,
        CellType::Int | CellType::Decimal(_) => ValueKind::Number,
    }
}

/// The value of the first unreadable cell: below every amount, which 1.1 keeps within 9×10^18
/// cents.
const FIRST_UNREADABLE: i64 = i64::MIN + 1;
/// The value after the last unreadable cell.
const FIRST_READABLE: i64 = FIRST_UNREADABLE + (1 << 32);

impl PackedCell {
    /// NULL.
    pub const NULL: Self = Self(i64::MIN);

    /// A text.
    pub fn text(text: &str, column: GridColumn, names: &mut Interner) -> Self {
        if text.is_empty() { Self::NULL } else { Self(names.number(text, column.space).into()) }
    }

    /// A number in units of its column's scale. A number with more decimals, or beyond 64 bits, is
    /// an unreadable cell, which keeps its text.
    pub fn number(number: Decimal, column: GridColumn, names: &mut Interner) -> Self {
        let scale = column.scale();
        let number = number.normalize();
        let units = (number.scale() <= scale).then(|| {
            10_i128
                .checked_pow(scale - number.scale())
                .and_then(|power| number.mantissa().checked_mul(power))
                .and_then(|units| i64::try_from(units).ok())
        });
        match units.flatten() {
            Some(units) if units >= FIRST_READABLE => Self(units),
            _ => Self::unreadable(&number.to_string(), column, names),
        }
    }

    /// A day.
    pub fn day(day: Day) -> Self {
        Self(i64::from(Day::from(NaiveDate::default()).days_until(day)))
    }

    /// A text that does not have the type of its column.
    pub fn unreadable(text: &str, column: GridColumn, names: &mut Interner) -> Self {
        Self(FIRST_UNREADABLE + i64::from(names.number(text, column.space)))
    }

    /// Packs a cell of the output tables.
    pub fn pack(cell: &Cell, column: GridColumn, names: &mut Interner) -> Self {
        match cell {
            Cell::Null => Self::NULL,
            Cell::Text(text) => Self::text(text, column, names),
            Cell::Name(name) => Self::text(name, column, names),
            Cell::Int(units) | Cell::Fixed(units, _) if *units >= FIRST_READABLE => Self(*units),
            Cell::Int(number) => Self::number((*number).into(), column, names),
            Cell::Fixed(units, scale) => {
                Self::number(Decimal::new(*units, (*scale).into()), column, names)
            }
            Cell::Decimal(number) => Self::number(*number, column, names),
            Cell::Day(day) => Self::day(*day),
            Cell::Timestamp(moment) => Self(moment.micros()),
        }
    }

    /// Whether the text does not have the type of its column.
    pub fn is_unreadable(self) -> bool {
        (FIRST_UNREADABLE..FIRST_READABLE).contains(&self.0)
    }

    fn unreadable_name(self) -> Option<u32> {
        self.is_unreadable().then(|| u32::try_from(self.0 - FIRST_UNREADABLE).unwrap_or_default())
    }

    /// The number of a text, in a column of texts.
    pub fn name(self) -> Option<u32> {
        if self == Self::NULL || self.is_unreadable() { None } else { u32::try_from(self.0).ok() }
    }

    /// Unpacks into a cell of the output tables.
    pub fn unpack(self, cell_type: CellType, names: &Interner) -> Cell {
        if self == Self::NULL {
            return Cell::Null;
        }
        if let Some(name) = self.unreadable_name() {
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
    pub fn canonical_text(self, cell_type: CellType, names: &Interner) -> String {
        let mut text = Vec::new();
        write_text(&self.unpack(cell_type, names), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The exact number, also one with more decimals than its column; `None` if it is no number.
    pub fn decimal(self, cell_type: CellType, names: &Interner) -> Option<Decimal> {
        let scale = match cell_type {
            CellType::Int => 0,
            CellType::Decimal(scale) => scale.into(),
            CellType::Text | CellType::Json | CellType::Day | CellType::Timestamp => return None,
        };
        match self.unreadable_name() {
            Some(name) => names.spelled(name).parse().ok(),
            None => (self != Self::NULL).then(|| Decimal::new(self.0, scale)),
        }
    }

    /// The order of keys: NULL first, texts by the code points of their folded form (1.1), numbers
    /// and days by value.
    pub fn order(self, other: Self, cell_type: CellType, names: &Interner) -> Ordering {
        if self == other {
            return Ordering::Equal;
        }
        let folded = |cell: Self| match cell_type {
            CellType::Text | CellType::Json => cell.name().or(cell.unreadable_name()),
            _ => cell.unreadable_name(),
        };
        match (folded(self), folded(other)) {
            (Some(a), Some(b)) => names.folded(a).cmp(names.folded(b)),
            _ => self.0.cmp(&other.0),
        }
    }
}

/// Rows in one vector.
#[derive(Debug, Clone)]
pub struct Grid {
    columns: Vec<GridColumn>,
    cells: Vec<PackedCell>,
}

impl Grid {
    /// An empty grid.
    pub fn new(columns: Vec<GridColumn>) -> Self {
        Self { columns, cells: Vec::new() }
    }

    /// Adds the rows of an output table.
    pub fn extend(&mut self, rows: &RowBatch, names: &mut Interner) {
        let columns = self.columns.iter().cycle();
        let cells = rows.cells.iter().zip(columns);
        self.cells.extend(cells.map(|(cell, column)| PackedCell::pack(cell, *column, names)));
    }

    /// Adds a row.
    pub fn push(&mut self, row: &[PackedCell]) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.cells.extend_from_slice(row);
    }

    /// The number of rows.
    pub fn len(&self) -> u32 {
        let rows = self.cells.len().checked_div(self.columns.len()).unwrap_or_default();
        u32::try_from(rows).unwrap_or(u32::MAX)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The cells of a row.
    pub fn row(&self, row: u32) -> &[PackedCell] {
        let width = self.columns.len();
        &self.cells[row as usize * width..][..width]
    }

    /// The forms of its columns.
    pub fn columns(&self) -> &[GridColumn] {
        &self.columns
    }

    /// The canonical text of a cell.
    pub fn text(&self, row: u32, column: usize, names: &Interner) -> String {
        self.row(row)[column].canonical_text(self.columns[column].cell_type, names)
    }

    /// The numbers of a text column with their rows, in ascending order, for look-ups.
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
    fn a_packed_cell_has_the_text_of_the_cell() {
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
            let column = GridColumn { cell_type, kind: ValueKind::Number, space };
            let packed = PackedCell::pack(&cell, column, &mut names);
            assert_eq!(packed.canonical_text(cell_type, &names), text);
            assert!(!packed.is_unreadable());
        }
    }

    #[test]
    fn a_number_beyond_its_column_keeps_its_value_and_equals_only_itself() {
        let mut names = Interner::default();
        let money = CellType::Decimal(2);
        let space = names.space("any");
        let column = GridColumn { cell_type: money, kind: ValueKind::Number, space };
        let mut number = |text: &str| PackedCell::number(text.parse().unwrap(), column, &mut names);
        let (plain, padded) = (number("100"), number("100.000"));
        let (finer, same, huge) = (
            number("100.001"),
            number("100.0010"),
            number("1e27".replace("e27", &"0".repeat(27)).as_str()),
        );
        assert_eq!(plain, padded);
        assert_ne!(plain, finer);
        assert_eq!(finer, same);
        assert!(finer.is_unreadable() && huge.is_unreadable());
        assert_eq!(finer.decimal(money, &names), Some("100.001".parse().unwrap()));
        assert_eq!(finer.canonical_text(money, &names), "100.001");
        assert_eq!(plain.decimal(money, &names), Some(Decimal::new(10_000, 2)));
    }
}
