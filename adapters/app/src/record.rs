//! The thread that records: lets the aggregate judge each event, feeds the output tables and the index, encodes, and cuts the stream
//! into pieces for the store.
//!
//! It is also what makes a cancel take effect within a second, however large the book: it looks for one before each
//! append, so that nothing that is decided and not yet recorded must be recorded first; and where the engine is in the
//! middle of something that it does not break off, it ends the run without waiting for it. Once `RunCompleted` is among
//! the events of a piece, the run can be cancelled no more.

use std::sync::Arc;
use std::time::Duration;

use powerfill_events::run::event::{RunCancelled, Step};
use powerfill_events::run::{EncodedBatch, EventType, RecordedEvent, RunEvent, RunId, RunState};
use powerfill_events::values::Timestamp;
use powerfill_tables::RunTables;
use powerfill_tables::event_index::{EventIndex, RunIndex};
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::{Cell, RowBatch};
use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::RunnerError;
use crate::clock::Clock;
use crate::control::{RunControl, StopReason};
use crate::decide::{Chunk, Decided, Told};
use crate::held::HeldEvent;
use crate::observer::{RunObserver, RunProgress};

/// How long the recording of a cancelled run waits for an engine that is in the middle of something.
const GRACE: Duration = Duration::from_millis(250);

/// What goes to the store together.
pub(crate) struct Piece {
    /// The version of the stream before these events.
    pub(crate) after: u64,
    /// Events that the stream does not hold yet.
    pub(crate) events: EncodedBatch,
    pub(crate) recorded_at: Timestamp,
    pub(crate) rows: Vec<RowBatch>,
    /// The version that the rows reach up to.
    pub(crate) up_to: u64,
    pub(crate) status: RunStatus,
    /// The run's row of the history, with the last piece.
    pub(crate) history: Option<Vec<Cell>>,
    /// The index of the run's events, with the last piece.
    pub(crate) index: Option<Arc<RunIndex>>,
}

/// Records one run.
pub(crate) struct Recording {
    run: RunId,
    actor: String,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn RunObserver>,
    control: RunControl,
    held: Vec<HeldEvent>,
    /// Events that go into one append, but for the last.
    per_append: u64,
    /// Events that were told, and how many of them are taken.
    heard: Option<(Chunk, usize)>,
    /// What the engine is at.
    step: Step,
    over: bool,
    state: RunState,
    tables: RunTables,
    index: EventIndex,
    version: u64,
    /// Not sent yet.
    pending: EncodedBatch,
    pending_since: u64,
    /// The version that the last piece reached up to.
    sent: u64,
    recorded_at: Timestamp,
    status: RunStatus,
}

/// Why recording stopped early.
pub(crate) enum Stop {
    /// The store side has gone, and has the reason.
    Gone,
    /// Cancelled before the run has caught up with its stream: the end is to be put there. The
    /// observer has seen the events up to `observed`.
    Cancelled {
        cancelled: RunCancelled,
        observed: u64,
    },
    Error(RunnerError),
}

impl Recording {
    /// Of a run whose stream holds these events, from its request on.
    pub(crate) fn new(
        run: RunId,
        actor: String,
        clock: Arc<dyn Clock>,
        (observer, control): (Arc<dyn RunObserver>, RunControl),
        held: Vec<HeldEvent>,
        per_append: u64,
    ) -> Self {
        Self {
            recorded_at: clock.now(),
            run,
            actor,
            clock,
            observer,
            control,
            held,
            per_append,
            heard: None,
            step: Step::Preflight,
            over: false,
            state: RunState::default(),
            tables: RunTables::new(),
            index: EventIndex::new(),
            version: 0,
            pending: EncodedBatch::default(),
            pending_since: 0,
            sent: 0,
            status: RunStatus::Pending,
        }
    }

    /// Takes what it is told until there is enough for an append, or nothing more to come; the run ends as the one who
    /// decides says, or as somebody cancels it. After the last piece, none.
    pub(crate) async fn next(
        &mut self,
        told: &mut UnboundedReceiver<Told>,
    ) -> Result<Option<Piece>, Stop> {
        if self.over {
            return Ok(None);
        }
        while self.take_heard()? {
            match self.hear(told).await? {
                Told::Step(step) => self.step = step,
                Told::Events(chunk) => self.heard = Some((chunk, 0)),
                Told::Ended(decided) => {
                    self.end(decided)?;
                    return Ok(Some(self.piece(true)));
                }
            }
        }
        if !self.status.is_over() && self.control.cancelled_by().is_some() {
            self.end(Decided::Stopped(self.step))?;
        }
        Ok(Some(self.piece(self.status.is_over())))
    }

