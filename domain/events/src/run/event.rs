//! What a run decides, event by event (specification 3.1). The output tables are projections of these and of nothing
//! else, so each event carries what its rows need.
//!
//! Field names and enum spellings are the published schema: a version that was written never changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::upcasters;
use crate::input::{InstrumentKind, TradeType};
use crate::log::event_types;
use crate::run::options::RunOptions;
pub use crate::values::Severity;
use crate::values::{
    Carry, ConstraintName, Day, InstrumentName, InvestorId, LoanId, Money, PoolName, Price, Rate,
    Share, SynTradeId, TenantId, TradeId,
};

event_types! {
    /// An event of a run's stream.
    RunEvent,
    /// The type of an event, by its name in the specification.
    EventType,
    run_event_pattern in run;

    Opening {
        /// A run was requested.
        RunRequested(Box<RunRequested>) upcast [upcasters::add_source_warnings],
        /// A worker started the run.
        RunStarted(Box<RunStarted>),
        /// The nine checks of preflight are done.
        PreflightCompleted(PreflightCompleted),
    }
    Positions {
        /// One per trade: whether it is in the run, and its amounts.
        TradeAssessed(Box<TradeAssessed>),
        /// A locked or held loan stays where it is.
        LoanPinned(Box<LoanPinned>),
    }
    CashGrids {
        /// The grid of a bx instrument.
        CashGridBuilt(Box<CashGridBuilt>),
        /// A bx trade without a settlement date got one.
        TradeSettlementSet(TradeSettlementSet),
    }
    Candidates {
        /// One per walkable node.
        ConstraintMatched(Box<ConstraintMatched>),
        /// One per candidate, in the order of turn and rank.
        CandidateScored(CandidateScored),
        /// One per loan with at least one rejected trade.
        CandidatesRejected(CandidatesRejected),
    }
    Passes {
        /// A pass allocated a loan that was not allocated.
        LoanAllocated(Box<LoanAllocated>),
        /// A pass moved an allocated loan to another trade.
        LoanMoved(Box<LoanMoved>),
        /// An exchange took a loan out of its trade.
        LoanReleased(Box<LoanReleased>),
        /// One per pass and turn.
        PassCompleted(PassCompleted),
    }
    Results {
        /// One per block (node with a limit, included trade).
        ConstraintBlockEvaluated(Box<ConstraintBlockEvaluated>),
        /// One per included trade.
        TradeFillEvaluated(Box<TradeFillEvaluated>),
        /// An eligible loan is in no trade.
        LoanKickedOut(Box<LoanKickedOut>),
        /// One per posting of the pool guide.
        PoolActionDerived(Box<PoolActionDerived>),
    }
    Synthetic {
        /// One per synthetic trade.
        SyntheticTradePriced(Box<SyntheticTradePriced>),
        /// One per loan with an option.
        SyntheticOptionsRanked(Box<SyntheticOptionsRanked>),
        /// One per loan with a cash option.
        CashMarketMapped(Box<CashMarketMapped>),
    }
    Verification {
        /// The independent checker found no violation.
        InvariantsVerified(InvariantsVerified),
    }
    End {
        /// The run is Complete.
        RunCompleted(Box<RunCompleted>) upcast [upcasters::add_tables],
        /// The run is Failed.
        RunFailed(RunFailed),
        /// The run is Cancelled.
        RunCancelled(RunCancelled),
    }
}

impl RunEvent {
    /// Whether no event may follow this one.
    pub const fn is_terminal(&self) -> bool {
        matches!(self, run_event_pattern!(End))
    }
}

/// A step of a run, by its name in part 2.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// 2.2
    Preflight,
    /// 2.3
    BxCashGrids,
    /// 2.3
    BxSettleAndPrice,
    /// 2.6
    CandidateBuilder,
    /// 2.7 to 2.9
    Allocation,
    /// 2.10
    PoolGuide,
    /// 2.11
    Ue,
    /// 2.12
    Invariants,
    /// Storing and publishing what was decided.
    Record,
}

