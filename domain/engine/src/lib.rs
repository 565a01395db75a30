//! The engine of part 2: a pure function from a snapshot and options to a sequence of events.
//!
//! There is one module per section of the specification, in its order: [`participation`] 2.1,
//! [`preflight`] and [`preprocess`] 2.2, [`grid`], [`pricing`], and [`carry`] 2.3, [`tree`] and
//! [`matching`] 2.4, [`capacity`] 2.5, [`candidates`] 2.6, [`passes`] 2.7, [`kickouts`] 2.8,
//! [`results`] 2.9, [`pool_guide`] 2.10, and [`ue`] 2.11.
//!
//! Beside the run, [`facts`] explains what in the input decided, and [`what_if`] searches for the
//! change that places a kicked-out loan, with the passes run without a record by [`dry_run`].
//! The invariants of 2.12 are in `powerfill_checks`, which shares no code with this crate.

#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod book;
mod candidates;
mod capacity;
mod carry;
mod context;
mod dry_run;
pub mod facts;
mod grid;
mod index;
mod kickouts;
mod matching;
mod opening;
mod participation;
mod passes;
mod pool_guide;
mod preflight;
mod preprocess;
mod preview;
mod pricing;
mod recorder;
mod results;
mod tree;
mod ue;
pub mod what_if;

pub use carry::RateBucket;
pub use opening::ENGINE_VERSION;
pub use passes::challenger::GivenPlacement;
pub use preflight::preflight;
pub use preprocess::{Epci, LockdownProposal, PreprocessTables, TradeParams, preprocess};
pub use preview::{CarryOfDay, NodeCandidates, candidates_of, carry_of_days};
pub use recorder::{Cancelled, Observer};

use candidates::{Candidates, Scorer};
use context::RunContext;
use matching::Matches;
use recorder::EventRecorder;

use powerfill_events::run::event::{PreflightCompleted, RunEvent, Step};
use powerfill_snapshot::{RunOptions, Snapshot};

/// The version of the specification that the engine follows, as `RunRequested` carries it.
pub const SPEC_VERSION: &str = "1";

/// Decides a run by the passes: from `RunStarted` to the last event of the UE pass, or to
/// `RunFailed` where preflight refuses the run.
///
/// # Errors
/// [`Cancelled`] where the observer cancels the run.
pub fn decide(
    snapshot: &Snapshot,
    options: &RunOptions,
    observer: &mut dyn Observer,
) -> Result<(), Cancelled> {
    decide_by(snapshot, options, None, observer)
}

/// Decides a run as [`decide`] does, with the allocation of an adopted challenge in place of the
/// passes (10.7). A placement that is no candidate or does not fit ends it with `RunFailed`.
///
/// # Errors
/// [`Cancelled`] where the observer cancels the run.
pub fn decide_given(
    snapshot: &Snapshot,
    options: &RunOptions,
    given: &[GivenPlacement],
    observer: &mut dyn Observer,
) -> Result<(), Cancelled> {
    decide_by(snapshot, options, Some(given), observer)
}

fn decide_by(
    snapshot: &Snapshot,
    options: &RunOptions,
    given: Option<&[GivenPlacement]>,
    observer: &mut dyn Observer,
) -> Result<(), Cancelled> {
    let mut recorder = EventRecorder::new(observer);
    let decided = run_steps(snapshot, options, given, &mut recorder);
    recorder.flush();
    decided
}

/// All events of [`decide`], in memory.
pub fn decide_all(snapshot: &Snapshot, options: &RunOptions) -> Vec<RunEvent> {
    struct Collector(Vec<RunEvent>);
    impl Observer for Collector {
        fn events(&mut self, chunk: Vec<RunEvent>) {
            self.0.extend(chunk);
        }
    }
    let mut collector = Collector(Vec::new());
    decide(snapshot, options, &mut collector).expect("this observer never cancels");
    collector.0
}

/// Preflight and the six steps of a run, in their order: each step needs what the earlier ones
/// found. The passes allocate where no allocation is given.
fn run_steps(
    snapshot: &Snapshot,
    options: &RunOptions,
    given: Option<&[GivenPlacement]>,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    recorder.step(Step::Preflight)?;
    let context = &RunContext::new(snapshot, options);
    recorder.record(opening::run_started(&context.participation))?;
    let findings = preflight::findings(context);
    let refusal = preflight::refusal(&findings);
    recorder.record(RunEvent::PreflightCompleted(PreflightCompleted { findings }))?;
    if let Some(failure) = refusal {
        return recorder.record(RunEvent::RunFailed(failure));
    }

    // Settlement dates decide which trades are included, so these steps come before every step
    // that uses trades.
    recorder.step(Step::BxCashGrids)?;
    opening::record_cash_grids(context, recorder)?;
    recorder.step(Step::BxSettleAndPrice)?;
    opening::record_assessments(context, recorder)?;

    recorder.step(Step::CandidateBuilder)?;
    let matches = &Matches::new(context);
    let scorer = &Scorer::new(context, matches);
    opening::record_pinned(scorer, recorder)?;
    opening::record_constraints(context, matches, recorder)?;
    recorder.check()?;
    let candidates = &Candidates::new(scorer);
    opening::record_candidates(context, candidates, recorder)?;

    recorder.step(Step::Allocation)?;
    let outcome = &match given {
        None => passes::run(scorer, candidates, recorder)?,
        Some(given) => match passes::challenger::candidates_of(scorer, candidates, given) {
            Ok(chosen) => passes::adopt(scorer, candidates, &chosen, recorder)?,
            Err(failure) => return recorder.record(RunEvent::RunFailed(failure)),
        },
    };
    results::record_blocks(context, outcome, recorder)?;
    results::record_fills(scorer, candidates, outcome, recorder)?;
    // A kickout's reason depends on the room that is left when all passes are done.
    kickouts::record(scorer, candidates, outcome, recorder)?;

    recorder.step(Step::PoolGuide)?;
    pool_guide::record(scorer, candidates, outcome, recorder)?;

    // The UE pass adds to a run; it never changes the allocation.
    recorder.step(Step::Ue)?;
    ue::record(scorer, candidates, outcome, recorder)
}
