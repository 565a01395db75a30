//! `pfill_kickout_guide_01`: the eligible loans that found no place (2.8).

use powerfill_events::run::{RecordedEvent, RunEvent};

use super::{Projector, Streamed};
use crate::ignored;
use crate::table::{Column, RowBatch, TableSpec};

/// One row a kicked-out loan, by loan_id.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_kickout_guide_01",
    columns: &[
        Column::text("loan_id"),
        Column::text("reason"),
        Column::int("constraints_matched"),
        Column::int("candidates"),
        Column::text("best_trade_id"),
        Column::price("best_score"),
        Column::text("pool_name"),
        Column::money("loan_amount"),
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
        RunEvent::LoanKickedOut(kickout) => {
            rows.push([
                (&kickout.loan_id).into(),
                kickout.reason.into(),
                kickout.constraints_matched.into(),
                kickout.candidates.into(),
                kickout.best_trade_id.as_ref().into(),
                kickout.best_score.into(),
                kickout.pool_name.as_ref().into(),
                kickout.loan_amount.into(),
            ]);
            true
        }
        ignored!(
            RunRequested RunStarted PreflightCompleted TradeAssessed LoanPinned CashGridBuilt
            TradeSettlementSet ConstraintMatched CandidateScored CandidatesRejected LoanAllocated
            LoanMoved LoanReleased PassCompleted ConstraintBlockEvaluated TradeFillEvaluated
            PoolActionDerived SyntheticTradePriced SyntheticOptionsRanked CashMarketMapped
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}