/// A pass of the allocation, or why a loan did not need one (1.5 `pass`).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// Places what has one answer.
    ExactFit,
    /// Once through the candidates in rank order.
    BestFit,
    /// Brings short trades into their band.
    FillRemaining,
    /// The last fallback, after the last turn.
    OrphanHandling,
}

/// Why a trade is not in the run (2.1).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ExclusionReason {
    /// Its pools count as designated to no trade.
    Cancelled,
    /// Likewise.
    Phantom,
    /// Loans in its pools are held.
    Settled,
    /// A bx trade for which the grid has no date; held.
    NoSettlement,
    /// It settled before as_of; held.
    PastSettlement,
    /// It settles after the horizon; held.
    BeyondHorizon,
    /// Nothing is open; its pools count as designated to no trade.
    PairedOff,
}

/// Why a loan takes no part (2.1).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ScopeReason {
    /// Below the status ladder.
    Status,
    /// Not closed by as_of, in scope closed_only.
    Scope,
    /// Neither closed nor locked.
    NoEligibilityDate,
    /// Deliverable too late.
    NotEligibleInTime,
}

/// Why a loan stays where it is (1.5 `held_reason`).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum HeldReason {
    /// Its pool is locked.
    Locked,
    /// Its pool is designated to a trade whose loans are held.
    TradeNotInRun,
    /// Out of scope, in a pool of an included trade.
    Status,
    /// Likewise.
    Scope,
    /// Likewise.
    NoEligibilityDate,
    /// Likewise.
    NotEligibleInTime,
}

impl From<ScopeReason> for HeldReason {
    fn from(reason: ScopeReason) -> Self {
        match reason {
            ScopeReason::Status => Self::Status,
            ScopeReason::Scope => Self::Scope,
            ScopeReason::NoEligibilityDate => Self::NoEligibilityDate,
            ScopeReason::NotEligibleInTime => Self::NotEligibleInTime,
        }
    }
}

/// Why a pair is no candidate (2.6). Ordered by how far it got.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum RejectionReason {
    /// The trade settles before the loan is deliverable.
    SettlesTooSoon,
    /// Nothing prices the pair.
    NoPrice,
    /// A bx price below the floor.
    BelowPriceFloor,
}

/// Why a loan was kicked out: the furthest that it got (2.8).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum KickoutReason {
    /// It matched no walkable node.
    NoMatchingConstraint,
    /// No node that it matched has an included trade.
    NoOpenTrade,
    /// Every trade settles too soon for it.
    SettlesTooSoon,
    /// At best, no price.
    NoPrice,
    /// At best, a price below the floor.
    BelowPriceFloor,
    /// A candidate, too large for what is left in every one of its trades.
    CapacityExhausted,
    /// A candidate, with room somewhere, but barred by a limit.
    LimitReached,
}

impl From<RejectionReason> for KickoutReason {
    fn from(reason: RejectionReason) -> Self {
        match reason {
            RejectionReason::SettlesTooSoon => Self::SettlesTooSoon,
            RejectionReason::NoPrice => Self::NoPrice,
            RejectionReason::BelowPriceFloor => Self::BelowPriceFloor,
        }
    }
}

/// How a trade ended up against its band (2.9).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum FillStatus {
    /// From min to max.
    Filled,
    /// Below min.
    Under,
    /// Above max, which held loans alone can cause.
    Over,
}

/// What a loan does about pools (2.10).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum PoolAction {
    /// Stays in its pool.
    Remaining,
    /// Comes in from no pool.
    Joining,
    /// Kicked out of its pool.
    Leaving,
    /// Goes from its pool to another: the side that it leaves.
    Switching,
    /// The side that it goes to.
    #[serde(rename = "Swapped In")]
    SwappedIn,
}

impl PoolAction {
    /// `pa_key` of 2.10.
    pub const fn key(self) -> u8 {
        match self {
            Self::Remaining => 1,
            Self::Joining => 2,
            Self::Leaving => 3,
            Self::Switching => 4,
            Self::SwappedIn => 5,
        }
    }
}

