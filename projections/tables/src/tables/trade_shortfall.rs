//! The table `pfill_trade_shortfall`: the trades that end below their band (2.9).

use powerfill_events::ignored;
use powerfill_events::run::event::FillStatus;
use powerfill_events::run::{RecordedEvent, RunEvent};

use super::{Projector, Streamed};
use crate::table::{Column, DiffRules, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_trade_shortfall",
    purpose: "the trades that end below their band (2.9)",
    rows: "One row per trade with the fill status Under, by trade_id.",
    columns: &[
        Column::text("trade_id"),
        Column::money("filled_amount"),
        Column::money("shortfall_amount"),
    ],
    key: &["trade_id"],
    role: TableRole::Decision,
    keeps_every_run: false,
    diff: DiffRules {
        pair_by: &["trade_id"],
        decision: &[],
        remarks: &[],
        presence_decides: true,
        because: "a trade is short or not; every column says by how much",
    },
    reports: &[],
};

/// The projector before the first event.
pub fn projector() -> impl Projector {
    Streamed::new(&TABLE, project)
}

fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::TradeFillEvaluated(fill) if fill.fill_status == FillStatus::Under => {
            rows.push([
                (&fill.trade_id).into(),
                fill.filled_amount.into(),
                fill.shortfall_amount.into(),
            ]);
            true
        }
        ignored!(
            Opening Positions CashGrids Candidates Passes Results Synthetic Verification End
        ) => false,
    }
}
