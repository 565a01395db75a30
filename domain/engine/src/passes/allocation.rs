//! The state that the passes work on, and what a pass can do: allocate, move, exchange.

use crate::book::{LoanIdx, RunBook, TradeIdx};
use crate::candidates::{Candidate, CandidateIdx, Candidates, Scorer};
use crate::capacity::{Capacity, LoanLoad};
use crate::context::RunContext;
use crate::index::IdxVec;
use crate::matching::Matches;
use crate::participation::Participation;
use crate::recorder::{Cancelled, EventRecorder};
use crate::tree::{ConstraintTree, NodeIdx};
use powerfill_events::run::event::{
    LoanAllocated, LoanMoved, LoanReleased, Pass, PassCompleted, RunEvent,
};
use powerfill_events::values::{LoanId, Money, PoolName, Price, TradeId, round_div};
use powerfill_snapshot::tables::{Loan, Trade};

/// Which loans the passes have placed where.
pub(crate) struct Placements {
    /// The candidate by which each loan is placed.
    candidate_of: IdxVec<Loan, Option<CandidateIdx>>,
    /// The loans that the passes placed in each trade, in no particular order.
    pub(crate) loans_in: IdxVec<Trade, Vec<LoanIdx>>,
}

impl Placements {
    /// The candidate by which the loan is placed.
    pub(crate) fn of(&self, loan: LoanIdx) -> Option<CandidateIdx> {
        self.candidate_of[loan]
    }
}

/// What the passes end with.
pub(crate) struct AllocationOutcome {
    pub(crate) placements: Placements,
    pub(crate) capacity: Capacity,
}

/// How the loop of a pass ended.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(super) struct PassEnd {
    /// 1 where the pass has no loop.
    pub(super) iterations: u32,
    /// False where the bound on iterations ended the loop.
    pub(super) converged: bool,
}

impl PassEnd {
    pub(super) const ONCE: Self = Self { iterations: 1, converged: true };
}

#[derive(Debug, Clone, Copy, Default)]
struct PassCounts {
    allocated: u64,
    moved: u64,
    released: u64,
}

/// The state of the passes.
pub(super) struct Allocation<'a, 'r> {
    pub(super) book: &'a RunBook<'a>,
    pub(super) participation: &'a Participation,
    tree: &'a ConstraintTree,
    matches: &'a Matches,
    pub(super) candidates: &'a Candidates,
    pub(super) capacity: Capacity,
    pub(super) placements: Placements,
    pub(super) recorder: &'a mut EventRecorder<'r>,
    /// Number of placements so far.
    pub(super) placed: u64,
    pass: Pass,
    counts: PassCounts,
}

impl<'a, 'r> Allocation<'a, 'r> {
    pub(super) fn new(
        scorer: &'a Scorer<'a>,
        candidates: &'a Candidates,
        recorder: &'a mut EventRecorder<'r>,
    ) -> Self {
        let RunContext { book, participation, tree, .. } = scorer.context;
        let placements = Placements {
            candidate_of: IdxVec::per_row(&book.snapshot.loans, None),
            loans_in: IdxVec::per_row(&book.snapshot.trades, Vec::new()),
        };
        Self {
            book,
            participation,
            tree,
            matches: scorer.matches,
            candidates,
            capacity: Capacity::new(scorer.context, scorer.matches),
            placements,
            recorder,
            placed: 0,
            pass: Pass::ExactFit,
            counts: PassCounts::default(),
        }
    }

    pub(super) fn into_outcome(self) -> AllocationOutcome {
        AllocationOutcome { placements: self.placements, capacity: self.capacity }
    }

    /// Runs a pass and records what it did.
    pub(super) fn pass(
        &mut self,
        pass: Pass,
        turn: Option<u32>,
        run: impl FnOnce(&mut Self) -> Result<PassEnd, Cancelled>,
    ) -> Result<(), Cancelled> {
        self.pass = pass;
        self.counts = PassCounts::default();
        let PassEnd { iterations, converged } = run(self)?;
        let PassCounts { allocated, moved, released } = self.counts;
        let done = PassCompleted { pass, turn, allocated, moved, released, iterations, converged };
        self.recorder.record(RunEvent::PassCompleted(done))
    }

