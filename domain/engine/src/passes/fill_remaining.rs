//! fill_remaining (2.7): brings short trades into their band by substitution, exchange and refill.

use super::{Allocation, Ended, Turn, move_cost};
use crate::Cancelled;
use crate::book::Ix;
use powerfill_events::values::{Money, Price};

pub(super) fn run(allocation: &mut Allocation<'_, '_>, turn: &Turn) -> Result<Ended, Cancelled> {
    let mut by_settlement = turn.trades.clone();
    by_settlement.sort_by_key(|trade| (allocation.participation.settles_on(*trade), *trade));
    let bound = allocation.book.options.max_fill_iterations;
    for iteration in 1..=bound {
        let before = allocation.placements;
        let short: Vec<Ix> =
            by_settlement.iter().copied().filter(|t| is_short(allocation, *t)).collect();
        for trade in short {
            substitute(allocation, turn, trade)?;
            exchange(allocation, turn, trade)?;
            refill(allocation, turn, trade)?;
        }
        if allocation.placements == before {
            return Ok(Ended { iterations: iteration, converged: true });
        }
    }
    let converged = !by_settlement.iter().any(|trade| is_short(allocation, *trade));
    Ok(Ended { iterations: bound, converged })
}

fn is_short(allocation: &Allocation<'_, '_>, trade: Ix) -> bool {
    allocation.capacity.fill(trade).is_short()
}

/// 1. Moves loans that this turn put into other trades here, the cheapest move first, until the trade is not short.
fn substitute(a: &mut Allocation<'_, '_>, turn: &Turn, trade: Ix) -> Result<(), Cancelled> {
    if !is_short(a, trade) {
        return Ok(());
    }
    let movable = |ix: &Ix| {
        let to = a.candidate(*ix);
        let from = a.candidate(placed_by(a, turn, to.loan)?);
        (from.trade != trade).then(|| (move_cost(from, to, a.amount(to.loan)), *ix))
    };
    let candidates = a.candidates.of_trade_in(trade, &turn.candidates);
    let mut moves: Vec<(i128, Ix)> = candidates.iter().filter_map(movable).collect();
    moves.sort_unstable();
    while is_short(a, trade) {
        let Some(at) = moves.iter().position(|(_, ix)| can_give(a, *ix)) else { break };
        let (_, ix) = moves.remove(at);
        a.move_to(ix, None)?;
    }
    Ok(())
}

/// The candidate by which this turn placed the loan.
fn placed_by(a: &Allocation<'_, '_>, turn: &Turn, loan: Ix) -> Option<Ix> {
    a.place(loan).filter(|ix| turn.candidates.contains(&(*ix as usize)))
}

/// Whether the loan fits the candidate's trade, and the trade that it is in can spare it: it stays at or above its
/// min, or is short anyway while the receiver is completed.
fn can_give(a: &Allocation<'_, '_>, ix: Ix) -> bool {
    let to = a.candidate(ix);
    let Some(from) = a.place(to.loan) else { return false };
    let donor = a.capacity.fill(a.candidate(from).trade);
    let receiver = a.capacity.fill(to.trade);
    let amount = a.amount(to.loan);
    let spares = donor.filled - amount >= donor.min
        || donor.is_short() && receiver.filled + amount >= receiver.min;
    spares && a.fits(to)
}

/// 2. Exchanges a loan of the trade for a larger open candidate that brings it into its band, at most once.
fn exchange(a: &mut Allocation<'_, '_>, turn: &Turn, trade: Ix) -> Result<(), Cancelled> {
    if !is_short(a, trade) {
        return Ok(());
    }
    match cheapest_exchange(a, turn, trade) {
        Some((gone, comes)) => a.exchange(gone, comes),
        None => Ok(()),
    }
}

/// The pair with the least marginal cost score(x, t) − score(y, t), ties by rank of y, then of x.
fn cheapest_exchange(a: &Allocation<'_, '_>, turn: &Turn, trade: Ix) -> Option<(Ix, Ix)> {
    let fill = *a.capacity.fill(trade);
    let score = |ix: Ix| a.candidate(ix).pricing.score;
    let amount = |ix: Ix| a.amount(a.candidate(ix).loan);
    let mut out: Vec<Ix> =
        a.loans_in[trade as usize].iter().filter_map(|loan| placed_by(a, turn, *loan)).collect();
    out.sort_unstable_by_key(|ix| (score(*ix), *ix));
    let candidates = a.candidates.of_trade_in(trade, &turn.candidates).iter().copied();
    let mut comes: Vec<(Money, Ix)> =
        candidates.filter(|ix| a.is_open(a.candidate(*ix))).map(|ix| (amount(ix), ix)).collect();
    comes.sort_unstable();
    let best_score = comes.iter().map(|(_, ix)| score(*ix)).max()?;
    let mut best: Option<(Price, Ix, Ix)> = None;
    for gone in out {
        // From here on no pair can be cheaper: this and the next loans cost at least as much as the first.
        if best.is_some_and(|(cost, _, _)| score(gone) - best_score > cost) {
            break;
        }
        let without = fill.filled - amount(gone);
        let least = (fill.min - without).max(amount(gone) + Money::from_units(1));
        let from = comes.partition_point(|(amount, _)| *amount < least);
        let within = comes[from..].iter().take_while(|(amount, _)| without + *amount <= fill.max);
        for (_, ix) in within {
            let pair = (score(gone) - score(*ix), *ix, gone);
            if best.is_none_or(|best| pair < best)
                && a.fits_without(a.candidate(*ix), a.candidate(gone))
            {
                best = Some(pair);
            }
        }
    }
    best.map(|(_, comes, gone)| (gone, comes))
}

/// 3. Allocates open candidates in rank order, once, while the trade is below its open amount.
fn refill(a: &mut Allocation<'_, '_>, turn: &Turn, trade: Ix) -> Result<(), Cancelled> {
    if !is_short(a, trade) {
        return Ok(());
    }
    let candidates = a.candidates;
    for ix in candidates.of_trade_in(trade, &turn.candidates).iter().copied() {
        if !a.capacity.fill(trade).is_below_open() {
            break;
        }
        let candidate = a.candidate(ix);
        if a.is_open(candidate) && a.fits(candidate) {
            a.allocate(ix)?;
        }
    }
    Ok(())
}
