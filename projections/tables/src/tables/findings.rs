//! `pfill_preflight_findings`: what the nine checks found (2.2), also in a run that they refused.

use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::fold;

use super::{Projector, Streamed};
use crate::ignored;
use crate::table::{Column, RowBatch, TableSpec};

/// One row a finding, by code in the order of 2.2, then subject.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_preflight_findings",
    columns: &[
        Column::text("code"),
        Column::text("severity"),
        Column::text("subject"),
        Column::text("message"),
    ],
    key: &[0, 2],
    keeps_every_run: false,
};

/// Before the first event.
pub fn projector() -> impl Projector {
    Streamed::new(&TABLE, 1, project)
}

fn project(event: &RecordedEvent<'_>, rows: &mut RowBatch) -> bool {
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
            RunRequested RunStarted TradeAssessed LoanPinned CashGridBuilt TradeSettlementSet
            ConstraintMatched CandidateScored CandidatesRejected LoanAllocated LoanMoved
            LoanReleased PassCompleted ConstraintBlockEvaluated TradeFillEvaluated LoanKickedOut
            PoolActionDerived SyntheticTradePriced SyntheticOptionsRanked CashMarketMapped
            InvariantsVerified RunCompleted RunFailed RunCancelled
        ) => false,
    }
}
