//! Who watches a run go on: a progress bar, a folder that takes the tables, a person who cancels.

use powerfill_events::run::RecordedEvent;
use powerfill_events::run::event::Step;
use powerfill_tables::table::RowBatch;
use tokio::sync::watch;

/// Told what happens, from the threads of the run; must not block for long.
pub trait Watch: Send + Sync {
    /// A step begins.
    fn step(&self, _step: Step) {}

    /// An event was decided and accepted; it is not durable yet.
    fn event(&self, _event: &RecordedEvent<'_>) {}

    /// Rows that no later event of the run changes, in table order; they are not durable yet.
    fn rows(&self, _rows: &[RowBatch]) {}

    /// Who asked to cancel the run, where somebody did.
    fn cancelled_by(&self) -> Option<String> {
        None
    }

    /// Whether this worker is to stop and leave the run to another one, which takes it up at once.
    fn hands_over(&self) -> bool {
        false
    }
}

/// Until this becomes true, which is how whoever goes on for long is told to stop.
pub async fn told_to_stop(mut stop: watch::Receiver<bool>) {
    // Without a sender nobody can ask for the end.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Watch for Silent {}