/// The nine checks of 2.2, in their order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the specification's own codes")]
pub enum FindingCode {
    PipelineEmpty,
    NoOpenTrades,
    NoConstraints,
    ConstraintUnreachable,
    PricesMissing,
    PricesStale,
    CarryCurveGap,
    LockdownInconsistent,
    SnapshotStale,
}

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

/// See [`RunEvent::RunRequested`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunRequested {
    /// Whose book.
    pub tenant_id: TenantId,
    /// As resolved: defaults filled in, as_of included.
    pub options: RunOptions,
    /// Who asked.
    pub requested_by: String,
    /// BLAKE3 of the snapshot's canonical form, hexadecimal.
    pub snapshot_digest: String,
    /// The specification that the run follows.
    pub spec_version: String,
    /// What the source had to say of how it was read: the snapshot may be of several moments. Mostly nothing.
    pub source_warnings: Vec<String>,
}

/// See [`RunEvent::RunStarted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunStarted {
    /// The engine that decides.
    pub engine_version: String,
    /// How many loans are `Eligible`, `Locked`, `Held(…)`, `OutOfScope(…)`.
    pub loans: BTreeMap<String, u64>,
    /// How many trades are `Included`, or excluded by reason.
    pub trades: BTreeMap<String, u64>,
}

/// See [`RunEvent::PreflightCompleted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreflightCompleted {
    /// In the order of the checks, then by subject.
    pub findings: Vec<Finding>,
}

/// A finding of preflight (2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Which check.
    pub code: FindingCode,
    /// Whether it refuses the run.
    pub severity: Severity,
    /// What it is about; NULL where the check has no subject.
    pub subject: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

/// See [`RunEvent::TradeAssessed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TradeAssessed {
    /// The trade.
    pub trade_id: TradeId,
    /// Its instrument's investor.
    pub investor_id: InvestorId,
    /// Its instrument.
    pub investor_instrument_name: InstrumentName,
    /// forward or bx.
    pub trade_type: TradeType,
    /// As given, or set by 2.3.
    pub settlement_date: Option<Day>,
    /// NULL where it is in the run.
    pub exclusion_reason: Option<ExclusionReason>,
    /// trade_amount less pair_off_amount.
    pub open_amount: Money,
    /// The band and what is used up from the start; NULL where it is not in the run.
    pub band: Option<Band>,
}

/// The band of an included trade (2.1), in dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Band {
    /// What tolerance and rule give, whatever the side.
    pub tolerance_amount: Money,
    /// Below it the trade is short.
    pub min_amount: Money,
    /// No allocation goes above it.
    pub max_amount: Money,
    /// Of locked and held loans.
    pub held_amount: Money,
}

/// See [`RunEvent::LoanPinned`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoanPinned {
    /// The loan.
    pub loan_id: LoanId,
    /// The pool that it stays in.
    pub pool_name: PoolName,
    /// The trade that the pool is designated to.
    pub trade_id: Option<TradeId>,
    /// When that trade settles.
    pub settlement_date: Option<Day>,
    /// Its amount.
    pub loan_amount: Money,
    /// Locked, or why it is held.
    pub held_reason: HeldReason,
    /// NULL where the trade is not in the run, or nothing prices the loan there.
    pub price: Option<Price>,
    /// As `price`.
    pub payup: Option<Price>,
    /// As `price`; also NULL where the loan has no eligibility date.
    pub carry_cost: Option<Carry>,
    /// As `carry_cost`.
    pub prx_plus_carry: Option<Price>,
    /// The price or `prx_plus_carry`, by price mode.
    pub score: Option<Price>,
}

/// See [`RunEvent::CashGridBuilt`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashGridBuilt {
    /// An instrument of a bx trade.
    pub investor_instrument_name: InstrumentName,
    /// Rows of its grid.
    pub rows: u64,
    /// Its settlement dates.
    pub settlement_dates: Vec<Day>,
}

