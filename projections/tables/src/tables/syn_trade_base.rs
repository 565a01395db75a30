//! `pfill_syn_trade_base`: the synthetic trades with their prices (2.11).

use powerfill_events::run::{RecordedEvent, RunEvent};

use super::{Projector, Streamed, TRADE_ID_ORIGIN};
use crate::ignored;
use crate::table::{Cell, Column, RowBatch, TableSpec};

/// One row a synthetic price, by instrument, settlement date and note rate.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_syn_trade_base",
    columns: &[
        Column::text("syn_trade_id"),
        Column::text("investor_id"),
        Column::text("investor_instrument_name"),
        Column::text("kind"),
        Column::day("settlement_date"),
        Column::ratio("note_rate"),
        Column::price("price"),
        Column::text("trade_id_origin"),
    ],
    key: &[2, 4, 5],
    keeps_every_run: false,
};

/// Before the first event.
pub fn projector() -> impl Projector {
    Streamed::new(&TABLE, 1, project)
}

fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::SyntheticTradePriced(trade) => {
            for point in &trade.grid {
                rows.push([
                    (&trade.syn_trade_id).into(),
                    (&trade.investor_id).into(),
                    (&trade.investor_instrument_name).into(),
                    trade.kind.into(),
                    trade.settlement_date.into(),
                    point.note_rate.into(),
                    point.price.into(),
                    Cell::Name(TRADE_ID_ORIGIN),
                ]);
            }
            !trade.grid.is_empty()
        }
        ignored!(
            RunRequested RunStarted PreflightCompleted TradeAssessed LoanPinned CashGridBuilt
            TradeSettlementSet ConstraintMatched CandidateScored CandidatesRejected LoanAllocated
            LoanMoved LoanReleased PassCompleted ConstraintBlockEvaluated TradeFillEvaluated
            LoanKickedOut PoolActionDerived SyntheticOptionsRanked CashMarketMapped
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}
