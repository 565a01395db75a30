//! The table `pfill_kickout_guide_01`: the eligible loans without a place (2.8).

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};

use crate::table::{Column, DiffRules, ReportSpec, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_kickout_guide_01",
    purpose: "the eligible loans without a place (2.8)",
    rows: "One row per kicked-out loan, by loan_id.",
    columns: &[
        Column::text("loan_id"),
        Column::text("reason"),
        Column::int("constraints_matched"),
        Column::int("candidates"),
        Column::text("best_trade_id"),
        Column::price("best_score"),
        Column::text("pool_name"),
        Column::money("loan_amount"),
    ],
    key: &["loan_id"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["loan_id"],
        decision: &["reason"],
        remarks: &[],
        presence_decides: true,
        because: "a loan is kicked out for a reason or not at all; the counts and the nearest trade \
                  only inform",
    },
    reports: &[ReportSpec::whole(8, "kickouts", "loans without a place, with the reason")],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::LoanKickedOut(kickout) => {
            rows.push([
                (&kickout.loan_id).into(),
                kickout.reason.into(),
                kickout.constraints_matched.into(),
                kickout.candidates.into(),
                kickout.best_trade_id.as_ref().into(),
                kickout.best_score.into(),
                kickout.pool_name.as_ref().into(),
                kickout.loan_amount.into(),
            ]);
            true
        }
        ignored!(
            Opening Positions CashGrids Candidates Passes ConstraintBlockEvaluated
            TradeFillEvaluated PoolActionDerived Synthetic Verification End
        ) => false,
    }
}