/// See [`RunEvent::TradeSettlementSet`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TradeSettlementSet {
    /// A bx trade without a date.
    pub trade_id: TradeId,
    /// The earliest date of its grid that the buffer allows; NULL where there is none.
    pub settlement_date: Option<Day>,
}

/// See [`RunEvent::ConstraintMatched`].
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

/// See [`RunEvent::CandidateScored`].
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

/// See [`RunEvent::CandidatesRejected`].
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

/// See [`RunEvent::LoanAllocated`].
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

/// See [`RunEvent::LoanMoved`].
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
    /// (score before − score after) × amount / 100: what the move costs, in dollars, rounded to cents.
    pub marginal_cost: Money,
    /// The loan that comes in instead (make room).
    pub made_room_for: Option<LoanId>,
    /// Filled amount of the trade that it left.
    pub from_filled_after: Money,
    /// Filled amount of the trade that it went to.
    pub filled_after: Money,
}

/// See [`RunEvent::LoanReleased`].
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

/// See [`RunEvent::PassCompleted`].
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

/// See [`RunEvent::ConstraintBlockEvaluated`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConstraintBlockEvaluated {
    /// The node.
    pub node: Arc<Node>,
    /// The trade.
    pub trade_id: TradeId,
    /// The goal; NULL where the node has none.
    pub lo_amount: Option<Money>,
    /// The bound; NULL where the node has none.
    pub hi_amount: Option<Money>,
    /// Amount of the trade's loans that match the node.
    pub used_amount: Money,
    /// Of the filled amount; NULL where that is 0.
    pub used_share: Option<Share>,
    /// NULL without a goal.
    pub lo_met: Option<bool>,
}

/// See [`RunEvent::TradeFillEvaluated`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TradeFillEvaluated {
    /// The trade.
    pub trade_id: TradeId,
    /// Target.
    pub open_amount: Money,
    /// Lower end of the band.
    pub min_amount: Money,
    /// Upper end of the band.
    pub max_amount: Money,
    /// Of all its loans, held ones included.
    pub filled_amount: Money,
    /// Of all its loans.
    pub loan_count: u64,
    /// Against the band.
    pub fill_status: FillStatus,
    /// To min; 0.00 where filled is there.
    pub shortfall_amount: Money,
    /// Weighted by amount, as the next ones; NULL where no loan has the value.
    pub wavg_price: Option<Price>,
    /// 6 decimals.
    pub wavg_note_rate: Option<Rate>,
    /// 6 decimals.
    #[schemars(with = "Option<String>")]
    pub wavg_fico: Option<Decimal>,
    /// 6 decimals.
    #[schemars(with = "Option<String>")]
    pub wavg_ltv: Option<Decimal>,
}

/// See [`RunEvent::LoanKickedOut`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoanKickedOut {
    /// The loan.
    pub loan_id: LoanId,
    /// The furthest that it got.
    pub reason: KickoutReason,
    /// Walkable nodes that it matched.
    pub constraints_matched: u64,
    /// Trades that it was a candidate for.
    pub candidates: u64,
    /// Of those, the one with the best plain score.
    pub best_trade_id: Option<TradeId>,
    /// That score.
    pub best_score: Option<Price>,
    /// The pool that it is in.
    pub pool_name: Option<PoolName>,
    /// Its amount.
    pub loan_amount: Money,
}

/// See [`RunEvent::PoolActionDerived`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PoolActionDerived {
    /// The trade that is posted to.
    pub trade_id: Option<TradeId>,
    /// The loan.
    pub loan_id: LoanId,
    /// What it does.
    pub pool_action: PoolAction,
    /// When the trade posted to settles.
    pub settlement_date: Option<Day>,
    /// The pool that the posting is about.
    pub pool_name: PoolName,
    /// The present pool.
    pub from_pool_name: Option<PoolName>,
    /// The destination.
    pub to_pool_name: Option<PoolName>,
    /// Its amount.
    pub loan_amount: Money,
    /// That of the guide row; NULL for Leaving.
    pub price: Option<Price>,
}

