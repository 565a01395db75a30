//! `pfill_trade_recap`: how each trade ended up (2.9).

use powerfill_events::run::{RecordedEvent, RunEvent};
use rust_decimal::Decimal;

use super::{Projector, Streamed};
use crate::ignored;
use crate::table::{Cell, Column, RowBatch, TableSpec};

/// One row an included trade, by trade_id; averages are weighted by loan amount.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_trade_recap",
    columns: &[
        Column::text("trade_id"),
        Column::money("open_amount"),
        Column::money("min_amount"),
        Column::money("max_amount"),
        Column::money("filled_amount"),
        Column::int("loan_count"),
        Column::text("fill_status"),
        Column::money("shortfall_amount"),
        Column::price("wavg_price"),
        Column::ratio("wavg_note_rate"),
        Column::ratio("wavg_fico"),
        Column::ratio("wavg_ltv"),
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
        RunEvent::TradeFillEvaluated(fill) => {
            rows.push([
                (&fill.trade_id).into(),
                fill.open_amount.into(),
                fill.min_amount.into(),
                fill.max_amount.into(),
                fill.filled_amount.into(),
                fill.loan_count.into(),
                fill.fill_status.into(),
                fill.shortfall_amount.into(),
                fill.wavg_price.into(),
                fill.wavg_note_rate.into(),
                average(fill.wavg_fico),
                average(fill.wavg_ltv),
            ]);
            true
        }
        ignored!(
            RunRequested RunStarted PreflightCompleted TradeAssessed LoanPinned CashGridBuilt
            TradeSettlementSet ConstraintMatched CandidateScored CandidatesRejected LoanAllocated
            LoanMoved LoanReleased PassCompleted ConstraintBlockEvaluated LoanKickedOut
            PoolActionDerived SyntheticTradePriced SyntheticOptionsRanked CashMarketMapped
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}

/// An average of an attribute, at the 6 decimals of 1.5 however many of them the event wrote.
fn average(value: Option<Decimal>) -> Cell {
    value.map_or(Cell::Null, |mut average| {
        average.rescale(6);
        Cell::Decimal(average)
    })
}