    /// Takes the events that it was told last; whether there is room for more in the append.
    fn take_heard(&mut self) -> Result<bool, Stop> {
        if let Some((chunk, from)) = self.heard.take() {
            let room = self.per_append - (self.version - self.sent);
            let to = chunk.len().min(from + room as usize);
            for event in &chunk[from..to] {
                self.take(event)?;
            }
            self.heard = (to < chunk.len()).then_some((chunk, to));
        }
        Ok(self.version - self.sent < self.per_append)
    }

    /// Waits for the next message. Once the run is cancelled, an engine that is silent for too long
    /// counts as stopped.
    async fn hear(&mut self, told: &mut UnboundedReceiver<Told>) -> Result<Told, Stop> {
        let told = select! {
            biased;
            () = self.control.stopped() => match self.control.reason() {
                Some(StopReason::Cancelled(_)) => timeout(GRACE, told.recv())
                    .await
                    .unwrap_or(Some(Told::Ended(Decided::Stopped(self.step)))),
                _ => None,
            },
            told = told.recv() => told,
        };
        // The sender drops without `Ended` only where the engine panicked.
        told.ok_or(Stop::Gone)
    }

    fn end(&mut self, decided: Decided) -> Result<(), Stop> {
        let stopped_at = match decided {
            Decided::Failed => return Ok(()),
            Decided::Stopped(step) => Some(step),
            Decided::Whole => self.control.cancelled_by().map(|_| self.step),
        };
        let Some(step) = stopped_at else {
            self.observer.observe(RunProgress::Step(Step::Record));
            let completed = self.tables.complete();
            return self.take(&RunEvent::RunCompleted(Box::new(completed)));
        };
        // Without somebody who asked for it, the store side has stopped the engine.
        let Some(cancelled_by) = self.control.cancelled_by() else { return Err(Stop::Gone) };
        let cancelled = RunCancelled { cancelled_by, step };
        if self.held.len() as u64 > self.version {
            return Err(Stop::Cancelled { cancelled, observed: self.version });
        }
        self.take(&RunEvent::RunCancelled(cancelled))
    }

    /// Takes the next event: new, or held by the stream already, and then the same.
    fn take(&mut self, event: &RunEvent) -> Result<(), Stop> {
        self.state.accept(event).map_err(|rejection| Stop::Error(rejection.into()))?;
        self.version += 1;
        let held = self.held.get(self.version as usize - 1);
        match held {
            Some(held) => {
                let single = EncodedBatch::encode([event]);
                let same = single.iter().all(|(written, json)| {
                    held.event_type.map(EventType::name) == Some(written.name())
                        && held.payload == blake3::hash(json)
                });
                if !same {
                    let (run, version) = (self.run, self.version);
                    return Err(Stop::Error(RunnerError::NotReproduced { run, version }));
                }
                self.pending_since = self.version;
            }
            None => {
                if self.pending.is_empty() {
                    self.recorded_at = self.clock.now();
                }
                self.pending.push(event);
            }
        }
        let recorded = RecordedEvent {
            run_id: self.run,
            stream_version: self.version,
            recorded_at: held.map_or(self.recorded_at, |held| held.recorded_at),
            actor: held.map_or(&self.actor, |held| &held.actor),
            event,
        };
        self.tables.apply(&recorded);
        self.index.apply(&recorded);
        self.observer.observe(RunProgress::Event(&recorded));
        self.status = RunStatus::reached_with(event);
        Ok(())
    }

    fn piece(&mut self, last: bool) -> Piece {
        let rows = if last { self.tables.finish() } else { self.tables.drain() };
        self.observer.observe(RunProgress::Rows(&rows));
        let piece = Piece {
            after: self.pending_since,
            events: std::mem::take(&mut self.pending),
            recorded_at: self.recorded_at,
            rows,
            up_to: self.version,
            status: self.status,
            history: if last { self.tables.history_row() } else { None },
            index: last.then(|| Arc::new(std::mem::take(&mut self.index).finish())),
        };
        self.pending_since = self.version;
        self.sent = self.version;
        self.over = last;
        piece
    }
}
