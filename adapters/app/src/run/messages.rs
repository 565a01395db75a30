//! What the threads of a run exchange.

use std::sync::Arc;

use powerfill_engine::GivenPlacement;
use powerfill_events::run::event::{RunRequested, Step};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_snapshot::Snapshot;

use super::control::RunControl;
use super::observer::RunObserver;
use crate::certificate::Certifier;

/// What a run is decided from.
pub(crate) struct DecisionInput {
    pub(crate) run: RunId,
    pub(crate) requested: RunRequested,
    /// The allocation of an adopted challenge. NULL: the passes decide.
    pub(crate) given: Option<Vec<GivenPlacement>>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) observer: Arc<dyn RunObserver>,
    pub(crate) control: RunControl,
    /// Begins the certificate of the run, if it is to have one.
    pub(crate) certifier: Option<Arc<Certifier>>,
}

/// Events in order. The second opinion reads them while they are recorded.
pub(crate) type EventChunk = Arc<Vec<RunEvent>>;

/// A message from the deciding thread to the recording thread.
pub(crate) enum EngineMessage {
    Step(Step),
    Events(EventChunk),
    /// The last message.
    Ended(DecisionEnd),
}

/// How deciding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecisionEnd {
    /// Everything is decided, and the invariants hold.
    Complete,
    /// The run failed: the last event says why.
    Failed,
    /// The run's control stopped the engine at this step.
    Stopped(Step),
}
