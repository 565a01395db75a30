//! The table `pfill_run_history`: the runs of the tenant in every status (1.5, 4.4).

use powerfill_events::ignored;
use powerfill_events::run::{RecordedEvent, RunEvent};

use super::Projector;
use crate::status::RunStatus;
use crate::table::{Cell, Column, DiffRules, RowBatch, TableRef, TableRole, TableSpec};

/// The declaration of the table.
pub static TABLE: TableSpec = TableSpec {
    name: "pfill_run_history",
    purpose: "the runs of the tenant in every status (1.5, 4.4)",
    rows: "One row per run. The times are those at which its events were recorded.",
    columns: &[
        Column::text("tenant_id"),
        Column::text("status"),
        Column::json("options"),
        Column::text("requested_by"),
        Column::timestamp("requested_at"),
        Column::timestamp("started_at"),
        Column::timestamp("ended_at"),
        Column::text("failure_step"),
        Column::text("failure_message"),
        Column::text("input_digest"),
        Column::text("output_digest"),
        Column::json("counts"),
    ],
    key: &[],
    role: TableRole::Record,
    keeps_every_run: true,
    built_from: None,
    diff: DiffRules {
        pair_by: &[],
        decision: &["status", "failure_step"],
        remarks: &["requested_by", "requested_at", "started_at", "ended_at", "failure_message", "counts"],
        presence_decides: false,
        because: "one row per run; who requested it and when differs between any two runs",
    },
    reports: &[],
};

const STATUS: usize = 1;
const STARTED_AT: usize = 5;
const ENDED_AT: usize = 6;
const FAILURE_STEP: usize = 7;
const FAILURE_MESSAGE: usize = 8;
const OUTPUT_DIGEST: usize = 10;
const COUNTS: usize = 11;

/// The projector before the first event.
pub fn projector() -> impl Projector {
    History { row: None, status: RunStatus::Pending }
}

struct History {
    /// From `RunRequested` on.
    row: Option<[Cell; TABLE.columns.len()]>,
    status: RunStatus,
}

impl History {
    /// Whether the event moved the run on.
    fn advance(&mut self, event: &RunEvent) -> bool {
        let status = RunStatus::reached_with(event);
        let moves = status > self.status;
        if moves {
            self.status = status;
            self.set(STATUS, Cell::Name(status.name()));
        }
        moves
    }

    fn set(&mut self, column: usize, cell: Cell) {
        if let Some(row) = &mut self.row {
            row[column] = cell;
        }
    }
}

impl Projector for History {
    fn table(&self) -> TableRef {
        &TABLE
    }

    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool {
        let moved_on = self.advance(event.event);
        match event.event {
            // A scenario is never official (8.5).
            RunEvent::RunRequested(requested) if requested.origin.scenario.is_some() => {
                return false;
            }
            RunEvent::RunRequested(requested) => {
                self.row = Some([
                    (&requested.tenant_id).into(),
                    Cell::Name(self.status.name()),
                    json(&requested.options),
                    requested.requested_by.as_str().into(),
                    event.recorded_at.into(),
                    Cell::Null,
                    Cell::Null,
                    Cell::Null,
                    Cell::Null,
                    requested.snapshot_digest.as_str().into(),
                    Cell::Null,
                    Cell::Null,
                ]);
                return true;
            }
            RunEvent::RunStarted(_) => self.set(STARTED_AT, event.recorded_at.into()),
            RunEvent::RunCompleted(completed) => {
                self.set(ENDED_AT, event.recorded_at.into());
                self.set(OUTPUT_DIGEST, completed.output_digest.as_str().into());
                self.set(COUNTS, json(&completed.counts));
            }
            RunEvent::RunFailed(failed) => {
                self.set(ENDED_AT, event.recorded_at.into());
                self.set(FAILURE_STEP, failed.step.into());
                self.set(FAILURE_MESSAGE, failed.message.as_str().into());
            }
            RunEvent::RunCancelled(cancelled) => {
                self.set(ENDED_AT, event.recorded_at.into());
                self.set(FAILURE_STEP, cancelled.step.into());
                let by = &cancelled.cancelled_by;
                self.set(FAILURE_MESSAGE, format!("cancelled by {by}").into());
            }
            ignored!(
                PreflightCompleted Positions CashGrids Candidates Passes Results Synthetic
                Verification
            ) => {}
        }
        moved_on
    }

    fn rows(&self, out: &mut RowBatch) {
        if let Some(row) = &self.row {
            out.push(row.clone());
        }
    }
}

/// Decimals are strings in it (1.1). What is written here (options, counts) holds nothing that JSON
/// cannot say.
fn json(value: &impl serde::Serialize) -> Cell {
    serde_json::to_string(value).map_or(Cell::Null, Cell::from)
}
