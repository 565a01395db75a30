//! Enumerations as cells of rows: by their spelling in the specification, as events carry them.

use powerfill_events::input::{InstrumentKind, TradeType};
use powerfill_events::run::event::{
    ExclusionReason, FillStatus, FindingCode, HeldReason, KickoutReason, Pass, PoolAction,
    RejectionReason, Severity, Step,
};

use crate::table::Cell;

macro_rules! cells {
    ($($choice:ident)*) => {
        $(impl From<$choice> for Cell {
            fn from(value: $choice) -> Self {
                Self::Name(value.as_str())
            }
        })*
    };
}

cells! {
    ExclusionReason FillStatus FindingCode HeldReason InstrumentKind KickoutReason Pass PoolAction
    RejectionReason Severity Step TradeType
}