    pub(super) fn candidate(&self, idx: CandidateIdx) -> &'a Candidate {
        &self.candidates.all[idx]
    }

    pub(super) fn amount(&self, loan: LoanIdx) -> Money {
        self.book.amounts[loan]
    }

    /// Whether the candidate's loan is not allocated.
    pub(super) fn is_open(&self, candidate: &Candidate) -> bool {
        self.placement(candidate.loan).is_none()
    }

    /// The candidate by which the loan is placed.
    pub(super) fn placement(&self, loan: LoanIdx) -> Option<CandidateIdx> {
        self.placements.of(loan)
    }

    /// The nodes with a limit that describe the candidate's loan.
    pub(super) fn limits(&self, candidate: &Candidate) -> &'a [NodeIdx] {
        self.matches.limited(candidate.matched)
    }

    fn load(&self, candidate: &Candidate) -> LoanLoad<'a> {
        LoanLoad { amount: self.amount(candidate.loan), limits: self.limits(candidate) }
    }

    pub(super) fn fits(&self, candidate: &Candidate) -> bool {
        let amount = self.amount(candidate.loan);
        self.capacity.fits(candidate.trade, amount, || self.limits(candidate))
    }

    /// Whether the candidate would fit after another loan has left its trade.
    pub(super) fn fits_without(&self, candidate: &Candidate, leaving: &Candidate) -> bool {
        self.capacity.fits_without(candidate.trade, self.load(candidate), self.load(leaving))
    }

    fn place(&mut self, idx: CandidateIdx) {
        let candidate = self.candidate(idx);
        self.capacity.add(candidate.trade, self.load(candidate));
        self.placements.candidate_of[candidate.loan] = Some(idx);
        self.placements.loans_in[candidate.trade].push(candidate.loan);
    }

    fn remove(&mut self, idx: CandidateIdx) {
        let candidate = self.candidate(idx);
        self.capacity.remove(candidate.trade, self.load(candidate));
        self.placements.candidate_of[candidate.loan] = None;
        let loans = &mut self.placements.loans_in[candidate.trade];
        let at = loans.iter().position(|loan| *loan == candidate.loan);
        loans.swap_remove(at.expect("a placed loan is in its trade"));
    }

    fn loan_id(&self, loan: LoanIdx) -> LoanId {
        LoanId::from(&self.book.loan(loan).loan_id)
    }

    fn trade_id(&self, trade: TradeIdx) -> TradeId {
        TradeId::from(&self.book.trade(trade).trade_id)
    }

    /// Allocates an open candidate.
    pub(super) fn allocate(&mut self, idx: CandidateIdx) -> Result<(), Cancelled> {
        self.place(idx);
        self.placed += 1;
        self.counts.allocated += 1;
        let candidate = self.candidate(idx);
        let (book, node) = (self.book, &self.tree.nodes[candidate.node]);
        let prior_trade = self.participation.present_trade(book, candidate.loan);
        let pool = book.loan_pool[candidate.loan];
        self.recorder.record(RunEvent::LoanAllocated(Box::new(LoanAllocated {
            turn: node.turn,
            node: node.node.clone(),
            loan_id: self.loan_id(candidate.loan),
            trade_id: self.trade_id(candidate.trade),
            pass: self.pass,
            allocation_seq: self.placed,
            loan_amount: self.amount(candidate.loan),
            pricing: candidate.pricing,
            settlement_date: self.participation.settles_on(candidate.trade),
            prior_pool_name: pool.map(|pool| PoolName::from(&book.pool(pool).pool_name)),
            prior_trade_id: prior_trade.map(|trade| self.trade_id(trade)),
            filled_after: self.capacity.fill(candidate.trade).filled,
        })))
    }

    /// Moves a placed loan to another candidate of the same loan.
    pub(super) fn move_to(
        &mut self,
        idx: CandidateIdx,
        made_room_for: Option<LoanIdx>,
    ) -> Result<(), Cancelled> {
        let candidate = self.candidate(idx);
        let old_idx = self.placement(candidate.loan).expect("only a placed loan moves");
        let old = self.candidate(old_idx);
        self.remove(old_idx);
        self.place(idx);
        self.placed += 1;
        self.counts.moved += 1;
        let node = &self.tree.nodes[candidate.node];
        let loan_amount = self.amount(candidate.loan);
        let cost = move_cost(old, candidate, loan_amount);
        self.recorder.record(RunEvent::LoanMoved(Box::new(LoanMoved {
            turn: node.turn,
            node: node.node.clone(),
            loan_id: self.loan_id(candidate.loan),
            from_trade_id: self.trade_id(old.trade),
            to_trade_id: self.trade_id(candidate.trade),
            pass: self.pass,
            allocation_seq: self.placed,
            loan_amount,
            pricing: candidate.pricing,
            settlement_date: self.participation.settles_on(candidate.trade),
            marginal_cost: Money::from_wide(round_div(cost, 100 * i128::from(Price::ONE_UNITS))),
            made_room_for: made_room_for.map(|loan| self.loan_id(loan)),
            from_filled_after: self.capacity.fill(old.trade).filled,
            filled_after: self.capacity.fill(candidate.trade).filled,
        })))
    }

    /// Removes a placed loan, and allocates an open candidate of the same trade in its place.
    pub(super) fn exchange(
        &mut self,
        leaving: CandidateIdx,
        entering: CandidateIdx,
    ) -> Result<(), Cancelled> {
        let (old, new) = (self.candidate(leaving), self.candidate(entering));
        self.remove(leaving);
        self.counts.released += 1;
        self.recorder.record(RunEvent::LoanReleased(Box::new(LoanReleased {
            turn: self.tree.nodes[old.node].turn,
            loan_id: self.loan_id(old.loan),
            trade_id: self.trade_id(old.trade),
            pass: self.pass,
            loan_amount: self.amount(old.loan),
            marginal_cost: old.pricing.score - new.pricing.score,
            exchanged_for: self.loan_id(new.loan),
            filled_after: self.capacity.fill(old.trade).filled,
        })))?;
        self.allocate(entering)
    }
}

/// (score(l, d) − score(l, t)) × a, exact: in units of a price times cents.
pub(super) fn move_cost(from: &Candidate, to: &Candidate, amount: Money) -> i128 {
    let points = i128::from((from.pricing.score - to.pricing.score).units());
    points * i128::from(amount.units())
}
