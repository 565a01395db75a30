//! The values of rows, and how typed values become cells.

use std::sync::Arc;

use powerfill_events::input::{InstrumentKind, TradeType};
use powerfill_events::run::event::{
    ExclusionReason, FillStatus, FindingCode, HeldReason, KickoutReason, Pass, PoolAction,
    RejectionReason, Severity, Step,
};
use powerfill_events::values::{
    ConstraintName, Day, Fixed, InstrumentName, InvestorId, LoanId, PoolName, SynTradeId, TenantId,
    Timestamp, TradeId, Unit,
};
use rust_decimal::Decimal;

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// No value, whatever the column's type.
    Null,
    /// Text that came from an event; also a JSON document.
    Text(Arc<str>),
    /// Text that is part of the program, such as the name of an enum's value.
    Name(&'static str),
    /// A count, a rank, a priority, or a number of days.
    Int(i64),
    /// Units of the last decimal place, and the number of places.
    Fixed(i64, u8),
    /// An average whose magnitude has no bound.
    Decimal(Decimal),
    /// A calendar date.
    Day(Day),
    /// A moment in UTC.
    Timestamp(Timestamp),
}

impl<K: Unit> From<Fixed<K>> for Cell {
    fn from(number: Fixed<K>) -> Self {
        Self::Fixed(number.units(), u8::try_from(K::SCALE).unwrap_or(u8::MAX))
    }
}
impl From<Day> for Cell {
    fn from(day: Day) -> Self {
        Self::Day(day)
    }
}
impl From<Timestamp> for Cell {
    fn from(moment: Timestamp) -> Self {
        Self::Timestamp(moment)
    }
}
impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}
impl From<bool> for Cell {
    /// Y or N, as in the legacy tables (1.5).
    fn from(holds: bool) -> Self {
        Self::Name(if holds { "Y" } else { "N" })
    }
}

/// A name's cell shares the text with the event that it comes from.
macro_rules! cells_of_names {
    ($($id:ident)*) => {$(
        impl From<&$id> for Cell {
            fn from(name: &$id) -> Self {
                Self::Text(name.shared())
            }
        }
    )*};
}
cells_of_names!(ConstraintName InstrumentName InvestorId LoanId PoolName SynTradeId TenantId TradeId);

/// An enumeration's cell has the spelling of the specification, as events carry it.
macro_rules! cells_of_enumerations {
    ($($choice:ident)*) => {$(
        impl From<$choice> for Cell {
            fn from(value: $choice) -> Self {
                Self::Name(value.as_str())
            }
        }
    )*};
}
cells_of_enumerations! {
    ExclusionReason FillStatus FindingCode HeldReason InstrumentKind KickoutReason Pass PoolAction
    RejectionReason Severity Step TradeType
}

/// Whole numbers that fit into 64 bits with a sign.
macro_rules! cells_of_whole_numbers {
    ($($int:ty)*) => {$(
        impl From<$int> for Cell {
            fn from(number: $int) -> Self {
                Self::Int(number.into())
            }
        }
    )*};
}
cells_of_whole_numbers!(u8 u32 i32 i64);

impl From<u64> for Cell {
    /// A count beyond 63 bits becomes the greatest value; no run reaches it.
    fn from(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
