//! Typed cells as SQLite values and back. Decimals are text, so that they are exact (1.1).

use powerfill_events::values::{Day, Timestamp};
use powerfill_ports::projections::{decimal_form, stored_form};
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::table::{Cell, CellType, Column};
use rusqlite::types::ValueRef;
use rusqlite::{Row, Statement};
use rust_decimal::Decimal;

use crate::connection::store_error;
use crate::decode::bytes;

/// The SQL type of a column.
pub(crate) const fn sql_type(cell_type: CellType) -> &'static str {
    match cell_type {
        CellType::Int => "INTEGER",
        CellType::Text
        | CellType::Decimal(_)
        | CellType::Day
        | CellType::Timestamp
        | CellType::Json => "TEXT",
    }
}

/// Binds a cell. `scratch` is a buffer that the caller reuses for all cells.
pub(crate) fn bind(
    statement: &mut Statement<'_>,
    at: usize,
    column: &Column,
    cell: &Cell,
    scratch: &mut String,
) -> StoreResult<()> {
    scratch.clear();
    match (column.cell_type, cell) {
        (_, Cell::Null) => statement.raw_bind_parameter(at, rusqlite::types::Null),
        (CellType::Text | CellType::Json, Cell::Text(text)) => {
            statement.raw_bind_parameter(at, &**text)
        }
        (CellType::Text | CellType::Json, Cell::Name(name)) => {
            statement.raw_bind_parameter(at, name)
        }
        (CellType::Int, Cell::Int(number)) => statement.raw_bind_parameter(at, number),
        (CellType::Decimal(scale), Cell::Fixed(units, own)) if *own == scale => {
            write_scaled(*units, scale, scratch);
            statement.raw_bind_parameter(at, &scratch[..])
        }
        _ => return bind_unusual(statement, at, column, cell),
    }
    .map_err(store_error)
}

/// Binds a cell whose type needs a conversion first.
fn bind_unusual(
    statement: &mut Statement<'_>,
    at: usize,
    column: &Column,
    cell: &Cell,
) -> StoreResult<()> {
    let text = match stored_form(column, cell)? {
        Cell::Fixed(units, scale) => {
            let mut text = String::new();
            write_scaled(units, scale, &mut text);
            text
        }
        Cell::Decimal(number) => number.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Timestamp(moment) => moment.to_string(),
        other => return Err(StoreError::Failed(format!("no text for {other:?}").into())),
    };
    statement.raw_bind_parameter(at, text).map_err(store_error)
}

/// Writes scaled units with all their decimals, and no sign on zero.
fn write_scaled(units: i64, scale: u8, out: &mut String) {
    let mut buffer = [b'0'; 48];
    let mut at = buffer.len();
    let mut rest = units.unsigned_abs();
    let mut written = 0;
    while rest > 0 || written <= scale {
        if written == scale && scale > 0 {
            at -= 1;
            buffer[at] = b'.';
        }
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        written += 1;
    }
    if units < 0 {
        out.push('-');
    }
    buffer[at..].iter().for_each(|digit| out.push(char::from(*digit)));
}

/// A stored value as a typed cell.
///
/// # Errors
/// [`StoreError::Corrupt`] for a value that this program does not write. This includes another
/// spelling of the same number (`1.5` for `1.50`), which only an edit can have made.
pub(crate) fn read(row: &Row<'_>, at: usize, column: &Column) -> StoreResult<Cell> {
    let value = row.get_ref(at).map_err(store_error)?;
    if value == ValueRef::Null {
        return Ok(Cell::Null);
    }
    if column.cell_type == CellType::Int {
        return row.get(at).map(Cell::Int).map_err(store_error);
    }
    let text = bytes(row, at)?;
    let bad = || {
        let text = String::from_utf8_lossy(text);
        StoreError::Corrupt(format!("{} holds {text:?}", column.name).into())
    };
    let text = std::str::from_utf8(text).map_err(|_| bad())?;
    match column.cell_type {
        CellType::Decimal(scale) => read_decimal(text, scale).ok_or_else(bad),
        CellType::Day => match text.parse::<Day>() {
            Ok(day) if day.to_string() == text => Ok(Cell::Day(day)),
            _ => Err(bad()),
        },
        CellType::Timestamp => match Timestamp::try_from(text.to_owned()) {
            Ok(moment) if moment.to_string() == text => Ok(Cell::Timestamp(moment)),
            _ => Err(bad()),
        },
        CellType::Text | CellType::Json | CellType::Int => Ok(Cell::Text(text.into())),
    }
}

/// Nearly all texts have exactly the column's decimals: these become scaled units directly.
fn read_decimal(text: &str, scale: u8) -> Option<Cell> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let sign = if digits.len() < text.len() { -1 } else { 1 };
    let mut units: Option<i64> = Some(0);
    let mut decimals = None;
    for byte in digits.bytes() {
        match byte {
            b'0'..=b'9' => {
                let digit = sign * i64::from(byte - b'0');
                units = units.and_then(|units| units.checked_mul(10)?.checked_add(digit));
                decimals = decimals.map(|count: u8| count.saturating_add(1));
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    let digits = digits.as_bytes();
    let is_padded = digits.first() == Some(&b'0') && digits.get(1).is_some_and(u8::is_ascii_digit);
    let has_bare_point = digits.first() == Some(&b'.') || digits.last() == Some(&b'.');
    match units {
        _ if is_padded || has_bare_point || (sign < 0 && units == Some(0)) => None,
        Some(units) if decimals.unwrap_or(0) == scale => Some(Cell::Fixed(units, scale)),
        _ => {
            let cell = decimal_form(Decimal::from_str_exact(text).ok()?, scale);
            // A number that fits the scale is always written with all decimals of the scale.
            matches!(&cell, Cell::Decimal(number) if number.to_string() == text).then_some(cell)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_units_become_text_and_back() {
        for (units, scale, text) in [
            (0, 2, "0.00"),
            (-5, 2, "-0.05"),
            (12_345, 2, "123.45"),
            (-100_000_000, 8, "-1.00000000"),
            (7, 0, "7"),
            (i64::MAX, 6, "9223372036854.775807"),
            (i64::MIN, 8, "-92233720368.54775808"),
        ] {
            let mut written = String::new();
            write_scaled(units, scale, &mut written);
            assert_eq!(written, text);
            assert_eq!(read_decimal(text, scale), Some(Cell::Fixed(units, scale)), "{text}");
        }
        assert!(matches!(read_decimal("1.555", 2), Some(Cell::Decimal(_))));
        let large = "123456789012345678901234.50";
        assert!(matches!(read_decimal(large, 2), Some(Cell::Decimal(_))));
        for edited in
            ["1.5", "1.500", "01.50", "-0.00", "1.+5", ".50", "1.", "", "-", "1.5550", "+1.50"]
        {
            assert_eq!(read_decimal(edited, 2), None, "{edited}");
        }
    }
}
