//! exact_fit (2.7): places what has one answer.
//!
//! Within this pass trades only fill up, so a candidate that has stopped fitting never fits again
//! ([`Capacity::fits`](crate::capacity::Capacity::fits)). That makes the pass fast: the candidates
//! of a trade, and of a block with a limit, lie in the order of their amounts, and as room shrinks
//! a mark moves down over those that no longer fit.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use foldhash::fast::RandomState;

use super::allocation::{Allocation, PassEnd};
use super::turn::{Turn, TurnTrade};
use crate::book::{LoanIdx, TradeIdx};
use crate::candidates::CandidateIdx;
use crate::capacity::BlockIdx;
use crate::index::IdxVec;
use crate::recorder::Cancelled;
use powerfill_events::values::Money;

pub(super) fn run(allocation: &mut Allocation<'_, '_>, turn: &Turn) -> Result<PassEnd, Cancelled> {
    let by_amount = ByAmount::new(allocation, turn);
    let mut completions = Completions::default();
    for trade in turn.trades.iter() {
        completions.search(allocation, &by_amount, *trade);
    }
    // With one trade in the turn every candidate would be a sole choice, so (b) is left out.
    let mut live = (turn.trades.as_slice().len() > 1)
        .then(|| LiveCandidates::new(allocation, turn, &by_amount));
    loop {
        // (a) goes first, at the start and after each allocation of (b).
        let next = match completions.best(allocation, &by_amount) {
            Some(completion) => Some(completion),
            None => live.as_mut().and_then(|live| live.sole_choice(allocation)),
        };
        let Some(idx) = next else { return Ok(PassEnd::ONCE) };
        allocation.allocate(idx)?;
        completions.search(allocation, &by_amount, allocation.candidate(idx).trade);
        if let Some(live) = &mut live {
            live.remove_unfit(allocation, &by_amount, idx);
        }
    }
}

/// The candidates of each trade of the turn by amount, ascending, then rank.
struct ByAmount<'t> {
    turn: &'t Turn,
    of_trade: IdxVec<TurnTrade, Vec<(Money, CandidateIdx)>>,
}

impl<'t> ByAmount<'t> {
    fn new(allocation: &Allocation<'_, '_>, turn: &'t Turn) -> Self {
        let mut of_trade = turn.trades.iter().map(|_| Vec::new()).collect::<IdxVec<_, Vec<_>>>();
        // In rank order, as the candidates lie in memory.
        for idx in turn.candidates.iter() {
            let candidate = allocation.candidate(idx);
            of_trade[turn.row(candidate.trade)].push((allocation.amount(candidate.loan), idx));
        }
        for list in of_trade.iter_mut() {
            list.sort_unstable();
        }
        Self { turn, of_trade }
    }

    fn of(&self, trade: TradeIdx) -> &[(Money, CandidateIdx)] {
        &self.of_trade[self.turn.row(trade)]
    }
}

/// (a) Completion: the candidates that bring their trade to its open amount, within the variance.
#[derive(Default)]
struct Completions {
    /// The best completion of each trade at the time of its search. An entry can be out of date.
    found: BinaryHeap<Reverse<CandidateIdx>>,
}

impl Completions {
    /// Searches for the best-ranked completion of a trade.
    fn search(
        &mut self,
        allocation: &Allocation<'_, '_>,
        by_amount: &ByAmount<'_>,
        trade: TradeIdx,
    ) {
        let (from, to) = completing_amounts(allocation, trade);
        let list = by_amount.of(trade);
        let list = &list[list.partition_point(|(amount, _)| *amount < from)..];
        let list = list.iter().take_while(|(amount, _)| *amount <= to).map(|(_, idx)| *idx);
        let best = list.filter(|idx| completes(allocation, *idx, (from, to))).min();
        self.found.extend(best.map(Reverse));
    }

    /// The best-ranked candidate that completes its trade now.
    fn best(
        &mut self,
        allocation: &Allocation<'_, '_>,
        by_amount: &ByAmount<'_>,
    ) -> Option<CandidateIdx> {
        while let Some(Reverse(idx)) = self.found.pop() {
            let trade = allocation.candidate(idx).trade;
            if completes(allocation, idx, completing_amounts(allocation, trade)) {
                return Some(idx);
            }
            // Its loan is placed, or its trade has been filled further: another candidate can be
            // the best one there.
            self.search(allocation, by_amount, trade);
        }
        None
    }
}

/// The least and the greatest amount that complete a trade: open − filled, minus and plus
/// round(open × exact_fit_variance / 100, 2).
fn completing_amounts(allocation: &Allocation<'_, '_>, trade: TradeIdx) -> (Money, Money) {
    let fill = allocation.capacity.fill(trade);
    let variance = fill.open.percent(allocation.book.options.exact_fit_variance);
    let missing = fill.open - fill.filled;
    (missing - variance, missing + variance)
}

fn completes(
    allocation: &Allocation<'_, '_>,
    idx: CandidateIdx,
    (from, to): (Money, Money),
) -> bool {
    let candidate = allocation.candidate(idx);
    let amount = allocation.amount(candidate.loan);
    from <= amount && amount <= to && allocation.is_open(candidate) && allocation.fits(candidate)
}

