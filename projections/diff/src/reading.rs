//! Reads the cells of an export: numbers and dates as the Desktop App, spreadsheets, and database
//! tools write them. A text that does not have the type of its column stays a text, and differs.

use chrono::NaiveDate;
use powerfill_events::values::{Day, fold};
use powerfill_tables::table::CellType;
use rust_decimal::Decimal;

use crate::grid::{GridColumn, PackedCell};
use crate::interner::Interner;

/// The order of the parts of a date whose parts are all numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// Month, day, year: as in the United States.
    #[default]
    Mdy,
    /// Day, month, year.
    Dmy,
}

/// The decimal mark of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecimalMark {
    /// `1,234.50`
    #[default]
    Point,
    /// `1.234,50`
    Comma,
}

/// The formats of the cells of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellFormats {
    /// The order of dates like `2/3/2026`.
    pub dates: DateOrder,
    /// The decimal mark.
    pub decimal: DecimalMark,
    /// The texts that mean NULL, folded. An empty text always does.
    pub null: Vec<String>,
}

impl Default for CellFormats {
    fn default() -> Self {
        let (dates, decimal) = (DateOrder::default(), DecimalMark::default());
        Self { dates, decimal, null: vec!["NULL".to_owned()] }
    }
}

impl CellFormats {
    /// Reads a cell of a column.
    pub fn cell(&self, text: &str, column: GridColumn, names: &mut Interner) -> PackedCell {
        let text = text.trim_end_matches(' ');
        if self.is_null(text) {
            return PackedCell::NULL;
        }
        let read = match column.cell_type {
            CellType::Text | CellType::Json | CellType::Timestamp => {
                return PackedCell::text(text, column, names);
            }
            CellType::Day => self.day(text).map(PackedCell::day),
            CellType::Int | CellType::Decimal(_) => {
                self.number(text, column.is_share).map(|n| PackedCell::number(n, column, names))
            }
        };
        read.unwrap_or_else(|| PackedCell::unreadable(text, column, names))
    }

    /// Whether a text means NULL.
    pub fn is_null(&self, text: &str) -> bool {
        let text = text.trim();
        text.is_empty() || self.null.contains(&fold(text))
    }

    /// Reads `1,234.50`, `$ 1,234.50`, `(1,234.50)`, `1234.5-`, `6.5 %`, `1.5E-05`. Thousands must
    /// be in groups of three, so that a decimal comma is no thousands separator.
    pub fn number(&self, text: &str, is_share: bool) -> Option<Decimal> {
        let text = text.trim();
        let (text, in_parentheses) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')'))
        {
            Some(inner) => (inner.trim(), true),
            None => (text, false),
        };
        let (text, percent) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (text, false),
        };
        let (text, trailing_minus) = match text.strip_suffix('-') {
            Some(number) => (number.trim_end(), true),
            None => (text, false),
        };
        let (text, minus) = sign(text);
        let text = text.strip_prefix('$').map_or(text, str::trim_start);
        let (text, inner_minus) = if minus { (text, false) } else { sign(text) };
        let minuses = [in_parentheses, trailing_minus, minus, inner_minus];
        if minuses.iter().filter(|minus| **minus).count() > 1 {
            return None;
        }
        let mut number = self.unsigned(text)?;
        if minuses.contains(&true) {
            number.set_sign_negative(true);
        }
        if percent && is_share {
            let scale = number.scale() + 2;
            number = Decimal::try_from_i128_with_scale(number.mantissa(), scale).ok()?;
        }
        Some(number)
    }

    /// Reads digits with thousands separators, decimals, and an exponent.
    fn unsigned(&self, text: &str) -> Option<Decimal> {
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (mark, separators): (char, &[char]) = match self.decimal {
            DecimalMark::Point => ('.', &[',', '\'', ' ', '\u{a0}', '\u{202f}']),
            DecimalMark::Comma => (',', &['.', '\'', ' ', '\u{a0}', '\u{202f}']),
        };
        let (whole, decimals) = digits.split_once(mark).unwrap_or((digits, ""));
        let whole = ungrouped(whole, separators)?;
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + decimals.len() == 0 || !all_digits(&whole) || !all_digits(decimals) {
            return None;
        }
        let decimals = decimals.trim_end_matches('0');
        let scale = i32::try_from(decimals.len()).ok()? - exponent;
        let mantissa: i128 = format!("{whole}{decimals}").parse().ok()?;
        if scale >= 0 {
            Decimal::try_from_i128_with_scale(mantissa, scale.unsigned_abs()).ok()
        } else {
            let power = 10_i128.checked_pow(scale.unsigned_abs())?;
            Decimal::try_from_i128_with_scale(mantissa.checked_mul(power)?, 0).ok()
        }
    }

    /// Reads `2026-02-12`, `20260212`, `2/12/2026`, `12-Feb-2026`, `Feb 12 2026`, each also with
    /// midnight as the time of day.
    pub fn day(&self, text: &str) -> Option<Day> {
        let text = text.trim();
        let (text, midnight) = split_time(text);
        if !midnight {
            return None;
        }
        let parts: Vec<&str> =
            text.split(['-', '/', '.', ' ', ',']).filter(|part| !part.is_empty()).collect();
        let date = match parts[..] {
            [all] if all.len() == 8 && all.is_ascii() => date(&all[..4], &all[4..6], &all[6..]),
            [year, month, day] if year.len() == 4 => {
                // ISO 8601, or with the name of the month.
                date(year, month_number(month).as_deref().unwrap_or(month), day)
            }
            [first, second, year] => match (month_number(first), month_number(second)) {
                (Some(month), None) => date(year, &month, second),
                (None, Some(month)) => date(year, &month, first),
                (None, None) => match self.dates {
                    DateOrder::Mdy => date(year, first, second),
                    DateOrder::Dmy => date(year, second, first),
                },
                (Some(_), Some(_)) => None,
            },
            _ => None,
        };
        date.map(Day::from)
    }
}

