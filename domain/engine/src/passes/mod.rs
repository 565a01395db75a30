//! 2.7 The four passes. exact_fit, best_fit and fill_remaining run turn by turn, in walk order, on that turn's
//! candidates only; orphan_handling runs once, after the last turn.
//!
//! A pass is a straight line in a file of its own. What a pass may do is here: place, move, take out.

mod best_fit;
mod exact_fit;
mod fill_remaining;
mod orphan_handling;

use std::ops::Range;

use super::book::{Book, Ix};
use super::candidates::{Candidate, Candidates};
use super::capacity::Capacity;
use super::participation::Participation;
use super::tree::{Matches, Tree};
use super::{Cancelled, Recorder};
use powerfill_events::run::event::{
    LoanAllocated, LoanMoved, LoanReleased, Pass, PassCompleted, RunEvent,
};
use powerfill_events::values::{LoanId, Money, PoolName, Price, TradeId, round_div};

/// Runs the passes over all candidates.
pub(crate) fn run(allocation: &mut Allocation<'_, '_>) -> Result<(), Cancelled> {
    for (number, candidates) in allocation.candidates.turns() {
        let turn = Turn::new(allocation, candidates);
        allocation.pass(Pass::ExactFit, Some(number), |a| exact_fit::run(a, &turn))?;
        allocation.pass(Pass::BestFit, Some(number), |a| best_fit::run(a, &turn))?;
        allocation.pass(Pass::FillRemaining, Some(number), |a| fill_remaining::run(a, &turn))?;
    }
    allocation.pass(Pass::OrphanHandling, None, orphan_handling::run)
}

/// A turn: its candidates, and its trades, which are those with any candidate in it, by id.
pub(crate) struct Turn {
    candidates: Range<usize>,
    trades: Vec<Ix>,
    /// Place of each of its trades in `trades`, by position of the trade.
    places: Vec<Ix>,
}

impl Turn {
    fn new(allocation: &Allocation<'_, '_>, candidates: Range<usize>) -> Self {
        let mut places = vec![NOWHERE; allocation.book.snapshot.trades.len()];
        for candidate in &allocation.candidates.all[candidates.clone()] {
            places[candidate.trade as usize] = 0;
        }
        let included = allocation.participation.included.iter().copied();
        let trades: Vec<Ix> = included.filter(|t| places[*t as usize] != NOWHERE).collect();
        for (trade, place) in trades.iter().zip(0..) {
            places[*trade as usize] = place;
        }
        Self { candidates, trades, places }
    }

    /// Place of a trade of the turn among these.
    fn place(&self, trade: Ix) -> usize {
        self.places[trade as usize] as usize
    }

    fn positions(&self) -> Range<Ix> {
        self.candidates.start as Ix..self.candidates.end as Ix
    }
}

/// How the loop of a pass ended.
#[derive(Debug, Clone, Copy)]
#[must_use]
struct Ended {
    /// Rounds; 1 where the pass has no loop.
    iterations: u32,
    /// By itself, not by the bound on its iterations.
    converged: bool,
}

impl Ended {
    const ONCE: Self = Self { iterations: 1, converged: true };
}

/// No candidate: the loan is not allocated.
const NOWHERE: Ix = Ix::MAX;

/// Who is where, while the passes run.
pub(crate) struct Allocation<'a, 'r> {
    pub(crate) book: &'a Book<'a>,
    pub(crate) participation: &'a Participation,
    pub(crate) tree: &'a Tree,
    pub(crate) matches: &'a Matches,
    pub(crate) candidates: &'a Candidates,
    pub(crate) capacity: Capacity,
    recorder: &'a mut Recorder<'r>,
    /// The candidate by which each loan is placed, or [`NOWHERE`].
    placed: Vec<Ix>,
    /// The loans that this run allocated to each trade, in no particular order.
    loans_in: Vec<Vec<Ix>>,
    placements: u64,
    pass: Pass,
    counts: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    allocated: u64,
    moved: u64,
    released: u64,
}

