//! Values of the driver as the texts of a raw table: exact, or rejected with a reason.

use chrono::NaiveDate;
use tiberius::ColumnData;
use tiberius::numeric::Numeric;
use tiberius::time::{Date, DateTime, DateTime2, SmallDateTime};

const FLOAT: &str = "a binary float; make the column NUMERIC, so that decimals stay exact";
const MOMENT: &str = "a moment within a day; a date is expected";
const TIME: &str = "a time of day; a date, a text, or a number is expected";
const BYTES: &str = "bytes; a text or a number is expected";

/// A value as a text, or why it has no exact text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DecodedValue {
    /// Empty for NULL.
    Text(String),
    /// What the value looks like, and why it is rejected.
    Rejected(String, &'static str),
}

impl DecodedValue {
    fn null() -> Self {
        Self::Text(String::new())
    }

    fn map_or_null<T>(value: Option<T>, decode: impl FnOnce(T) -> Self) -> Self {
        value.map_or_else(Self::null, decode)
    }

    fn from_display<T: ToString>(value: Option<T>) -> Self {
        Self::map_or_null(value, |value| Self::Text(value.to_string()))
    }
}

/// Decodes a value by its declared type. The raw table trims the padding of CHAR.
pub(crate) fn decode(value: &ColumnData<'_>) -> DecodedValue {
    use DecodedValue as Value;
    match value {
        ColumnData::U8(value) => Value::from_display(*value),
        ColumnData::I16(value) => Value::from_display(*value),
        ColumnData::I32(value) => Value::from_display(*value),
        ColumnData::I64(value) => Value::from_display(*value),
        ColumnData::Bit(value) => {
            Value::map_or_null(*value, |yes| Value::Text(if yes { "Y" } else { "N" }.to_owned()))
        }
        ColumnData::String(value) => Value::from_display(value.as_ref()),
        ColumnData::Guid(value) => Value::from_display(*value),
        ColumnData::Numeric(value) => {
            Value::map_or_null(*value, |number| Value::Text(decimal_text(number)))
        }
        ColumnData::Xml(value) => Value::from_display(value.as_ref()),
        ColumnData::F32(value) => {
            Value::map_or_null(*value, |float| Value::Rejected(float.to_string(), FLOAT))
        }
        ColumnData::F64(value) => {
            Value::map_or_null(*value, |float| Value::Rejected(float.to_string(), FLOAT))
        }
        ColumnData::Binary(value) => {
            Value::map_or_null(value.as_ref(), |_| Value::Rejected(String::new(), BYTES))
        }
        ColumnData::Date(value) => {
            Value::map_or_null(*value, |date| Value::Text(iso_day(days_of(date))))
        }
        ColumnData::DateTime(value) => Value::map_or_null(*value, date_time),
        ColumnData::SmallDateTime(value) => Value::map_or_null(*value, small_date_time),
        ColumnData::DateTime2(value) => Value::map_or_null(*value, date_time_2),
        ColumnData::DateTimeOffset(value) => {
            Value::map_or_null(*value, |moment| match date_time_2(moment.datetime2()) {
                Value::Text(day) if moment.offset() != 0 => Value::Rejected(day, MOMENT),
                other => other,
            })
        }
        ColumnData::Time(value) => {
            Value::map_or_null(*value, |_| Value::Rejected(String::new(), TIME))
        }
    }
}

/// The number with all its decimals, trailing zeros included.
fn decimal_text(number: Numeric) -> String {
    let (value, scale) = (number.value(), usize::from(number.scale()));
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// Days from 0001-01-01 to 1900-01-01.
const DAYS_TO_1900: i64 = 693_595;

fn days_of(date: Date) -> i64 {
    i64::from(date.days())
}

fn midnight_only(days: i64, is_midnight: bool) -> DecodedValue {
    match is_midnight {
        true => DecodedValue::Text(iso_day(days)),
        false => DecodedValue::Rejected(iso_day(days), MOMENT),
    }
}

fn date_time(value: DateTime) -> DecodedValue {
    midnight_only(DAYS_TO_1900 + i64::from(value.days()), value.seconds_fragments() == 0)
}

fn small_date_time(value: SmallDateTime) -> DecodedValue {
    midnight_only(DAYS_TO_1900 + i64::from(value.days()), value.seconds_fragments() == 0)
}

fn date_time_2(value: DateTime2) -> DecodedValue {
    midnight_only(days_of(value.date()), value.time().increments() == 0)
}

/// The day this number of days after 0001-01-01, in ISO 8601.
pub(crate) fn iso_day(days_since_year_one: i64) -> String {
    let days_from_ce = i32::try_from(days_since_year_one + 1).ok();
    let day = days_from_ce.and_then(NaiveDate::from_num_days_from_ce_opt);
    day.map_or_else(|| days_since_year_one.to_string(), |day| day.to_string())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use tiberius::time::Time;

    use super::*;

    fn text(value: ColumnData<'_>) -> String {
        match decode(&value) {
            DecodedValue::Text(text) => text,
            rejected => panic!("{rejected:?}"),
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
    fn days_are_accepted_and_moments_within_a_day_rejected() {
        for (days, expected) in [
            (0, "0001-01-01"),
            (58, "0001-02-28"),
            (59, "0001-03-01"),
            (DAYS_TO_1900, "1900-01-01"),
            (730_178, "2000-02-29"),
            (730_179, "2000-03-01"),
            (3_652_058, "9999-12-31"),
        ] {
            assert_eq!(iso_day(days), expected);
            let date = Date::new(u32::try_from(days).unwrap());
            assert_eq!(text(ColumnData::Date(Some(date))), expected);
            let at = |increments| DateTime2::new(date, Time::new(increments, 7));
            assert_eq!(text(ColumnData::DateTime2(Some(at(0)))), expected);
            let late = decode(&ColumnData::DateTime2(Some(at(1))));
            assert_eq!(late, DecodedValue::Rejected(expected.to_owned(), MOMENT));
        }
        assert_eq!(text(ColumnData::DateTime(Some(DateTime::new(0, 0)))), "1900-01-01");
        assert_eq!(text(ColumnData::DateTime(Some(DateTime::new(-1, 0)))), "1899-12-31");
        let noon = ColumnData::SmallDateTime(Some(SmallDateTime::new(45_000, 720)));
        assert!(matches!(decode(&noon), DecodedValue::Rejected(..)));
    }

    #[test]
    fn floats_and_bytes_are_rejected() {
        let float = decode(&ColumnData::F64(Some(0.1)));
        assert!(matches!(float, DecodedValue::Rejected(_, FLOAT)));
        assert_eq!(decode(&ColumnData::F64(None)), DecodedValue::null());
        let bytes = ColumnData::Binary(Some(Cow::Borrowed(&[1])));
        assert!(matches!(decode(&bytes), DecodedValue::Rejected(_, BYTES)));
    }
}
