//! The table `pfill_trade_base`: the trades that the run considered (2.1).

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};

use crate::table::{Column, DiffRules, ReportSpec, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_trade_base",
    purpose: "the trades that the run considered (2.1)",
    rows: "One row per trade, by trade_id. An excluded trade shows only its open amount.",
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
    key: &["trade_id"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["trade_id"],
        decision: &["included", "exclusion_reason"],
        remarks: &[],
        presence_decides: false,
        because: "a trade is in the run or excluded for a reason; the amounts follow from the book",
    },
    reports: &[ReportSpec::whole(10, "trade-base", "the trades that the run considered")],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
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
            Opening LoanPinned CashGrids Candidates Passes Results Synthetic Verification End
        ) => false,
    }
}
