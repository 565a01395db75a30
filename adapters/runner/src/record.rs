//! The thread that records: lets the aggregate judge each event, feeds the output tables and the index, encodes, and cuts the stream
//! into pieces for the store. It waits for the store, so that what is encoded and not yet durable stays small.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use powerfill_domain::run::event::{RunCancelled, Step};
use powerfill_domain::run::{EncodedBatch, Recorded, RunEvent, RunId, RunState};
use powerfill_domain::values::Timestamp;
use powerfill_projections::RunTables;
use powerfill_projections::event_index::{EventIndex, RunIndex};
use powerfill_projections::status::RunStatus;
use powerfill_projections::table::{Cell, RowBatch};
use tokio::sync::mpsc;

use crate::RunnerError;
use crate::clock::Clock;
use crate::decide::{Chunk, Decided};
use crate::held::HeldEvent;
use crate::watch::Watch;

/// Events at least that go into one append, but for the last.
const PIECE: usize = 16_384;

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
    watch: Arc<dyn Watch>,
    to: mpsc::Sender<Piece>,
    held: Vec<HeldEvent>,
    state: RunState,
    tables: RunTables,
    index: EventIndex,
    version: u64,
    /// Not sent yet.
    pending: EncodedBatch,
    pending_since: u64,
    recorded_at: Timestamp,
    status: RunStatus,
}

/// The store side has gone: it has the reason.
pub(crate) struct Gone;

/// Why recording stopped early.
pub(crate) enum Stop {
    Gone,
    /// Cancelled before the run has caught up with its stream: the end is to be put there.
    Cancelled(RunCancelled),
    Error(RunnerError),
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl Recording {
    pub(crate) fn new(
        run: RunId,
        actor: String,
        clock: Arc<dyn Clock>,
        watch: Arc<dyn Watch>,
        to: mpsc::Sender<Piece>,
        held: Vec<HeldEvent>,
    ) -> Self {
        Self {
            recorded_at: clock.now(),
            run,
            actor,
            clock,
            watch,
            to,
            held,
            state: RunState::default(),
            tables: RunTables::new(),
            index: EventIndex::new(),
            version: 0,
            pending: EncodedBatch::default(),
            pending_since: 0,
            status: RunStatus::Pending,
        }
    }

    /// Takes the request and then the chunks until the decider is done, and ends the run as it says.
    pub(crate) fn run(
        mut self,
        requested: &RunEvent,
        chunks: &Receiver<Chunk>,
        decided: impl FnOnce() -> Decided,
    ) -> Result<(), Stop> {
        self.take(requested)?;
        let (mut cut, mut until) = (false, u64::MAX);
        for chunk in chunks {
            // What was decided until somebody cancelled is recorded too, unless that is so much that they would wait for
            // it: the one that decides may be far ahead.
            if until == u64::MAX && self.watch.cancelled_by().is_some() {
                until = self.version + PIECE as u64;
            }
            cut = self.version > until;
            if cut {
                break;
            }
            for event in chunk.iter() {
                self.take(event)?;
            }
            if self.pending.len() >= PIECE {
                self.send(false)?;
            }
        }
        let decided = match decided() {
            Decided::Whole | Decided::Failed if cut => Decided::Stopped(Step::Record),
            decided => decided,
        };
        match decided {
            Decided::Whole => {
                self.watch.step(Step::Record);
                let completed = self.tables.complete();
                self.take(&RunEvent::RunCompleted(Box::new(completed)))?;
            }
            Decided::Failed => {}
            Decided::Stopped(step) => {
                // Without somebody who asked for it, the store side has stopped the engine.
                let Some(cancelled_by) = self.watch.cancelled_by() else { return Err(Stop::Gone) };
                let cancelled = RunCancelled { cancelled_by, step };
                if self.held.len() as u64 > self.version {
                    return Err(Stop::Cancelled(cancelled));
                }
                self.take(&RunEvent::RunCancelled(cancelled))?;
            }
        }
        self.send(true)?;
        Ok(())
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
                    held.event_type == Some(written.event_type())
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
        let recorded = Recorded {
            run_id: self.run,
            stream_version: self.version,
            recorded_at: held.map_or(self.recorded_at, |held| held.recorded_at),
            actor: held.map_or(&self.actor, |held| &held.actor),
            event,
        };
        self.tables.apply(&recorded);
        self.index.apply(&recorded);
        self.watch.event(&recorded);
        self.status = RunStatus::reached_with(event);
        Ok(())
    }

    fn send(&mut self, last: bool) -> Result<(), Gone> {
        let rows = if last { self.tables.finish() } else { self.tables.drain() };
        self.watch.rows(&rows);
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
        self.to.blocking_send(piece).map_err(|_| Gone)
    }
}
