//! The parts about loans: where they come from and go to, kickouts, and pool moves.

use powerfill_events::run::event::{KickoutReason, PoolAction};
use powerfill_events::values::Money;
use schemars::JsonSchema;
use serde::Serialize;

use super::NameText;

/// Where loans come from and go to.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct OverviewFlow {
    /// The largest flows.
    pub links: Vec<FlowLink>,
    /// The number of flows that are not listed.
    pub other_links: u64,
    /// The number of their loans.
    pub other_loans: u64,
    /// The amount of their loans.
    pub other_amount: Money,
}

/// Loans that come from one place and go to one.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FlowLink {
    /// Where they are now.
    pub from: FlowEnd,
    /// Where they go.
    pub to: FlowEnd,
    /// Whether both are the same, so that the loans stay.
    pub stays: bool,
    /// The number of loans.
    pub loans: u64,
    /// Their amount.
    pub amount: Money,
}

/// An end of a flow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct FlowEnd {
    /// What it is.
    pub kind: FlowEndKind,
    /// Its name; NULL for new loans and for kickouts.
    pub name: Option<NameText>,
}

/// What a flow begins or ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowEndKind {
    /// A trade; in the flow by instrument, the instrument of trades.
    Trade,
    /// A pool that has no trade; in the flow by instrument, all such pools, without a name.
    Pool,
    /// A loan that is in no pool.
    New,
    /// A loan without a place in the run.
    KickedOut,
}

/// The kicked-out loans.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct OverviewKickouts {
    /// Their number.
    pub loans: u64,
    /// Their amount.
    pub loan_amount: Money,
    /// By reason, in the order of 2.8.
    pub reasons: Vec<KickoutGroup>,
}

/// The loans that are kicked out for one reason.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct KickoutGroup {
    /// The reason.
    pub reason: KickoutReason,
    /// The reason in words.
    pub meaning: &'static str,
    /// What would place such a loan.
    pub remedy: &'static str,
    /// The number of loans.
    pub loans: u64,
    /// Their amount.
    pub loan_amount: Money,
    /// The loans that have a synthetic option.
    pub synthetic_loans: u64,
    /// What those loans bring there, at today's prices.
    pub synthetic_amount: Money,
    /// The trades that are the best for most of them, at most ten.
    pub best_trades: Vec<KickoutTrade>,
    /// The number of other best trades.
    pub other_trades: u64,
}

/// The kicked-out loans of a reason whose best trade is the same.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct KickoutTrade {
    /// The trade.
    pub trade_id: NameText,
    /// The number of loans.
    pub loans: u64,
    /// Their amount.
    pub loan_amount: Money,
    /// What is left in the trade, up to max.
    pub room_amount: Money,
}

/// What happens to pools (2.10).
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct OverviewMoves {
    /// By pool action; `Swapped In` is the other side of `Switching`, and is left out.
    pub actions: Vec<ActionCount>,
    /// The largest moves between pools, largest first. Loans that remain are no moves.
    pub moves: Vec<PoolMove>,
    /// The number of moves that are not listed.
    pub other_moves: u64,
    /// The number of their loans.
    pub other_loans: u64,
    /// The amount of their loans.
    pub other_amount: Money,
}

/// The loans with a pool action.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ActionCount {
    /// The action.
    pub pool_action: PoolAction,
    /// The number of loans.
    pub loans: u64,
    /// Their amount.
    pub amount: Money,
}

/// The loans that go from one pool to another.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PoolMove {
    /// Joining, Leaving, or Switching.
    pub pool_action: PoolAction,
    /// The pool that they are in.
    pub from_pool_name: Option<NameText>,
    /// Its trade.
    pub from_trade_id: Option<NameText>,
    /// The pool that they go to.
    pub to_pool_name: Option<NameText>,
    /// Its trade.
    pub to_trade_id: Option<NameText>,
    /// The number of loans.
    pub loans: u64,
    /// Their amount.
    pub amount: Money,
}
