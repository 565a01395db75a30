//! The head of the run, from its events.

use powerfill_events::ignored;
use powerfill_events::input::InputRow;
use powerfill_events::run::event::{InvariantCheck, RunCompleted, RunRequested, RunStarted};
use powerfill_events::run::options::RunOptions;
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_tables::status::RunStatus;

use crate::document::{OverviewOption, OverviewRun};

/// What the events so far say.
#[derive(Default)]
pub(crate) struct Head {
    run_id: RunId,
    requested: Option<(Box<RunRequested>, Timestamp)>,
    started: Option<(Box<RunStarted>, Timestamp)>,
    checks: Vec<InvariantCheck>,
    completed: Option<(Box<RunCompleted>, Timestamp)>,
    events: u64,
}

impl Head {
    pub(crate) fn new(run_id: RunId) -> Self {
        Self { run_id, ..Self::default() }
    }

    pub(crate) fn apply(&mut self, event: &RecordedEvent<'_>) {
        self.events = event.stream_version;
        match event.event {
            RunEvent::RunRequested(requested) => {
                self.requested = Some((requested.clone(), event.recorded_at));
            }
            RunEvent::RunStarted(started) => {
                self.started = Some((started.clone(), event.recorded_at));
            }
            RunEvent::InvariantsVerified(verified) => self.checks.clone_from(&verified.checks),
            RunEvent::RunCompleted(completed) => {
                self.completed = Some((completed.clone(), event.recorded_at));
            }
            ignored!(
                PreflightCompleted Positions CashGrids Candidates Passes Results Synthetic
                RunFailed RunCancelled
            ) => {}
        }
    }

    /// The head; `None` before the run is Complete.
    pub(crate) fn finish(self) -> Option<OverviewRun> {
        let (requested, requested_at) = self.requested?;
        let (started, started_at) = self.started?;
        let (completed, ended_at) = self.completed?;
        Some(OverviewRun {
            run_id: self.run_id,
            tenant_id: requested.tenant_id,
            as_of: requested.options.as_of,
            status: RunStatus::Complete.name().to_owned(),
            options: options(&requested.options),
            requested_by: requested.requested_by,
            requested_at,
            started_at,
            ended_at,
            events: self.events,
            engine_version: started.engine_version,
            spec_version: requested.spec_version,
            input_digest: requested.snapshot_digest,
            output_digest: completed.output_digest,
            source_warnings: requested.source_warnings,
            mapping: requested.mapping,
            origin: requested.origin,
            participation: started.loans,
            inclusion: started.trades,
            checks: self.checks,
            table_rows: completed.counts,
        })
    }
}

/// The options beside their defaults.
fn options(options: &RunOptions) -> Vec<OverviewOption> {
    let columns = RunOptions::TABLE.columns.iter();
    let pairs = texts(options).into_iter().zip(texts(&RunOptions::default()));
    let option = |((value, default), name): ((Option<String>, Option<String>), &str)| {
        let is_changed = name != "as_of" && value != default;
        OverviewOption { name: name.to_owned(), value, default, is_changed }
    };
    pairs.zip(columns.map(|column| column.name)).map(option).collect()
}

/// The values of options as text.
fn texts(options: &RunOptions) -> Vec<Option<String>> {
    let mut texts = Vec::new();
    options.write(&mut |text| texts.push((!text.is_empty()).then(|| text.to_owned())));
    texts
}
