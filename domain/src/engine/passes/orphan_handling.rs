//! orphan_handling (2.7): the last fallback, once, after the last turn.

use std::cmp::Reverse;

use super::{Allocation, Ended, move_cost};
use crate::engine::Cancelled;
use crate::engine::book::Ix;

pub(super) fn run(allocation: &mut Allocation<'_, '_>) -> Result<Ended, Cancelled> {
    top_up(allocation)?;
    make_room(allocation)?;
    top_up(allocation)?;
    Ok(Ended::ONCE)
}

/// 1. and 3. Through all open candidates, turn by turn in rank order, once: those that fit, also past the open amount.
fn top_up(allocation: &mut Allocation<'_, '_>) -> Result<(), Cancelled> {
    for ix in 0..allocation.candidates.all.len() as Ix {
        let candidate = allocation.candidate(ix);
        if allocation.is_open(candidate) && allocation.fits(candidate) {
            allocation.allocate(ix)?;
        }
    }
    Ok(())
}

/// 2. For each loan that is left, the largest first: moves a placed loan on, so that this one comes in.
fn make_room(allocation: &mut Allocation<'_, '_>) -> Result<(), Cancelled> {
    let eligible = allocation.participation.eligible();
    let mut left: Vec<Ix> = eligible.filter(|loan| allocation.place(*loan).is_none()).collect();
    left.sort_by_key(|loan| (Reverse(allocation.amount(*loan)), *loan));
    let mut moves = Moves::new(allocation);
    for loan in left {
        allocation.recorder.check()?;
        find_place(allocation, &mut moves, loan)?;
    }
    Ok(())
}

/// Through the loan's candidates in order of turn and rank; the first that succeeds ends the search.
fn find_place(
    allocation: &mut Allocation<'_, '_>,
    moves: &mut Moves,
    loan: Ix,
) -> Result<(), Cancelled> {
    let candidates = allocation.candidates;
    for ix in candidates.of_loan(loan).iter().copied() {
        let candidate = allocation.candidate(ix);
        if allocation.fits(candidate) {
            moves.forget();
            return allocation.allocate(ix);
        }
        if let Some(step) = moves.cheapest(allocation, ix) {
            moves.forget();
            allocation.move_to(step, Some(loan))?;
            return allocation.allocate(ix);
        }
    }
    Ok(())
}

/// The moves (x, d) that are possible out of each trade as things stand, the cheapest first. Most loans that are left
/// find no place and change nothing, so that the next one that looks at a trade finds the same moves.
struct Moves {
    out_of: Vec<Option<Vec<Ix>>>,
    known: Vec<Ix>,
}

impl Moves {
    fn new(allocation: &Allocation<'_, '_>) -> Self {
        Self { out_of: vec![None; allocation.loans_in.len()], known: Vec::new() }
    }

    /// Something was placed or moved: everything has to be looked at again.
    fn forget(&mut self) {
        for trade in self.known.drain(..) {
            self.out_of[trade as usize] = None;
        }
    }

    /// The cheapest move that lets the candidate in, ties by x, then d, by id.
    fn cheapest(&mut self, allocation: &Allocation<'_, '_>, comes: Ix) -> Option<Ix> {
        let candidate = allocation.candidate(comes);
        let trade = candidate.trade;
        let moves = self.out_of[trade as usize].get_or_insert_with(|| {
            self.known.push(trade);
            possible(allocation, trade)
        });
        let fill = allocation.capacity.fill(trade);
        let amount = allocation.amount(candidate.loan);
        moves.iter().copied().find(|step| {
            let moved = allocation.candidate(*step).loan;
            let after = fill.filled - allocation.amount(moved) + amount;
            let falls_short = !fill.is_short() && after < fill.min;
            let place = allocation.place(moved).expect("a loan that can move is placed");
            !falls_short && allocation.fits_without(candidate, allocation.candidate(place))
        })
    }
}

/// The candidates (x, d) of the loans x in the trade, d another trade that x fits, by marginal cost, then x, then d.
fn possible(allocation: &Allocation<'_, '_>, trade: Ix) -> Vec<Ix> {
    let mut moves = Vec::new();
    for loan in &allocation.loans_in[trade as usize] {
        let place = allocation.place(*loan).expect("a loan of a trade is placed");
        let (from, amount) = (allocation.candidate(place), allocation.amount(*loan));
        for ix in allocation.candidates.of_loan(*loan) {
            let to = allocation.candidate(*ix);
            if to.trade != trade && allocation.fits(to) {
                moves.push((move_cost(from, to, amount), *loan, to.trade, *ix));
            }
        }
    }
    moves.sort_unstable();
    moves.into_iter().map(|(_, _, _, ix)| ix).collect()
}
