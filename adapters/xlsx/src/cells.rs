//! Converts a cell to the text that the same value has in CSV.
//!
//! | cell | text |
//! |---|---|
//! | text | itself |
//! | number | the decimal that was typed ([`crate::number`]): 42, 0.1, 0.0000001 |
//! | date | 2026-01-15; with a time of day 2026-01-15T12:30:00, which no date column accepts |
//! | TRUE, FALSE | Y, N |
//! | formula | its last calculated value |
//! | an error, such as #REF! | none: rejected |

use std::borrow::Cow;

use calamine::{DataRef, ExcelDateTime};
use powerfill_events::input::CellDisplay;

use crate::display::NumberDisplay;
use crate::number::decimal;

/// The largest length of a text in an Excel cell, in characters.
pub(crate) const MAX_TEXT_LENGTH: usize = 32_767;

const ERROR: &str = "the cell shows an error; correct its formula or type the value";
const NO_VALUE: &str = "a formula that was never calculated; open the workbook in Excel and save \
                        it, or type the value";
const DURATION: &str = "a duration; format the cell as a date, a number, or text";
const NO_DATE: &str = "a date that does not exist; type it as YYYY-MM-DD";

/// The text of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CellValue<'a> {
    /// No value, or only spaces: NULL.
    Blank,
    /// A value with an exact text.
    Text(Cow<'a, str>),
    /// A number that the cell displays as another one.
    Displayed(String, CellDisplay, String),
    /// A value without an exact text: what the cell shows, and why it is rejected.
    Rejected(String, &'static str),
}

impl<'a> CellValue<'a> {
    fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if text.trim_end_matches(' ').is_empty() { Self::Blank } else { Self::Text(text) }
    }

    pub(crate) fn new(cell: DataRef<'a>, is_formula: bool, is_1904: bool) -> Self {
        match cell {
            DataRef::Empty if is_formula => Self::Rejected(String::new(), NO_VALUE),
            DataRef::Empty => Self::Blank,
            DataRef::String(text) => Self::text(text),
            DataRef::SharedString(text) => Self::text(text),
            DataRef::Int(number) => Self::text(number.to_string()),
            DataRef::Float(number) => match decimal(number) {
                Ok(text) => Self::text(text),
                Err((text, reason)) => Self::Rejected(text, reason),
            },
            DataRef::Bool(is_true) => Self::text(if is_true { "Y" } else { "N" }),
            DataRef::DateTime(moment) => Self::moment(&moment, is_1904),
            DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                Self::text(without_midnight(&text).to_owned())
            }
            DataRef::Error(error) => Self::Rejected(error.to_string(), ERROR),
        }
    }

    /// The value as a number format displays it. Formats of texts and dates change nothing.
    pub(crate) fn displayed(self, display: NumberDisplay) -> Self {
        match self {
            Self::Text(text) => match display.shown(&text) {
                Some(shown) => Self::Displayed(text.into_owned(), display.display, shown),
                None => Self::Text(text),
            },
            other => other,
        }
    }

    fn moment(moment: &ExcelDateTime, is_1904: bool) -> Self {
        let serial = moment.as_f64();
        let serial_text = || decimal(serial).unwrap_or_else(|(text, _)| text);
        if moment.is_duration() {
            return Self::Rejected(serial_text(), DURATION);
        }
        // The serial number after 9999-12-31, in each of the two date systems.
        let end = if is_1904 { 2_957_004.0 } else { 2_958_466.0 };
        if !(0.0..end).contains(&serial) {
            return Self::Rejected(serial_text(), NO_DATE);
        }
        let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
        let mut time = format!("{hour:02}:{minute:02}:{second:02}");
        if milli > 0 {
            time.push_str(&format!(".{milli:03}"));
        }
        let date = format!("{year:04}-{month:02}-{day:02}");
        // Excel has a day 0 and a 29 February in 1900, for compatibility with an older program.
        match (is_1904, serial.trunc()) {
            (false, 0.0) if serial > 0.0 => Self::text(time),
            (false, 0.0 | 60.0) => Self::Rejected(date, NO_DATE),
            (_, whole) if whole == serial => Self::text(date),
            _ => Self::text(format!("{date}T{time}")),
        }
    }
}

/// A moment in ISO 8601, without the time of day if that is midnight.
fn without_midnight(text: &str) -> &str {
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
    fn dates_of_both_date_systems_become_iso_dates() {
        let date = |serial, is_1904| {
            let moment = ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904);
            CellValue::new(DataRef::DateTime(moment), false, is_1904)
        };
        let text = |text: &str| CellValue::text(text.to_owned());
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
        // A moment that only rounds to midnight is not a date.
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
            assert!(matches!(date(serial, is_1904), CellValue::Rejected(..)), "{serial}");
        }
        let duration = ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false);
        let duration = CellValue::new(DataRef::DateTime(duration), false, false);
        assert_eq!(duration, CellValue::Rejected("1.5".into(), DURATION));
        assert_eq!(without_midnight("2026-01-15T00:00:00.000Z"), "2026-01-15");
        assert_eq!(without_midnight("2026-01-15T00:00:01"), "2026-01-15T00:00:01");
    }
}
