//! 2.7 The four passes. exact_fit, best_fit, and fill_remaining run turn by turn, in walk order, on
//! that turn's candidates only; orphan_handling runs once, after the last turn. The challenger
//! takes the place of all four where a challenge was adopted (10.7).
//!
//! Each pass is a straight line in a file of its own. What a pass can do is in [`Allocation`]:
//! allocate, move, exchange.

mod allocation;
mod best_fit;
pub(crate) mod challenger;
mod exact_fit;
mod fill_remaining;
mod orphan_handling;
mod turn;

use super::candidates::{CandidateIdx, Candidates, Scorer};
use super::recorder::{Cancelled, EventRecorder};
use allocation::Allocation;
pub(crate) use allocation::AllocationOutcome;
use powerfill_events::run::event::Pass;
use turn::Turn;

/// Runs the passes over all candidates.
pub(crate) fn run<'a>(
    scorer: &'a Scorer<'a>,
    candidates: &'a Candidates,
    recorder: &'a mut EventRecorder<'_>,
) -> Result<AllocationOutcome, Cancelled> {
    let mut allocation = Allocation::new(scorer, candidates, recorder);
    for (number, range) in candidates.turns() {
        let turn = Turn::new(scorer, candidates, range);
        allocation.pass(Pass::ExactFit, Some(number), |a| exact_fit::run(a, &turn))?;
        allocation.pass(Pass::BestFit, Some(number), |a| best_fit::run(a, &turn))?;
        allocation.pass(Pass::FillRemaining, Some(number), |a| fill_remaining::run(a, &turn))?;
    }
    allocation.pass(Pass::OrphanHandling, None, orphan_handling::run)?;
    Ok(allocation.into_outcome())
}

/// Allocates the candidates of an adopted challenge instead, as one pass.
pub(crate) fn adopt<'a>(
    scorer: &'a Scorer<'a>,
    candidates: &'a Candidates,
    chosen: &[CandidateIdx],
    recorder: &'a mut EventRecorder<'_>,
) -> Result<AllocationOutcome, Cancelled> {
    let mut allocation = Allocation::new(scorer, candidates, recorder);
    allocation.pass(Pass::Challenger, None, |a| challenger::run(a, chosen))?;
    Ok(allocation.into_outcome())
}
