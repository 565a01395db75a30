//! Typed cells as PostgreSQL values and back (specification 1.1: decimals are exact).
//!
//! A decimal is NUMERIC without a declared scale, written with all decimals of its column: a declared one would round
//! an average with more decimals, silently. A JSON text is TEXT, since it may be empty. PostgreSQL's text has no
//! NUL, and a cell may have one: it is written with an escape that no text of people has.

use std::borrow::Cow;

use ::bytes::BytesMut;
use powerfill_events::values::{Day, Timestamp};
use powerfill_ports::StoreError;
use powerfill_ports::projections::{decimal_form, stored_form};
use powerfill_tables::table::{Cell, CellType, Column};
use rust_decimal::Decimal;
use tokio_postgres::Row;

use crate::bytes_in::{Raw, get, moment, server_micros};
use crate::copy::Rows;
use crate::numeric::{self, Numeric};

/// The SQL type of a column, as the server spells it.
pub(crate) const fn sql_type(cell_type: CellType) -> &'static str {
    match cell_type {
        CellType::Int => "bigint",
        CellType::Text | CellType::Json => "text",
        CellType::Decimal(_) => "numeric",
        CellType::Day => "date",
        CellType::Timestamp => "timestamp with time zone",
    }
}

/// Stands before a `0` for NUL, and before a `1` for itself: the control character "substitute".
const ESCAPE: char = '\u{1a}';

fn escaped(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte == 0 || byte == ESCAPE as u8) {
        Cow::Owned(text.replace(ESCAPE, "\u{1a}1").replace('\0', "\u{1a}0"))
    } else {
        Cow::Borrowed(text)
    }
}

fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(ESCAPE) {
        return Some(Cow::Borrowed(text));
    }
    let mut parts = text.split(ESCAPE);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = (part.as_bytes().first()?, part.get(1..)?);
        whole.push(match code {
            b'0' => '\0',
            b'1' => ESCAPE,
            _ => return None,
        });
        whole.push_str(rest);
    }
    Some(Cow::Owned(whole))
}

/// The day that the server counts from, 2000-01-01.
fn first_day() -> Result<Day, StoreError> {
    "2000-01-01".parse().map_err(|_| StoreError::Failed("no first day".to_owned()))
}

/// Writes a cell behind those of its row. `scratch` is reused from cell to cell.
///
/// # Errors
/// [`StoreError::Failed`] where the cell is not of the column's type.
pub(crate) fn write(
    rows: &mut Rows,
    column: &Column,
    cell: &Cell,
    scratch: &mut BytesMut,
) -> Result<(), StoreError> {
    match (column.cell_type, cell) {
        (_, Cell::Null) => rows.null(),
        (CellType::Text | CellType::Json, Cell::Text(text)) => {
            rows.bytes(escaped(text).as_bytes());
        }
        (CellType::Text | CellType::Json, Cell::Name(name)) => {
            rows.bytes(escaped(name).as_bytes());
        }
        (CellType::Int, Cell::Int(number)) => rows.big(*number),
        (CellType::Decimal(scale), Cell::Fixed(units, own)) if *own == scale => {
            write_decimal(rows, i128::from(*units), u16::from(scale), scratch);
        }
        _ => return write_rare(rows, column, cell, scratch),
    }
    Ok(())
}

fn write_decimal(rows: &mut Rows, units: i128, scale: u16, scratch: &mut BytesMut) {
    scratch.clear();
    numeric::write(Numeric { units, scale }, scratch);
    rows.bytes(scratch);
}

