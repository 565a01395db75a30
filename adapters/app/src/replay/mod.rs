//! Replay (specification 3.4): a run is decided again from its captured snapshot and its options,
//! and compared with its stream, event by event.

mod difference;

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_engine::{ENGINE_VERSION, GivenPlacement, SPEC_VERSION};
use powerfill_events::log::EncodedBatch;
use powerfill_events::run::event::{RunRequested, TableVersion};
use powerfill_events::run::{EventType, RecordedEvent, RunEvent, RunId};
use powerfill_ports::events::{Damage, StoredEvent};
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::Snapshot;
use powerfill_tables::tables::projectors;
use powerfill_tables::{RunTables, UnknownTable};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

pub use difference::{EventContent, EventDifference, FieldPair};

use crate::adopt::replayed_placements;
use crate::events::DecodedEvent;
use crate::run::decide::decide_here;
use crate::run::finish::BROKEN_OFF;
use crate::run::messages::{DecisionEnd, DecisionInput, EventChunk};
use crate::run::panicked;
use crate::{AppError, AppResult, RunControl, RunObserver, StopReason};

/// A finished replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReplayReport {
    /// The run.
    #[schemars(with = "String")]
    pub run_id: RunId,
    /// The number of equal events.
    pub events: u64,
    /// The engine that decided the run; NULL if no worker has begun it.
    pub recorded_by: Option<String>,
    /// The specification that this engine followed.
    pub recorded_spec: Option<String>,
    /// This engine.
    pub replayed_by: &'static str,
    /// The specification that this engine follows.
    pub replayed_spec: &'static str,
    /// The result.
    #[serde(flatten)]
    pub answer: ReplayOutcome,
}

/// How a stream and its replay compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum ReplayOutcome {
    /// Every event is equal.
    Reproduced,
    /// Every event that the engine decided is equal; the end of the stream did not depend on the
    /// input.
    ReproducedSoFar {
        /// The end: the run was cancelled, broke off, or is not over.
        ending: String,
    },
    /// The hashes and seals of the run do not match its events: what is stored is not what was
    /// recorded, so that nothing was compared.
    Damaged {
        /// The damaged event's version in the stream, if the damage belongs to one.
        stream_version: Option<u64>,
        /// The number of the damaged append, if the damage belongs to one.
        append: Option<u64>,
        /// What does not match, is missing, or was reordered.
        message: String,
    },
    /// The first event that differs.
    Differs(Box<EventDifference>),
    /// This build cannot read an event, or the captured snapshot that the first event names: the
    /// events after it cannot be compared.
    Unreadable {
        /// The event's version in the stream.
        stream_version: u64,
        /// Why it cannot be read.
        message: String,
    },
}

impl ReplayReport {
    /// Whether all decisions of the engine are equal.
    pub const fn is_reproduced(&self) -> bool {
        matches!(self.answer, ReplayOutcome::Reproduced | ReplayOutcome::ReproducedSoFar { .. })
    }

    /// Whether another engine or specification decided the run, so that a difference need not be a
    /// fault.
    pub fn is_of_another_version(&self) -> bool {
        let differs = |recorded: &Option<String>, present: &str| {
            recorded.as_ref().is_some_and(|recorded| recorded != present)
        };
        differs(&self.recorded_by, self.replayed_by)
            || differs(&self.recorded_spec, self.replayed_spec)
    }
}

/// Replays a run, after its hashes and seals were verified. Writes nothing.
///
/// # Errors
/// [`StoreError::NotFound`] if the run has no events; the store fails. A difference is a result,
/// and so is a captured snapshot that is missing or damaged.
pub async fn replay(
    store: &dyn Store,
    run: RunId,
    observer: Arc<dyn RunObserver>,
) -> AppResult<ReplayReport> {
    let mut comparison = StreamComparison::new(run);
    if let Some(damage) = store.verify(Some(&run.stream())).await?.damage {
        let Damage { stream_version, seq: append, what: message, .. } = damage;
        comparison.report.answer = ReplayOutcome::Damaged { stream_version, append, message };
        return Ok(comparison.report);
    }
    let mut batches = store.read(&run.stream(), 1);
    let first = batches.try_next().await?.unwrap_or_default();
    let Some(request) = first.first() else {
        return Err(AppError::no_run(run));
    };
    let decoded = DecodedEvent::try_from(request.clone()).map(|decoded| decoded.event);
    let requested = match decoded {
        Ok(RunEvent::RunRequested(requested)) => requested,
        Ok(other) => {
            comparison.differs(request.stream_version, Some((request, &other)), None);
            return Ok(comparison.report);
        }
        Err(error) => {
            comparison.unreadable(request.stream_version, &error);
            return Ok(comparison.report);
        }
    };
    let decided = match store.captured(&requested.snapshot_digest).await {
        Ok(canonical) => {
            let given = replayed_placements(store, run, &requested).await?;
            comparison.decide(requested, given, canonical, observer).await
        }
        Err(error) => Err(error.into()),
    };
    match decided {
        Ok(()) => {}
        Err(
            error @ (AppError::Store(StoreError::NotFound { .. } | StoreError::Corrupt(_))
            | AppError::Snapshot(_)),
        ) => {
            comparison.unreadable(request.stream_version, &error);
            return Ok(comparison.report);
        }
        Err(error) => return Err(error),
    }
    comparison.compare_batch(&first);
    while !comparison.is_decided
        && let Some(batch) = batches.try_next().await?
    {
        comparison.compare_batch(&batch);
    }
    if store.run(run).await?.is_some_and(|queued| queued.status.is_over()) {
        comparison.require_end();
    }
    Ok(comparison.report)
}

