//! The paths of a loan on both sides of a comparison (specification 3.4).

use std::fmt::{self, Display, Formatter};

use powerfill_events::run::event::Pass;
use powerfill_events::values::fold;
use powerfill_explain::Moment;
use schemars::JsonSchema;
use serde::Serialize;

/// The paths of a loan whose decision differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoanPath {
    /// The loan.
    pub loan_id: String,
    /// Its amount, in dollars, as the later run or the only one has it.
    pub loan_amount: Option<String>,
    /// Its position here.
    pub here: LoanPosition,
    /// Its position there.
    pub there: LoanPosition,
    /// Where the paths diverge; NULL if both positions are the same.
    pub parted: Option<Divergence>,
    /// Why it has its position here, and not the one there; of two runs, why it has its new
    /// position and not the old one.
    pub because: String,
}

/// The position of a loan on one side, as the output tables of the side say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum LoanPosition {
    /// In a trade, or in a pool of it.
    Allocated {
        /// The trade; NULL if the guide has none.
        trade_id: Option<String>,
        /// The pool.
        pool_name: Option<String>,
        /// Its pool action (2.10).
        pool_action: Option<String>,
    },
    /// In its pool, where it stays.
    Held {
        /// The reason.
        held_reason: String,
        /// The pool.
        pool_name: Option<String>,
        /// The pool's trade.
        trade_id: Option<String>,
    },
    /// In no trade.
    KickedOut {
        /// The reason; NULL if the guide has none.
        reason: Option<String>,
    },
    /// In none of the side's tables.
    Absent,
}

/// The first moment at which the paths of a loan differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Divergence {
    /// The pass; NULL before the passes.
    pub pass: Option<Pass>,
    /// The turn; NULL before the passes and in orphan_handling.
    pub turn: Option<u32>,
    /// What happened on each side.
    pub what: String,
}

impl Display for LoanPosition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allocated { trade_id, pool_action, .. } => {
                match trade_id {
                    Some(trade) => write!(f, "trade {trade}")?,
                    None => write!(f, "no trade")?,
                }
                pool_action.as_ref().map_or(Ok(()), |action| write!(f, ", {action}"))
            }
            Self::Held { held_reason, pool_name, .. } => match pool_name {
                Some(pool) => write!(f, "held in pool {pool}, {held_reason}"),
                None => write!(f, "held, {held_reason}"),
            },
            Self::KickedOut { reason: Some(reason) } => write!(f, "kicked out, {reason}"),
            Self::KickedOut { reason: None } => write!(f, "kicked out"),
            Self::Absent => write!(f, "in no table"),
        }
    }
}

impl Display for Divergence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.pass, self.turn) {
            (None, _) => write!(f, "before the passes")?,
            (Some(pass), None) => write!(f, "at {}", pass.as_str())?,
            (Some(pass), Some(turn)) => write!(f, "at {} of turn {turn}", pass.as_str())?,
        }
        write!(f, ": {}", self.what)
    }
}

impl LoanPosition {
    pub(crate) fn trade(&self) -> Option<&str> {
        match self {
            Self::Allocated { trade_id, .. } | Self::Held { trade_id, .. } => trade_id.as_deref(),
            Self::KickedOut { .. } | Self::Absent => None,
        }
    }

    /// Whether two positions are the same: the same trade, or none on both sides, for reasons that
    /// may differ.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let trades = (self.trade().map(fold), other.trade().map(fold));
        std::mem::discriminant(self) == std::mem::discriminant(other) && trades.0 == trades.1
    }
}

impl Divergence {
    pub(crate) fn before_passes(what: String) -> Self {
        Self { pass: None, turn: None, what }
    }

    pub(crate) fn at(moment: Moment, what: String) -> Self {
        Self { pass: Some(moment.pass()), turn: moment.turn(), what }
    }
}
