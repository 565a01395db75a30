//! Typed cells as PostgreSQL values and back. Decimals are exact (1.1).
//!
//! A decimal is a NUMERIC without a declared scale, written with all decimals of its column. A
//! declared scale would silently round an average that has more decimals. JSON is TEXT, because it
//! may be empty. PostgreSQL's TEXT cannot contain NUL, but a cell can: NUL is written as an escape
//! sequence that texts of people do not contain.

use std::borrow::Cow;

use ::bytes::BytesMut;
use powerfill_events::values::{Day, Timestamp};
use powerfill_ports::projections::{decimal_form, stored_form};
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::table::{Cell, CellType, Column};
use rust_decimal::Decimal;
use tokio_postgres::Row;

use crate::copy::RowEncoder;
use crate::numeric::{self, Numeric};
use crate::values::{RawBytes, get, server_micros, timestamp_from};

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

/// The control character "substitute". Followed by `0` it means NUL, followed by `1` itself.
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

/// The server counts days from 2000-01-01.
fn epoch_day() -> StoreResult<Day> {
    "2000-01-01".parse().map_err(|_| StoreError::Failed("no epoch day".into()))
}

/// Writes the next cell of a row. `scratch` is a buffer that the caller reuses for all cells.
///
/// # Errors
/// [`StoreError::Failed`] if the cell does not have the column's type.
pub(crate) fn write(
    rows: &mut RowEncoder,
    column: &Column,
    cell: &Cell,
    scratch: &mut BytesMut,
) -> StoreResult<()> {
    match (column.cell_type, cell) {
        (_, Cell::Null) => rows.write_null(),
        (CellType::Text | CellType::Json, Cell::Text(text)) => {
            rows.write_bytes(escaped(text).as_bytes());
        }
        (CellType::Text | CellType::Json, Cell::Name(name)) => {
            rows.write_bytes(escaped(name).as_bytes());
        }
        (CellType::Int, Cell::Int(number)) => rows.write_bigint(*number),
        (CellType::Decimal(scale), Cell::Fixed(units, own)) if *own == scale => {
            write_decimal(rows, i128::from(*units), u16::from(scale), scratch);
        }
        _ => return write_unusual(rows, column, cell, scratch),
    }
    Ok(())
}

fn write_decimal(rows: &mut RowEncoder, units: i128, scale: u16, scratch: &mut BytesMut) {
    scratch.clear();
    numeric::write(Numeric { units, scale }, scratch);
    rows.write_bytes(scratch);
}

/// Writes a cell whose type needs a conversion first.
fn write_unusual(
    rows: &mut RowEncoder,
    column: &Column,
    cell: &Cell,
    scratch: &mut BytesMut,
) -> StoreResult<()> {
    match stored_form(column, cell)? {
        Cell::Fixed(units, scale) => {
            write_decimal(rows, i128::from(units), u16::from(scale), scratch);
        }
        Cell::Decimal(number) => {
            write_decimal(rows, number.mantissa(), number.scale() as u16, scratch);
        }
        Cell::Day(day) => rows.write_integer(epoch_day()?.days_until(day)),
        Cell::Timestamp(at) => rows.write_bigint(server_micros(at).ok_or_else(|| {
            StoreError::Failed(
                format!("{}: {at} is outside of PostgreSQL's range", column.name).into(),
            )
        })?),
        other => return Err(StoreError::Failed(format!("no value for {other:?}").into())),
    }
    Ok(())
}

/// A stored value as a typed cell.
///
/// # Errors
/// [`StoreError::Corrupt`] for a value that this program does not write. This includes the same
/// number with other decimals (`1.5` for `1.50`), which only an edit can have made.
pub(crate) fn read(row: &Row, at: usize, column: &Column) -> StoreResult<Cell> {
    let Some(RawBytes(raw)) = get::<Option<RawBytes<'_>>>(row, at)? else { return Ok(Cell::Null) };
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
        CellType::Timestamp => timestamp_from(raw).map(Cell::from as fn(Timestamp) -> Cell),
    };
    cell.ok_or_else(|| {
        StoreError::Corrupt(
            format!("{} contains a value that PowerFill does not write", column.name).into(),
        )
    })
}

fn day(raw: &[u8]) -> StoreResult<Option<Cell>> {
    let Ok(days) = raw.try_into().map(i32::from_be_bytes) else { return Ok(None) };
    // About 10,000 years in each direction. Infinity is far outside.
    let is_finite = (-4_000_000..4_000_000).contains(&days);
    let epoch = epoch_day()?;
    Ok(is_finite.then(|| Cell::Day(epoch.plus(days))))
}

fn decimal_cell(number: Numeric, scale: u8) -> Option<Cell> {
    if number.scale == u16::from(scale)
        && let Ok(units) = i64::try_from(number.units)
    {
        return Some(Cell::Fixed(units, scale));
    }
    let decimal = Decimal::try_from_i128_with_scale(number.units, number.scale.into()).ok()?;
    let cell = decimal_form(decimal, scale);
    // A number that fits the scale is always written with all decimals of the scale.
    matches!(&cell, Cell::Decimal(form) if form.scale() == decimal.scale()).then_some(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_characters_that_the_server_refuses_come_back() {
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
    fn a_decimal_with_other_decimals_than_written_is_refused() {
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