/// See [`RunEvent::SyntheticTradePriced`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyntheticTradePriced {
    /// `SYN-<investor_instrument_name>-<settlement_date>`.
    pub syn_trade_id: SynTradeId,
    /// The instrument's investor.
    pub investor_id: InvestorId,
    /// The instrument.
    pub investor_instrument_name: InstrumentName,
    /// tba, cash or whole_loan.
    pub kind: InstrumentKind,
    /// The grid's date.
    pub settlement_date: Day,
    /// Its grid rows, by note rate.
    pub grid: Vec<GridPoint>,
}

/// A row of the price grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GridPoint {
    /// Per cent.
    pub note_rate: Rate,
    /// Points per 100 of par.
    pub price: Price,
}

/// See [`RunEvent::SyntheticOptionsRanked`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyntheticOptionsRanked {
    /// The loan.
    pub loan_id: LoanId,
    /// All of them, by rank_po.
    pub options: Vec<SyntheticOption>,
    /// The one of rank 1 in the run's price mode.
    pub best_syn_trade_id: SynTradeId,
    /// Where the loan was allocated; NULL for a kickout.
    pub allocated_trade_id: Option<TradeId>,
    /// The score there.
    pub allocated_score: Option<Price>,
    /// The best option's score less `allocated_score`.
    pub give_up: Option<Price>,
}

/// Where else a loan could go today (2.11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyntheticOption {
    /// The synthetic trade.
    pub slot: Arc<SyntheticSlot>,
    /// From the loan's eligibility to the date.
    pub interest_earning_days: i32,
    /// Grid price and pay-up.
    pub price: Price,
    /// Within the price.
    pub payup: Price,
    /// As 2.3.
    pub carry_cost: Carry,
    /// Both.
    pub prx_plus_carry: Price,
    /// Rank by price, from 1.
    pub rank_po: u32,
    /// Rank by prx_plus_carry, from 1.
    pub rank_pc: u32,
}

/// An instrument and a date of the price grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SyntheticSlot {
    /// `SYN-<investor_instrument_name>-<settlement_date>`.
    pub syn_trade_id: SynTradeId,
    /// The instrument.
    pub investor_instrument_name: InstrumentName,
    /// The date.
    pub settlement_date: Day,
}

/// See [`RunEvent::CashMarketMapped`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashMarketMapped {
    /// The loan.
    pub loan_id: LoanId,
    /// The best option of kind cash in the run's price mode.
    pub option: SyntheticOption,
}

/// See [`RunEvent::InvariantsVerified`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvariantsVerified {
    /// What was checked, how many of it, in the order of 2.12.
    pub checks: Vec<InvariantCheck>,
}

/// One invariant of 2.12.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvariantCheck {
    /// Its number in 2.12.
    pub invariant: u8,
    /// What it says.
    pub statement: String,
    /// How many loans, trades, blocks, candidates or postings were looked at.
    pub checked: u64,
}

/// See [`RunEvent::RunCompleted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunCompleted {
    /// Rows per output table.
    pub counts: BTreeMap<String, u64>,
    /// BLAKE3 of the output tables in `tables`, hexadecimal.
    pub output_digest: String,
    /// The tables that `output_digest` covers, in its order. What a later program adds is not
    /// among them, so the digest of this run stays what it is.
    pub tables: Vec<TableVersion>,
}

/// An output table as the program had it that completed a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableVersion {
    /// The table's name.
    pub table: String,
    /// The version of its columns; columns of later versions are not covered.
    pub version: u32,
}

/// See [`RunEvent::RunFailed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunFailed {
    /// Where.
    pub step: Step,
    /// What kind of failure.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
}

/// See [`RunEvent::RunCancelled`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunCancelled {
    /// Who asked for it.
    pub cancelled_by: String,
    /// The step that it was in.
    pub step: Step,
}
