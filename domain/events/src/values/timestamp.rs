//! Moments, for envelopes and history; no decision reads one.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::Day;

const MICROS_PER_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A moment in UTC, in whole microseconds since 1970.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many microseconds after 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment this many days of 24 hours later, or earlier where negative.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0 + days * MICROS_PER_DAY)
    }

    /// The date in UTC.
    pub fn day(self) -> Day {
        // 64 bits of microseconds are fewer days than 32 bits hold.
        let days = i32::try_from(self.0.div_euclid(MICROS_PER_DAY)).unwrap_or(i32::MAX);
        Day::EPOCH.plus(days)
    }

    /// The first moment of a date in UTC.
    pub fn start_of(day: Day) -> Self {
        Self(0).plus_days(Day::EPOCH.days_until(day).into())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with microseconds, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = DateTime::<Utc>::from_timestamp_micros(self.0).ok_or(fmt::Error)?;
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl From<Timestamp> for String {
    fn from(moment: Timestamp) -> Self {
        moment.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = chrono::ParseError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        DateTime::parse_from_rfc3339(&text).map(|moment| Self(moment.timestamp_micros()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_begin_at_midnight_before_and_after_1970() {
        for (moment, date) in [
            ("2026-01-15T23:59:59.999999Z", "2026-01-15"),
            ("2026-01-16T00:00:00Z", "2026-01-16"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31"),
            ("1970-01-01T00:00:00Z", "1970-01-01"),
        ] {
            let moment = Timestamp::try_from(moment.to_owned()).unwrap();
            let date: Day = date.parse().unwrap();
            assert_eq!(moment.day(), date);
            let start = Timestamp::start_of(date);
            assert!(start <= moment && moment < start.plus_days(1), "{moment}");
            assert_eq!(start.plus_days(-1).day(), date.plus(-1));
        }
    }
}