fn sign(text: &str) -> (&str, bool) {
    match text.strip_prefix(['-', '\u{2212}']) {
        Some(number) => (number.trim_start(), true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    }
}

/// Removes thousands separators; `None` if the groups do not have three digits.
fn ungrouped(whole: &str, separators: &[char]) -> Option<String> {
    let Some(separator) = whole.chars().find(|c| separators.contains(c)) else {
        return Some(whole.to_owned());
    };
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    let grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    grouped.then(|| whole.split(separator).collect())
}

/// Splits a text into the date, and whether the time of day is midnight or absent. `T` or blanks
/// precede the time.
fn split_time(text: &str) -> (&str, bool) {
    let Some(colon) = text.find(':') else { return (text, true) };
    let Some(start) = text[..colon].rfind(['T', ' ']) else { return (text, false) };
    let (date, time) = (&text[..start], &text[start + 1..]);
    let time = time.to_ascii_uppercase();
    let (time, twelve_is_midnight) = match time.strip_suffix("AM") {
        Some(time) => (time.trim_end().to_owned(), true),
        None => (time.trim_end_matches('Z').trim_end_matches("+00:00").to_owned(), false),
    };
    let mut parts = time.split([':', '.']);
    let hour = parts.next().unwrap_or_default();
    let no_hour = matches!(hour, "0" | "00") || (twelve_is_midnight && hour == "12");
    let zero = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte == b'0');
    (date.trim_end(), no_hour && parts.all(zero))
}

