//! orphan_handling (2.7): the last fallback, once, after the last turn.

use std::cmp::Reverse;

use super::allocation::{Allocation, PassEnd, move_cost};
use crate::book::{LoanIdx, TradeIdx};
use crate::candidates::CandidateIdx;
use crate::index::IdxVec;
use crate::recorder::Cancelled;
use powerfill_snapshot::tables::Trade;

pub(super) fn run(allocation: &mut Allocation<'_, '_>) -> Result<PassEnd, Cancelled> {
    top_up(allocation)?;
    make_room(allocation)?;
    top_up(allocation)?;
    Ok(PassEnd::ONCE)
}

/// 1. and 3. Goes through all open candidates, turn by turn in rank order, once, and allocates
///    those that fit, also past the open amount.
fn top_up(allocation: &mut Allocation<'_, '_>) -> Result<(), Cancelled> {
    for idx in allocation.candidates.all.indices().iter() {
        let candidate = allocation.candidate(idx);
        if allocation.is_open(candidate) && allocation.fits(candidate) {
            allocation.allocate(idx)?;
        }
    }
    Ok(())
}

/// 2. For each orphan, the largest first: moves a placed loan to another trade so that the orphan
///    fits.
fn make_room(allocation: &mut Allocation<'_, '_>) -> Result<(), Cancelled> {
    let eligible = allocation.participation.eligible();
    let mut orphans: Vec<LoanIdx> =
        eligible.filter(|loan| allocation.placement(*loan).is_none()).collect();
    orphans.sort_by_key(|loan| (Reverse(allocation.amount(*loan)), *loan));
    let mut moves = Moves::new(allocation);
    for loan in orphans {
        allocation.recorder.check()?;
        place_orphan(allocation, &mut moves, loan)?;
    }
    Ok(())
}

/// Goes through the loan's candidates by turn and rank; the first success ends the search.
fn place_orphan(
    allocation: &mut Allocation<'_, '_>,
    moves: &mut Moves,
    loan: LoanIdx,
) -> Result<(), Cancelled> {
    let candidates = allocation.candidates;
    for idx in candidates.of_loan(loan).iter().copied() {
        if allocation.fits(allocation.candidate(idx)) {
            allocation.allocate(idx)?;
            moves.add_moves_of(allocation, loan);
            return Ok(());
        }
        if let Some(Move { loan: moved, candidate, .. }) = moves.cheapest_for(allocation, idx) {
            let trade = allocation.candidate(idx).trade;
            moves.remove_moves_of(moved, trade);
            allocation.move_to(candidate, Some(loan))?;
            allocation.allocate(idx)?;
            moves.add_moves_of(allocation, moved);
            moves.add_moves_of(allocation, loan);
            moves.add_moves_into(allocation, trade);
            return Ok(());
        }
    }
    Ok(())
}

/// A possible move of a placed loan to another trade. Moves are tried in their order: by marginal
/// cost, then loan, then trade.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Move {
    /// In units of a price times cents.
    cost: i128,
    loan: LoanIdx,
    to: TradeIdx,
    /// The candidate of the loan in that trade.
    candidate: CandidateIdx,
}

/// The moves out of each trade, in their order: at least every move that is possible now, and some
/// that were possible earlier.
///
/// Most trades are full by now, so there are few moves, and a placement changes few of them. They
/// are kept from orphan to orphan, and a placement adds only the moves that it can have made
/// possible. This relies on [`Capacity::fits`](crate::capacity::Capacity::fits) being monotone.
struct Moves {
    /// `None` until the first orphan asks for the trade.
    out_of: IdxVec<Trade, Option<Vec<Move>>>,
}

impl Moves {
    fn new(allocation: &Allocation<'_, '_>) -> Self {
        Self { out_of: IdxVec::per_row(&allocation.book.snapshot.trades, None) }
    }

    /// The first move that makes room for the candidate.
    fn cheapest_for(
        &mut self,
        allocation: &Allocation<'_, '_>,
        entering: CandidateIdx,
    ) -> Option<Move> {
        let trade = allocation.candidate(entering).trade;
        let moves = self.out_of[trade].get_or_insert_with(|| moves_out_of(allocation, trade));
        moves.iter().copied().find(|step| makes_room_for(allocation, step, entering))
    }

    /// Removes the moves of a loan that leaves a trade.
    fn remove_moves_of(&mut self, loan: LoanIdx, trade: TradeIdx) {
        if let Some(moves) = &mut self.out_of[trade] {
            moves.retain(|step| step.loan != loan);
        }
    }

    /// Adds the moves of a loan that was placed.
    fn add_moves_of(&mut self, allocation: &Allocation<'_, '_>, loan: LoanIdx) {
        let placement = allocation.placement(loan).expect("the loan was placed");
        if let Some(moves) = &mut self.out_of[allocation.candidate(placement).trade] {
            moves.extend(moves_of(allocation, loan));
            moves.sort_unstable();
        }
    }

    /// Adds the moves into a trade whose filled amount, or a used amount of a limit in it, can have
    /// fallen: loans of other trades can fit it now.
    fn add_moves_into(&mut self, allocation: &Allocation<'_, '_>, trade: TradeIdx) {
        for idx in allocation.candidates.of_trade(trade) {
            let to = allocation.candidate(*idx);
            if !allocation.fits(to) {
                continue;
            }
            let placement = allocation.placement(to.loan).map(|idx| allocation.candidate(idx));
            let Some(from) = placement.filter(|from| from.trade != trade) else { continue };
            if let Some(moves) = &mut self.out_of[from.trade] {
                let cost = move_cost(from, to, allocation.amount(to.loan));
                let step = Move { cost, loan: to.loan, to: trade, candidate: *idx };
                if let Err(at) = moves.binary_search(&step) {
                    moves.insert(at, step);
                }
            }
        }
    }
}

/// Whether the move is possible now, the entering loan then fits, and its trade does not fall from
/// min or more to below min.
fn makes_room_for(allocation: &Allocation<'_, '_>, step: &Move, entering: CandidateIdx) -> bool {
    let candidate = allocation.candidate(entering);
    let fill = allocation.capacity.fill(candidate.trade);
    let after = fill.filled - allocation.amount(step.loan) + allocation.amount(candidate.loan);
    let falls_short = !fill.is_short() && after < fill.min;
    let placement = allocation.placement(step.loan).expect("a loan that can move is placed");
    !falls_short
        && after <= fill.max
        && allocation.fits(allocation.candidate(step.candidate))
        && allocation.fits_without(candidate, allocation.candidate(placement))
}

/// The moves of all loans that the passes placed in a trade, in their order.
fn moves_out_of(allocation: &Allocation<'_, '_>, trade: TradeIdx) -> Vec<Move> {
    let loans = allocation.placements.loans_in[trade].iter();
    let mut moves: Vec<Move> = loans.flat_map(|loan| moves_of(allocation, *loan)).collect();
    moves.sort_unstable();
    moves
}

/// The moves of a placed loan to the other trades that it fits.
fn moves_of(allocation: &Allocation<'_, '_>, loan: LoanIdx) -> impl Iterator<Item = Move> {
    let placement = allocation.placement(loan).expect("the loan is placed");
    let (from, amount) = (allocation.candidate(placement), allocation.amount(loan));
    allocation.candidates.of_loan(loan).iter().filter_map(move |idx| {
        let to = allocation.candidate(*idx);
        (to.trade != from.trade && allocation.fits(to)).then(|| {
            let cost = move_cost(from, to, amount);
            Move { cost, loan, to: to.trade, candidate: *idx }
        })
    })
}
