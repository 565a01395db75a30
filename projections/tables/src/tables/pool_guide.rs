//! `pfill_pool_guide`: what to do about pools (2.10).

use powerfill_events::run::{RecordedEvent, RunEvent};

use super::{Projector, Streamed};
use crate::ignored;
use crate::table::{Column, RowBatch, TableSpec};

/// One row a posting, by trade_id (NULL first), loan_id and pa_key.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_pool_guide",
    columns: &[
        Column::text("trade_id"),
        Column::text("loan_id"),
        Column::text("pool_action"),
        Column::int("pa_key"),
        Column::day("settlement_date"),
        Column::text("pool_name"),
        Column::text("from_pool_name"),
        Column::text("to_pool_name"),
        Column::money("loan_amount"),
        Column::price("price"),
    ],
    key: &[0, 1, 2, 4],
    keeps_every_run: false,
};

/// Before the first event.
pub fn projector() -> impl Projector {
    Streamed::new(&TABLE, 1, project)
}

fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::PoolActionDerived(posting) => {
            rows.push([
                posting.trade_id.as_ref().into(),
                (&posting.loan_id).into(),
                posting.pool_action.into(),
                posting.pool_action.key().into(),
                posting.settlement_date.into(),
                (&posting.pool_name).into(),
                posting.from_pool_name.as_ref().into(),
                posting.to_pool_name.as_ref().into(),
                posting.loan_amount.into(),
                posting.price.into(),
            ]);
            true
        }
        ignored!(
            RunRequested RunStarted PreflightCompleted TradeAssessed LoanPinned CashGridBuilt
            TradeSettlementSet ConstraintMatched CandidateScored CandidatesRejected LoanAllocated
            LoanMoved LoanReleased PassCompleted ConstraintBlockEvaluated TradeFillEvaluated
            LoanKickedOut SyntheticTradePriced SyntheticOptionsRanked CashMarketMapped
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}
