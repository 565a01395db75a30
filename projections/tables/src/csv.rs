//! The canonical CSV of the output tables (specification 1.5). The header comes first. Decimals
//! have all places of their scale, dates are ISO 8601, and NULL is an empty field. Lines end with
//! LF. Fields are quoted only where RFC 4180 demands it.
//!
//! Files begin with `run_id`; comparisons and the output digest ([`crate::digest`]) leave it out.
//! In files, an apostrophe stands before a text that a spreadsheet program would run as a formula.
//! Text is written into a buffer of bytes, so nothing is formatted twice or checked again to be
//! UTF-8.

use std::borrow::Cow;
use std::io::Write;

use chrono::Datelike;
use powerfill_events::run::RunId;
use powerfill_events::values::Day;

use crate::table::{Cell, Column, RowBatch, TableSpec};

/// Writes the header line without `run_id`.
pub fn write_header(table: &TableSpec, out: &mut Vec<u8>) {
    write_names(table.columns, out);
}

/// Writes a header line of these columns.
pub(crate) fn write_names<'c>(columns: impl IntoIterator<Item = &'c Column>, out: &mut Vec<u8>) {
    for (at, column) in columns.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(column.name.as_bytes());
    }
    out.push(b'\n');
}

/// Writes the line of a row without `run_id`.
pub fn write_row<'c>(row: impl IntoIterator<Item = &'c Cell>, out: &mut Vec<u8>) {
    for (at, cell) in row.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_field(cell, out);
    }
    out.push(b'\n');
}

/// Writes the header line of a file: `run_id`, then the table's columns.
pub fn write_file_header(table: &TableSpec, out: &mut Vec<u8>) {
    out.extend_from_slice(b"run_id,");
    write_header(table, out);
}

/// Writes the lines of a file's rows, each with `run_id` in front.
pub fn write_file_rows(run_id: RunId, rows: &RowBatch, out: &mut Vec<u8>) {
    let run_id = run_id.to_string();
    for row in rows.rows() {
        out.extend_from_slice(run_id.as_bytes());
        for cell in row {
            out.push(b',');
            match cell {
                Cell::Text(text) => write_quoted(&harmless(text), out),
                _ => write_field(cell, out),
            }
        }
        out.push(b'\n');
    }
}

/// A text of a file that a spreadsheet program may open: with an apostrophe before what it would
/// run as a formula. That is a text that begins with `=`, `@`, a tab, CR, LF, or with a sign,
/// unless it is a number (OWASP, CSV injection).
pub fn harmless(text: &str) -> Cow<'_, str> {
    let is_number = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',');
    let is_formula = match text.as_bytes() {
        [b'=' | b'@' | b'\t' | b'\r' | b'\n', ..] => true,
        [b'+' | b'-', ..] => !is_number(&text[1..]),
        [0xEF, ..] => text.starts_with(['＝', '＠', '＋', '－']),
        _ => false,
    };
    match is_formula {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// Writes a value as a field: its [text](write_text), quoted where RFC 4180 demands it.
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

/// Writes the canonical text of a value without quotes; nothing for NULL.
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

/// Quotes a field that has a quote, a comma, CR, or LF, and doubles each quote in it (RFC 4180).
fn write_quoted(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    // Without an early exit, the compiler looks at many bytes at once.
    let is_special = |byte: &u8| matches!(byte, b'"' | b',' | b'\r' | b'\n');
    if !bytes.iter().fold(false, |found, byte| found | is_special(byte)) {
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

/// The two digits of each number from 0 to 99.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number: u8 = 0;
    while number < 100 {
        pairs[2 * number as usize] = b'0' + number / 10;
        pairs[2 * number as usize + 1] = b'0' + number % 10;
        number += 1;
    }
    pairs
};

/// The last two digits of a number.
fn pair(number: u64) -> &'static [u8] {
    let at = usize::try_from(2 * (number % 100)).unwrap_or_default();
    &PAIRS[at..at + 2]
}

/// Writes all decimals of the scale, and no sign on zero (1.1). Most of a run's CSV is such
/// numbers, so the digits are written two at a time.
fn write_fixed(units: i64, scale: u8, out: &mut Vec<u8>) {
    let magnitude = units.unsigned_abs();
    // The compiler turns a division by a constant into a multiplication; these are the scales of
    // 1.1.
    let (whole, mut fraction) = match scale {
        0 => (magnitude, 0),
        2 => (magnitude / 100, magnitude % 100),
        6 => (magnitude / 1_000_000, magnitude % 1_000_000),
        8 => (magnitude / 100_000_000, magnitude % 100_000_000),
        _ => (magnitude / 10_u64.pow(scale.into()), magnitude % 10_u64.pow(scale.into())),
    };
    // The 19 digits of 64 bits, a point, and a sign end at END. The second half is room to copy a
    // constant number of bytes from any position.
    const END: usize = 24;
    let mut text = [b'0'; 2 * END];
    let mut at = END;
    let mut left = scale;
    while left >= 2 {
        at -= 2;
        text[at..at + 2].copy_from_slice(pair(fraction));
        fraction /= 100;
        left -= 2;
    }
    if left == 1 {
        at -= 1;
        text[at] = pair(fraction)[1];
    }
    if scale > 0 {
        at -= 1;
        text[at] = b'.';
    }
    let mut whole = whole;
    while whole >= 100 {
        at -= 2;
        text[at..at + 2].copy_from_slice(pair(whole));
        whole /= 100;
    }
    if whole >= 10 {
        at -= 2;
        text[at..at + 2].copy_from_slice(pair(whole));
    } else {
        at -= 1;
        text[at] = pair(whole)[1];
    }
    if units < 0 {
        at -= 1;
        text[at] = b'-';
    }
    // Copying END bytes and truncating is faster than copying a number that is only known at run
    // time.
    let length = out.len() + END - at;
    out.extend_from_slice(&text[at..at + END]);
    out.truncate(length);
}

fn write_day(day: Day, out: &mut Vec<u8>) {
    let date = day.to_chrono();
    let Ok(year @ 0..=9999) = u16::try_from(date.year()) else {
        return write_display(&day, out);
    };
    let digit = |number: u32, unit: u32| pair((number / unit).into())[1];
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
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use powerfill_events::values::{Money, Price, Timestamp};
    use rust_decimal::Decimal;

    use super::*;

    fn field(cell: impl Into<Cell>) -> String {
        let mut out = Vec::new();
        write_field(&cell.into(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_text_of_a_file_is_a_formula() {
        for text in
            ["=1+1", "@SUM(A1)", "+cmd", "-1+1", "-cmd|' /C calc'!A0", "\t=1", "\r=1", "＝1"]
        {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "-", "+1,234.50", "-7", "A=1", "a@b", "'=1", " =1", "é"] {
            assert_eq!(harmless(text), text);
        }
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
        static TABLE: TableSpec = TableSpec::bare("t", &[Column::text("a"), Column::money("b")]);
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
