//! orphan_handling (2.7): the last fallback, once, after the last turn.

use std::cmp::Reverse;

use super::{Allocation, Ended, move_cost};
use crate::Cancelled;
use crate::book::Ix;

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
        let trade = allocation.candidate(ix).trade;
        if allocation.fits(allocation.candidate(ix)) {
            allocation.allocate(ix)?;
            moves.came(allocation, loan);
            return Ok(());
        }
        if let Some(step) = moves.cheapest(allocation, ix) {
            let moved = allocation.candidate(step).loan;
            moves.goes(trade, moved);
            allocation.move_to(step, Some(loan))?;
            allocation.allocate(ix)?;
            moves.came(allocation, moved);
            moves.came(allocation, loan);
            moves.has_more_room(allocation, trade);
            return Ok(());
        }
    }
    Ok(())
}

/// A move (x, d): its marginal cost, x, d, and the candidate. They lie in the order in which they are tried.
type Move = (i128, Ix, Ix, Ix);

/// The moves (x, d) out of each trade, the cheapest first: at least all that are possible as things stand, and some
/// that have been since they were looked for. Few are, since most trades are full by now; and few stop or begin to
/// be, so that they are kept from loan to loan, and only those are looked for again that a placement can have opened.
struct Moves {
    /// By trade; `None` where nobody has asked yet.
    out_of: Vec<Option<Vec<Move>>>,
}

impl Moves {
    fn new(allocation: &Allocation<'_, '_>) -> Self {
        Self { out_of: vec![None; allocation.loans_in.len()] }
    }

    /// The cheapest move that lets the candidate in, ties by x, then d, by id.
    fn cheapest(&mut self, allocation: &Allocation<'_, '_>, comes: Ix) -> Option<Ix> {
        let candidate = allocation.candidate(comes);
        let trade = candidate.trade;
        let moves = self.out_of[trade as usize].get_or_insert_with(|| possible(allocation, trade));
        let fill = allocation.capacity.fill(trade);
        let amount = allocation.amount(candidate.loan);
        let helps = |moved: Ix, step: Ix| {
            let after = fill.filled - allocation.amount(moved) + amount;
            let falls_short = !fill.is_short() && after < fill.min;
            let place = allocation.place(moved).expect("a loan that can move is placed");
            !falls_short
                && after <= fill.max
                && allocation.fits(allocation.candidate(step))
                && allocation.fits_without(candidate, allocation.candidate(place))
        };
        moves.iter().find(|(_, moved, _, step)| helps(*moved, *step)).map(|(_, _, _, step)| *step)
    }

    /// A loan leaves a trade: its moves go with it.
    fn goes(&mut self, trade: Ix, loan: Ix) {
        if let Some(moves) = &mut self.out_of[trade as usize] {
            moves.retain(|(_, moved, _, _)| *moved != loan);
        }
    }

    /// A loan was placed: it can move on from there.
    fn came(&mut self, allocation: &Allocation<'_, '_>, loan: Ix) {
        let place = allocation.place(loan).expect("a loan that came is placed");
        if let Some(moves) = &mut self.out_of[allocation.candidate(place).trade as usize] {
            moves_of(allocation, loan, moves);
            moves.sort_unstable();
        }
    }

    /// A trade's amount, or that of a limit in it, may have fallen: loans of other trades may fit it now.
    fn has_more_room(&mut self, allocation: &Allocation<'_, '_>, trade: Ix) {
        for ix in allocation.candidates.of_trade(trade) {
            let to = allocation.candidate(*ix);
            if !allocation.fits(to) {
                continue;
            }
            let place = allocation.place(to.loan).map(|ix| allocation.candidate(ix));
            let Some(from) = place.filter(|from| from.trade != trade) else { continue };
            if let Some(moves) = &mut self.out_of[from.trade as usize] {
                let cost = move_cost(from, to, allocation.amount(to.loan));
                let opened = (cost, to.loan, trade, *ix);
                if let Err(at) = moves.binary_search(&opened) {
                    moves.insert(at, opened);
                }
            }
        }
    }
}

/// The candidates (x, d) of the loans x in the trade, d another trade that x fits, by marginal cost, then x, then d.
fn possible(allocation: &Allocation<'_, '_>, trade: Ix) -> Vec<Move> {
    let mut moves = Vec::new();
    for loan in &allocation.loans_in[trade as usize] {
        moves_of(allocation, *loan, &mut moves);
    }
    moves.sort_unstable();
    moves
}

/// Adds the candidates (x, d) of a placed loan x, d another trade that it fits.
fn moves_of(allocation: &Allocation<'_, '_>, loan: Ix, moves: &mut Vec<Move>) {
    let place = allocation.place(loan).expect("a loan of a trade is placed");
    let (from, amount) = (allocation.candidate(place), allocation.amount(loan));
    for ix in allocation.candidates.of_loan(loan) {
        let to = allocation.candidate(*ix);
        if to.trade != from.trade && allocation.fits(to) {
            moves.push((move_cost(from, to, amount), loan, to.trade, *ix));
        }
    }
}
