//! The recording thread: the aggregate accepts each event, the output tables and the index take it,
//! and the encoded stream is cut into parts for the store.
//!
//! This thread makes a cancel take effect within a second, however large the book is. It ends the
//! run at the next part, so that decided events that are not recorded yet are dropped, and it does
//! not wait for an engine that is in the middle of something. Full parts that wait for the store
//! are dropped too. Once a part contains `RunCompleted`, the run cannot be cancelled anymore.

use std::sync::Arc;
use std::time::Duration;

use powerfill_events::log::EncodedBatch;
use powerfill_events::run::event::{RunCancelled, Step};
use powerfill_events::run::{EventType, RecordedEvent, RunEvent, RunId, RunState};
use powerfill_events::values::Timestamp;
use powerfill_tables::RunTables;
use powerfill_tables::event_index::{EventIndex, RunIndex};
use powerfill_tables::run_headline::RunHeadline;
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::{Cell, RowBatch};
use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::control::{RunControl, StopReason};
use super::history::HistoryEvent;
use super::messages::{DecisionEnd, EngineMessage, EventChunk};
use super::observer::{RunObserver, RunProgress};
use crate::AppError;
use crate::clock::Clock;

/// How long the recording of a cancelled run waits for each message of the engine.
const GRACE: Duration = Duration::from_millis(250);

/// Events that are this old go to the store when a step begins, so that the log shows where a run
/// is, also while a step decides little. In microseconds.
const PROGRESS_AGE: i64 = 100_000;

/// An append with this many bytes of payloads is full, so that a cancel does not wait for a long
/// write. Most appends are full of events before.
const BYTES_PER_APPEND: usize = 8 * 1024 * 1024;

/// A part of a run for the store: at most one append.
pub(crate) struct RunPart {
    /// The version of the stream before these events.
    pub(crate) after: u64,
    /// Events that the stream does not have yet.
    pub(crate) events: EncodedBatch,
    pub(crate) recorded_at: Timestamp,
    pub(crate) rows: Vec<RowBatch>,
    /// The version that the rows reach.
    pub(crate) up_to: u64,
    pub(crate) status: RunStatus,
    /// The step of the engine.
    pub(crate) step: Step,
    /// Whether its append is full, so that another part follows.
    pub(crate) is_full: bool,
    /// The run's row of the history, with the last part.
    pub(crate) history: Option<Vec<Cell>>,
    /// The index of the run's events, with the last part.
    pub(crate) index: Option<Arc<RunIndex>>,
    /// What the list of runs says about the run, with the last part.
    pub(crate) headline: Option<RunHeadline>,
}

/// Why recording ends before the run does.
pub(crate) enum RecordingStop {
    /// The run's control, or the worker's task, says why.
    Stopped,
    /// The run was cancelled before it reached the end of its stream, where `cancelled` belongs.
    /// The observer has seen the events up to `observed`.
    Cancelled {
        cancelled: RunCancelled,
        observed: u64,
    },
    Failed(AppError),
}

/// What a [`Recorder`] is made from.
pub(crate) struct RecorderInput {
    pub(crate) run: RunId,
    /// The actor of the events: the worker.
    pub(crate) actor: String,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn RunObserver>,
    pub(crate) control: RunControl,
    /// The events that the stream has, from the request on.
    pub(crate) history: Vec<HistoryEvent>,
    /// Events per append, except for the last one.
    pub(crate) events_per_append: u64,
}

/// Records one run.
pub(crate) struct Recorder {
    input: RecorderInput,
    /// The chunk that is being recorded, and the number of its events that are recorded.
    chunk: Option<(EventChunk, usize)>,
    /// The present step of the engine.
    step: Step,
    /// Whether the last part was returned.
    over: bool,
    state: RunState,
    tables: RunTables,
    index: EventIndex,
    version: u64,
    /// Events that are in no part yet.
    pending: EncodedBatch,
    /// The version of the stream before the pending events.
    pending_after: u64,
    /// The version that the last part reaches.
    sent: u64,
    recorded_at: Timestamp,
    status: RunStatus,
}

impl Recorder {
    pub(crate) fn new(input: RecorderInput) -> Self {
        Self {
            recorded_at: input.clock.now(),
            input,
            chunk: None,
            step: Step::Preflight,
            over: false,
            state: RunState::default(),
            tables: RunTables::new(),
            index: EventIndex::new(),
            version: 0,
            pending: EncodedBatch::default(),
            pending_after: 0,
            sent: 0,
            status: RunStatus::Pending,
        }
    }

    /// Receives messages until an append is full, progress is due, or the run ends. After the last
    /// part, `None`.
    pub(crate) async fn next(
        &mut self,
        messages: &mut UnboundedReceiver<EngineMessage>,
    ) -> Result<Option<RunPart>, RecordingStop> {
        if self.over {
            return Ok(None);
        }
        while self.record_chunk()? {
            match self.receive(messages).await? {
                EngineMessage::Step(step) => {
                    self.step = step;
                    if self.is_progress_due() {
                        break;
                    }
                }
                EngineMessage::Events(chunk) => self.chunk = Some((chunk, 0)),
                EngineMessage::Ended(end) => {
                    self.end(end)?;
                    return Ok(Some(self.part(true)));
                }
            }
        }
        if !self.status.is_over() && self.input.control.cancelled_by().is_some() {
            self.end(DecisionEnd::Stopped(self.step))?;
        }
        Ok(Some(self.part(self.status.is_over())))
    }

