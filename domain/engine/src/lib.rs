//! The engine of part 2: a pure function from a snapshot and options to a sequence of events.
//!
//! One module a section, in the order of the specification:
//! [`participation`] 2.1, [`preflight`] and [`preprocess`] 2.2, [`prices`] and [`carry`] 2.3, [`tree`] 2.4,
//! [`capacity`] 2.5, [`candidates`] 2.6, [`passes`] 2.7, [`kickouts`] 2.8, [`results`] 2.9, [`pool_guide`] 2.10,
//! [`ue`] 2.11.
//!
//! Beside the run, [`facts`] says what decided in the input, and `rehearsal` runs the passes without a record.
//! The invariants of 2.12 are judged by [`powerfill_checks`], which shares no code with these.

mod book;
mod candidates;
mod capacity;
mod carry;
pub mod facts;
mod kickouts;
mod opening;
mod participation;
mod passes;
mod pool_guide;
mod preflight;
mod preprocess;
mod preview;
mod prices;
pub(crate) mod rehearsal;
mod results;
mod tree;
mod ue;
pub mod what_if;

pub use preflight::preflight;
pub use preprocess::{Epci, LockdownProposal, Preprocessed, TradeParams, preprocess};
pub use preview::{CarryOfDay, NodeCandidates, candidates_of, carry_of_days};

use book::{Book, Ix};
use candidates::{Candidates, Scorer};
use capacity::Capacity;
use carry::CarryCurves;
use participation::Participation;
use passes::Allocation;
use prices::{Grids, PriceSources};
use tree::{Matches, Tree};

use powerfill_events::run::event::{PreflightCompleted, RunEvent, RunFailed, Severity, Step};
use powerfill_snapshot::{RunOptions, Snapshot};

/// The engine's version, as `RunStarted` says it.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of the specification that the engine follows, as `RunRequested` says it.
pub const SPEC_VERSION: &str = "1";

/// Who watches the engine decide.
pub trait Observer {
    /// A step begins.
    fn step(&mut self, _step: Step) {}

    /// The next events, in order.
    fn events(&mut self, chunk: Vec<RunEvent>);

    /// Asked now and then: whether to stop here.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// The observer asked to stop, at this step. What was decided until then has been handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled at step {0:?}")]
pub struct Cancelled(pub Step);

/// Events that are handed over together.
const CHUNK: usize = 8192;

/// Collects events into chunks for the observer.
pub(crate) struct Recorder<'r> {
    observer: &'r mut dyn Observer,
    chunk: Vec<RunEvent>,
    step: Step,
}

impl<'r> Recorder<'r> {
    fn new(observer: &'r mut dyn Observer) -> Self {
        Self { observer, chunk: Vec::with_capacity(CHUNK), step: Step::Preflight }
    }

    fn step(&mut self, step: Step) -> Result<(), Cancelled> {
        self.step = step;
        self.observer.step(step);
        self.check()
    }

    /// Stops where the observer asks for it.
    fn check(&mut self) -> Result<(), Cancelled> {
        if self.observer.is_cancelled() {
            self.flush();
            return Err(Cancelled(self.step));
        }
        Ok(())
    }

    fn record(&mut self, event: RunEvent) -> Result<(), Cancelled> {
        self.chunk.push(event);
        if self.chunk.len() == CHUNK {
            self.flush();
            self.check()?;
        }
        Ok(())
    }

    fn flush(&mut self) {
        if !self.chunk.is_empty() {
            let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
            self.observer.events(chunk);
        }
    }
}

/// Decides a run: from `RunStarted` to the last event of the UE pass, or to `RunFailed` where preflight refuses it.
///
/// # Errors
/// [`Cancelled`] where the observer asks for it.
pub fn decide(
    snapshot: &Snapshot,
    options: &RunOptions,
    observer: &mut dyn Observer,
) -> Result<(), Cancelled> {
    let mut recorder = Recorder::new(observer);
    let decided = steps(snapshot, options, &mut recorder);
    recorder.flush();
    decided
}

