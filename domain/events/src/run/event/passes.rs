//! Payloads of the events about candidates and passes.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reasons::{Pass, RejectionReason};
use crate::values::{
    Carry, ConstraintName, Day, InstrumentName, InvestorId, LoanId, Money, PoolName, Price, Share,
    TradeId,
};

/// A walkable node as rows show it: its key and priority.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Node {
    /// The investor.
    pub investor_id: InvestorId,
    /// The instrument.
    pub investor_instrument_name: InstrumentName,
    /// Empty at the instrument level.
    pub constraint_name: ConstraintName,
    /// Lower first.
    pub constraint_priority: i64,
}

/// The price of a loan in a trade (2.3), in points per 100 of par.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pricing {
    /// Days from the loan's eligibility to settlement; negative where it becomes eligible later.
    pub interest_earning_days: i32,
    /// All-in, pay-up included.
    pub price: Price,
    /// The pay-up within the price; informs.
    pub payup: Price,
    /// What carrying the loan earns, or costs.
    pub carry_cost: Carry,
    /// Both.
    pub prx_plus_carry: Price,
    /// The one of them that the price mode ranks by.
    pub score: Price,
}

/// See [`RunEvent::ConstraintMatched`](super::RunEvent::ConstraintMatched).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConstraintMatched {
    /// Its key and priority.
    pub node: Arc<Node>,
    /// Its turn, from 1.
    pub turn: u32,
    /// Loans that match it: eligible ones, and pinned ones whose trade is in the run.
    pub loans_matched: u64,
    /// Included trades of its instrument.
    pub trades: u64,
    /// A goal, share of the open amount.
    pub lo_limit: Option<Share>,
    /// A bound, share of the open amount.
    pub hi_limit: Option<Share>,
}

/// See [`RunEvent::CandidateScored`](super::RunEvent::CandidateScored).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CandidateScored {
    /// The turn that the pair belongs to.
    pub turn: u32,
    /// Its rank in the turn, from 1.
    pub candidate_rank: u32,
    /// The first node in walk order that the loan matches.
    pub node: Arc<Node>,
    /// The loan.
    pub loan_id: LoanId,
    /// The trade.
    pub trade_id: TradeId,
    /// What the pair is worth.
    pub pricing: Pricing,
}

/// See [`RunEvent::CandidatesRejected`](super::RunEvent::CandidatesRejected).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CandidatesRejected {
    /// The loan.
    pub loan_id: LoanId,
    /// By trade id.
    pub rejections: Vec<Rejection>,
}

/// A pair that is no candidate, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejection {
    /// The trade.
    pub trade_id: TradeId,
    /// The first condition of 2.6 that held.
    pub reason: RejectionReason,
}

/// See [`RunEvent::LoanAllocated`](super::RunEvent::LoanAllocated).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoanAllocated {
    /// The candidate's turn.
    pub turn: u32,
    /// The candidate's node.
    pub node: Arc<Node>,
    /// The loan.
    pub loan_id: LoanId,
    /// The trade that it goes to.
    pub trade_id: TradeId,
    /// The pass that placed it.
    pub pass: Pass,
    /// Number of the placement in the run, from 1.
    pub allocation_seq: u64,
    /// Its amount.
    pub loan_amount: Money,
    /// The candidate's pricing.
    pub pricing: Pricing,
    /// When the trade settles.
    pub settlement_date: Day,
    /// The pool that it is in.
    pub prior_pool_name: Option<PoolName>,
    /// The trade that this pool is designated to.
    pub prior_trade_id: Option<TradeId>,
    /// The trade's filled amount with it.
    pub filled_after: Money,
}

/// See [`RunEvent::LoanMoved`](super::RunEvent::LoanMoved).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoanMoved {
    /// The turn of the candidate that it moves to.
    pub turn: u32,
    /// The node of that candidate.
    pub node: Arc<Node>,
    /// The loan.
    pub loan_id: LoanId,
    /// The trade that it leaves.
    pub from_trade_id: TradeId,
    /// The trade that it goes to.
    pub to_trade_id: TradeId,
    /// fill_remaining (substitution) or orphan_handling (make room).
    pub pass: Pass,
    /// Number of the placement in the run.
    pub allocation_seq: u64,
    /// Its amount.
    pub loan_amount: Money,
    /// The pricing of the candidate that it moves to.
    pub pricing: Pricing,
    /// When the trade that it goes to settles.
    pub settlement_date: Day,
    /// (score before − score after) × amount / 100: what the move costs, in dollars, rounded to
    /// cents.
    pub marginal_cost: Money,
    /// The loan that comes in instead (make room).
    pub made_room_for: Option<LoanId>,
    /// Filled amount of the trade that it left.
    pub from_filled_after: Money,
    /// Filled amount of the trade that it went to.
    pub filled_after: Money,
}

/// See [`RunEvent::LoanReleased`](super::RunEvent::LoanReleased).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoanReleased {
    /// The turn.
    pub turn: u32,
    /// The loan that is taken out.
    pub loan_id: LoanId,
    /// The trade that it leaves.
    pub trade_id: TradeId,
    /// fill_remaining (exchange).
    pub pass: Pass,
    /// Its amount.
    pub loan_amount: Money,
    /// Score of this loan less that of the one that comes in, points.
    pub marginal_cost: Price,
    /// The loan that comes in instead.
    pub exchanged_for: LoanId,
    /// The trade's filled amount without it.
    pub filled_after: Money,
}

/// See [`RunEvent::PassCompleted`](super::RunEvent::PassCompleted).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PassCompleted {
    /// The pass.
    pub pass: Pass,
    /// The turn; NULL for orphan_handling.
    pub turn: Option<u32>,
    /// Loans that it placed.
    pub allocated: u64,
    /// Loans that it moved.
    pub moved: u64,
    /// Loans that it took out.
    pub released: u64,
    /// Rounds of its loop; 1 where it has none.
    pub iterations: u32,
    /// Whether it ended by itself, not by the bound on its iterations.
    pub converged: bool,
}
