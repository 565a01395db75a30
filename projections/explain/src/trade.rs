//! The explanation of a trade, as data (specification 3.4).

use std::collections::BTreeMap;
use std::sync::Arc;

use powerfill_events::run::RunId;
use powerfill_events::run::event::{
    ConstraintBlockEvaluated, KickoutReason, LoanPinned, Node, Pass, RejectionReason,
    TradeAssessed, TradeFillEvaluated,
};
use powerfill_events::values::{LoanId, Money, Price, TradeId};
use powerfill_tables::status::RunStatus;
use schemars::JsonSchema;
use serde::Serialize;

use super::loan::RunInput;
use super::verdict::CandidateVerdict;

/// Everything that a run's events say about a trade.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TradeExplanation {
    /// The run; NULL before its first event.
    #[schemars(with = "Option<String>")]
    pub run_id: Option<RunId>,
    /// The run's status.
    #[schemars(with = "String")]
    pub status: RunStatus,
    /// The run's snapshot and options; NULL before its first event.
    pub input: Option<RunInput>,
    /// The trade: in the spelling of its table if an event names it, else as the caller gave it.
    pub trade_id: TradeId,
    /// Its assessment: whether it is in the run, and its band. NULL if no event names it.
    pub trade: Option<TradeAssessed>,
    /// Its locked and held loans.
    pub pinned: Vec<LoanPinned>,
    /// The loans that entered and left, in order.
    pub entries: Vec<TradeEntry>,
    /// The number of its candidates.
    pub candidates: u64,
    /// Candidates that are not in the trade at the end, by turn and rank.
    pub turned_away: Vec<AbsentCandidate>,
    /// The number of rejected pairs by reason.
    pub rejected: BTreeMap<RejectionReason, u64>,
    /// How much of each of its limits and goals is used.
    pub limits: Vec<ConstraintBlockEvaluated>,
    /// Its fill at the end (2.9).
    pub fill: Option<TradeFillEvaluated>,
    /// Why it is short; NULL if it is not.
    pub shortage: Option<Shortage>,
}

/// A loan that entered or left the trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TradeEntry {
    /// The loan.
    pub loan_id: LoanId,
    /// Its amount.
    pub loan_amount: Money,
    /// How it entered or left.
    #[serde(flatten)]
    pub change: TradeChange,
    /// The turn.
    pub turn: u32,
    /// The pass.
    pub pass: Pass,
    /// The trade's filled amount afterwards.
    pub filled_after: Money,
}

/// How a loan entered or left a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum TradeChange {
    /// It was in no trade before.
    Placed {
        /// The number of the placement.
        allocation_seq: u64,
        /// The loan's score in this trade.
        score: Price,
    },
    /// It was in another trade before.
    MovedIn {
        /// The number of the placement.
        allocation_seq: u64,
        /// The loan's score in this trade.
        score: Price,
        /// The other trade.
        from_trade_id: TradeId,
        /// The loan that it made room for in the other trade; NULL for a substitution.
        made_room_for: Option<LoanId>,
    },
    /// It is in another trade afterwards.
    MovedOut {
        /// The other trade.
        to_trade_id: TradeId,
        /// The loan that it made room for in this trade; NULL for a substitution.
        made_room_for: Option<LoanId>,
    },
    /// It is in no trade afterwards.
    TakenOut {
        /// The loan that entered in its place.
        exchanged_for: LoanId,
    },
}

/// A candidate of the trade that is not in the trade at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AbsentCandidate {
    /// The loan.
    pub loan_id: LoanId,
    /// The turn of the candidate.
    pub turn: u32,
    /// Its rank in the turn.
    pub candidate_rank: u32,
    /// The first node in walk order that the loan matches there.
    pub node: Arc<Node>,
    /// Its score in this trade.
    pub score: Price,
    /// Its amount; NULL if no event has it.
    pub loan_amount: Option<Money>,
    /// Why it was not taken, or did not stay.
    pub verdict: CandidateVerdict,
    /// Its place at the end.
    pub place: LoanPlace,
}

/// The place of a loan at the end of the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum LoanPlace {
    /// In a trade.
    Trade {
        /// The trade.
        trade_id: TradeId,
        /// The pass that placed it.
        pass: Pass,
        /// Its score in that trade.
        score: Price,
    },
    /// In no trade.
    KickedOut {
        /// The furthest reason that it got to (2.8).
        reason: KickoutReason,
    },
    /// The events end before its place is known.
    Unplaced,
}

/// Why a trade is short: the places of its absent candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shortage {
    /// The amount that is missing to min.
    pub shortfall_amount: Money,
    /// The number of candidates that are in other trades.
    pub placed_elsewhere: u64,
    /// The sum of their amounts.
    pub placed_elsewhere_amount: Money,
    /// The number of candidates that are in no trade.
    pub kicked_out: u64,
    /// The sum of their amounts.
    pub kicked_out_amount: Money,
}

impl Shortage {
    pub(super) fn new(shortfall_amount: Money, absent: &[AbsentCandidate]) -> Self {
        let mut shortage = Self {
            shortfall_amount,
            placed_elsewhere: 0,
            placed_elsewhere_amount: Money::ZERO,
            kicked_out: 0,
            kicked_out_amount: Money::ZERO,
        };
        for candidate in absent {
            let amount = candidate.loan_amount.unwrap_or_default();
            match candidate.place {
                LoanPlace::Trade { .. } => {
                    shortage.placed_elsewhere += 1;
                    shortage.placed_elsewhere_amount += amount;
                }
                LoanPlace::KickedOut { .. } => {
                    shortage.kicked_out += 1;
                    shortage.kicked_out_amount += amount;
                }
                LoanPlace::Unplaced => {}
            }
        }
        shortage
    }
}