/// All events of [`decide`], in memory.
pub fn decide_all(snapshot: &Snapshot, options: &RunOptions) -> Vec<RunEvent> {
    struct All(Vec<RunEvent>);
    impl Observer for All {
        fn events(&mut self, chunk: Vec<RunEvent>) {
            self.0.extend(chunk);
        }
    }
    let mut all = All(Vec::new());
    decide(snapshot, options, &mut all).expect("this observer never asks to stop");
    all.0
}

/// The included trades of each instrument, by id.
fn trades_of_instrument(book: &Book<'_>, participation: &Participation) -> Vec<Vec<Ix>> {
    let mut trades = vec![Vec::new(); book.snapshot.instruments.len()];
    for trade in &participation.included {
        trades[book.trade_instrument[*trade as usize] as usize].push(*trade);
    }
    trades
}

/// Preflight and the six steps of a run, in their order: each needs what the ones before it found.
fn steps(
    snapshot: &Snapshot,
    options: &RunOptions,
    recorder: &mut Recorder<'_>,
) -> Result<(), Cancelled> {
    recorder.step(Step::Preflight)?;
    let book = &Book::new(snapshot, options);
    let grids = &Grids::new(book);
    let participation = &Participation::new(book, grids);
    let tree = &Tree::new(book);
    recorder.record(opening::started(participation))?;
    let findings = preflight::findings(book, grids, participation, tree);
    let refused = refusal(&findings);
    recorder.record(RunEvent::PreflightCompleted(PreflightCompleted { findings }))?;
    if let Some(refused) = refused {
        return recorder.record(RunEvent::RunFailed(refused));
    }

    // Settlement dates decide which trades are in the run, so they come before everything that looks at trades.
    recorder.step(Step::BxCashGrids)?;
    opening::cash_grids(book, grids, recorder)?;
    recorder.step(Step::BxSettleAndPrice)?;
    opening::settlements(book, participation, recorder)?;

    recorder.step(Step::CandidateBuilder)?;
    let trades_of_instrument = &trades_of_instrument(book, participation);
    let matches = &Matches::new(book, tree, participation);
    let (prices, carry) = (&PriceSources::new(book, grids), &CarryCurves::new(book));
    let scorer = &Scorer { book, participation, matches, prices, carry, trades_of_instrument };
    opening::pinned(scorer, recorder)?;
    opening::constraints(book, tree, matches, trades_of_instrument, recorder)?;
    recorder.check()?;
    let candidates = &Candidates::new(scorer, tree);
    opening::candidates(book, tree, candidates, recorder)?;

    recorder.step(Step::Allocation)?;
    let capacity = Capacity::new(book, participation, tree, matches, trades_of_instrument);
    let mut allocation =
        Allocation::new(book, participation, tree, matches, candidates, capacity, recorder);
    passes::run(&mut allocation)?;
    let (placed, capacity) = allocation.into_placed();
    results::blocks(book, tree, &capacity, recorder)?;
    results::fills(scorer, candidates, &placed, &capacity, recorder)?;
    kickouts::record(scorer, candidates, &placed, &capacity, recorder)?;

    recorder.step(Step::PoolGuide)?;
    pool_guide::record(scorer, candidates, &placed, recorder)?;

    recorder.step(Step::Ue)?;
    ue::record(scorer, candidates, &placed, recorder)
}

/// The failure of a run that preflight refuses.
fn refusal(findings: &[powerfill_events::run::event::Finding]) -> Option<RunFailed> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let messages: Vec<&str> = errors.map(|finding| finding.message.as_str()).collect();
    (!messages.is_empty()).then(|| RunFailed {
        step: Step::Preflight,
        code: "PREFLIGHT_REFUSED".to_owned(),
        message: messages.join("; "),
    })
}
