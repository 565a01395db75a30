//! Reads the cells of other systems: NULL, texts, numbers, prices, and dates as spreadsheets,
//! database tools, and desks write them. Numbers are exact; nothing is rounded.

mod days;
mod numbers;
mod prices;
#[cfg(test)]
mod tests;

pub use days::{DateFormat, DatePattern, ExcelDates};

use powerfill_events::values::{Day, fold};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::schema::{MappingUse, ValueKind};

/// The decimal mark of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecimalMark {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
}

/// What `6.5%` is in a column that has per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PercentSign {
    /// `6.5`
    #[default]
    Percent,
    /// `0.065`
    Fraction,
}

/// How prices are written. A value may have any of the forms that a mapping lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum PriceForm {
    /// `101.515625`
    #[serde(rename = "decimal")]
    Decimal,
    /// `101-16+`, `101-162`: points and 32nds; a third digit is eighths of a 32nd, and `+` is 4.
    #[serde(rename = "32nds")]
    ThirtySeconds,
    /// `101-33`: points and 64ths; `+` is half a 64th.
    #[serde(rename = "64ths")]
    SixtyFourths,
}

/// The formats of the cells of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellFormats {
    /// The forms of dates beside those that have one meaning, in the order in which they are tried.
    pub dates: Vec<DateFormat>,
    /// The first of the hundred years that a year of two digits is in; `None`: it is a fault.
    pub first_year: Option<i32>,
    /// The decimal mark; `None`: a point, and thousands separators are a fault.
    pub decimal: Option<DecimalMark>,
    /// What a per cent sign does.
    pub percent: PercentSign,
    /// The forms of prices; none: a plain number.
    pub prices: Vec<PriceForm>,
    /// The texts that mean NULL, folded. An empty text always does.
    pub null: Vec<String>,
}

impl CellFormats {
    /// The formats that a file has if its mapping says nothing.
    pub fn of_use(mapping_use: MappingUse) -> Self {
        let is_comparison = mapping_use == MappingUse::Comparison;
        Self {
            dates: if is_comparison { vec![DateFormat::MonthFirst] } else { Vec::new() },
            // As in SQL Server.
            first_year: is_comparison.then_some(1950),
            decimal: is_comparison.then_some(DecimalMark::Point),
            percent: PercentSign::default(),
            prices: Vec::new(),
            null: if is_comparison { vec!["NULL".to_owned()] } else { Vec::new() },
        }
    }

    /// The formats of our own files.
    pub(crate) fn canonical() -> Self {
        Self::of_use(MappingUse::Source)
    }

    /// Whether a text means NULL.
    pub fn is_null(&self, text: &str) -> bool {
        let text = trim(text);
        text.is_empty() || (!self.null.is_empty() && self.null.contains(&fold(text)))
    }

    /// Reads a text that is not NULL as the value of a column.
    ///
    /// # Errors
    /// What was expected, and what to write into the mapping.
    pub fn read(&self, text: &str, kind: ValueKind) -> Result<CellRead, String> {
        match kind {
            ValueKind::Text => Ok(CellRead::Text),
            ValueKind::Day => self.day(text).map(CellRead::Day),
            ValueKind::Number | ValueKind::Share => self.number(text, kind).map(CellRead::Number),
        }
    }

    /// Reads a number or a price.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn number(&self, text: &str, kind: ValueKind) -> Result<Decimal, String> {
        let text = trim(text);
        if self.prices.is_empty() {
            return numbers::number(self, text, kind);
        }
        prices::price(self, text, kind)
    }

    /// Reads a date.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn day(&self, text: &str) -> Result<Day, String> {
        days::day(self, trim(text))
    }
}

/// The value of a cell that is not NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellRead {
    /// The text of the cell.
    Text,
    /// A number.
    Number(Decimal),
    /// A day.
    Day(Day),
}

/// A text without blanks, tabs, no-break blanks, and characters without width at its ends.
pub fn trim(text: &str) -> &str {
    const INVISIBLE: &[char] = &[
        ' ', '\t', '\r', '\n', '\u{a0}', '\u{2007}', '\u{202f}', '\u{200b}', '\u{200c}',
        '\u{200d}', '\u{2060}', '\u{feff}',
    ];
    let text = text.trim_matches(INVISIBLE);
    let kept = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    kept.unwrap_or(text)
}