fn write_rare(
    rows: &mut Rows,
    column: &Column,
    cell: &Cell,
    scratch: &mut BytesMut,
) -> Result<(), StoreError> {
    match stored_form(column, cell)? {
        Cell::Fixed(units, scale) => {
            write_decimal(rows, i128::from(units), u16::from(scale), scratch);
        }
        Cell::Decimal(number) => {
            write_decimal(rows, number.mantissa(), number.scale() as u16, scratch);
        }
        Cell::Day(day) => rows.int(first_day()?.days_until(day)),
        Cell::Timestamp(at) => rows.big(server_micros(at).ok_or_else(|| {
            StoreError::Failed(format!("{}: {at} is beyond what PostgreSQL holds", column.name))
        })?),
        other => return Err(StoreError::Failed(format!("no value for {other:?}"))),
    }
    Ok(())
}

/// A stored value as a typed cell. A decimal that says the same otherwise than it is written here (`1.50` as `1.5`) was
/// changed by someone, and is refused.
pub(crate) fn read(row: &Row, at: usize, column: &Column) -> Result<Cell, StoreError> {
    let Some(Raw(raw)) = get::<Option<Raw<'_>>>(row, at)? else { return Ok(Cell::Null) };
    let cell = match column.cell_type {
        CellType::Text | CellType::Json => {
            let text = std::str::from_utf8(raw).ok().and_then(unescaped);
            text.map(|text| Cell::Text(text.into()))
        }
        CellType::Int => raw.try_into().ok().map(|bytes| Cell::Int(i64::from_be_bytes(bytes))),
        CellType::Decimal(scale) => {
            numeric::read(raw).and_then(|number| decimal_cell(number, scale))
        }
        CellType::Day => day(raw)?,
        CellType::Timestamp => moment(raw).map(Cell::from as fn(Timestamp) -> Cell),
    };
    cell.ok_or_else(|| {
        StoreError::Corrupt(format!("{} holds what was never written there", column.name))
    })
}

fn day(raw: &[u8]) -> Result<Option<Cell>, StoreError> {
    let Ok(days) = raw.try_into().map(i32::from_be_bytes) else { return Ok(None) };
    // Some ten thousand years either way; infinity is far beyond.
    let within = (-4_000_000..4_000_000).contains(&days);
    let first = first_day()?;
    Ok(within.then(|| Cell::Day(first.plus(days))))
}

fn decimal_cell(number: Numeric, scale: u8) -> Option<Cell> {
    if number.scale == u16::from(scale)
        && let Ok(units) = i64::try_from(number.units)
    {
        return Some(Cell::Fixed(units, scale));
    }
    let decimal = Decimal::try_from_i128_with_scale(number.units, number.scale.into()).ok()?;
    let cell = decimal_form(decimal, scale);
    // What fits the scale is written with all its decimals, and the rest as decimals write themselves.
    matches!(&cell, Cell::Decimal(form) if form.scale() == decimal.scale()).then_some(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_characters_that_the_server_has_not_come_back() {
        for text in ["", "a", "\0", "\u{1a}", "\u{1a}0", "a\0\u{1a}1b\u{1a}\0", "ÄÖ\u{1a}–"] {
            let written = escaped(text);
            assert!(!written.contains('\0'));
            assert_eq!(unescaped(&written).as_deref(), Some(text));
        }
        assert_eq!(escaped("FNMA 30YR – “85k”"), "FNMA 30YR – “85k”");
        for edited in ["\u{1a}", "\u{1a}2", "a\u{1a}–"] {
            assert_eq!(unescaped(edited), None, "{edited:?}");
        }
    }

    #[test]
    fn a_decimal_that_is_written_otherwise_is_refused() {
        let cell = |units, scale| decimal_cell(Numeric { units, scale }, 2);
        assert_eq!(cell(150, 2), Some(Cell::Fixed(150, 2)));
        assert_eq!(cell(15, 1), None);
        assert_eq!(cell(1_500, 3), None);
        assert_eq!(cell(1_555, 3), Some(Cell::Decimal(Decimal::new(1_555, 3))));
        let large = i128::from(i64::MAX) * 100;
        let whole = Decimal::from_i128_with_scale(large, 2);
        assert_eq!(cell(large, 2), Some(Cell::Decimal(whole)));
        assert_eq!(cell(i128::MAX, 2), None);
    }
}
