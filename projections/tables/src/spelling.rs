//! Enumerations as rows and reports spell them: by their name in the specification, which is also how events carry
//! them (a test holds the two together).

use powerfill_events::input::{InstrumentKind, TradeType};
use powerfill_events::run::event::{
    ExclusionReason, FillStatus, FindingCode, HeldReason, KickoutReason, Pass, PoolAction,
    RejectionReason, Severity, Step,
};

use crate::table::Cell;

/// A value of a closed list.
pub trait Spelled: Copy + 'static {
    /// Every value, in the order of the specification.
    const ALL: &'static [Self];

    /// Its name in the specification.
    fn spelled(self) -> &'static str;
}

macro_rules! spelled {
    ($($list:ident { $($value:ident = $name:literal,)* })*) => {$(
        impl Spelled for $list {
            const ALL: &'static [Self] = &[$(Self::$value,)*];

            fn spelled(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)*
                }
            }
        }

        impl From<$list> for Cell {
            fn from(value: $list) -> Self {
                Self::Name(value.spelled())
            }
        }
    )*};
}

impl From<TradeType> for Cell {
    fn from(trade_type: TradeType) -> Self {
        Self::Name(trade_type.as_str())
    }
}

impl From<InstrumentKind> for Cell {
    fn from(kind: InstrumentKind) -> Self {
        Self::Name(kind.as_str())
    }
}

spelled! {
    ExclusionReason {
        Cancelled = "Cancelled",
        Phantom = "Phantom",
        Settled = "Settled",
        NoSettlement = "NoSettlement",
        PastSettlement = "PastSettlement",
        BeyondHorizon = "BeyondHorizon",
        PairedOff = "PairedOff",
    }
    HeldReason {
        Locked = "Locked",
        TradeNotInRun = "TradeNotInRun",
        Status = "Status",
        Scope = "Scope",
        NoEligibilityDate = "NoEligibilityDate",
        NotEligibleInTime = "NotEligibleInTime",
    }
    RejectionReason {
        SettlesTooSoon = "SettlesTooSoon",
        NoPrice = "NoPrice",
        BelowPriceFloor = "BelowPriceFloor",
    }
    Pass {
        ExactFit = "exact_fit",
        BestFit = "best_fit",
        FillRemaining = "fill_remaining",
        OrphanHandling = "orphan_handling",
    }
    KickoutReason {
        NoMatchingConstraint = "NoMatchingConstraint",
        NoOpenTrade = "NoOpenTrade",
        SettlesTooSoon = "SettlesTooSoon",
        NoPrice = "NoPrice",
        BelowPriceFloor = "BelowPriceFloor",
        CapacityExhausted = "CapacityExhausted",
        LimitReached = "LimitReached",
    }
    FillStatus {
        Filled = "Filled",
        Under = "Under",
        Over = "Over",
    }
    PoolAction {
        Remaining = "Remaining",
        Joining = "Joining",
        Leaving = "Leaving",
        Switching = "Switching",
        SwappedIn = "Swapped In",
    }
    Severity {
        Error = "error",
        Warning = "warning",
    }
    FindingCode {
        PipelineEmpty = "PIPELINE_EMPTY",
        NoOpenTrades = "NO_OPEN_TRADES",
        NoConstraints = "NO_CONSTRAINTS",
        ConstraintUnreachable = "CONSTRAINT_UNREACHABLE",
        PricesMissing = "PRICES_MISSING",
        PricesStale = "PRICES_STALE",
        CarryCurveGap = "CARRY_CURVE_GAP",
        LockdownInconsistent = "LOCKDOWN_INCONSISTENT",
        SnapshotStale = "SNAPSHOT_STALE",
    }
    Step {
        Preflight = "preflight",
        BxCashGrids = "bx_cash_grids",
        BxSettleAndPrice = "bx_settle_and_price",
        CandidateBuilder = "candidate_builder",
        Allocation = "allocation",
        PoolGuide = "pool_guide",
        Ue = "ue",
        Invariants = "invariants",
        Record = "record",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees<T: Spelled + serde::Serialize>() {
        for value in T::ALL {
            assert_eq!(serde_json::to_value(value).unwrap(), value.spelled());
        }
    }

    #[test]
    fn rows_and_events_spell_alike() {
        agrees::<ExclusionReason>();
        agrees::<HeldReason>();
        agrees::<RejectionReason>();
        agrees::<Pass>();
        agrees::<KickoutReason>();
        agrees::<FillStatus>();
        agrees::<PoolAction>();
        agrees::<Severity>();
        agrees::<FindingCode>();
        agrees::<Step>();
    }
}
