//! What a run in the foreground shows and hears: a progress bar by step on a terminal, Ctrl-C, the summary, `--out`.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use powerfill_app::Watch;
use powerfill_events::run::event::Step;
use powerfill_events::run::{RecordedEvent, RunId};
use powerfill_tables::spelling::Spelled;
use powerfill_tables::summary::RunSummary;
use powerfill_tables::table::RowBatch;

use crate::out_folder::OutFolder;

/// The steps in their order, as the bar counts them.
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

/// Hears Ctrl-C, and cancels the run that goes on.
pub(crate) struct Interrupt {
    heard: Arc<AtomicBool>,
    by: String,
}

impl Interrupt {
    /// Hears nothing: Ctrl-C ends the process.
    pub(crate) fn deaf() -> Self {
        Self { heard: Arc::default(), by: String::new() }
    }

    /// From when this returns, Ctrl-C does not end the process any more.
    pub(crate) async fn listen(by: &str) -> Self {
        let heard = Arc::new(AtomicBool::new(false));
        let hears = Arc::clone(&heard);
        let mut ctrl_c = Box::pin(tokio::signal::ctrl_c());
        // Its first poll is what takes the signal from the system.
        if futures::poll!(&mut ctrl_c).is_pending() {
            tokio::spawn(async move {
                if ctrl_c.await.is_ok() {
                    hears.store(true, Ordering::Relaxed);
                }
            });
        }
        Self { heard, by: by.to_owned() }
    }
}

impl Watch for Interrupt {
    fn cancelled_by(&self) -> Option<String> {
        self.heard.load(Ordering::Relaxed).then(|| self.by.clone())
    }
}

/// Watches a run in the foreground.
pub(crate) struct Foreground {
    bar: ProgressBar,
    summary: Mutex<RunSummary>,
    out: Option<Arc<OutFolder>>,
    interrupt: Arc<Interrupt>,
}

impl Foreground {
    pub(crate) fn new(run: RunId, out: Option<Arc<OutFolder>>, interrupt: Arc<Interrupt>) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(STEPS.len() as u64)
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let summary = Mutex::new(RunSummary::new(run));
        Self { bar, summary, out, interrupt }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The run so far.
    pub(crate) fn summary(&self) -> RunSummary {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watch for Foreground {
    fn step(&self, step: Step) {
        let at = STEPS.iter().position(|known| *known == step).unwrap_or_default();
        self.bar.set_position(at as u64);
        self.bar.set_message(step.spelled());
    }

    fn event(&self, event: &RecordedEvent<'_>) {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
    }

    fn rows(&self, rows: &[RowBatch]) {
        if let Some(out) = &self.out {
            out.take(rows);
        }
    }

    fn cancelled_by(&self) -> Option<String> {
        self.interrupt.cancelled_by()
    }
}
