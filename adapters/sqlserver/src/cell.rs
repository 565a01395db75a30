//! Values as the driver gives them, as the texts of a raw table: exact, or unfit with a reason.

use chrono::NaiveDate;
use tiberius::ColumnData;
use tiberius::numeric::Numeric;
use tiberius::time::{Date, DateTime, DateTime2, SmallDateTime};

const FLOAT: &str = "a binary float; make the column NUMERIC, so that decimals stay exact";
const MOMENT: &str = "a moment within a day; a date is expected";
const TIME: &str = "a time of day; a date, a text or a number is expected";
const BYTES: &str = "bytes; a text or a number is expected";

/// A value as a text, or why it cannot be one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Empty for NULL.
    Text(String),
    /// What it looks like, and what is wrong with it.
    Unfit(String, &'static str),
}

impl Cell {
    fn null() -> Self {
        Self::Text(String::new())
    }

    fn of<T>(value: Option<T>, text: impl FnOnce(T) -> Self) -> Self {
        value.map_or_else(Self::null, text)
    }

    fn shown<T: ToString>(value: Option<T>) -> Self {
        Self::of(value, |value| Self::Text(value.to_string()))
    }
}

/// A value of a column. CHAR's padding is the raw table's to trim.
pub(crate) fn cell(value: &ColumnData<'_>) -> Cell {
    match value {
        ColumnData::U8(value) => Cell::shown(*value),
        ColumnData::I16(value) => Cell::shown(*value),
        ColumnData::I32(value) => Cell::shown(*value),
        ColumnData::I64(value) => Cell::shown(*value),
        ColumnData::Bit(value) => {
            Cell::of(*value, |yes| Cell::Text(if yes { "Y" } else { "N" }.to_owned()))
        }
        ColumnData::String(value) => {
            Cell::of(value.as_ref(), |text| Cell::Text(text.clone().into_owned()))
        }
        ColumnData::Guid(value) => Cell::shown(*value),
        ColumnData::Numeric(value) => Cell::of(*value, |number| Cell::Text(decimal(number))),
        ColumnData::Xml(value) => Cell::of(value.as_ref(), |xml| Cell::Text(xml.to_string())),
        ColumnData::F32(value) => Cell::of(*value, |float| Cell::Unfit(float.to_string(), FLOAT)),
        ColumnData::F64(value) => Cell::of(*value, |float| Cell::Unfit(float.to_string(), FLOAT)),
        ColumnData::Binary(value) => {
            Cell::of(value.as_ref(), |_| Cell::Unfit(String::new(), BYTES))
        }
        ColumnData::Date(value) => Cell::of(*value, |date| Cell::Text(day(days_of(date)))),
        ColumnData::DateTime(value) => Cell::of(*value, date_time),
        ColumnData::SmallDateTime(value) => Cell::of(*value, small_date_time),
        ColumnData::DateTime2(value) => Cell::of(*value, date_time_2),
        ColumnData::DateTimeOffset(value) => Cell::of(*value, |moment| {
            let at_home = moment.offset() == 0;
            match date_time_2(moment.datetime2()) {
                Cell::Text(day) if !at_home => Cell::Unfit(day, MOMENT),
                other => other,
            }
        }),
        ColumnData::Time(value) => Cell::of(*value, |_| Cell::Unfit(String::new(), TIME)),
    }
}

/// With all its decimals, trailing zeros included.
fn decimal(number: Numeric) -> String {
    let (value, scale) = (number.value(), usize::from(number.scale()));
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// Days from 0001-01-01 to 1900-01-01.
const TO_1900: i64 = 693_595;

fn days_of(date: Date) -> i64 {
    i64::from(date.days())
}

fn moment(days: i64, is_midnight: bool) -> Cell {
    if is_midnight { Cell::Text(day(days)) } else { Cell::Unfit(day(days), MOMENT) }
}

fn date_time(value: DateTime) -> Cell {
    moment(TO_1900 + i64::from(value.days()), value.seconds_fragments() == 0)
}

fn small_date_time(value: SmallDateTime) -> Cell {
    moment(TO_1900 + i64::from(value.days()), value.seconds_fragments() == 0)
}

fn date_time_2(value: DateTime2) -> Cell {
    moment(days_of(value.date()), value.time().increments() == 0)
}

/// The day that is so many days after 0001-01-01, ISO 8601.
pub(crate) fn day(since_year_one: i64) -> String {
    let counted = i32::try_from(since_year_one + 1).ok();
    let day = counted.and_then(NaiveDate::from_num_days_from_ce_opt);
    day.map_or_else(|| since_year_one.to_string(), |day| day.to_string())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use tiberius::time::Time;

    use super::*;

    fn text(value: ColumnData<'_>) -> String {
        match cell(&value) {
            Cell::Text(text) => text,
            unfit => panic!("{unfit:?}"),
        }
    }

    #[test]
    fn numbers_keep_every_decimal() {
        let numeric =
            |value, scale| text(ColumnData::Numeric(Some(Numeric::new_with_scale(value, scale))));
        assert_eq!(numeric(30_000_000, 2), "300000.00");
        assert_eq!(numeric(-5, 8), "-0.00000005");
        assert_eq!(numeric(0, 3), "0.000");
        assert_eq!(numeric(i128::from(i64::MAX) * 1_000, 0), "9223372036854775807000");
        assert_eq!(text(ColumnData::I32(Some(-7))), "-7");
        assert_eq!(text(ColumnData::Bit(Some(true))), "Y");
        assert_eq!(text(ColumnData::Numeric(None)), "");
        assert_eq!(text(ColumnData::String(Some(Cow::Borrowed("LN1   ")))), "LN1   ");
    }

    #[test]
    fn days_are_days_and_moments_are_refused() {
        for (days, expected) in [
            (0, "0001-01-01"),
            (58, "0001-02-28"),
            (59, "0001-03-01"),
            (TO_1900, "1900-01-01"),
            (730_178, "2000-02-29"),
            (730_179, "2000-03-01"),
            (3_652_058, "9999-12-31"),
        ] {
            assert_eq!(day(days), expected);
            let date = Date::new(u32::try_from(days).unwrap());
            assert_eq!(text(ColumnData::Date(Some(date))), expected);
            let at = |increments| DateTime2::new(date, Time::new(increments, 7));
            assert_eq!(text(ColumnData::DateTime2(Some(at(0)))), expected);
            let late = cell(&ColumnData::DateTime2(Some(at(1))));
            assert_eq!(late, Cell::Unfit(expected.to_owned(), MOMENT));
        }
        assert_eq!(text(ColumnData::DateTime(Some(DateTime::new(0, 0)))), "1900-01-01");
        assert_eq!(text(ColumnData::DateTime(Some(DateTime::new(-1, 0)))), "1899-12-31");
        let noon = SmallDateTime::new(45_000, 720);
        assert!(matches!(cell(&ColumnData::SmallDateTime(Some(noon))), Cell::Unfit(..)));
    }

    #[test]
    fn floats_and_bytes_are_refused() {
        assert!(matches!(cell(&ColumnData::F64(Some(0.1))), Cell::Unfit(_, FLOAT)));
        assert_eq!(cell(&ColumnData::F64(None)), Cell::null());
        let bytes = ColumnData::Binary(Some(Cow::Borrowed(&[1])));
        assert!(matches!(cell(&bytes), Cell::Unfit(_, BYTES)));
    }
}
