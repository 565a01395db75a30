//! A run in the foreground: a progress bar by step on a terminal, Ctrl-C, the summary, `--out`.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use powerfill_app::{RunControl, RunObserver, RunProgress, StopReason};
use powerfill_events::run::RunId;
use powerfill_events::run::event::Step;
use powerfill_tables::summary::RunSummary;
use tokio_util::sync::CancellationToken;

use crate::out_folder::OutFolder;

/// The steps in the order in which the progress bar counts them.
const STEPS: [Step; 9] = [
    Step::Preflight,
    Step::BxCashGrids,
    Step::BxSettleAndPrice,
    Step::CandidateBuilder,
    Step::Allocation,
    Step::PoolGuide,
    Step::Ue,
    Step::Invariants,
    Step::Record,
];

/// A progress bar on standard error, if that is a terminal.
pub(crate) fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} {msg} {elapsed}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A spinner on standard error, if that is a terminal.
pub(crate) fn spinner() -> ProgressBar {
    match std::io::stderr().is_terminal() {
        true => ProgressBar::new_spinner(),
        false => ProgressBar::hidden(),
    }
}

/// Ctrl-C, which cancels the active run.
pub(crate) struct Interrupt {
    signal: CancellationToken,
    by: String,
}

impl Interrupt {
    /// From the return on, Ctrl-C does not end the process by itself anymore.
    pub(crate) async fn listen(by: &str) -> Self {
        let signal = CancellationToken::new();
        let received = signal.clone();
        let mut ctrl_c = Box::pin(tokio::signal::ctrl_c());
        // The first poll takes the signal from the system.
        if futures::poll!(&mut ctrl_c).is_pending() {
            tokio::spawn(async move {
                if ctrl_c.await.is_ok() {
                    received.cancel();
                }
            });
        }
        Self { signal, by: by.to_owned() }
    }

    /// The control of a run that Ctrl-C cancels.
    pub(crate) fn control(&self) -> RunControl {
        RunControl::stopped_by(&self.signal, StopReason::Cancelled(self.by.clone()))
    }
}

/// Observes a run in the foreground.
pub(crate) struct ForegroundObserver {
    bar: ProgressBar,
    summary: Mutex<RunSummary>,
    out: Option<Arc<OutFolder>>,
}

impl ForegroundObserver {
    pub(crate) fn new(run: RunId, out: Option<Arc<OutFolder>>) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(STEPS.len() as u64)
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let summary = Mutex::new(RunSummary::new(run));
        Self { bar, summary, out }
    }

    /// Removes the progress bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The summary of the run so far.
    pub(crate) fn summary(&self) -> RunSummary {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl RunObserver for ForegroundObserver {
    fn observe(&self, progress: RunProgress<'_>) {
        match progress {
            RunProgress::Step(step) => {
                let at = STEPS.iter().position(|known| *known == step).unwrap_or_default();
                self.bar.set_position(at as u64);
                self.bar.set_message(step.as_str());
            }
            RunProgress::Event(event) => {
                self.summary.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
            }
            RunProgress::Rows(rows) => {
                if let Some(out) = &self.out {
                    out.write(rows);
                }
            }
        }
    }
}
