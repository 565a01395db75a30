//! exact_fit (2.7): places what has one answer.
//!
//! Within this pass trades only fill up, so what has stopped to fit never fits again. That is what makes it fast: the
//! candidates of a trade, and of a block with a limit, lie in the order of their amounts, and as room shrinks a mark
//! moves down over those that have died.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use foldhash::fast::RandomState;

use super::{Allocation, Ended, Turn};
use crate::Cancelled;
use crate::book::Ix;
use powerfill_events::values::Money;

pub(super) fn run(allocation: &mut Allocation<'_, '_>, turn: &Turn) -> Result<Ended, Cancelled> {
    let by_amount = ByAmount::new(allocation, turn);
    let mut completions = Completions::default();
    for trade in &turn.trades {
        completions.look_for(allocation, &by_amount, *trade);
    }
    let mut live = (turn.trades.len() > 1).then(|| Live::new(allocation, turn, &by_amount));
    loop {
        // (a) goes first, at the start and after each allocation of (b).
        let next = match completions.best(allocation, &by_amount) {
            Some(completion) => Some(completion),
            None => live.as_mut().and_then(|live| live.sole_choice(allocation)),
        };
        let Some(ix) = next else { return Ok(Ended::ONCE) };
        allocation.allocate(ix)?;
        let trade = allocation.candidate(ix).trade;
        completions.look_for(allocation, &by_amount, trade);
        if let Some(live) = &mut live {
            live.bury(allocation, turn, &by_amount, ix);
        }
    }
}

/// The candidates of each trade of the turn by amount, ascending, then rank.
struct ByAmount<'t> {
    turn: &'t Turn,
    /// By place of the trade in the turn.
    of_trade: Vec<Vec<(Money, Ix)>>,
}

impl<'t> ByAmount<'t> {
    fn new(allocation: &Allocation<'_, '_>, turn: &'t Turn) -> Self {
        let mut of_trade = vec![Vec::new(); turn.trades.len()];
        // In rank order, as the candidates lie in memory.
        for ix in turn.positions() {
            let candidate = allocation.candidate(ix);
            let amount = allocation.amount(candidate.loan);
            of_trade[turn.place(candidate.trade)].push((amount, ix));
        }
        for list in &mut of_trade {
            list.sort_unstable();
        }
        Self { turn, of_trade }
    }

    fn of(&self, trade: Ix) -> &[(Money, Ix)] {
        &self.of_trade[self.turn.place(trade)]
    }
}

/// (a) Completion: the candidates that bring their trade to its open amount, within the variance.
#[derive(Default)]
struct Completions {
    /// The best completion of a trade when it was looked for; what is on top may be out of date.
    found: BinaryHeap<Reverse<Ix>>,
}

impl Completions {
    /// Finds the best-ranked completion of a trade that has been filled further.
    fn look_for(&mut self, allocation: &Allocation<'_, '_>, by_amount: &ByAmount<'_>, trade: Ix) {
        let (from, to) = window(allocation, trade);
        let list = by_amount.of(trade);
        let within = &list[list.partition_point(|(amount, _)| *amount < from)..];
        let within = within.iter().take_while(|(amount, _)| *amount <= to).map(|(_, ix)| *ix);
        let best = within.filter(|ix| completes(allocation, *ix, (from, to))).min();
        self.found.extend(best.map(Reverse));
    }

    /// The best-ranked candidate that completes its trade now.
    fn best(&mut self, allocation: &Allocation<'_, '_>, by_amount: &ByAmount<'_>) -> Option<Ix> {
        while let Some(Reverse(ix)) = self.found.pop() {
            let trade = allocation.candidate(ix).trade;
            if completes(allocation, ix, window(allocation, trade)) {
                return Some(ix);
            }
            // Its loan went elsewhere, or its trade was filled further: another may be the best there.
            self.look_for(allocation, by_amount, trade);
        }
        None
    }
}

/// The amounts that complete a trade: open − filled, give or take round(open × exact_fit_variance / 100, 2).
fn window(allocation: &Allocation<'_, '_>, trade: Ix) -> (Money, Money) {
    let fill = allocation.capacity.fill(trade);
    let variance = fill.open.percent(allocation.book.options.exact_fit_variance);
    let missing = fill.open - fill.filled;
    (missing - variance, missing + variance)
}

fn completes(allocation: &Allocation<'_, '_>, ix: Ix, (from, to): (Money, Money)) -> bool {
    let candidate = allocation.candidate(ix);
    let amount = allocation.amount(candidate.loan);
    from <= amount && amount <= to && allocation.is_open(candidate) && allocation.fits(candidate)
}

