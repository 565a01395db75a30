//! `pfill_syn_powerfill_guide_all_rank`: where else each loan could go today, ranked (2.11).

use powerfill_events::run::{RecordedEvent, RunEvent};

use super::{Projector, Streamed, TRADE_ID_ORIGIN};
use crate::ignored;
use crate::table::{Cell, Column, RowBatch, TableSpec};

/// One row a loan and synthetic option, by loan_id and rank_po.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_syn_powerfill_guide_all_rank",
    columns: &[
        Column::text("loan_id"),
        Column::text("syn_trade_id"),
        Column::text("investor_instrument_name"),
        Column::day("settlement_date"),
        Column::int("interest_earning_days"),
        Column::price("price"),
        Column::price("payup"),
        Column::price("carry_cost"),
        Column::price("prx_plus_carry"),
        Column::int("rank_po"),
        Column::int("rank_pc"),
        Column::text("trade_id_origin"),
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
        RunEvent::SyntheticOptionsRanked(ranked) => {
            for option in &ranked.options {
                rows.push([
                    (&ranked.loan_id).into(),
                    (&option.slot.syn_trade_id).into(),
                    (&option.slot.investor_instrument_name).into(),
                    option.slot.settlement_date.into(),
                    option.interest_earning_days.into(),
                    option.price.into(),
                    option.payup.into(),
                    option.carry_cost.into(),
                    option.prx_plus_carry.into(),
                    option.rank_po.into(),
                    option.rank_pc.into(),
                    Cell::Name(TRADE_ID_ORIGIN),
                ]);
            }
            !ranked.options.is_empty()
        }
        ignored!(
            RunRequested RunStarted PreflightCompleted TradeAssessed LoanPinned CashGridBuilt
            TradeSettlementSet ConstraintMatched CandidateScored CandidatesRejected LoanAllocated
            LoanMoved LoanReleased PassCompleted ConstraintBlockEvaluated TradeFillEvaluated
            LoanKickedOut PoolActionDerived SyntheticTradePriced CashMarketMapped
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}
