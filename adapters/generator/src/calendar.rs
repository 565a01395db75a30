//! The days of the book: the moment that it stands at, and when each class of trades settles.

use chrono::{Days, NaiveDate};

/// The snapshot's `as_of` and `prices_as_of`: a Thursday between two settlement dates.
pub(crate) const AS_OF: NaiveDate = match NaiveDate::from_ymd_opt(2026, 1, 15) {
    Some(day) => day,
    None => panic!("15 January 2026 is a day"),
};

/// The default `max_trade_settle_days` (1.3): what settles later is beyond the horizon.
pub(crate) const HORIZON: i64 = 60;
/// The default `max_eligible_days` (1.3): what is deliverable later is not eligible in time.
pub(crate) const ELIGIBLE_WITHIN: i64 = 30;

/// When trades settle, in days after `as_of`. The market settles agency trades one class a day,
/// once a month.
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
    /// Whole loans settle at month's end.
    WholeLoan,
}

impl SettlementClass {
    /// The two settlements within the horizon and the next one beyond it.
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
