//! 2.8 Kickouts: the eligible loans without a placement, each with the furthest reason that it got
//! to.

use std::cmp::Reverse;

use super::book::LoanIdx;
use super::candidates::{Candidate, Candidates, Scorer};
use super::context::RunContext;
use super::index::count;
use super::passes::AllocationOutcome;
use super::recorder::{Cancelled, EventRecorder};
use powerfill_events::run::event::{KickoutReason, LoanKickedOut, RunEvent};
use powerfill_events::values::{LoanId, PoolName, TradeId};

pub(super) fn record(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    outcome: &AllocationOutcome,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, participation, .. } = scorer.context;
    let is_placed = |loan: &LoanIdx| outcome.placements.of(*loan).is_some();
    for idx in participation.eligible().filter(|loan| !is_placed(loan)) {
        let loan = book.loan(idx);
        let best = best_candidate(scorer, candidates, idx);
        let pool = book.loan_pool[idx];
        recorder.record(RunEvent::LoanKickedOut(Box::new(LoanKickedOut {
            loan_id: LoanId::from(&loan.loan_id),
            reason: reason(scorer, candidates, outcome, idx),
            constraints_matched: scorer.matches.of_loan(idx).iter().map(|m| m.nodes).sum(),
            candidates: count(candidates.of_loan(idx).len()),
            best_trade_id: best.map(|best| TradeId::from(&book.trade(best.trade).trade_id)),
            best_score: best.map(|best| best.pricing.score),
            pool_name: pool.map(|pool| PoolName::from(&book.pool(pool).pool_name)),
            loan_amount: loan.loan_amount,
        })))?;
    }
    Ok(())
}

/// The best candidate by plain score, ties as lines 2 to 6 of 2.6.
fn best_candidate<'c>(
    scorer: &Scorer<'_>,
    candidates: &'c Candidates,
    loan: LoanIdx,
) -> Option<&'c Candidate> {
    let RunContext { book, participation, .. } = scorer.context;
    let present = participation.present_trade(book, loan);
    let of_loan = candidates.of_loan(loan).iter().map(|idx| &candidates.all[*idx]);
    of_loan.min_by_key(|candidate| {
        let stays = present == Some(candidate.trade);
        let settles_on = participation.settles_on(candidate.trade);
        (Reverse(candidate.pricing.score), !stays, settles_on, candidate.trade)
    })
}

fn reason(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    outcome: &AllocationOutcome,
    loan: LoanIdx,
) -> KickoutReason {
    let amount = scorer.context.book.amounts[loan];
    let mut of_loan = candidates.of_loan(loan).iter().map(|idx| &candidates.all[*idx]).peekable();
    let rejections = candidates.rejected_of(loan).iter().map(|pair| pair.reason);
    let furthest_rejection = rejections.max_by_key(|reason| reason.rank());
    if of_loan.peek().is_some() {
        match of_loan.any(|candidate| outcome.capacity.has_room(candidate.trade, amount)) {
            true => KickoutReason::LimitReached,
            false => KickoutReason::CapacityExhausted,
        }
    } else if let Some(reason) = furthest_rejection {
        reason.into()
    } else if scorer.matches.of_loan(loan).is_empty() {
        KickoutReason::NoMatchingConstraint
    } else {
        KickoutReason::NoOpenTrade
    }
}
