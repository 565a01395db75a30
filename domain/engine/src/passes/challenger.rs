//! The allocation of an adopted challenge (10.7), in place of the four passes.

use crate::book::RunBook;
use crate::candidates::{CandidateIdx, Candidates, Scorer};
use crate::capacity::{Capacity, LoanLoad};
use crate::context::RunContext;
use crate::index::IdxVec;
use crate::recorder::Cancelled;
use powerfill_events::run::event::{RunFailed, Step};
use powerfill_events::values::{LoanId, TradeId};

use super::allocation::{Allocation, PassEnd};

/// A loan and the trade that it goes to, as an adopted challenge says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenPlacement {
    /// The loan.
    pub loan_id: LoanId,
    /// The trade.
    pub trade_id: TradeId,
}

/// The candidates of the placements, by turn and rank. The failure of the run where a placement is
/// no candidate, a loan has two, or they do not fit together.
pub(crate) fn candidates_of(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    given: &[GivenPlacement],
) -> Result<Vec<CandidateIdx>, RunFailed> {
    let RunContext { book, .. } = scorer.context;
    let mut capacity = Capacity::new(scorer.context, scorer.matches);
    let mut is_placed = IdxVec::per_row(&book.snapshot.loans, false);
    let mut found = Vec::with_capacity(given.len());
    for placement in given {
        let not_possible = |why| Err(refusal(placement, why));
        let Some(idx) = find(book, candidates, placement) else {
            return not_possible("is no candidate");
        };
        let candidate = &candidates.all[idx];
        if std::mem::replace(&mut is_placed[candidate.loan], true) {
            return not_possible("is the second placement of the loan");
        }
        let (amount, limits) =
            (book.amounts[candidate.loan], scorer.matches.limited(candidate.matched));
        if !capacity.fits(candidate.trade, amount, || limits) {
            return not_possible("does not fit beside the others");
        }
        capacity.add(candidate.trade, LoanLoad { amount, limits });
        found.push(idx);
    }
    found.sort_unstable();
    Ok(found)
}

/// Allocates each of them, in their order.
pub(super) fn run(
    allocation: &mut Allocation<'_, '_>,
    chosen: &[CandidateIdx],
) -> Result<PassEnd, Cancelled> {
    for idx in chosen {
        allocation.allocate(*idx)?;
    }
    Ok(PassEnd::ONCE)
}

fn find(
    book: &RunBook<'_>,
    candidates: &Candidates,
    placement: &GivenPlacement,
) -> Option<CandidateIdx> {
    let loan = book.find_loan(placement.loan_id.as_str())?;
    let of_loan = candidates.of_loan(loan).iter().copied();
    let is_there = |idx: &CandidateIdx| {
        book.trade(candidates.all[*idx].trade).trade_id.as_str() == placement.trade_id.as_str()
    };
    of_loan.into_iter().find(is_there)
}

fn refusal(placement: &GivenPlacement, why: &str) -> RunFailed {
    let GivenPlacement { loan_id, trade_id } = placement;
    RunFailed {
        step: Step::Allocation,
        code: "PLACEMENT_REFUSED".to_owned(),
        message: format!("the adopted challenge places loan {loan_id} in {trade_id}, which {why}"),
    }
}
