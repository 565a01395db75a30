//! fill_remaining (2.7): brings short trades into their band by substitution, exchange, and refill.

use super::allocation::{Allocation, PassEnd, move_cost};
use super::turn::Turn;
use crate::book::{LoanIdx, TradeIdx};
use crate::candidates::CandidateIdx;
use crate::recorder::Cancelled;
use powerfill_events::values::{Money, Price};

/// A step that brings a short trade nearer to its band, with the candidates of the trade in the
/// turn.
type Step = fn(&mut Allocation<'_, '_>, &Turn, TradeIdx, &[CandidateIdx]) -> Result<(), Cancelled>;

pub(super) fn run(allocation: &mut Allocation<'_, '_>, turn: &Turn) -> Result<PassEnd, Cancelled> {
    let mut by_settlement: Vec<TradeIdx> = turn.trades.iter().copied().collect();
    by_settlement.sort_by_key(|trade| (allocation.participation.settles_on(*trade), *trade));
    let bound = allocation.book.options.max_fill_iterations;
    for iteration in 1..=bound {
        let before = allocation.placed;
        let short: Vec<TradeIdx> =
            by_settlement.iter().copied().filter(|trade| is_short(allocation, *trade)).collect();
        for trade in short {
            let candidates = turn.slice_of(allocation.candidates.of_trade(trade));
            for step in [substitute as Step, exchange, refill] {
                if is_short(allocation, trade) {
                    step(allocation, turn, trade, candidates)?;
                }
            }
        }
        if allocation.placed == before {
            return Ok(PassEnd { iterations: iteration, converged: true });
        }
    }
    let converged = !by_settlement.iter().any(|trade| is_short(allocation, *trade));
    Ok(PassEnd { iterations: bound, converged })
}

fn is_short(allocation: &Allocation<'_, '_>, trade: TradeIdx) -> bool {
    allocation.capacity.fill(trade).is_short()
}

/// A candidate that a loan can move to; the cheapest first, ties by rank.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Substitution {
    cost: i128,
    to: CandidateIdx,
}

/// 1. Moves loans that this turn placed in other trades to this trade, the cheapest move first,
///    until the trade is not short.
fn substitute(
    allocation: &mut Allocation<'_, '_>,
    turn: &Turn,
    trade: TradeIdx,
    candidates: &[CandidateIdx],
) -> Result<(), Cancelled> {
    let substitution = |idx: &CandidateIdx| {
        let to = allocation.candidate(*idx);
        let from = allocation.candidate(placed_in_turn(allocation, turn, to.loan)?);
        let cost = move_cost(from, to, allocation.amount(to.loan));
        (from.trade != trade).then_some(Substitution { cost, to: *idx })
    };
    let mut left: Vec<Substitution> = candidates.iter().filter_map(substitution).collect();
    left.sort_unstable();
    while is_short(allocation, trade) {
        let Some(at) = left.iter().position(|it| can_substitute(allocation, it.to)) else { break };
        allocation.move_to(left.remove(at).to, None)?;
    }
    Ok(())
}

/// The candidate by which this turn placed the loan.
fn placed_in_turn(
    allocation: &Allocation<'_, '_>,
    turn: &Turn,
    loan: LoanIdx,
) -> Option<CandidateIdx> {
    allocation.placement(loan).filter(|idx| turn.candidates.contains(*idx))
}

/// Whether the loan fits the candidate's trade, and its present trade can spare it: that trade
/// stays at or above its min, or is short anyway while the receiver is completed.
fn can_substitute(allocation: &Allocation<'_, '_>, idx: CandidateIdx) -> bool {
    let to = allocation.candidate(idx);
    let Some(from) = allocation.placement(to.loan) else { return false };
    let donor = allocation.capacity.fill(allocation.candidate(from).trade);
    let receiver = allocation.capacity.fill(to.trade);
    let amount = allocation.amount(to.loan);
    let spares = donor.filled - amount >= donor.min
        || donor.is_short() && receiver.filled + amount >= receiver.min;
    spares && allocation.fits(to)
}

/// A loan of a trade and an open candidate that enters in its place; the cheapest pair first, ties
/// by rank of the entering, then of the leaving candidate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Exchange {
    cost: Price,
    entering: CandidateIdx,
    leaving: CandidateIdx,
}

/// 2. Exchanges a loan of the trade for a larger open candidate that brings the trade into its
///    band, at most once.
fn exchange(
    allocation: &mut Allocation<'_, '_>,
    turn: &Turn,
    trade: TradeIdx,
    candidates: &[CandidateIdx],
) -> Result<(), Cancelled> {
    match cheapest_exchange(allocation, turn, trade, candidates) {
        Some(Exchange { entering, leaving, .. }) => allocation.exchange(leaving, entering),
        None => Ok(()),
    }
}

/// The pair with the least marginal cost score(x, t) − score(y, t), where x leaves and y enters.
fn cheapest_exchange(
    allocation: &Allocation<'_, '_>,
    turn: &Turn,
    trade: TradeIdx,
    candidates: &[CandidateIdx],
) -> Option<Exchange> {
    let fill = *allocation.capacity.fill(trade);
    let score = |idx: CandidateIdx| allocation.candidate(idx).pricing.score;
    let amount = |idx: CandidateIdx| allocation.amount(allocation.candidate(idx).loan);
    let placed = allocation.placements.loans_in[trade].iter();
    let mut leaving: Vec<CandidateIdx> =
        placed.filter_map(|loan| placed_in_turn(allocation, turn, *loan)).collect();
    leaving.sort_unstable_by_key(|idx| (score(*idx), *idx));
    let open =
        candidates.iter().copied().filter(|idx| allocation.is_open(allocation.candidate(*idx)));
    let mut entering: Vec<(Money, CandidateIdx)> = open.map(|idx| (amount(idx), idx)).collect();
    entering.sort_unstable();
    let best_score = entering.iter().map(|(_, idx)| score(*idx)).max()?;
    let mut best: Option<Exchange> = None;
    for leaving in leaving {
        // No later pair can be cheaper: with this and the later loans even the entering candidate
        // of the best score costs more.
        if best.is_some_and(|best| score(leaving) - best_score > best.cost) {
            break;
        }
        let without = fill.filled - amount(leaving);
        let least = (fill.min - without).max(amount(leaving) + Money::from_units(1));
        let from = entering.partition_point(|(amount, _)| *amount < least);
        let in_band = entering[from..].iter().take_while(|(a, _)| without + *a <= fill.max);
        for (_, entering) in in_band.copied() {
            let pair = Exchange { cost: score(leaving) - score(entering), entering, leaving };
            let (new, old) = (allocation.candidate(entering), allocation.candidate(leaving));
            if best.is_none_or(|best| pair < best) && allocation.fits_without(new, old) {
                best = Some(pair);
            }
        }
    }
    best
}

/// 3. Allocates open candidates in rank order, once, while the trade is below its open amount.
fn refill(
    allocation: &mut Allocation<'_, '_>,
    _: &Turn,
    trade: TradeIdx,
    candidates: &[CandidateIdx],
) -> Result<(), Cancelled> {
    for idx in candidates.iter().copied() {
        if !allocation.capacity.fill(trade).is_below_open() {
            break;
        }
        let candidate = allocation.candidate(idx);
        if allocation.is_open(candidate) && allocation.fits(candidate) {
            allocation.allocate(idx)?;
        }
    }
    Ok(())
}
