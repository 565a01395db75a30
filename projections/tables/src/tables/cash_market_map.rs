//! The table `pfill_cash_market_map`: the best cash option of each loan (2.11).

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};

use crate::table::{Column, DiffRules, ReportSpec, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_cash_market_map",
    purpose: "the best cash option of each loan (2.11)",
    rows: "One row per loan with a cash option, by loan_id.",
    columns: &[
        Column::text("loan_id"),
        Column::text("investor_instrument_name"),
        Column::day("settlement_date"),
        Column::price("price"),
        Column::price("payup"),
        Column::price("carry_cost"),
        Column::price("prx_plus_carry"),
    ],
    key: &["loan_id"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["loan_id"],
        decision: &["investor_instrument_name", "settlement_date"],
        remarks: &[],
        presence_decides: false,
        because: "the instrument and the date to sell for cash",
    },
    reports: &[ReportSpec::whole(7, "cash-trade-slotting", "the best cash option of each loan")],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::CashMarketMapped(mapped) => {
            let option = &mapped.option;
            rows.push([
                (&mapped.loan_id).into(),
                (&option.slot.investor_instrument_name).into(),
                option.slot.settlement_date.into(),
                option.price.into(),
                option.payup.into(),
                option.carry_cost.into(),
                option.prx_plus_carry.into(),
            ]);
            true
        }
        ignored!(
            Opening Positions CashGrids Candidates Passes Results SyntheticTradePriced
            SyntheticOptionsRanked Verification End
        ) => false,
    }
}
