//! `pfill_trade_base`: the trades that the run looked at (2.1).

use powerfill_events::run::{RecordedEvent, RunEvent};

use super::{Projector, Streamed};
use crate::ignored;
use crate::table::{Column, RowBatch, TableSpec};

/// One row a trade, by trade_id; of an excluded trade only the open amount is shown.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_trade_base",
    columns: &[
        Column::text("trade_id"),
        Column::text("investor_id"),
        Column::text("investor_instrument_name"),
        Column::text("trade_type"),
        Column::day("settlement_date"),
        Column::text("included"),
        Column::text("exclusion_reason"),
        Column::money("open_amount"),
        Column::money("tolerance_amount"),
        Column::money("min_amount"),
        Column::money("max_amount"),
        Column::money("held_amount"),
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
        RunEvent::TradeAssessed(trade) => {
            let band = trade.band.as_ref();
            rows.push([
                (&trade.trade_id).into(),
                (&trade.investor_id).into(),
                (&trade.investor_instrument_name).into(),
                trade.trade_type.into(),
                trade.settlement_date.into(),
                trade.exclusion_reason.is_none().into(),
                trade.exclusion_reason.into(),
                trade.open_amount.into(),
                band.map(|band| band.tolerance_amount).into(),
                band.map(|band| band.min_amount).into(),
                band.map(|band| band.max_amount).into(),
                band.map(|band| band.held_amount).into(),
            ]);
            true
        }
        ignored!(
            RunRequested RunStarted PreflightCompleted LoanPinned CashGridBuilt TradeSettlementSet
            ConstraintMatched CandidateScored CandidatesRejected LoanAllocated LoanMoved
            LoanReleased PassCompleted ConstraintBlockEvaluated TradeFillEvaluated LoanKickedOut
            PoolActionDerived SyntheticTradePriced SyntheticOptionsRanked CashMarketMapped
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}
