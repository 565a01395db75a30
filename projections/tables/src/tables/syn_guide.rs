//! The table `pfill_syn_powerfill_guide`: the best synthetic option of each loan, and what the
//! allocation gives up against it (2.11).

use powerfill_events::ignored;
use powerfill_events::run::event::SyntheticOption;
use powerfill_events::run::{RecordedEvent, RunEvent};

use super::option_cells;
use crate::table::{Column, DiffRules, ReportSpec, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_syn_powerfill_guide",
    purpose: "the best synthetic option of each loan, and what the allocation gives up against it \
              (2.11)",
    rows: "One row per loan with an option, by loan_id.",
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
        Column::text("allocated_trade_id"),
        Column::price("allocated_score"),
        Column::price("give_up"),
    ],
    key: &["loan_id"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["loan_id"],
        decision: &["syn_trade_id", "allocated_trade_id"],
        remarks: &["trade_id_origin"],
        presence_decides: false,
        because: "the best option, and the allocation that it is compared with",
    },
    reports: &[ReportSpec::whole(9, "synthetic", "the best synthetic option of each loan")],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::SyntheticOptionsRanked(ranked) => {
            let is_best =
                |option: &&SyntheticOption| option.slot.syn_trade_id == ranked.best_syn_trade_id;
            let best = ranked.options.iter().find(is_best);
            if let Some(option) = best {
                rows.cells.extend(option_cells(&ranked.loan_id, option));
                rows.cells.extend([
                    ranked.allocated_trade_id.as_ref().into(),
                    ranked.allocated_score.into(),
                    ranked.give_up.into(),
                ]);
            }
            best.is_some()
        }
        ignored!(
            Opening Positions CashGrids Candidates Passes Results SyntheticTradePriced
            CashMarketMapped Verification End
        ) => false,
    }
}
