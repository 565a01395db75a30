//! The table `pfill_loan_constraint_pool`: how much of each limit and goal of the constraint tree
//! is used (2.5, 2.9).

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};

use crate::table::{Column, DiffRules, ReportSpec, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_loan_constraint_pool",
    purpose: "how much of each limit and goal of the constraint tree is used (2.5, 2.9)",
    rows: "One row per node with a limit or a goal and included trade of its instrument, by node in \
           walk order, then by trade_id.",
    columns: &[
        Column::text("investor_id"),
        Column::text("investor_instrument_name"),
        Column::text("constraint_name"),
        Column::text("trade_id"),
        Column::money("lo_amount"),
        Column::money("hi_amount"),
        Column::money("used_amount"),
        Column::ratio("used_share"),
        Column::text("lo_met"),
    ],
    key: &["investor_id", "investor_instrument_name", "constraint_name", "trade_id"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["investor_id", "investor_instrument_name", "constraint_name", "trade_id"],
        decision: &["lo_met"],
        remarks: &[],
        presence_decides: false,
        because: "a goal is met or not; the amounts say by how much",
    },
    reports: &[ReportSpec::whole(11, "constraint-blocks", "how much of each limit is used in each trade")],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::ConstraintBlockEvaluated(block) => {
            rows.push([
                (&block.node.investor_id).into(),
                (&block.node.investor_instrument_name).into(),
                (&block.node.constraint_name).into(),
                (&block.trade_id).into(),
                block.lo_amount.into(),
                block.hi_amount.into(),
                block.used_amount.into(),
                block.used_share.into(),
                block.lo_met.into(),
            ]);
            true
        }
        ignored!(
            Opening Positions CashGrids Candidates Passes TradeFillEvaluated LoanKickedOut
            PoolActionDerived Synthetic Verification End
        ) => false,
    }
}
