//! What a cell counts as: the text that the same value has in CSV, or why there is none.
//!
//! | cell | text |
//! |---|---|
//! | text | itself |
//! | number | the decimal that was typed ([`crate::number`]): 42, 0.1, 0.0000001 |
//! | date | 2026-01-15; with a time of day 2026-01-15T12:30:00, which no column of dates takes |
//! | TRUE, FALSE | Y, N |
//! | formula | its value, as it was last calculated |
//! | #REF! and the like | none |

use std::borrow::Cow;

use calamine::{DataRef, ExcelDateTime};

use crate::number::decimal;

/// The longest text of a cell that Excel has, in characters.
pub(crate) const LONGEST_TEXT: usize = 32_767;

const ERROR: &str = "the cell shows an error; mend its formula or type the value";
const NO_VALUE: &str = "a formula that was never calculated; open the workbook in Excel and save it, or type the value";
const LENGTH_OF_TIME: &str = "a length of time; format the cell as a date, a number or text";
const NO_DATE: &str = "a date that there is not; type it as YYYY-MM-DD";

/// What a cell counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Nothing, or blanks: NULL.
    Blank,
    /// This text.
    Text(Cow<'a, str>),
    /// Nothing that could be taken; what the cell shows, and why not.
    Unfit(String, &'static str),
}

impl<'a> Value<'a> {
    fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if text.trim_end_matches(' ').is_empty() { Self::Blank } else { Self::Text(text) }
    }

    /// Of a cell as the workbook has it.
    pub(crate) fn of(cell: DataRef<'a>, is_formula: bool, is_1904: bool) -> Self {
        match cell {
            DataRef::Empty if is_formula => Self::Unfit(String::new(), NO_VALUE),
            DataRef::Empty => Self::Blank,
            DataRef::String(text) => Self::text(text),
            DataRef::SharedString(text) => Self::text(text),
            DataRef::Int(number) => Self::text(number.to_string()),
            DataRef::Float(number) => match decimal(number) {
                Ok(text) => Self::text(text),
                Err((text, reason)) => Self::Unfit(text, reason),
            },
            DataRef::Bool(holds) => Self::text(if holds { "Y" } else { "N" }),
            DataRef::DateTime(moment) => Self::moment(&moment, is_1904),
            DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                Self::text(iso(&text).to_owned())
            }
            DataRef::Error(error) => Self::Unfit(error.to_string(), ERROR),
        }
    }

    fn moment(moment: &ExcelDateTime, is_1904: bool) -> Self {
        let serial = moment.as_f64();
        let shown = || decimal(serial).unwrap_or_else(|(text, _)| text);
        if moment.is_duration() {
            return Self::Unfit(shown(), LENGTH_OF_TIME);
        }
        // One past the last day, 31 December 9999, in each of the two systems.
        let end = if is_1904 { 2_957_004.0 } else { 2_958_466.0 };
        if !(0.0..end).contains(&serial) {
            return Self::Unfit(shown(), NO_DATE);
        }
        let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
        let mut time = format!("{hour:02}:{minute:02}:{second:02}");
        if milli > 0 {
            time.push_str(&format!(".{milli:03}"));
        }
        let date = format!("{year:04}-{month:02}-{day:02}");
        // Excel has a day 0 and a 29 February in its year 1900, so that it agrees with an older program.
        match (is_1904, serial.trunc()) {
            (false, 0.0) if serial > 0.0 => Self::text(time),
            (false, 0.0 | 60.0) => Self::Unfit(date, NO_DATE),
            (_, whole) if whole == serial => Self::text(date),
            _ => Self::text(format!("{date}T{time}")),
        }
    }
}

/// A date in ISO 8601 without a time of day where that is midnight.
fn iso(text: &str) -> &str {
    match text.split_once('T') {
        Some((date, time)) if time.trim_end_matches('Z').chars().all(|c| "0:.".contains(c)) => date,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn dates_of_both_systems_are_iso() {
        let date = |serial, is_1904| {
            let moment = ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904);
            Value::of(DataRef::DateTime(moment), false, is_1904)
        };
        let text = |text: &str| Value::text(text.to_owned());
        for (serial, from_1900, from_1904) in [
            (46_037.0, "2026-01-15", "2030-01-16"),
            (46_037.5, "2026-01-15T12:00:00", "2030-01-16T12:00:00"),
            (1.0, "1900-01-01", "1904-01-02"),
            (59.0, "1900-02-28", "1904-02-29"),
            (61.0, "1900-03-01", "1904-03-02"),
        ] {
            assert_eq!(date(serial, false), text(from_1900));
            assert_eq!(date(serial, true), text(from_1904));
        }
        assert_eq!(date(0.5, false), text("12:00:00"));
        assert_eq!(date(0.0, true), text("1904-01-01"));
        assert_eq!(date(2_958_465.0, false), text("9999-12-31"));
        // A moment that is midnight only when rounded is none.
        assert_eq!(date(46_037.000_000_000_01, false), text("2026-01-15T00:00:00"));
        for (serial, is_1904) in [
            (0.0, false),
            (60.0, false),
            (60.5, false),
            (-1.0, false),
            (2_958_466.0, false),
            (2_957_004.0, true),
            (f64::NAN, false),
        ] {
            assert!(matches!(date(serial, is_1904), Value::Unfit(..)), "{serial}");
        }
        let length = ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false);
        let length = Value::of(DataRef::DateTime(length), false, false);
        assert_eq!(length, Value::Unfit("1.5".into(), LENGTH_OF_TIME));
        assert_eq!(iso("2026-01-15T00:00:00.000Z"), "2026-01-15");
        assert_eq!(iso("2026-01-15T00:00:01"), "2026-01-15T00:00:01");
    }
}
