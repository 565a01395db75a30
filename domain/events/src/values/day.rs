//! Calendar dates.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// A calendar date, counted in days of the common era (1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(i32);

impl Day {
    /// 1970-01-01.
    pub const EPOCH: Self = Self(719_163);

    /// Whole days from `self` to `later`: negative where `later` is earlier (1.1 `days(a, b)`).
    pub fn days_until(self, later: Self) -> i32 {
        later.0 - self.0
    }

    /// The date this many days later, or earlier where negative.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// The same date in `chrono`'s type.
    ///
    /// # Panics
    /// Never for a date that was parsed; dates move by at most some ten thousand days from there.
    pub fn to_chrono(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.0).expect("a date within chrono's range")
    }
}

impl From<NaiveDate> for Day {
    fn from(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce())
    }
}

/// A text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a date is YYYY-MM-DD")]
pub struct DateError;

impl FromStr for Day {
    type Err = DateError;
    /// Reads `YYYY-MM-DD`, exactly.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let bytes = text.as_bytes();
        let shape = bytes.len() == 10
            && bytes
                .iter()
                .enumerate()
                .all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
        if !shape {
            return Err(DateError);
        }
        let number = |from: usize, to: usize| {
            bytes[from..to].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'))
        };
        let year = i32::try_from(number(0, 4)).map_err(|_| DateError)?;
        NaiveDate::from_ymd_opt(year, number(5, 7), number(8, 10)).map(Self::from).ok_or(DateError)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_chrono(), f)
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = DateError;
    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl schemars::JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_iso_dates_and_counts_days() {
        let day = |text: &str| text.parse::<Day>();
        assert_eq!(day("2026-02-12").unwrap().days_until(day("2026-03-12").unwrap()), 28);
        assert_eq!(day("2028-02-29").unwrap().plus(1).to_string(), "2028-03-01");
        for text in
            ["2026-02-30", "2026-2-1", "15/01/2026", "", "2026-01-01 ", "20260101", "+026-01-01"]
        {
            assert_eq!(day(text), Err(DateError), "{text}");
        }
    }
}
