//! Replay (specification 3.4): a run decided again from its captured snapshot and its options, compared event by event
//! with what its stream holds.

mod difference;

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_engine::{ENGINE_VERSION, SPEC_VERSION};
use powerfill_events::run::event::{RunRequested, TableVersion};
use powerfill_events::run::{EncodedBatch, EventType, RecordedEvent, RunEvent, RunId};
use powerfill_ports::events::StoredEvent;
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::Snapshot;
use powerfill_tables::tables::projectors;
use powerfill_tables::{RunTables, UnknownTable};
use serde::Serialize;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::spawn_blocking;

pub use difference::{Difference, FieldPair, Version};

use crate::decide::{Chunk, Decided, Told, decide};
use crate::end::BROKEN_OFF;
use crate::stored::decoded;
use crate::threads::Input;
use crate::{RunControl, RunObserver, RunnerError};

/// What a replay came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replay {
    /// The run.
    pub run_id: RunId,
    /// How many stored events are the same.
    pub events: u64,
    /// The engine that decided the run; NULL where no worker had begun it.
    pub recorded_by: Option<String>,
    /// The specification that it followed.
    pub recorded_spec: Option<String>,
    /// The engine that decided it again: this one.
    pub replayed_by: &'static str,
    /// The specification that it follows.
    pub replayed_spec: &'static str,
    /// How both compare.
    #[serde(flatten)]
    pub answer: ReplayAnswer,
}

/// How a stream and its replay compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum ReplayAnswer {
    /// Every event is the same.
    Reproduced,
    /// Every event that the engine decided is the same; how the stream ends did not depend on the input.
    ReproducedSoFar {
        /// How it ends: it was cancelled, broke off, or is not over.
        ending: String,
    },
    /// The first event that is not the same.
    Differs(Box<Difference>),
    /// An event, or the captured snapshot that the first one names, that this build cannot read: nothing can be said of
    /// what follows.
    Unreadable {
        /// The event's version in the stream.
        stream_version: u64,
        /// Why.
        message: String,
    },
}

impl Replay {
    /// Whether nothing that the engine decided differs.
    pub const fn is_reproduced(&self) -> bool {
        matches!(self.answer, ReplayAnswer::Reproduced | ReplayAnswer::ReproducedSoFar { .. })
    }

    /// Whether another engine or specification decided the run, so that a difference need not be a fault.
    pub fn is_of_another_version(&self) -> bool {
        let differs = |recorded: &Option<String>, present: &str| {
            recorded.as_ref().is_some_and(|recorded| recorded != present)
        };
        differs(&self.recorded_by, self.replayed_by)
            || differs(&self.recorded_spec, self.replayed_spec)
    }
}

/// Replays a run and compares. Writes nothing.
///
/// # Errors
/// [`StoreError::NotFound`] where the run has no events; or the store fails. A difference is an answer, and so is a
/// captured snapshot that is missing or damaged.
pub async fn replay<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    observer: Arc<dyn RunObserver>,
) -> Result<Replay, RunnerError> {
    let mut comparison = Comparison::new(run);
    let mut batches = store.read(&run.stream(), 1);
    let first = batches.try_next().await?.unwrap_or_default();
    let Some(request) = first.first() else {
        return Err(StoreError::NotFound { what: "run", name: run.to_string() }.into());
    };
    let requested = match decoded(request) {
        Ok(RunEvent::RunRequested(requested)) => requested,
        Ok(other) => {
            comparison.differs(request.stream_version, Some((request, &other)), None);
            return Ok(comparison.end());
        }
        Err(error) => {
            comparison.unreadable(request.stream_version, &error);
            return Ok(comparison.end());
        }
    };
    let decided = match store.captured(&requested.snapshot_digest).await {
        Ok(canonical) => comparison.decide(requested, canonical, observer).await,
        Err(error) => Err(error.into()),
    };
    match decided {
        Ok(()) => {}
        Err(
            error @ (RunnerError::Store(StoreError::NotFound { .. } | StoreError::Corrupt(_))
            | RunnerError::Snapshot(_)),
        ) => {
            comparison.unreadable(request.stream_version, &error);
            return Ok(comparison.end());
        }
        Err(error) => return Err(error),
    }
    comparison.take(&first);
    while let Some(batch) = batches.try_next().await? {
        if comparison.found {
            break;
        }
        comparison.take(&batch);
    }
    if store.run(run).await?.is_some_and(|queued| queued.status.is_over()) {
        comparison.must_have_ended();
    }
    Ok(comparison.end())
}

/// A stream as far as it was compared with its replay.
struct Comparison {
    replay: Replay,
    /// What the engine decides, without `RunCompleted`, which the tables give.
    decided: Vec<Chunk>,
    /// Whether the engine came to its end, so that `RunCompleted` follows.
    whole: bool,
    /// Chunk and place in it of the next event.
    next: (usize, usize),
    tables: RunTables,
    /// Whether the stream has ended.
    over: bool,
    /// The first thing that is not the same.
    found: bool,
}

impl Comparison {
    fn new(run_id: RunId) -> Self {
        let ending = "the stream has no end yet".to_owned();
        Self {
            replay: Replay {
                run_id,
                events: 0,
                recorded_by: None,
                recorded_spec: None,
                replayed_by: ENGINE_VERSION,
                replayed_spec: SPEC_VERSION,
                answer: ReplayAnswer::ReproducedSoFar { ending },
            },
            decided: Vec::new(),
            whole: false,
            next: (0, 0),
            tables: RunTables::of_stored_run(projectors()),
            over: false,
            found: false,
        }
    }