impl<'a, 'r> Allocation<'a, 'r> {
    pub(crate) fn new(
        book: &'a Book<'a>,
        participation: &'a Participation,
        tree: &'a Tree,
        matches: &'a Matches,
        candidates: &'a Candidates,
        capacity: Capacity,
        recorder: &'a mut Recorder<'r>,
    ) -> Self {
        Self {
            placed: vec![NOWHERE; book.snapshot.loans.len()],
            loans_in: vec![Vec::new(); book.snapshot.trades.len()],
            placements: 0,
            pass: Pass::ExactFit,
            counts: Counts::default(),
            book,
            participation,
            tree,
            matches,
            candidates,
            capacity,
            recorder,
        }
    }

    /// The result, once the passes are done.
    pub(crate) fn into_placed(self) -> (Placed, Capacity) {
        (Placed { placed: self.placed, loans_in: self.loans_in }, self.capacity)
    }

    fn pass(
        &mut self,
        pass: Pass,
        turn: Option<u32>,
        run: impl FnOnce(&mut Self) -> Result<Ended, Cancelled>,
    ) -> Result<(), Cancelled> {
        self.pass = pass;
        self.counts = Counts::default();
        let Ended { iterations, converged } = run(self)?;
        let Counts { allocated, moved, released } = self.counts;
        let done = PassCompleted { pass, turn, allocated, moved, released, iterations, converged };
        self.recorder.record(RunEvent::PassCompleted(done))
    }