/// Compares a stream with its replay.
struct StreamComparison {
    report: ReplayReport,
    /// The events of the engine, without `RunCompleted`, which follows from the tables.
    decided: Vec<EventChunk>,
    /// Whether the engine reached its end, so that `RunCompleted` follows.
    is_complete: bool,
    /// The chunk of the next event, and the event's place in it.
    next: (usize, usize),
    tables: RunTables,
    /// Whether the stream has ended.
    over: bool,
    /// Whether an event differs or cannot be read, so that the comparison ends.
    is_decided: bool,
}

impl StreamComparison {
    fn new(run_id: RunId) -> Self {
        let ending = "the stream has no end yet".to_owned();
        Self {
            report: ReplayReport {
                run_id,
                events: 0,
                recorded_by: None,
                recorded_spec: None,
                replayed_by: ENGINE_VERSION,
                replayed_spec: SPEC_VERSION,
                answer: ReplayOutcome::ReproducedSoFar { ending },
            },
            decided: Vec::new(),
            is_complete: false,
            next: (0, 0),
            tables: RunTables::of_stored_run(projectors()),
            over: false,
            is_decided: false,
        }
    }

    /// Runs the engine on the captured snapshot.
    async fn decide(
        &mut self,
        requested: Box<RunRequested>,
        given: Option<Vec<GivenPlacement>>,
        canonical: Vec<u8>,
        observer: Arc<dyn RunObserver>,
    ) -> AppResult<()> {
        self.report.recorded_spec = Some(requested.spec_version.clone());
        let run = self.report.run_id;
        // The engine stops if the replay is not waited for any more.
        let gone = CancellationToken::new();
        let control = RunControl::stopped_by(&gone, StopReason::Over);
        let _guard = gone.drop_guard();
        let deciding = spawn_blocking(move || {
            let snapshot = Arc::new(Snapshot::from_canonical(&canonical)?);
            drop(canonical);
            Ok::<_, AppError>(decide_here(&DecisionInput {
                run,
                requested: *requested,
                given,
                snapshot,
                observer,
                control,
                certifier: None,
            }))
        });
        let (decided, end) = deciding.await.map_err(|error| panicked(&error))??;
        (self.decided, self.is_complete) = (decided, end == DecisionEnd::Complete);
        Ok(())
    }

    /// The queue says that the run is over: a stream without an end has lost it.
    fn require_end(&mut self) {
        if !self.over && !self.is_decided {
            let missing = self.next_decided(None).unwrap_or_default();
            self.differs(self.report.events + 1, None, missing.as_ref());
        }
    }

    fn compare_batch(&mut self, batch: &[StoredEvent]) {
        for stored in batch {
            if !self.is_decided {
                self.compare(stored);
            }
        }
        // Only the digests of the rows are needed.
        drop(self.tables.drain());
    }

    fn compare(&mut self, stored: &StoredEvent) {
        let recorded = match DecodedEvent::try_from(stored.clone()) {
            Ok(decoded) => decoded.event,
            Err(error) => return self.unreadable(stored.stream_version, &error),
        };
        if let Some(ending) = ending_from_outside(&recorded).filter(|_| !self.over) {
            self.over = true;
            self.report.answer = ReplayOutcome::ReproducedSoFar { ending };
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
            // The report names the engines; only their decisions are compared.
            self.report.recorded_by = Some(recorded.engine_version.clone());
            replayed.engine_version.clone_from(&recorded.engine_version);
        }
        if !equals(stored, &recorded, &replayed) {
            let recorded = Some((stored, &recorded));
            return self.differs(stored.stream_version, recorded, Some(&replayed));
        }
        self.tables.apply(&RecordedEvent {
            run_id: self.report.run_id,
            stream_version: stored.stream_version,
            recorded_at: stored.recorded_at,
            actor: &stored.actor,
            event: &replayed,
        });
        self.report.events += 1;
        if replayed.is_terminal() {
            self.over = true;
            self.report.answer = ReplayOutcome::Reproduced;
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
        if !std::mem::take(&mut self.is_complete) {
            return Ok(None);
        }
        let completed = match covered {
            Some(covered) => self.tables.complete_as(covered)?,
            None => self.tables.complete(),
        };
        Ok(Some(RunEvent::RunCompleted(Box::new(completed))))
    }

    fn unreadable(&mut self, stream_version: u64, error: &AppError) {
        self.is_decided = true;
        self.report.answer =
            ReplayOutcome::Unreadable { stream_version, message: error.to_string() };
    }

    fn differs(
        &mut self,
        stream_version: u64,
        recorded: Option<(&StoredEvent, &RunEvent)>,
        replayed: Option<&RunEvent>,
    ) {
        self.is_decided = true;
        let difference = EventDifference::new(stream_version, recorded, replayed);
        self.report.answer = ReplayOutcome::Differs(Box::new(difference));
    }
}

/// The end of a stream that no engine decided, and a replay cannot decide again.
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

/// Whether a stored event equals the replayed one: byte for byte in the present schema, by its
/// content in an older schema.
fn equals(stored: &StoredEvent, recorded: &RunEvent, replayed: &RunEvent) -> bool {
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
