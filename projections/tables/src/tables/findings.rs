//! The table `pfill_preflight_findings`: the findings of the nine preflight checks (2.2), also of
//! a run that they refuse.

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::fold;

use crate::table::{Column, DiffRules, RowBatch, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_preflight_findings",
    purpose: "the findings of the nine preflight checks (2.2), also of a run that they refuse",
    rows: "One row per finding, by code in the order of 2.2, then by subject.",
    columns: &[
        Column::text("code"),
        Column::text("severity"),
        Column::text("subject"),
        Column::text("message"),
    ],
    key: &["code", "subject"],
    role: TableRole::Decision,
    keeps_every_run: false,
    built_from: None,
    diff: DiffRules {
        pair_by: &["code", "subject"],
        decision: &["severity"],
        remarks: &["message"],
        presence_decides: true,
        because: "a finding exists or not, and refuses the run or not; its wording is free",
    },
    reports: &[],
};

pub(super) fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
    match event.event {
        RunEvent::PreflightCompleted(preflight) => {
            let mut findings: Vec<_> = preflight.findings.iter().collect();
            findings.sort_by_cached_key(|finding| {
                (finding.code, finding.subject.as_deref().map(fold))
            });
            for finding in &findings {
                rows.push([
                    finding.code.into(),
                    finding.severity.into(),
                    finding.subject.as_deref().into(),
                    finding.message.as_str().into(),
                ]);
            }
            !findings.is_empty()
        }
        ignored!(
            RunRequested RunStarted Positions CashGrids Candidates Passes Results Synthetic
            Verification End
        ) => false,
    }
}
