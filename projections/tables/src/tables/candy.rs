//! `pfill_loan2trade_candy_level_01`: the candidates (2.6).

use powerfill_events::run::{RecordedEvent, RunEvent};

use super::{Projector, Streamed};
use crate::ignored;
use crate::table::{Column, RowBatch, TableSpec};

/// One row a candidate, by turn and rank.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_loan2trade_candy_level_01",
    columns: &[
        Column::int("turn"),
        Column::int("candidate_rank"),
        Column::text("investor_id"),
        Column::text("investor_instrument_name"),
        Column::text("constraint_name"),
        Column::int("constraint_priority"),
        Column::text("loan_id"),
        Column::text("trade_id"),
        Column::int("interest_earning_days"),
        Column::price("price"),
        Column::price("payup"),
        Column::price("carry_cost"),
        Column::price("prx_plus_carry"),
        Column::price("score"),
    ],
    key: &[0, 1],
    keeps_every_run: false,
};

/// Before the first event.
pub fn projector() -> impl Projector {
    Streamed::new(&TABLE, 1, project)
}

fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::CandidateScored(candidate) => {
            let (node, pricing) = (&*candidate.node, &candidate.pricing);
            rows.push([
                candidate.turn.into(),
                candidate.candidate_rank.into(),
                (&node.investor_id).into(),
                (&node.investor_instrument_name).into(),
                (&node.constraint_name).into(),
                node.constraint_priority.into(),
                (&candidate.loan_id).into(),
                (&candidate.trade_id).into(),
                pricing.interest_earning_days.into(),
                pricing.price.into(),
                pricing.payup.into(),
                pricing.carry_cost.into(),
                pricing.prx_plus_carry.into(),
                pricing.score.into(),
            ]);
            true
        }
        ignored!(
            RunRequested RunStarted PreflightCompleted TradeAssessed LoanPinned CashGridBuilt
            TradeSettlementSet ConstraintMatched CandidatesRejected LoanAllocated LoanMoved
            LoanReleased PassCompleted ConstraintBlockEvaluated TradeFillEvaluated LoanKickedOut
            PoolActionDerived SyntheticTradePriced SyntheticOptionsRanked CashMarketMapped
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}