    fn candidate(&self, ix: Ix) -> &'a Candidate {
        self.candidates.get(ix)
    }

    fn amount(&self, loan: Ix) -> Money {
        self.book.amount(loan)
    }

    /// Whether the candidate's loan is not allocated.
    fn is_open(&self, candidate: &Candidate) -> bool {
        self.placed[candidate.loan as usize] == NOWHERE
    }

    /// The candidate by which the loan is placed.
    fn place(&self, loan: Ix) -> Option<Ix> {
        Some(self.placed[loan as usize]).filter(|ix| *ix != NOWHERE)
    }

    /// The nodes with a limit that bind the candidate.
    fn limits(&self, candidate: &Candidate) -> &'a [Ix] {
        self.matches.limited(self.matches.found(candidate.found))
    }

    fn fits(&self, candidate: &Candidate) -> bool {
        let amount = self.amount(candidate.loan);
        self.capacity.has_room(candidate.trade, amount)
            && self.capacity.fits(candidate.trade, self.limits(candidate), amount)
    }

    /// Whether the candidate would fit with another loan gone from its trade.
    fn fits_without(&self, candidate: &Candidate, gone: &Candidate) -> bool {
        let loan = (self.limits(candidate), self.amount(candidate.loan));
        let gone = (self.limits(gone), self.amount(gone.loan));
        self.capacity.fits_without(candidate.trade, loan, gone)
    }

    fn put(&mut self, ix: Ix) {
        let candidate = self.candidate(ix);
        let (limits, amount) = (self.limits(candidate), self.amount(candidate.loan));
        self.capacity.add(candidate.trade, limits, amount);
        self.placed[candidate.loan as usize] = ix;
        self.loans_in[candidate.trade as usize].push(candidate.loan);
    }

    fn take(&mut self, ix: Ix) {
        let candidate = self.candidate(ix);
        let (limits, amount) = (self.limits(candidate), self.amount(candidate.loan));
        self.capacity.remove(candidate.trade, limits, amount);
        self.placed[candidate.loan as usize] = NOWHERE;
        let loans = &mut self.loans_in[candidate.trade as usize];
        let at = loans.iter().position(|loan| *loan == candidate.loan);
        loans.swap_remove(at.expect("a placed loan is in its trade"));
    }

    /// Allocates an open candidate.
    fn allocate(&mut self, ix: Ix) -> Result<(), Cancelled> {
        self.put(ix);
        self.placements += 1;
        self.counts.allocated += 1;
        let candidate = self.candidate(ix);
        let (book, node) = (self.book, self.tree.node(candidate.node));
        let loan = book.loan(candidate.loan);
        let prior_trade = self.participation.present_trade(book, candidate.loan);
        let pool = book.loan_pool[candidate.loan as usize];
        self.recorder.record(RunEvent::LoanAllocated(Box::new(LoanAllocated {
            turn: node.turn,
            node: node.shown.clone(),
            loan_id: LoanId::from(&loan.loan_id),
            trade_id: TradeId::from(&book.trade(candidate.trade).trade_id),
            pass: self.pass,
            allocation_seq: self.placements,
            loan_amount: loan.loan_amount,
            pricing: candidate.pricing,
            settlement_date: self.participation.settles_on(candidate.trade),
            prior_pool_name: pool.map(|ix| PoolName::from(&book.pool(ix).pool_name)),
            prior_trade_id: prior_trade.map(|ix| TradeId::from(&book.trade(ix).trade_id)),
            filled_after: self.capacity.fill(candidate.trade).filled,
        })))
    }

    /// Moves a placed loan to another candidate of it.
    fn move_to(&mut self, to: Ix, made_room_for: Option<Ix>) -> Result<(), Cancelled> {
        let candidate = self.candidate(to);
        let from = self.place(candidate.loan).expect("only a placed loan moves");
        let left = self.candidate(from);
        self.take(from);
        self.put(to);
        self.placements += 1;
        self.counts.moved += 1;
        let (book, node) = (self.book, self.tree.node(candidate.node));
        let loan = book.loan(candidate.loan);
        let cost = move_cost(left, candidate, loan.loan_amount);
        self.recorder.record(RunEvent::LoanMoved(Box::new(LoanMoved {
            turn: node.turn,
            node: node.shown.clone(),
            loan_id: LoanId::from(&loan.loan_id),
            from_trade_id: TradeId::from(&book.trade(left.trade).trade_id),
            to_trade_id: TradeId::from(&book.trade(candidate.trade).trade_id),
            pass: self.pass,
            allocation_seq: self.placements,
            loan_amount: loan.loan_amount,
            pricing: candidate.pricing,
            settlement_date: self.participation.settles_on(candidate.trade),
            marginal_cost: Money::from_wide(round_div(cost, 100 * i128::from(Price::ONE_UNITS))),
            made_room_for: made_room_for.map(|ix| LoanId::from(&book.loan(ix).loan_id)),
            from_filled_after: self.capacity.fill(left.trade).filled,
            filled_after: self.capacity.fill(candidate.trade).filled,
        })))
    }

    /// Takes a placed loan out in exchange for an open candidate of the same trade, and allocates that.
    fn exchange(&mut self, gone: Ix, comes: Ix) -> Result<(), Cancelled> {
        let (left, candidate) = (self.candidate(gone), self.candidate(comes));
        self.take(gone);
        self.counts.released += 1;
        let (book, id) = (self.book, |loan: Ix| LoanId::from(&self.book.loan(loan).loan_id));
        self.recorder.record(RunEvent::LoanReleased(Box::new(LoanReleased {
            turn: self.tree.node(left.node).turn,
            loan_id: id(left.loan),
            trade_id: TradeId::from(&book.trade(left.trade).trade_id),
            pass: self.pass,
            loan_amount: book.loan(left.loan).loan_amount,
            marginal_cost: left.pricing.score - candidate.pricing.score,
            exchanged_for: id(candidate.loan),
            filled_after: self.capacity.fill(left.trade).filled,
        })))?;
        self.allocate(comes)
    }
}

/// (score(l, d) − score(l, t)) × a, exact: in units of a price times cents.
fn move_cost(from: &Candidate, to: &Candidate, amount: Money) -> i128 {
    let points = i128::from((from.pricing.score - to.pricing.score).units());
    points * i128::from(amount.units())
}

/// Where the passes put the loans.
pub(crate) struct Placed {
    placed: Vec<Ix>,
    /// The loans that the run allocated to each trade, in no particular order.
    pub(crate) loans_in: Vec<Vec<Ix>>,
}

impl Placed {
    /// The candidate by which the loan is placed.
    pub(crate) fn of(&self, loan: Ix) -> Option<Ix> {
        Some(self.placed[loan as usize]).filter(|ix| *ix != NOWHERE)
    }
}