/// (b) Sole choice: the open candidates that fit and whose trade is below its open amount, and the
/// loans that have exactly one of them.
struct LiveCandidates<'t> {
    turn: &'t Turn,
    /// By offset in the turn.
    is_live: Vec<bool>,
    /// Number of live candidates per loan.
    per_loan: HashMap<LoanIdx, u32, RandomState>,
    /// Number of a trade's candidates, from the smallest amount up, that can still be live.
    trade_marks: IdxVec<TurnTrade, usize>,
    /// The candidates by amount that each block with an upper limit binds, cut off at its mark.
    of_block: HashMap<BlockIdx, Vec<(Money, CandidateIdx)>, RandomState>,
    /// Sole choices, the best-ranked on top. An entry can be out of date.
    sole: BinaryHeap<Reverse<CandidateIdx>>,
}

impl<'t> LiveCandidates<'t> {
    fn new(allocation: &Allocation<'_, '_>, turn: &'t Turn, by_amount: &ByAmount<'_>) -> Self {
        let mut live = Self {
            turn,
            is_live: Vec::with_capacity(turn.candidates.len()),
            per_loan: HashMap::default(),
            trade_marks: by_amount.of_trade.iter().map(Vec::len).collect(),
            of_block: HashMap::default(),
            sole: BinaryHeap::new(),
        };
        for idx in turn.candidates.iter() {
            let candidate = allocation.candidate(idx);
            let below_open = allocation.capacity.fill(candidate.trade).is_below_open();
            let is_live = below_open && allocation.is_open(candidate) && allocation.fits(candidate);
            live.is_live.push(is_live);
            if is_live {
                *live.per_loan.entry(candidate.loan).or_default() += 1;
            }
        }
        for (amount, idx) in by_amount.of_trade.iter().flatten() {
            if live.is_live(*idx) {
                for block in limiting_blocks(allocation, *idx) {
                    live.of_block.entry(block).or_default().push((*amount, *idx));
                }
            }
        }
        let loans = live.per_loan.iter().filter(|(_, count)| **count == 1).map(|(loan, _)| *loan);
        let sole = loans.filter_map(|loan| live.of_loan(allocation, loan)).map(Reverse).collect();
        live.sole = sole;
        live
    }

    fn offset(&self, idx: CandidateIdx) -> usize {
        idx.get() - self.turn.candidates.start().get()
    }

    fn is_live(&self, idx: CandidateIdx) -> bool {
        self.is_live[self.offset(idx)]
    }

    /// The best-ranked sole choice.
    fn sole_choice(&mut self, allocation: &Allocation<'_, '_>) -> Option<CandidateIdx> {
        while let Some(Reverse(idx)) = self.sole.pop() {
            if self.is_live(idx) && allocation.is_open(allocation.candidate(idx)) {
                return Some(idx);
            }
        }
        None
    }

    /// The best-ranked live candidate of a loan.
    fn of_loan(&self, allocation: &Allocation<'_, '_>, loan: LoanIdx) -> Option<CandidateIdx> {
        let candidates = self.turn.slice_of(allocation.candidates.of_loan(loan));
        candidates.iter().copied().find(|idx| self.is_live(*idx))
    }

    /// Removes the candidates that no longer fit after this one was placed.
    fn remove_unfit(
        &mut self,
        allocation: &Allocation<'_, '_>,
        by_amount: &ByAmount<'_>,
        placed: CandidateIdx,
    ) {
        let trade = allocation.candidate(placed).trade;
        let fill = allocation.capacity.fill(trade);
        let room = if fill.is_below_open() { fill.room() } else { Money::from_units(-1) };
        let (list, row) = (by_amount.of(trade), self.turn.row(trade));
        let mut mark = self.trade_marks[row];
        while mark > 0 && list[mark - 1].0 > room {
            mark -= 1;
            self.remove(allocation, list[mark].1);
        }
        self.trade_marks[row] = mark;
        for block in limiting_blocks(allocation, placed) {
            let limit = allocation.capacity.block(block);
            let Some(room) = limit.hi.map(|hi| hi - limit.used) else { continue };
            while let Some(idx) = self.pop_larger(block, room) {
                self.remove(allocation, idx);
            }
        }
    }

    /// Takes the largest candidate off the list of a block if its amount is larger than `room`.
    fn pop_larger(&mut self, block: BlockIdx, room: Money) -> Option<CandidateIdx> {
        self.of_block.get_mut(&block)?.pop_if(|(amount, _)| *amount > room).map(|(_, idx)| idx)
    }

    fn remove(&mut self, allocation: &Allocation<'_, '_>, idx: CandidateIdx) {
        let offset = self.offset(idx);
        if !std::mem::take(&mut self.is_live[offset]) {
            return;
        }
        let candidate = allocation.candidate(idx);
        let count = self.per_loan.entry(candidate.loan).or_default();
        *count -= 1;
        if *count == 1 && allocation.is_open(candidate) {
            let sole = self.of_loan(allocation, candidate.loan);
            self.sole.extend(sole.map(Reverse));
        }
    }
}

/// The blocks whose upper limit binds the candidate.
fn limiting_blocks(
    allocation: &Allocation<'_, '_>,
    idx: CandidateIdx,
) -> impl Iterator<Item = BlockIdx> {
    let candidate = allocation.candidate(idx);
    let capacity = &allocation.capacity;
    let limits = allocation.limits(candidate).iter();
    let blocks = limits.map(move |node| capacity.block_at(*node, candidate.trade));
    blocks.filter(|block| capacity.block(*block).hi.is_some())
}
