//! The table `pfill_trade_recap`: how full each included trade is at the end (2.9).

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};
use rust_decimal::Decimal;

use crate::table::{Cell, Column, DiffRules, ReportSpec, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_trade_recap",
    purpose: "how full each included trade is at the end (2.9)",
    rows: "One row per included trade, by trade_id. Averages are weighted by loan amount.",
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
    key: &["trade_id"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["trade_id"],
        decision: &["fill_status"],
        remarks: &[],
        presence_decides: false,
        because: "a trade ends filled, under, or over; every other column says by how much",
    },
    reports: &[ReportSpec::whole(2, "recap", "how full each included trade is")],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
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
            Opening Positions CashGrids Candidates Passes ConstraintBlockEvaluated LoanKickedOut
            PoolActionDerived Synthetic Verification End
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