    /// Runs the engine on what was captured.
    async fn decide(
        &mut self,
        requested: Box<RunRequested>,
        canonical: Vec<u8>,
        observer: Arc<dyn RunObserver>,
    ) -> Result<(), RunnerError> {
        self.replay.recorded_spec = Some(requested.spec_version.clone());
        let deciding = spawn_blocking(move || {
            let snapshot = Arc::new(Snapshot::from_canonical(&canonical)?);
            drop(canonical);
            let (to_compare, mut messages) = unbounded_channel();
            let control = RunControl::default();
            decide(&Input { requested: *requested, snapshot, observer, control }, &to_compare);
            Ok::<_, RunnerError>(std::iter::from_fn(move || messages.try_recv().ok()))
        });
        let told = deciding.await.map_err(|panic| RunnerError::BrokenOff(panic.to_string()))??;
        for told in told {
            match told {
                Told::Step(_) => {}
                Told::Events(chunk) => self.decided.push(chunk),
                Told::Ended(end) => self.whole = end == Decided::Whole,
            }
        }
        Ok(())
    }

    /// The queue says that the run is over: a stream without an end has lost it.
    fn must_have_ended(&mut self) {
        if !self.over && !self.found {
            let missing = self.next_decided(None).unwrap_or_default();
            self.differs(self.replay.events + 1, None, missing.as_ref());
        }
    }

    fn take(&mut self, batch: &[StoredEvent]) {
        for stored in batch {
            if !self.found {
                self.compare(stored);
            }
        }
        // The rows themselves are of no interest, only what they amount to.
        drop(self.tables.drain());
    }

    fn compare(&mut self, stored: &StoredEvent) {
        let recorded = match decoded(stored) {
            Ok(recorded) => recorded,
            Err(error) => return self.unreadable(stored.stream_version, &error),
        };
        if let Some(ending) = ending_from_outside(&recorded).filter(|_| !self.over) {
            self.over = true;
            self.replay.answer = ReplayAnswer::ReproducedSoFar { ending };
            return;
        }
        let covered = match &recorded {
            RunEvent::RunCompleted(completed) => Some(&completed.tables[..]),
            _ => None,
        };
        let replayed = match self.next_decided(covered) {
            Ok(replayed) => replayed.filter(|_| !self.over),
            Err(error) => return self.unreadable(stored.stream_version, &error.into()),
        };
        let Some(mut replayed) = replayed else {
            return self.differs(stored.stream_version, Some((stored, &recorded)), None);
        };
        if let (RunEvent::RunStarted(recorded), RunEvent::RunStarted(replayed)) =
            (&recorded, &mut replayed)
        {
            // Which engine it was is said apart; what it decided is compared.
            self.replay.recorded_by = Some(recorded.engine_version.clone());
            replayed.engine_version.clone_from(&recorded.engine_version);
        }
        if !same(stored, &recorded, &replayed) {
            let recorded = Some((stored, &recorded));
            return self.differs(stored.stream_version, recorded, Some(&replayed));
        }
        self.tables.apply(&RecordedEvent {
            run_id: self.replay.run_id,
            stream_version: stored.stream_version,
            recorded_at: stored.recorded_at,
            actor: &stored.actor,
            event: &replayed,
        });
        self.replay.events += 1;
        if replayed.is_terminal() {
            self.over = true;
            self.replay.answer = ReplayAnswer::Reproduced;
        }
    }

    /// The next event of the replay. Its `RunCompleted` covers the tables that the stream names, so
    /// that a table or column of a later program is no difference.
    fn next_decided(
        &mut self,
        covered: Option<&[TableVersion]>,
    ) -> Result<Option<RunEvent>, UnknownTable> {
        while let Some(chunk) = self.decided.get(self.next.0) {
            if let Some(event) = chunk.get(self.next.1) {
                self.next.1 += 1;
                return Ok(Some(event.clone()));
            }
            self.next = (self.next.0 + 1, 0);
        }
        if !std::mem::take(&mut self.whole) {
            return Ok(None);
        }
        let completed = match covered {
            Some(covered) => self.tables.complete_as(covered)?,
            None => self.tables.complete(),
        };
        Ok(Some(RunEvent::RunCompleted(Box::new(completed))))
    }

    fn unreadable(&mut self, stream_version: u64, error: &RunnerError) {
        self.found = true;
        self.replay.answer =
            ReplayAnswer::Unreadable { stream_version, message: error.to_string() };
    }

    fn differs(
        &mut self,
        stream_version: u64,
        recorded: Option<(&StoredEvent, &RunEvent)>,
        replayed: Option<&RunEvent>,
    ) {
        self.found = true;
        let difference = Difference::new(stream_version, recorded, replayed);
        self.replay.answer = ReplayAnswer::Differs(Box::new(difference));
    }

    fn end(self) -> Replay {
        self.replay
    }
}

/// How a stream ended where no engine decided it: whoever replays has no other means to know.
fn ending_from_outside(event: &RunEvent) -> Option<String> {
    match event {
        RunEvent::RunCancelled(cancelled) => {
            Some(format!("the run was cancelled by {}", cancelled.cancelled_by))
        }
        RunEvent::RunFailed(failed) if failed.code == BROKEN_OFF => {
            Some(format!("the run broke off: {}", failed.message))
        }
        _ => None,
    }
}

/// Whether a stored event is the replayed one: byte for byte in the present schema; by what it says in an older one,
/// which was read through the upcasters.
fn same(stored: &StoredEvent, recorded: &RunEvent, replayed: &RunEvent) -> bool {
    let event_type: EventType = replayed.event_type();
    if stored.event_type != event_type.name() {
        return false;
    }
    if stored.schema_version != event_type.schema_version() {
        return recorded == replayed;
    }
    let encoded = EncodedBatch::encode([replayed]);
    encoded.iter().all(|(_, payload)| payload == stored.payload)
}
