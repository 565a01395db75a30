//! Payloads of the events about trades, pinned loans, and cash grids.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reasons::{ExclusionReason, HeldReason};
use crate::input::TradeType;
use crate::values::{
    Carry, Day, InstrumentName, InvestorId, LoanId, Money, PoolName, Price, TradeId,
};

/// See [`RunEvent::TradeAssessed`](super::RunEvent::TradeAssessed).
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

/// See [`RunEvent::LoanPinned`](super::RunEvent::LoanPinned).
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

/// See [`RunEvent::CashGridBuilt`](super::RunEvent::CashGridBuilt).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CashGridBuilt {
    /// An instrument of a bx trade.
    pub investor_instrument_name: InstrumentName,
    /// Rows of its grid.
    pub rows: u64,
    /// Its settlement dates.
    pub settlement_dates: Vec<Day>,
}

/// See [`RunEvent::TradeSettlementSet`](super::RunEvent::TradeSettlementSet).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TradeSettlementSet {
    /// A bx trade without a date.
    pub trade_id: TradeId,
    /// The earliest date of its grid that the buffer allows; NULL where there is none.
    pub settlement_date: Option<Day>,
}
