//! `pfill_loan_constraint_pool`: what each limit of the constraint tree came to (2.5, 2.9).

use powerfill_events::run::{RecordedEvent, RunEvent};

use super::{Projector, Streamed};
use crate::ignored;
use crate::table::{Column, RowBatch, TableSpec};

/// One row a node with a limit and an included trade of its instrument: node in walk order, then trade_id.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_loan_constraint_pool",
    columns: &[
        Column::text("investor_id"),
        Column::text("investor_instrument_name"),
        Column::text("constraint_name"),
        Column::text("trade_id"),
        Column::money("lo_amount"),
        Column::money("hi_amount"),
        Column::money("used_amount"),
        Column::ratio("used_share"),
        Column::text("lo_met"),
    ],
    key: &[0, 1, 2, 3],
    keeps_every_run: false,
};

/// Before the first event.
pub fn projector() -> impl Projector {
    Streamed::new(&TABLE, 1, project)
}

fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::ConstraintBlockEvaluated(block) => {
            rows.push([
                (&block.node.investor_id).into(),
                (&block.node.investor_instrument_name).into(),
                (&block.node.constraint_name).into(),
                (&block.trade_id).into(),
                block.lo_amount.into(),
                block.hi_amount.into(),
                block.used_amount.into(),
                block.used_share.into(),
                block.lo_met.into(),
            ]);
            true
        }
        ignored!(
            RunRequested RunStarted PreflightCompleted TradeAssessed LoanPinned CashGridBuilt
            TradeSettlementSet ConstraintMatched CandidateScored CandidatesRejected LoanAllocated
            LoanMoved LoanReleased PassCompleted TradeFillEvaluated LoanKickedOut
            PoolActionDerived SyntheticTradePriced SyntheticOptionsRanked CashMarketMapped
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}
