//! The words of the enumerations of 1.2, one list each: reading, writing, and messages use the same.

use powerfill_events::choices;

use super::tables::{ColumnType, PoolStatus, ToleranceRule, ToleranceSide, TradeStatus};

choices! {
    ColumnType { Text = "text", Number = "number", Date = "date" }
    TradeStatus { Open = "open", Settled = "settled", Cancelled = "cancelled", Phantom = "phantom" }
    ToleranceRule { Percent = "percent", GreaterOf = "greater_of", LesserOf = "lesser_of" }
    ToleranceSide { Both = "both", Over = "over", Under = "under", None = "none" }
    PoolStatus { Open = "open", Closed = "closed" }
}

/// The words of a yes-or-no column.
pub(super) const YES_NO: &[&str] = &["Y", "N"];

/// The word of a yes-or-no value.
pub(super) fn yes_no(yes: bool) -> &'static str {
    YES_NO[usize::from(!yes)]
}
