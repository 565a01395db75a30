//! The canonical CSV of the output tables (specification 1.5): header first, every decimal at its scale, dates ISO,
//! NULL as an empty field, lines end with LF, fields quoted only where RFC 4180 asks for it.
//!
//! Files begin with `run_id`; comparisons and the digest of the outputs ([`crate::digest`]) leave it out. Text goes
//! into a buffer of bytes, so that nothing is formatted twice or checked again to be UTF-8.

use std::io::Write;

use chrono::Datelike;
use powerfill_events::run::RunId;
use powerfill_events::values::Day;

use crate::table::{Cell, RowBatch, TableSpec};

/// Writes the header without `run_id`, and its LF.
pub fn write_header(table: &TableSpec, out: &mut Vec<u8>) {
    for (at, column) in table.columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(column.name.as_bytes());
    }
    out.push(b'\n');
}

/// Writes a row without `run_id`, and its LF.
pub fn write_row(row: &[Cell], out: &mut Vec<u8>) {
    for (at, cell) in row.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_field(cell, out);
    }
    out.push(b'\n');
}

/// Writes the header of a file: `run_id`, then the table's columns.
pub fn write_file_header(table: &TableSpec, out: &mut Vec<u8>) {
    out.extend_from_slice(b"run_id,");
    write_header(table, out);
}

/// Writes rows of a file, each with `run_id` in front.
pub fn write_file_rows(run_id: RunId, rows: &RowBatch, out: &mut Vec<u8>) {
    let run_id = run_id.to_string();
    for row in rows.rows() {
        out.extend_from_slice(run_id.as_bytes());
        out.push(b',');
        write_row(row, out);
    }
}

/// Writes a value as a field: [`write_text`], quoted where it must be.
pub fn write_field(cell: &Cell, out: &mut Vec<u8>) {
    match cell {
        Cell::Text(text) => write_quoted(text, out),
        Cell::Name(name) => write_quoted(name, out),
        Cell::Null
        | Cell::Int(_)
        | Cell::Fixed(..)
        | Cell::Decimal(_)
        | Cell::Day(_)
        | Cell::Timestamp(_) => write_text(cell, out),
    }
}

/// Writes the canonical text of a value, empty for NULL: what a field holds before any quoting.
pub fn write_text(cell: &Cell, out: &mut Vec<u8>) {
    match cell {
        Cell::Null => {}
        Cell::Text(text) => out.extend_from_slice(text.as_bytes()),
        Cell::Name(name) => out.extend_from_slice(name.as_bytes()),
        Cell::Int(number) => write_fixed(*number, 0, out),
        Cell::Fixed(units, scale) => write_fixed(*units, *scale, out),
        Cell::Decimal(number) => write_display(number, out),
        Cell::Day(day) => write_day(*day, out),
        Cell::Timestamp(moment) => write_display(moment, out),
    }
}

/// A quote, a comma, CR or LF make a field need quotes; a quote within is doubled (RFC 4180).
fn write_quoted(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n')) {
        out.extend_from_slice(bytes);
        return;
    }
    out.push(b'"');
    for byte in bytes {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// The two digits of 0 to 99, one behind the other.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number = 0;
    while number < 100 {
        pairs[2 * number] = b'0' + (number / 10) as u8;
        pairs[2 * number + 1] = b'0' + (number % 10) as u8;
        number += 1;
    }
    pairs
};

/// All decimals of the scale, no sign on zero (1.1). Most of a run's CSV is such numbers, so that digits go two by two.
fn write_fixed(units: i64, scale: u8, out: &mut Vec<u8>) {
    let magnitude = units.unsigned_abs();
    // Divisions by a constant are multiplications; the scales of 1.1 are these.
    let (whole, mut fraction) = match scale {
        0 => (magnitude, 0),
        2 => (magnitude / 100, magnitude % 100),
        6 => (magnitude / 1_000_000, magnitude % 1_000_000),
        8 => (magnitude / 100_000_000, magnitude % 100_000_000),
        _ => (magnitude / 10_u64.pow(scale.into()), magnitude % 10_u64.pow(scale.into())),
    };
    // 19 digits of 64 bits, a point and a sign end before END; the rest is room to copy a constant number of bytes.
    const END: usize = 24;
    let mut text = [b'0'; 2 * END];
    let mut at = END;
    let mut left = scale;
    while left >= 2 {
        let pair = (fraction % 100) as usize;
        fraction /= 100;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[2 * pair..2 * pair + 2]);
        left -= 2;
    }
    if left == 1 {
        at -= 1;
        text[at] = b'0' + (fraction % 10) as u8;
    }
    if scale > 0 {
        at -= 1;
        text[at] = b'.';
    }
    let mut whole = whole;
    while whole >= 100 {
        let pair = (whole % 100) as usize;
        whole /= 100;
        at -= 2;
        text[at..at + 2].copy_from_slice(&PAIRS[2 * pair..2 * pair + 2]);
    }
    if whole >= 10 {
        at -= 2;
        let pair = whole as usize;
        text[at..at + 2].copy_from_slice(&PAIRS[2 * pair..2 * pair + 2]);
    } else {
        at -= 1;
        text[at] = b'0' + whole as u8;
    }
    if units < 0 {
        at -= 1;
        text[at] = b'-';
    }
    // Copying END bytes and cutting off what is too much costs less than copying a number of bytes known only here.
    let length = out.len() + END - at;
    out.extend_from_slice(&text[at..at + END]);
    out.truncate(length);
}