/// A calendar date from the texts of its parts. A year of two digits is within 1950 to 2049, as in
/// SQL Server.
fn date(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let number = |text: &str, widths: &[usize]| {
        let plain = widths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let years = number(year, &[2, 4])?;
    let years = match (year.len(), years) {
        (2, 0..50) => 2000 + years,
        (2, _) => 1900 + years,
        _ => years,
    };
    let (month, day) = (number(month, &[1, 2])?, number(day, &[1, 2])?);
    NaiveDate::from_ymd_opt(i32::try_from(years).ok()?, month, day)
}

/// The number of a month, from its English name or the first three letters of the name.
fn month_number(name: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_ascii_lowercase();
    let is = |month: &&str| *month == name || (name.len() == 3 && month.starts_with(&name));
    MONTHS.iter().position(is).map(|at| (at + 1).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_the_forms_of_spreadsheets() {
        let formats = CellFormats::default();
        for (text, number) in [
            ("100", Some("100")),
            ("100.00", Some("100")),
            (" $1,234,567.80 ", Some("1234567.8")),
            ("$ -5", Some("-5")),
            ("-$5.10", Some("-5.1")),
            ("(1,234.50)", Some("-1234.5")),
            ("($0.05)", Some("-0.05")),
            ("1234.5-", Some("-1234.5")),
            ("+7", Some("7")),
            (".5", Some("0.5")),
            ("5.", Some("5")),
            ("6.5%", Some("6.5")),
            ("1.5E-05", Some("0.000015")),
            ("1.2e3", Some("1200")),
            ("1 234.5", Some("1234.5")),
            ("1\u{a0}234", Some("1234")),
            ("99.12345678900000000000000000000000000000", Some("99.123456789")),
            ("1,5", None),
            ("12,34,567", None),
            ("(-5)", None),
            ("--5", None),
            ("", None),
            (".", None),
            ("abc", None),
            ("1.2.3", None),
            ("NaN", None),
            ("1e999", None),
        ] {
            let expected = number.map(|number| number.parse::<Decimal>().unwrap());
            assert_eq!(formats.number(text, false), expected, "{text:?}");
        }
        assert_eq!(formats.number("14.3560 %", true), Some("0.14356".parse().unwrap()));
        let german = CellFormats { decimal: DecimalMark::Comma, ..CellFormats::default() };
        assert_eq!(german.number("1.234,50", false), Some("1234.5".parse().unwrap()));
        assert_eq!(german.number("1,234.50", false), None);
    }

    #[test]
    fn days_are_read_in_many_forms_but_only_at_midnight() {
        let formats = CellFormats::default();
        for text in [
            "2026-02-12",
            "2026-02-12 00:00:00",
            "2026-02-12T00:00:00.0000000",
            "2026-02-12T00:00:00Z",
            "2/12/2026",
            "02/12/2026 12:00:00 AM",
            "02-12-2026",
            "2.12.26",
            "20260212",
            "12-Feb-2026",
            "Feb 12 2026 12:00AM",
            "February 12, 2026",
            "2026 feb 12",
        ] {
            assert_eq!(formats.day(text), "2026-02-12".parse().ok(), "{text:?}");
        }
        for text in [
            "13/2/2026",
            "2026-02-30",
            "2026-02-12 17:00:00",
            "2/12/2026 12:00:00 PM",
            "46065",
            "",
            "2026",
            "Feb Feb 2026",
            "12:00",
            "２０２６-02-12",
        ] {
            assert_eq!(formats.day(text), None, "{text:?}");
        }
        let day_first = CellFormats { dates: DateOrder::Dmy, ..CellFormats::default() };
        assert_eq!(day_first.day("12/2/2026"), "2026-02-12".parse().ok());
        assert_eq!(day_first.day("2026-02-12"), "2026-02-12".parse().ok());
    }

    #[test]
    fn an_empty_text_is_null_and_text_loses_only_its_padding() {
        let (formats, mut names) = (CellFormats::default(), Interner::default());
        let space = names.space("any");
        let mut cell = |text: &str, cell_type| {
            formats.cell(text, GridColumn { cell_type, is_share: false, space }, &mut names)
        };
        for text in ["", "   ", "NULL", "null  "] {
            assert_eq!(cell(text, CellType::Text), PackedCell::NULL);
            assert_eq!(cell(text, CellType::Day), PackedCell::NULL);
        }
        assert_eq!(cell("T1    ", CellType::Text), cell("t1", CellType::Text));
        assert_ne!(cell(" T1", CellType::Text), cell("T1", CellType::Text));
        assert_eq!(cell("1,000.00", CellType::Int), cell("1000", CellType::Int));
        assert!(cell("soon", CellType::Day).is_unreadable());
        assert!(cell("1.5", CellType::Int).is_unreadable());
    }
}
