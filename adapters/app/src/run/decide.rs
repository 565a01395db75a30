//! The deciding thread: the engine and the second opinion. It sends its events in chunks and never
//! waits for the recording thread.

use std::sync::Arc;

use powerfill_engine::{Cancelled, Observer};
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{RunFailed, Step};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::messages::{DecisionEnd, DecisionInput, EngineMessage, EventChunk};
use super::observer::RunProgress;

struct MessageSender<'a> {
    /// All events so far, for the second opinion.
    chunks: Vec<EventChunk>,
    to: &'a UnboundedSender<EngineMessage>,
    input: &'a DecisionInput,
}

impl MessageSender<'_> {
    /// If the receiver is gone, the run's control is stopped too, and ends the engine.
    fn send(&self, message: EngineMessage) {
        let _ = self.to.send(message);
    }

    fn send_events(&mut self, events: Vec<RunEvent>) {
        let chunk = Arc::new(events);
        self.send(EngineMessage::Events(Arc::clone(&chunk)));
        self.chunks.push(chunk);
    }

    fn run_failed(&self) -> bool {
        let last = self.chunks.last().and_then(|chunk| chunk.last());
        last.is_some_and(RunEvent::is_terminal)
    }
}

impl Observer for MessageSender<'_> {
    fn step(&mut self, step: Step) {
        self.send(EngineMessage::Step(step));
        self.input.observer.observe(RunProgress::Step(step));
    }

    fn events(&mut self, chunk: Vec<RunEvent>) {
        self.send_events(chunk);
    }

    fn is_cancelled(&self) -> bool {
        self.input.control.is_stopped()
    }
}

/// Sends the request's event, decides the run, and checks the decisions.
pub(crate) fn decide(input: &DecisionInput, to: &UnboundedSender<EngineMessage>) {
    let request = RunEvent::RunRequested(Box::new(input.requested.clone()));
    let mut sender = MessageSender { chunks: Vec::new(), to, input };
    sender.send(EngineMessage::Events(Arc::new(vec![request])));
    let end = decide_and_check(&mut sender);
    sender.send(EngineMessage::Ended(end));
}

/// As [`decide`], on this thread: the events, and how deciding ended.
pub(crate) fn decide_here(input: &DecisionInput) -> (Vec<EventChunk>, DecisionEnd) {
    let (to_here, mut messages) = unbounded_channel();
    decide(input, &to_here);
    let mut chunks = Vec::new();
    loop {
        match messages.try_recv().expect("the last message is the end") {
            EngineMessage::Step(_) => {}
            EngineMessage::Events(chunk) => chunks.push(chunk),
            EngineMessage::Ended(end) => return (chunks, end),
        }
    }
}

fn decide_and_check(sender: &mut MessageSender<'_>) -> DecisionEnd {
    let DecisionInput { snapshot, requested, given, .. } = sender.input;
    let options = &requested.options;
    let decided = match given {
        None => powerfill_engine::decide(snapshot, options, sender),
        Some(given) => powerfill_engine::decide_given(snapshot, options, given, sender),
    };
    if let Err(Cancelled(step)) = decided {
        return DecisionEnd::Stopped(step);
    }
    if sender.run_failed() {
        return DecisionEnd::Failed;
    }
    sender.step(Step::Invariants);
    let chunks: Vec<&[RunEvent]> = sender.chunks.iter().map(|chunk| chunk.as_slice()).collect();
    match powerfill_checks::verify(snapshot, options, &chunks) {
        Ok(verified) => {
            sender.send_events(vec![RunEvent::InvariantsVerified(verified)]);
            if let Some(certifier) = &sender.input.certifier {
                certifier.begin(sender.input, &sender.chunks);
            }
            DecisionEnd::Complete
        }
        Err(violation) => {
            sender.send_events(vec![RunEvent::RunFailed(RunFailed {
                step: Step::Invariants,
                code: "INVARIANT_VIOLATED".to_owned(),
                message: violation.to_string(),
            })]);
            DecisionEnd::Failed
        }
    }
}
