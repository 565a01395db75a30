//! The dates of a book: the date of the snapshot, and the settlement dates of each class.

use chrono::{Days, NaiveDate};

/// The snapshot's `as_of` and `prices_as_of`: a Thursday between two settlement dates.
pub(crate) const AS_OF: NaiveDate = match NaiveDate::from_ymd_opt(2026, 1, 15) {
    Some(day) => day,
    None => panic!("15 January 2026 is a day"),
};

/// The default `max_trade_settle_days` (1.3). A trade that settles later is beyond the horizon.
pub(crate) const HORIZON: i64 = 60;
/// The default `max_eligible_days` (1.3). A loan that is deliverable later is not eligible.
pub(crate) const ELIGIBLE_WITHIN: i64 = 30;

/// A class of settlement dates. Agency trades of a class settle on one day per month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SettlementClass {
    /// 30-year conventional.
    A,
    /// 15- and 20-year conventional.
    B,
    /// Government.
    C,
    /// Cash windows settle within days.
    Cash,
    /// Whole loans settle at the end of a month.
    WholeLoan,
}

impl SettlementClass {
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "A" => Self::A,
            "B" => Self::B,
            "C" => Self::C,
            "Cash" => Self::Cash,
            "WholeLoan" => Self::WholeLoan,
            other => panic!("kinds.txt has a settlement class {other}"),
        }
    }

    /// The two settlements within the horizon and the first one beyond it, in days after `as_of`.
    pub(crate) const fn days(self) -> [i64; 3] {
        match self {
            Self::A => [28, 56, 88],
            Self::B => [5, 33, 61],
            Self::C => [7, 35, 63],
            Self::Cash => [8, 22, 75],
            Self::WholeLoan => [15, 43, 76],
        }
    }
}

/// The day `days` after `as_of`.
pub(crate) fn day(days: i64) -> NaiveDate {
    let distance = Days::new(days.unsigned_abs());
    if days < 0 { AS_OF - distance } else { AS_OF + distance }
}

/// ISO text of the day `days` after `as_of`.
pub(crate) fn iso(days: i64) -> String {
    day(days).to_string()
}
