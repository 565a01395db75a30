//! The explanation of a loan, as data (specification 3.4).

use std::sync::Arc;

use powerfill_events::run::RunId;
use powerfill_events::run::event::{
    LoanAllocated, LoanKickedOut, LoanMoved, LoanPinned, Node, Pass, PoolActionDerived, Pricing,
    Rejection, RunRequested, SyntheticOption, SyntheticOptionsRanked,
};
use powerfill_events::run::options::RunOptions;
use powerfill_events::values::{Day, LoanId, Money, PoolName, Price, TradeId};
use powerfill_tables::status::RunStatus;
use schemars::JsonSchema;
use serde::Serialize;

use super::ledger::FillingLoan;
use super::limit::{FullLimit, FullLimits};
use super::step::LoanStep;
use super::verdict::CandidateVerdict;

/// Everything that a run's events say about a loan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LoanExplanation {
    /// The run; NULL before its first event.
    #[schemars(with = "Option<String>")]
    pub run_id: Option<RunId>,
    /// The run's status.
    #[schemars(with = "String")]
    pub status: RunStatus,
    /// The run's snapshot and options; NULL before its first event.
    pub input: Option<RunInput>,
    /// The loan: in the spelling of its table if an event names it, else as the caller gave it.
    pub loan_id: LoanId,
    /// Its amount; NULL if no event has it.
    pub loan_amount: Option<Money>,
    /// Its pool before the run.
    pub pool_name: Option<PoolName>,
    /// The trade that this pool is designated to.
    pub present_trade_id: Option<TradeId>,
    /// Its place at the end.
    pub outcome: LoanOutcome,
    /// Its candidates, by turn and rank.
    pub candidates: Vec<CandidateStory>,
    /// Pairs that are no candidates, by trade.
    pub rejections: Vec<Rejection>,
    /// Placements, moves, and releases, in their order.
    pub steps: Vec<LoanStep>,
    /// Its postings in the pool guide (2.10).
    pub postings: Vec<PoolActionDerived>,
    /// Its best synthetic option (2.11).
    pub synthetic: Option<SyntheticStory>,
    /// Its best cash option (2.11).
    pub cash: Option<SyntheticOption>,
}

/// The place of a loan at the end of the events.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum LoanOutcome {
    /// A pass placed it.
    Allocated(Placement),
    /// It is in no trade.
    KickedOut(LoanKickedOut),
    /// It stays in its pool: locked, or held.
    Pinned(LoanPinned),
    /// It takes part, and the events end before its place is known.
    Undecided,
    /// No event names it: out of scope, or not in the snapshot.
    NoPart,
}

/// A loan's last placement.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Placement {
    /// The trade.
    pub trade_id: TradeId,
    /// The node of its candidate.
    pub node: Arc<Node>,
    /// Its turn.
    pub turn: u32,
    /// The pass that placed it.
    pub pass: Pass,
    /// The number of the placement within the run.
    pub allocation_seq: u64,
    /// Its prices in the trade.
    pub pricing: Pricing,
    /// The day on which the trade settles.
    pub settlement_date: Day,
    /// The trade's filled amount with it.
    pub filled_after: Money,
}

/// A candidate of the loan, with the verdict on it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CandidateStory {
    /// Its turn.
    pub turn: u32,
    /// Its rank in the turn.
    pub candidate_rank: u32,
    /// The first node in walk order that the loan matches there.
    pub node: Arc<Node>,
    /// The trade.
    pub trade_id: TradeId,
    /// The day on which it settles.
    pub settlement_date: Option<Day>,
    /// The loan's prices in the trade.
    pub pricing: Pricing,
    /// Whether it was taken, or why not.
    pub verdict: CandidateVerdict,
    /// For a kicked-out loan: the fill of the trade at the end.
    pub at_end: Option<FinalFill>,
}

impl CandidateStory {
    /// Whether the loan is there at the end.
    pub const fn is_chosen(&self) -> bool {
        matches!(self.verdict, CandidateVerdict::Chosen)
    }
}

/// The fill of a trade at the end, from the view of a kicked-out loan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FinalFill {
    /// The filled amount.
    pub filled_amount: Money,
    /// What was left to max.
    pub room_amount: Money,
    /// By how much the loan exceeds what was left; NULL if it fits, so that a limit barred it.
    pub excess_amount: Option<Money>,
    /// The loans in the trade; empty unless a limit barred the loan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filled_by: Vec<FillingLoan>,
    /// The limits that leave too little for the loan.
    #[schemars(with = "Vec<FullLimit>")]
    pub full_limits: FullLimits,
}

/// The input of a run.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RunInput {
    /// BLAKE3 of the captured snapshot, hexadecimal.
    pub snapshot_digest: String,
    /// The options with their defaults filled in.
    pub options: RunOptions,
    /// The challenge whose allocation the run adopted (10.7). NULL: the passes decided.
    pub challenge: Option<String>,
}

impl From<&RunRequested> for RunInput {
    fn from(requested: &RunRequested) -> Self {
        let snapshot_digest = requested.snapshot_digest.clone();
        let challenge = requested.origin.challenge.clone();
        Self { snapshot_digest, options: requested.options.clone(), challenge }
    }
}

/// The best synthetic option, and what the allocation gives up against it (2.11).
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SyntheticStory {
    /// The option of rank 1 in the run's price mode.
    pub best: Option<SyntheticOption>,
    /// The number of options.
    pub options: u64,
    /// The trade of the loan.
    pub allocated_trade_id: Option<TradeId>,
    /// The loan's score in that trade.
    pub allocated_score: Option<Price>,
    /// The best option's score minus that score.
    pub give_up: Option<Price>,
}

impl SyntheticStory {
    pub(super) fn new(ranked: &SyntheticOptionsRanked) -> Self {
        let best = |option: &&SyntheticOption| option.slot.syn_trade_id == ranked.best_syn_trade_id;
        Self {
            best: ranked.options.iter().find(best).cloned(),
            options: ranked.options.len() as u64,
            allocated_trade_id: ranked.allocated_trade_id.clone(),
            allocated_score: ranked.allocated_score,
            give_up: ranked.give_up,
        }
    }
}

impl From<&LoanAllocated> for Placement {
    fn from(placed: &LoanAllocated) -> Self {
        Self {
            trade_id: placed.trade_id.clone(),
            node: Arc::clone(&placed.node),
            turn: placed.turn,
            pass: placed.pass,
            allocation_seq: placed.allocation_seq,
            pricing: placed.pricing,
            settlement_date: placed.settlement_date,
            filled_after: placed.filled_after,
        }
    }
}

impl From<&LoanMoved> for Placement {
    fn from(moved: &LoanMoved) -> Self {
        Self {
            trade_id: moved.to_trade_id.clone(),
            node: Arc::clone(&moved.node),
            turn: moved.turn,
            pass: moved.pass,
            allocation_seq: moved.allocation_seq,
            pricing: moved.pricing,
            settlement_date: moved.settlement_date,
            filled_after: moved.filled_after,
        }
    }
}
