//! Payloads of the events about synthetic trades (2.11).

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::InstrumentKind;
use crate::values::{
    Carry, Day, InstrumentName, InvestorId, LoanId, Price, Rate, SynTradeId, TradeId,
};

/// See [`RunEvent::SyntheticTradePriced`](super::RunEvent::SyntheticTradePriced).
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

/// See [`RunEvent::SyntheticOptionsRanked`](super::RunEvent::SyntheticOptionsRanked).
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

/// See [`RunEvent::CashMarketMapped`](super::RunEvent::CashMarketMapped).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashMarketMapped {
    /// The loan.
    pub loan_id: LoanId,
    /// The best option of kind cash in the run's price mode.
    pub option: SyntheticOption,
}