/// (b) Sole choice: which open candidates are live (their trade is below its open amount, and they fit), and the
/// loans that have exactly one.
struct Live {
    /// By position in the turn.
    live: Vec<bool>,
    /// Live candidates of each loan.
    count: HashMap<Ix, u32, RandomState>,
    /// How many of a trade's candidates, from the smallest up, may still be live; by place of the trade in the turn.
    trade_mark: Vec<usize>,
    /// Of each block with a limit that binds candidates of the turn: they by amount, and the mark.
    blocks: HashMap<usize, Vec<(Money, Ix)>, RandomState>,
    /// Sole choices, the best-ranked on top.
    sole: BinaryHeap<Reverse<Ix>>,
    first: Ix,
}

impl Live {
    fn new(allocation: &Allocation<'_, '_>, turn: &Turn, by_amount: &ByAmount<'_>) -> Self {
        let mut this = Self {
            live: vec![false; turn.candidates.len()],
            count: HashMap::default(),
            trade_mark: by_amount.of_trade.iter().map(Vec::len).collect(),
            blocks: HashMap::default(),
            sole: BinaryHeap::new(),
            first: turn.candidates.start as Ix,
        };
        for (ix, live) in turn.positions().zip(&mut this.live) {
            let candidate = allocation.candidate(ix);
            let below_open = allocation.capacity.fill(candidate.trade).is_below_open();
            *live = below_open && allocation.is_open(candidate) && allocation.fits(candidate);
            if *live {
                *this.count.entry(candidate.loan).or_default() += 1;
            }
        }
        for (amount, ix) in by_amount.of_trade.iter().flatten() {
            if this.is_live(*ix) {
                for block in limit_blocks(allocation, *ix) {
                    this.blocks.entry(block).or_default().push((*amount, *ix));
                }
            }
        }
        let loans = this.count.iter().filter(|(_, count)| **count == 1).map(|(loan, _)| *loan);
        let soles: Vec<Ix> =
            loans.filter_map(|loan| this.live_candidate(allocation, turn, loan)).collect();
        this.sole.extend(soles.into_iter().map(Reverse));
        this
    }

    fn is_live(&self, ix: Ix) -> bool {
        self.live[(ix - self.first) as usize]
    }

    /// The best-ranked sole choice.
    fn sole_choice(&mut self, allocation: &Allocation<'_, '_>) -> Option<Ix> {
        while let Some(Reverse(ix)) = self.sole.pop() {
            if self.is_live(ix) && allocation.is_open(allocation.candidate(ix)) {
                return Some(ix);
            }
        }
        None
    }

    fn live_candidate(&self, a: &Allocation<'_, '_>, turn: &Turn, loan: Ix) -> Option<Ix> {
        let candidates = a.candidates.of_loan_in(loan, &turn.candidates).iter().copied();
        candidates.into_iter().find(|ix| self.is_live(*ix))
    }

    /// Buries the candidates that an allocation has left without room.
    fn bury(&mut self, a: &Allocation<'_, '_>, turn: &Turn, by_amount: &ByAmount<'_>, placed: Ix) {
        let trade = a.candidate(placed).trade;
        let fill = a.capacity.fill(trade);
        let room = if fill.is_below_open() { fill.room() } else { Money::from_units(-1) };
        let list = by_amount.of(trade);
        let mut mark = self.trade_mark[turn.place(trade)];
        while mark > 0 && list[mark - 1].0 > room {
            mark -= 1;
            self.die(a, turn, list[mark].1);
        }
        self.trade_mark[turn.place(trade)] = mark;
        for block in limit_blocks(a, placed) {
            let limit = &a.capacity.blocks[block];
            let Some(left) = limit.hi.map(|hi| hi - limit.used) else { continue };
            while let Some(ix) = self.too_large(block, left) {
                self.die(a, turn, ix);
            }
        }
    }

    /// Takes the largest candidate of a block off its list, where that is more than is left there.
    fn too_large(&mut self, block: usize, left: Money) -> Option<Ix> {
        self.blocks.get_mut(&block)?.pop_if(|(amount, _)| *amount > left).map(|(_, ix)| ix)
    }

    fn die(&mut self, allocation: &Allocation<'_, '_>, turn: &Turn, ix: Ix) {
        if !std::mem::take(&mut self.live[(ix - self.first) as usize]) {
            return;
        }
        let candidate = allocation.candidate(ix);
        let count = self.count.entry(candidate.loan).or_default();
        *count -= 1;
        if *count == 1 && allocation.is_open(candidate) {
            let sole = self.live_candidate(allocation, turn, candidate.loan);
            self.sole.extend(sole.map(Reverse));
        }
    }
}

/// The blocks whose upper limit binds the candidate.
fn limit_blocks(allocation: &Allocation<'_, '_>, ix: Ix) -> impl Iterator<Item = usize> {
    let candidate = allocation.candidate(ix);
    let capacity = &allocation.capacity;
    let blocks = allocation.limits(candidate).iter();
    let blocks = blocks.map(move |node| capacity.block(*node, candidate.trade));
    blocks.filter(|block| capacity.blocks[*block].hi.is_some())
}
