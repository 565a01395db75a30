//! The table `pfill_pool_guide`: the postings about pools (2.10).

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};

use crate::table::{Column, DiffRules, ReportSpec, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_pool_guide",
    purpose: "the postings about pools (2.10)",
    rows: "One row per posting, by trade_id (NULL first), loan_id, and pa_key.",
    columns: &[
        Column::text("trade_id"),
        Column::text("loan_id"),
        Column::text("pool_action"),
        Column::int("pa_key"),
        Column::day("settlement_date"),
        Column::text("pool_name"),
        Column::text("from_pool_name"),
        Column::text("to_pool_name"),
        Column::money("loan_amount"),
        Column::price("price"),
    ],
    key: &["trade_id", "loan_id", "pool_action", "settlement_date"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["loan_id", "pool_action"],
        decision: &["trade_id", "settlement_date", "pool_name", "from_pool_name", "to_pool_name"],
        remarks: &[],
        presence_decides: true,
        because: "a loan has each action at most once; a posting says where to, when, and from which \
                  pool",
    },
    reports: &[
        ReportSpec {
            position: 3,
            name: "switching",
            about: "loans that switch pools: both postings of each",
            only: Some(("pool_action", &["Switching", "Swapped In"])),
        },
        ReportSpec {
            position: 5,
            name: "existing-pool-disposition",
            about: "the action of each loan that is in a pool and in the run: it remains, leaves, or \
                    switches",
            only: Some(("pool_action", &["Remaining", "Leaving", "Switching"])),
        },
        ReportSpec::whole(6, "pooling-guide", "every posting about pools"),
    ],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::PoolActionDerived(posting) => {
            rows.push([
                posting.trade_id.as_ref().into(),
                (&posting.loan_id).into(),
                posting.pool_action.into(),
                posting.pool_action.key().into(),
                posting.settlement_date.into(),
                (&posting.pool_name).into(),
                posting.from_pool_name.as_ref().into(),
                posting.to_pool_name.as_ref().into(),
                posting.loan_amount.into(),
                posting.price.into(),
            ]);
            true
        }
        ignored!(
            Opening Positions CashGrids Candidates Passes ConstraintBlockEvaluated
            TradeFillEvaluated LoanKickedOut Synthetic Verification End
        ) => false,
    }
}
