//! How decisions leave the engine: events in chunks, to an observer that can cancel.

use powerfill_events::run::event::{RunEvent, Step};

/// Receives what the engine decides.
pub trait Observer {
    /// Called when a step begins.
    fn step(&mut self, _step: Step) {}

    /// Receives the next events, in order.
    fn events(&mut self, chunk: Vec<RunEvent>);

    /// Whether the engine must stop. The engine polls this at the start of each step and after
    /// each chunk.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The observer canceled the run at this step. It has received every event up to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled at step {0:?}")]
pub struct Cancelled(pub Step);

/// Events per chunk.
const CHUNK: usize = 8192;

/// Collects events into chunks for the observer.
pub(crate) struct EventRecorder<'r> {
    observer: &'r mut dyn Observer,
    chunk: Vec<RunEvent>,
    step: Step,
}

impl<'r> EventRecorder<'r> {
    pub(crate) fn new(observer: &'r mut dyn Observer) -> Self {
        Self { observer, chunk: Vec::with_capacity(CHUNK), step: Step::Preflight }
    }

    /// Begins a step.
    pub(crate) fn step(&mut self, step: Step) -> Result<(), Cancelled> {
        self.step = step;
        self.observer.step(step);
        self.check()
    }

    /// Stops the run if the observer has canceled it.
    pub(crate) fn check(&mut self) -> Result<(), Cancelled> {
        if self.observer.is_cancelled() {
            self.flush();
            return Err(Cancelled(self.step));
        }
        Ok(())
    }

    pub(crate) fn record(&mut self, event: RunEvent) -> Result<(), Cancelled> {
        self.chunk.push(event);
        if self.chunk.len() == CHUNK {
            self.flush();
            self.check()?;
        }
        Ok(())
    }

    /// Hands the events over that do not fill a chunk.
    pub(crate) fn flush(&mut self) {
        if !self.chunk.is_empty() {
            let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
            self.observer.events(chunk);
        }
    }
}
