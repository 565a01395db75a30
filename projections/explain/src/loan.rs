//! What there is to say about a loan (specification 3.4).

use std::sync::Arc;

use powerfill_events::run::RunId;
use powerfill_events::run::event::{
    LoanAllocated, LoanKickedOut, LoanMoved, LoanPinned, LoanReleased, Node, Pass,
    PoolActionDerived, Pricing, Rejection, RunRequested, SyntheticOption, SyntheticOptionsRanked,
};
use powerfill_events::run::options::RunOptions;
use powerfill_events::values::{Day, LoanId, Money, PoolName, Price, TradeId};
use serde::Serialize;

use super::ledger::FillingLoan;
use super::verdict::{CandidateVerdict, FullLimit};
use powerfill_tables::status::RunStatus;

/// Everything that a run's events say about a loan.
#[derive(Debug, Clone, Serialize)]
pub struct LoanExplanation {
    /// The run; NULL before its first event.
    pub run_id: Option<RunId>,
    /// Where the run stands.
    pub status: RunStatus,
    /// What it was asked to decide on; NULL before its first event.
    pub input: Option<RunInput>,
    /// The loan, spelled as its table spells it where an event names it.
    pub loan_id: LoanId,
    /// Its amount; NULL where no event says it.
    pub loan_amount: Option<Money>,
    /// The pool that it is in.
    pub pool_name: Option<PoolName>,
    /// The trade that this pool is designated to.
    pub present_trade_id: Option<TradeId>,
    /// What became of it.
    pub outcome: LoanOutcome,
    /// In the order of turn and rank.
    pub candidates: Vec<CandidateStory>,
    /// Pairs that are no candidates, by trade.
    pub rejections: Vec<Rejection>,
    /// Placements, moves and releases, in their order.
    pub steps: Vec<LoanStep>,
    /// What it does about pools.
    pub postings: Vec<PoolActionDerived>,
    /// Where else it could have gone today.
    pub synthetic: Option<SyntheticStory>,
    /// The best cash option.
    pub cash: Option<SyntheticOption>,
}

/// What became of a loan.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum LoanOutcome {
    /// A pass placed it.
    Allocated(Placement),
    /// It found no place.
    KickedOut(LoanKickedOut),
    /// It stays where it was: locked, or held.
    Pinned(LoanPinned),
    /// It takes part, but the events end before its place is known.
    Undecided,
    /// No event names it: out of scope, or not in the snapshot.
    NoPart,
}

/// A loan's last placement.
#[derive(Debug, Clone, Serialize)]
pub struct Placement {
    /// Where.
    pub trade_id: TradeId,
    /// The node whose candidate it was.
    pub node: Arc<Node>,
    /// Its turn.
    pub turn: u32,
    /// The pass.
    pub pass: Pass,
    /// Number of the placement in the run.
    pub allocation_seq: u64,
    /// What it is worth there.
    pub pricing: Pricing,
    /// When the trade settles.
    pub settlement_date: Day,
    /// The trade's filled amount with it.
    pub filled_after: Money,
}

/// A candidate of the loan, and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct CandidateStory {
    /// Its turn.
    pub turn: u32,
    /// Its rank in the turn.
    pub candidate_rank: u32,
    /// The first node in walk order that the loan matches there.
    pub node: Arc<Node>,
    /// The trade.
    pub trade_id: TradeId,
    /// When it settles.
    pub settlement_date: Option<Day>,
    /// What the loan is worth there.
    pub pricing: Pricing,
    /// Whether it was taken, or why not.
    pub verdict: CandidateVerdict,
    /// For a kicked-out loan, how the trade stood at the end.
    pub at_end: Option<FinalFill>,
}

/// How a trade stood at the end, seen from a loan without a place.
#[derive(Debug, Clone, Serialize)]
pub struct FinalFill {
    /// Filled.
    pub filled_amount: Money,
    /// What was left to max.
    pub room_amount: Money,
    /// What the loan is too large by; NULL where it had room, so that a limit barred it.
    pub excess_amount: Option<Money>,
    /// Where it had room, so that a limit barred it: the loans that are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filled_by: Vec<FillingLoan>,
    /// Limits of the trade with too little left for the loan; with the input beside (`standing`)
    /// those that describe it.
    pub full_limits: Vec<FullLimit>,
}

/// What a run was asked to decide on.
#[derive(Debug, Clone, Serialize)]
pub struct RunInput {
    /// BLAKE3 of the captured snapshot, hexadecimal.
    pub snapshot_digest: String,
    /// The options, resolved.
    pub options: RunOptions,
}

impl From<&RunRequested> for RunInput {
    fn from(requested: &RunRequested) -> Self {
        let snapshot_digest = requested.snapshot_digest.clone();
        Self { snapshot_digest, options: requested.options.clone() }
    }
}

/// A step of the loan through the allocation.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum LoanStep {
    /// A pass placed it.
    Allocated(LoanAllocated),
    /// A pass moved it.
    Moved(LoanMoved),
    /// An exchange took it out.
    Released(LoanReleased),
}

/// The best synthetic option, and what was given up against it (2.11).
#[derive(Debug, Clone, Serialize)]
pub struct SyntheticStory {
    /// The option of rank 1 in the run's price mode.
    pub best: Option<SyntheticOption>,
    /// How many options there are.
    pub options: u64,
    /// Where the loan was allocated.
    pub allocated_trade_id: Option<TradeId>,
    /// The score there.
    pub allocated_score: Option<Price>,
    /// The best option's score less that.
    pub give_up: Option<Price>,
}

impl SyntheticStory {
    pub(super) fn of(ranked: &SyntheticOptionsRanked) -> Self {
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
