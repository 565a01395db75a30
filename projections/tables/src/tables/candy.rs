//! The table `pfill_loan2trade_candy_level_01`: the candidates (2.6).

use powerfill_events::ignored;
use powerfill_events::run::{EventType, RecordedEvent, RunEvent};

use crate::table::{Column, DiffRules, ReportSpec, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_loan2trade_candy_level_01",
    purpose: "the candidates (2.6)",
    rows: "One row per candidate, by turn and rank.",
    columns: &[
        Column::int("turn"),
        Column::int("candidate_rank"),
        Column::text("investor_id"),
        Column::text("investor_instrument_name"),
        Column::text("constraint_name"),
        Column::int("constraint_priority"),
        Column::text("loan_id"),
        Column::text("trade_id"),
        Column::int("interest_earning_days"),
        Column::price("price"),
        Column::price("payup"),
        Column::price("carry_cost"),
        Column::price("prx_plus_carry"),
        Column::price("score"),
    ],
    key: &["turn", "candidate_rank"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: Some(EventType::CandidateScored),
    diff: DiffRules {
        pair_by: &["loan_id", "trade_id"],
        decision: &["investor_id", "investor_instrument_name", "constraint_name"],
        remarks: &[],
        presence_decides: true,
        because: "a pair is a candidate or not, and has one node; its turn moves with priorities, \
                  and its rank with every score before it, so both are numbers, and rows do not \
                  pair by them",
    },
    reports: &[ReportSpec::whole(4, "pool-candidates", "each candidate pair of loan and trade, by rank")],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::CandidateScored(candidate) => {
            let (node, pricing) = (&*candidate.node, &candidate.pricing);
            rows.push([
                candidate.turn.into(),
                candidate.candidate_rank.into(),
                (&node.investor_id).into(),
                (&node.investor_instrument_name).into(),
                (&node.constraint_name).into(),
                node.constraint_priority.into(),
                (&candidate.loan_id).into(),
                (&candidate.trade_id).into(),
                pricing.interest_earning_days.into(),
                pricing.price.into(),
                pricing.payup.into(),
                pricing.carry_cost.into(),
                pricing.prx_plus_carry.into(),
                pricing.score.into(),
            ]);
            true
        }
        ignored!(
            Opening Positions CashGrids ConstraintMatched CandidatesRejected Passes Results
            Synthetic Verification End
        ) => false,
    }
}