fn write_day(day: Day, out: &mut Vec<u8>) {
    let date = day.to_chrono();
    let Ok(year @ 0..=9999) = u16::try_from(date.year()) else {
        return write_display(&day, out);
    };
    let digit = |number: u32, unit: u32| b'0' + (number / unit % 10) as u8;
    let (year, month, day) = (u32::from(year), date.month(), date.day());
    out.extend_from_slice(&[
        digit(year, 1000),
        digit(year, 100),
        digit(year, 10),
        digit(year, 1),
        b'-',
        digit(month, 10),
        digit(month, 1),
        b'-',
        digit(day, 10),
        digit(day, 1),
    ]);
}

fn write_display(value: &impl std::fmt::Display, out: &mut Vec<u8>) {
    // A vector takes every write, so that only a broken Display could fail; it would leave a short field.
    let _ = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use powerfill_events::values::{Money, Price, Timestamp};
    use rust_decimal::Decimal;

    use super::*;
    use crate::table::Column;

    fn field(cell: impl Into<Cell>) -> String {
        let mut out = Vec::new();
        write_field(&cell.into(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_have_all_decimals_and_zero_no_sign() {
        for (units, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (-5, "-0.05"),
            (123_456_789, "1234567.89"),
            (i64::MIN, "-92233720368547758.08"),
            (i64::MAX, "92233720368547758.07"),
            (1_000, "10.00"),
            (99_999, "999.99"),
        ] {
            assert_eq!(field(Money::from_units(units)), text);
            assert_eq!(Money::from_units(units).to_string(), text);
        }
        for units in [0, 1, -1, 10_153_125_000, i64::MIN] {
            assert_eq!(field(Price::from_units(units)), Price::from_units(units).to_string());
        }
        assert_eq!(field(i64::MIN), i64::MIN.to_string());
        assert_eq!(field(Cell::Decimal(Decimal::new(712_500_000, 6))), "712.500000");
    }

    #[test]
    fn days_are_iso_in_every_year() {
        for text in ["0000-01-01", "0999-12-31", "2026-02-12", "2028-02-29", "9999-12-31"] {
            let day: Day = text.parse().unwrap();
            assert_eq!(field(day), text);
        }
        let beyond = "9999-12-31".parse::<Day>().unwrap().plus(1);
        assert_eq!(field(beyond), beyond.to_string());
        assert_eq!(field(Timestamp::from_micros(1)), "1970-01-01T00:00:00.000001Z");
    }

    #[test]
    fn hostile_text_is_quoted_and_nothing_else_is() {
        for (text, written) in [
            ("plain; text\tünï", "plain; text\tünï"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("cr\r", "\"cr\r\""),
            ("\"", "\"\"\"\""),
            ("=1+1", "=1+1"),
            ("", ""),
        ] {
            assert_eq!(field(text), written);
        }
        assert_eq!(field(None::<i64>), "");
    }

    #[test]
    fn a_file_has_run_id_first() {
        static TABLE: TableSpec = TableSpec {
            name: "t",
            columns: &[Column::text("a"), Column::money("b")],
            key: &[0],
            keeps_every_run: false,
        };
        let mut rows = RowBatch::new(&TABLE);
        rows.push([Cell::Text(Arc::from("x,y")), Money::whole(3).into()]);
        rows.push([Cell::Null, Cell::Null]);
        let mut out = Vec::new();
        write_file_header(&TABLE, &mut out);
        write_file_rows("00000000-0000-7000-8000-000000000001".parse().unwrap(), &rows, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "run_id,a,b\n\
             00000000-0000-7000-8000-000000000001,\"x,y\",3.00\n\
             00000000-0000-7000-8000-000000000001,,\n"
        );
    }
}
