//! Payloads of the events about results: blocks, fills, kickouts, and pool actions.

use std::sync::Arc;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::passes::Node;
use super::reasons::{FillStatus, KickoutReason, PoolAction};
use crate::values::{Day, LoanId, Money, PoolName, Price, Rate, Share, TradeId};

/// See [`RunEvent::ConstraintBlockEvaluated`](super::RunEvent::ConstraintBlockEvaluated).
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

/// See [`RunEvent::TradeFillEvaluated`](super::RunEvent::TradeFillEvaluated).
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

/// See [`RunEvent::LoanKickedOut`](super::RunEvent::LoanKickedOut).
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

/// See [`RunEvent::PoolActionDerived`](super::RunEvent::PoolActionDerived).
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