    /// Whether events wait since long enough that readers of the log should see them.
    fn is_progress_due(&self) -> bool {
        let age = || self.input.clock.now().micros() - self.recorded_at.micros();
        !self.pending.is_empty() && age() >= PROGRESS_AGE
    }

    /// Records the rest of the chunk, as far as the append has room. Returns whether room is left.
    fn record_chunk(&mut self) -> Result<bool, RecordingStop> {
        if let Some((chunk, mut at)) = self.chunk.take() {
            while at < chunk.len() && !self.is_full() {
                self.record(&chunk[at])?;
                at += 1;
            }
            self.chunk = (at < chunk.len()).then_some((chunk, at));
        }
        Ok(!self.is_full())
    }

    /// Whether the append has no room left.
    fn is_full(&self) -> bool {
        self.version - self.sent >= self.input.events_per_append
            || self.pending.byte_count() >= BYTES_PER_APPEND
    }

    /// Waits for the next message. Once the run is cancelled, an engine that is silent for too long
    /// counts as stopped.
    async fn receive(
        &mut self,
        messages: &mut UnboundedReceiver<EngineMessage>,
    ) -> Result<EngineMessage, RecordingStop> {
        let message = select! {
            biased;
            () = self.input.control.stopped() => match self.input.control.reason() {
                Some(StopReason::Cancelled(_)) => timeout(GRACE, messages.recv())
                    .await
                    .unwrap_or(Some(EngineMessage::Ended(DecisionEnd::Stopped(self.step)))),
                _ => None,
            },
            message = messages.recv() => message,
        };
        // Without `Ended`, the sender is dropped only if the engine panicked.
        message.ok_or(RecordingStop::Stopped)
    }

    fn end(&mut self, end: DecisionEnd) -> Result<(), RecordingStop> {
        let stopped_at = match end {
            DecisionEnd::Failed => return Ok(()),
            DecisionEnd::Stopped(step) => Some(step),
            DecisionEnd::Complete => self.input.control.cancelled_by().map(|_| self.step),
        };
        let Some(step) = stopped_at else {
            self.input.observer.observe(RunProgress::Step(Step::Record));
            let completed = self.tables.complete();
            return self.record(&RunEvent::RunCompleted(Box::new(completed)));
        };
        let Some(cancelled_by) = self.input.control.cancelled_by() else {
            return Err(RecordingStop::Stopped);
        };
        let cancelled = RunCancelled { cancelled_by, step };
        if self.input.history.len() as u64 > self.version {
            return Err(RecordingStop::Cancelled { cancelled, observed: self.version });
        }
        self.record(&RunEvent::RunCancelled(cancelled))
    }

    /// Records the next event: it is new, or it must equal the one that the stream has.
    fn record(&mut self, event: &RunEvent) -> Result<(), RecordingStop> {
        self.state.accept(event).map_err(|rejection| RecordingStop::Failed(rejection.into()))?;
        self.version += 1;
        let stored = self.input.history.get(self.version as usize - 1);
        match stored {
            Some(stored) if equals(stored, event) => self.pending_after = self.version,
            Some(_) => {
                let (run, version) = (self.input.run, self.version);
                return Err(RecordingStop::Failed(AppError::NotReproduced { run, version }));
            }
            None => {
                if self.pending.is_empty() {
                    self.recorded_at = self.input.clock.now();
                }
                self.pending.push(event);
            }
        }
        let recorded = RecordedEvent {
            run_id: self.input.run,
            stream_version: self.version,
            recorded_at: stored.map_or(self.recorded_at, |stored| stored.recorded_at),
            actor: stored.map_or(&self.input.actor, |stored| &stored.actor),
            event,
        };
        self.tables.apply(&recorded);
        self.index.apply(&recorded);
        self.input.observer.observe(RunProgress::Event(&recorded));
        self.status = RunStatus::reached_with(event);
        Ok(())
    }

    fn part(&mut self, is_last: bool) -> RunPart {
        let rows = if is_last { self.tables.finish() } else { self.tables.drain() };
        self.input.observer.observe(RunProgress::Rows(&rows));
        let is_full = !is_last && self.is_full();
        // The appends of a run are about equally large.
        let next = EncodedBatch::as_large_as(&self.pending);
        let part = RunPart {
            after: self.pending_after,
            events: std::mem::replace(&mut self.pending, next),
            recorded_at: self.recorded_at,
            rows,
            up_to: self.version,
            status: self.status,
            step: self.step,
            is_full,
            history: if is_last { self.tables.history_row() } else { None },
            index: is_last.then(|| Arc::new(std::mem::take(&mut self.index).finish())),
            headline: self.tables.headline().filter(|_| is_last).cloned(),
        };
        self.pending_after = self.version;
        self.sent = self.version;
        self.over = is_last;
        part
    }
}

/// Whether a stored event is this one, byte for byte in the present schema.
fn equals(stored: &HistoryEvent, event: &RunEvent) -> bool {
    EncodedBatch::encode([event]).iter().all(|(schema, json)| {
        stored.event_type.map(EventType::name) == Some(schema.name())
            && stored.payload == blake3::hash(json)
    })
}
