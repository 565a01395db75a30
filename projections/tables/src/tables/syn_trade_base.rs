//! The table `pfill_syn_trade_base`: the synthetic trades with their prices (2.11).

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};

use super::TRADE_ID_ORIGIN;
use crate::table::{Cell, Column, DiffRules, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_syn_trade_base",
    purpose: "the synthetic trades with their prices (2.11)",
    rows: "One row per synthetic price, by instrument, settlement date, and note rate.",
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
    key: &["investor_instrument_name", "settlement_date", "note_rate"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["investor_instrument_name", "settlement_date", "note_rate"],
        decision: &[],
        remarks: &["trade_id_origin"],
        presence_decides: false,
        because: "a price list decides nothing",
    },
    reports: &[],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
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
            Opening Positions CashGrids Candidates Passes Results SyntheticOptionsRanked
            CashMarketMapped Verification End
        ) => false,
    }
}
