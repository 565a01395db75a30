//! What a run reports while it goes on: to a progress bar, an output folder, metrics.

use powerfill_events::run::RecordedEvent;
use powerfill_events::run::event::Step;
use powerfill_tables::table::RowBatch;

/// Something that happened in a run.
#[derive(Debug, Clone, Copy)]
pub enum RunProgress<'a> {
    /// A step begins.
    Step(Step),
    /// An event was decided and accepted; it is not durable yet.
    Event(&'a RecordedEvent<'a>),
    /// Rows that no later event of the run changes, in table order; they are not durable yet.
    Rows(&'a [RowBatch]),
}

/// Receives the progress of a run, and influences nothing.
pub trait RunObserver: Send + Sync {
    /// Receives progress, on the threads of the run: it must not block for long.
    fn observe(&self, progress: RunProgress<'_>);
}

impl<F: Fn(RunProgress<'_>) + Send + Sync> RunObserver for F {
    fn observe(&self, progress: RunProgress<'_>) {
        self(progress);
    }
}

/// Ignores all progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl RunObserver for NoObserver {
    fn observe(&self, _progress: RunProgress<'_>) {}
}
