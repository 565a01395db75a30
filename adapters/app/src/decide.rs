//! The thread that decides: engine and second opinion. It hands its events over in chunks and never waits.

use std::sync::Arc;

use powerfill_engine::{Cancelled, Observer};
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{RunFailed, Step};
use tokio::sync::mpsc::UnboundedSender;

use crate::observer::RunProgress;
use crate::threads::Input;

/// Events in order, shared with the second opinion.
pub(crate) type Chunk = Arc<Vec<RunEvent>>;

/// What the one that records is told.
pub(crate) enum Told {
    /// A step begins.
    Step(Step),
    /// The next events.
    Events(Chunk),
    /// There is nothing more to come.
    Ended(Decided),
}

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
    to: &'a UnboundedSender<Told>,
    input: &'a Input,
}

impl HandOver<'_> {
    /// Where nobody listens any more, the run's control ends the engine.
    fn tell(&self, told: Told) {
        let _ = self.to.send(told);
    }

    fn send(&mut self, events: Vec<RunEvent>) {
        let chunk = Arc::new(events);
        self.tell(Told::Events(Arc::clone(&chunk)));
        self.chunks.push(chunk);
    }

    fn failed(&self) -> bool {
        let last = self.chunks.last().and_then(|chunk| chunk.last());
        last.is_some_and(RunEvent::is_terminal)
    }
}

impl Observer for HandOver<'_> {
    fn step(&mut self, step: Step) {
        self.tell(Told::Step(step));
        self.input.observer.observe(RunProgress::Step(step));
    }

    fn events(&mut self, chunk: Vec<RunEvent>) {
        self.send(chunk);
    }

    fn is_cancelled(&self) -> bool {
        self.input.control.is_stopped()
    }
}

/// Tells the request, decides the run and checks it.
pub(crate) fn decide(input: &Input, to: &UnboundedSender<Told>) {
    let request = RunEvent::RunRequested(Box::new(input.requested.clone()));
    let mut hand_over = HandOver { chunks: Vec::new(), to, input };
    hand_over.tell(Told::Events(Arc::new(vec![request])));
    let decided = decided(&mut hand_over);
    hand_over.tell(Told::Ended(decided));
}

fn decided(hand_over: &mut HandOver<'_>) -> Decided {
    let Input { snapshot, requested, .. } = hand_over.input;
    let options = &requested.options;
    if let Err(Cancelled(step)) = powerfill_engine::decide(snapshot, options, hand_over) {
        return Decided::Stopped(step);
    }
    if hand_over.failed() {
        return Decided::Failed;
    }
    hand_over.step(Step::Invariants);
    let chunks: Vec<&[RunEvent]> = hand_over.chunks.iter().map(|chunk| chunk.as_slice()).collect();
    match powerfill_checks::verify(snapshot, options, &chunks) {
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
