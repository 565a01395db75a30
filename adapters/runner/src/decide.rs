//! The thread that decides: engine and second opinion. It hands its events over in chunks and never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use powerfill_domain::checks;
use powerfill_domain::engine::{self, Cancelled, Observer};
use powerfill_domain::run::RunEvent;
use powerfill_domain::run::event::{RunFailed, Step};
use powerfill_domain::snapshot::{RunOptions, Snapshot};

use crate::watch::Watch;

/// Events in order, shared with the second opinion.
pub(crate) type Chunk = Arc<Vec<RunEvent>>;

/// How deciding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decided {
    /// Everything is decided, and the invariants hold.
    Whole,
    /// The run failed; the event is among the chunks.
    Failed,
    /// It was asked to stop, at this step.
    Stopped(Step),
}

struct HandOver<'a> {
    chunks: Vec<Chunk>,
    to: &'a Sender<Chunk>,
    watch: &'a dyn Watch,
    stop: &'a AtomicBool,
}

impl HandOver<'_> {
    fn send(&mut self, events: Vec<RunEvent>) {
        let chunk = Arc::new(events);
        // Where nobody listens any more, `stop` is set and ends the engine.
        let _ = self.to.send(Arc::clone(&chunk));
        self.chunks.push(chunk);
    }

    fn failed(&self) -> bool {
        let last = self.chunks.last().and_then(|chunk| chunk.last());
        last.is_some_and(RunEvent::is_terminal)
    }
}

impl Observer for HandOver<'_> {
    fn step(&mut self, step: Step) {
        self.watch.step(step);
    }

    fn events(&mut self, chunk: Vec<RunEvent>) {
        self.send(chunk);
    }

    fn is_cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
            || self.watch.hands_over()
            || self.watch.cancelled_by().is_some()
    }
}

/// Decides the run and checks it.
pub(crate) fn decide(
    snapshot: &Snapshot,
    options: &RunOptions,
    watch: &dyn Watch,
    stop: &AtomicBool,
    to: &Sender<Chunk>,
) -> Decided {
    let mut hand_over = HandOver { chunks: Vec::new(), to, watch, stop };
    if let Err(Cancelled(step)) = engine::decide(snapshot, options, &mut hand_over) {
        return Decided::Stopped(step);
    }
    if hand_over.failed() {
        return Decided::Failed;
    }
    watch.step(Step::Invariants);
    let chunks: Vec<&[RunEvent]> = hand_over.chunks.iter().map(|chunk| chunk.as_slice()).collect();
    match checks::verify(snapshot, options, &chunks) {
        Ok(verified) => {
            hand_over.send(vec![RunEvent::InvariantsVerified(verified)]);
            Decided::Whole
        }
        Err(violation) => {
            hand_over.send(vec![RunEvent::RunFailed(RunFailed {
                step: Step::Invariants,
                code: "INVARIANT_VIOLATED".to_owned(),
                message: violation.to_string(),
            })]);
            Decided::Failed
        }
    }
}
