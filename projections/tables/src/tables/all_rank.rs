//! The table `pfill_syn_powerfill_guide_all_rank`: the synthetic options of each loan, ranked
//! (2.11).

use powerfill_events::ignored;
use powerfill_events::run::{EventType, RecordedEvent, RunEvent};

use super::option_cells;
use crate::table::{Column, DiffRules, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_syn_powerfill_guide_all_rank",
    purpose: "the synthetic options of each loan, ranked (2.11)",
    rows: "One row per loan and synthetic option, by loan_id and rank_po.",
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
    key: &["loan_id", "syn_trade_id"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: Some(EventType::SyntheticOptionsRanked),
    diff: DiffRules {
        pair_by: &["loan_id", "syn_trade_id"],
        decision: &[],
        remarks: &["trade_id_origin"],
        presence_decides: false,
        because: "options are compared, not taken; the best one is in pfill_syn_powerfill_guide",
    },
    reports: &[],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::SyntheticOptionsRanked(ranked) => {
            for option in &ranked.options {
                rows.push(option_cells(&ranked.loan_id, option));
            }
            !ranked.options.is_empty()
        }
        ignored!(
            Opening Positions CashGrids Candidates Passes Results SyntheticTradePriced
            CashMarketMapped Verification End
        ) => false,
    }
}
