//! The answer to "what would have placed this loan?": for each kind of change, the smallest that
//! was found.

use std::sync::Arc;

use powerfill_events::run::event::{Node, Pass, Pricing};
use powerfill_events::values::{Day, LoanId, Money, Price, Share, TradeId};
use schemars::JsonSchema;
use serde::Serialize;

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// More room in a trade.
    FreedAmount,
    /// A higher limit.
    LimitRaised,
    /// A lower price floor of bx trades.
    PriceFloorLowered,
    /// Fewer days between eligibility and settlement.
    BufferShortened,
    /// Trades that settle later come into the run.
    HorizonLengthened,
}

impl ChangeKind {
    /// Every kind, in order.
    pub const ALL: [Self; 5] = [
        Self::FreedAmount,
        Self::LimitRaised,
        Self::PriceFloorLowered,
        Self::BufferShortened,
        Self::HorizonLengthened,
    ];
}

/// The answer for a loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WhatIf {
    /// The loan.
    pub loan_id: LoanId,
    /// How often the passes were run, the unchanged input included.
    pub runs: u32,
    /// One answer for each kind, in order.
    pub kinds: Vec<ChangeResult>,
}

/// The answer for one kind of change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangeResult {
    /// Which.
    pub kind: ChangeKind,
    /// Re-runs that it took.
    pub runs: u32,
    /// What came of them.
    #[serde(flatten)]
    pub answer: ChangeOutcome,
}

/// What came of trying a kind of change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum ChangeOutcome {
    /// It gives the loan a place.
    Places(Box<PlacingChange>),
    /// It does not, as far as it was tried.
    DoesNot {
        /// The largest changes that were tried, each without giving the loan a place.
        tried: Vec<TrialChange>,
        /// Whether the bound on re-runs ended the search.
        gave_up: bool,
    },
    /// It was not tried, because it cannot reach the loan.
    NotTried {
        /// Why.
        reason: NotTriedReason,
    },
}

/// A change that gives the loan a place, tried on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlacingChange {
    /// With it the loan is placed.
    pub change: TrialChange,
    /// With this one it is not; NULL where it is the input as it was.
    pub not_enough: Option<TrialChange>,
    /// Whether the two are one unit apart: a cent, a millionth of a share, the last decimal of a
    /// price, a day. Where they are not, the bound on re-runs ended the search between them.
    pub exact: bool,
    /// Where the loan then goes.
    pub place: NewAllocation,
    /// What it costs the others.
    pub others: SideEffects,
}

/// A changed input, with the value that it changes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum TrialChange {
    /// More room in a trade.
    FreedAmount {
        /// The trade.
        trade_id: TradeId,
        /// By how much its trade_amount is raised.
        freed_amount: Money,
        /// What it is raised to.
        trade_amount: Money,
        /// The open amount that comes of it.
        open_amount: Money,
        /// The upper end of the band that comes of it.
        max_amount: Money,
    },
    /// A higher limit.
    LimitRaised {
        /// Whose.
        node: Arc<Node>,
        /// By how much.
        raised_by: Share,
        /// To what.
        hi_limit: Share,
    },
    /// A lower price floor.
    PriceFloorLowered {
        /// By how much.
        lowered_by: Price,
        /// To what.
        bx_price_floor: Price,
    },
    /// A shorter buffer.
    BufferShortened {
        /// By how many days.
        days: i32,
        /// To how many.
        eligible_settle_buffer_days: i32,
    },
    /// A longer horizon.
    HorizonLengthened {
        /// By how many days.
        days: i32,
        /// To how many.
        max_trade_settle_days: i32,
    },
}

/// Where the loan goes under a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NewAllocation {
    /// The trade.
    pub trade_id: TradeId,
    /// When it settles.
    pub settlement_date: Day,
    /// The pass that places it last.
    pub pass: Pass,
    /// What it is worth there.
    pub pricing: Pricing,
}

/// What a change does to the other loans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SideEffects {
    /// Loans that end in another trade, in none, or in one instead of none.
    pub moved: u64,
    /// Of those, the ones that are kicked out instead, by id.
    pub kicked_out: Vec<LoanId>,
    /// Of those, the ones that were kicked out and get a place too, by id.
    pub placed: Vec<LoanId>,
}

/// Why a kind of change was not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotTriedReason {
    /// The loan is no candidate of any trade: more room does not make it one.
    NoCandidate,
    /// No amount below all that is wanted of its trades makes the loan fit one of them: their
    /// limits leave it nothing.
    NoAmountFits,
    /// No limit of its trades bars the loan.
    NoLimitBars,
    /// Each trade that a limit bars is barred by more than one, or by one that even a share of 1
    /// does not lift.
    LimitsBarTogether,
    /// The run has no price floor.
    NoPriceFloor,
    /// No trade's price for the loan is below the floor.
    NothingBelowFloor,
    /// The buffer is 0 days.
    NoBuffer,
    /// No trade settles too soon for the loan.
    NothingTooSoon,
    /// Each trade that settles too soon settles before the loan is deliverable at all.
    NotDeliverable,
    /// No trade of an instrument that the loan matches settles beyond the horizon.
    NothingBeyond,
}
