//! `pfill_cash_market_map`: the best cash option of each loan (2.11).

use powerfill_events::run::{RecordedEvent, RunEvent};

use super::{Projector, Streamed};
use crate::ignored;
use crate::table::{Column, RowBatch, TableSpec};

/// One row a loan with a cash option, by loan_id.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_cash_market_map",
    columns: &[
        Column::text("loan_id"),
        Column::text("investor_instrument_name"),
        Column::day("settlement_date"),
        Column::price("price"),
        Column::price("payup"),
        Column::price("carry_cost"),
        Column::price("prx_plus_carry"),
    ],
    key: &[0],
    keeps_every_run: false,
};

/// Before the first event.
pub fn projector() -> impl Projector {
    Streamed::new(&TABLE, 1, project)
}

fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::CashMarketMapped(mapped) => {
            let option = &mapped.option;
            rows.push([
                (&mapped.loan_id).into(),
                (&option.slot.investor_instrument_name).into(),
                option.slot.settlement_date.into(),
                option.price.into(),
                option.payup.into(),
                option.carry_cost.into(),
                option.prx_plus_carry.into(),
            ]);
            true
        }
        ignored!(
            RunRequested RunStarted PreflightCompleted TradeAssessed LoanPinned CashGridBuilt
            TradeSettlementSet ConstraintMatched CandidateScored CandidatesRejected LoanAllocated
            LoanMoved LoanReleased PassCompleted ConstraintBlockEvaluated TradeFillEvaluated
            LoanKickedOut PoolActionDerived SyntheticTradePriced SyntheticOptionsRanked
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}
