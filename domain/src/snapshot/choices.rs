//! The words of the enumerations of 1.2 and 1.3, one list each: reading, writing and messages use
//! the same.

use super::options::{PriceMode, Scope};
use super::tables::{
    ColumnType, InstrumentKind, PoolStatus, ToleranceRule, ToleranceSide, TradeStatus, TradeType,
};

macro_rules! choices {
    ($($name:ident { $($variant:ident = $text:literal),* $(,)? })*) => {$(
        impl $name {
            /// The words of the input and of the reports.
            pub const WORDS: &'static [&'static str] = &[$($text),*];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl Choice for $name {
            fn nth(position: usize) -> Self {
                [$(Self::$variant),*][position]
            }
        }
    )*};
}

/// An enumeration that is read as the position of its word among `WORDS`.
pub(super) trait Choice {
    /// The value of the word at this position.
    fn nth(position: usize) -> Self;
}

choices! {
    ColumnType { Text = "text", Number = "number", Date = "date" }
    InstrumentKind { Tba = "tba", Cash = "cash", WholeLoan = "whole_loan" }
    TradeType { Forward = "forward", Bx = "bx" }
    TradeStatus { Open = "open", Settled = "settled", Cancelled = "cancelled", Phantom = "phantom" }
    ToleranceRule { Percent = "percent", GreaterOf = "greater_of", LesserOf = "lesser_of" }
    ToleranceSide { Both = "both", Over = "over", Under = "under", None = "none" }
    PoolStatus { Open = "open", Closed = "closed" }
    Scope { ClosedOnly = "closed_only", ClosedAndLocked = "closed_and_locked" }
    PriceMode { Po = "po", Pc = "pc" }
}

/// The words of a yes-or-no column.
pub(super) const YES_NO: &[&str] = &["Y", "N"];

impl Choice for bool {
    fn nth(position: usize) -> Self {
        position == 0
    }
}

/// The word of a yes-or-no value.
pub(super) fn yes_no(yes: bool) -> &'static str {
    YES_NO[usize::from(!yes)]
}
