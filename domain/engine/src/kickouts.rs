//! 2.8 Kickouts: the loans that found no place, each with the furthest that it got.

use std::cmp::Reverse;

use super::book::Ix;
use super::candidates::{Candidate, Candidates, Scorer};
use super::capacity::Capacity;
use super::passes::Placed;
use super::{Cancelled, Recorder};
use powerfill_events::run::event::{KickoutReason, LoanKickedOut, RunEvent};
use powerfill_events::values::{LoanId, PoolName, TradeId};

pub(super) fn record(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    placed: &Placed,
    capacity: &Capacity,
    recorder: &mut Recorder<'_>,
) -> Result<(), Cancelled> {
    let book = scorer.book;
    for ix in scorer.participation.eligible().filter(|loan| placed.of(*loan).is_none()) {
        let loan = book.loan(ix);
        let of_loan = candidates.of_loan(ix);
        let best = best(scorer, candidates, of_loan);
        let matched = scorer.matches.of_loan(ix);
        recorder.record(RunEvent::LoanKickedOut(Box::new(LoanKickedOut {
            loan_id: LoanId::from(&loan.loan_id),
            reason: reason(scorer, candidates, capacity, ix),
            constraints_matched: matched.iter().map(|found| u64::from(found.count)).sum(),
            candidates: of_loan.len() as u64,
            best_trade_id: best.map(|best| TradeId::from(&book.trade(best.trade).trade_id)),
            best_score: best.map(|best| best.pricing.score),
            pool_name: loan.pool_name.as_ref().map(|_| {
                let pool = book.loan_pool[ix as usize];
                let pool = pool.expect("validation refuses an unknown pool of a loan");
                PoolName::from(&book.pool(pool).pool_name)
            }),
            loan_amount: loan.loan_amount,
        })))?;
    }
    Ok(())
}

/// The best trade by plain score, ties as lines 2 to 6 of 2.6.
fn best<'c>(
    scorer: &Scorer<'_>,
    candidates: &'c Candidates,
    of_loan: &[Ix],
) -> Option<&'c Candidate> {
    let participation = scorer.participation;
    of_loan.iter().map(|ix| candidates.get(*ix)).min_by_key(|candidate| {
        let present = participation.present_trade(scorer.book, candidate.loan);
        let stays = present == Some(candidate.trade);
        let settles_on = participation.settles_on(candidate.trade);
        (Reverse(candidate.pricing.score), !stays, settles_on, candidate.trade)
    })
}

fn reason(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    capacity: &Capacity,
    loan: Ix,
) -> KickoutReason {
    let amount = scorer.book.loan(loan).loan_amount;
    let of_loan = candidates.of_loan(loan);
    let has_room = |ix: &Ix| capacity.has_room(candidates.get(*ix).trade, amount);
    let furthest = candidates.rejected(loan).iter().map(|pair| pair.reason).max();
    match furthest {
        _ if of_loan.iter().any(has_room) => KickoutReason::LimitReached,
        _ if !of_loan.is_empty() => KickoutReason::CapacityExhausted,
        Some(reason) => reason.into(),
        None if scorer.matches.of_loan(loan).is_empty() => KickoutReason::NoMatchingConstraint,
        None => KickoutReason::NoOpenTrade,
    }
}
