//! The run as an aggregate (specification 3.1): a command becomes events, or is rejected with the
//! rule that it would break.

use super::event::{RunCancelled, RunCompleted, RunEvent, RunFailed, RunRequested};
use super::rejection::RunRejection;
use super::state::RunState;

/// What can be asked of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunCommand {
    /// Ask for it.
    Request(Box<RunRequested>),
    /// Record what the engine decided, in order: all of it, or nothing.
    Record(Vec<RunEvent>),
    /// Declare it Complete.
    Complete(Box<RunCompleted>),
    /// Declare it Failed.
    Fail(RunFailed),
    /// Declare it Cancelled.
    Cancel(RunCancelled),
}

impl RunCommand {
    fn into_events(self) -> Vec<RunEvent> {
        match self {
            Self::Request(requested) => vec![RunEvent::RunRequested(requested)],
            Self::Record(events) => events,
            Self::Complete(completed) => vec![RunEvent::RunCompleted(completed)],
            Self::Fail(failed) => vec![RunEvent::RunFailed(failed)],
            Self::Cancel(cancelled) => vec![RunEvent::RunCancelled(cancelled)],
        }
    }
}

/// The aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Run;

impl Run {
    /// Decides a command against a state.
    ///
    /// # Errors
    /// The first rule that one of its events breaks; then none of them happens.
    pub fn decide(state: &RunState, command: RunCommand) -> Result<Vec<RunEvent>, RunRejection> {
        let events = command.into_events();
        if let [single] = events.as_slice() {
            state.check(single)?;
        } else {
            let mut after = state.clone();
            events.iter().try_for_each(|event| after.accept(event))?;
        }
        Ok(events)
    }
}
