//! Gathers the story of a loan from a run's events (specification 3.4).

mod many;

use std::collections::HashMap;
use std::sync::Arc;

use powerfill_events::ignored;
use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, LoanAllocated, LoanKickedOut, LoanMoved, LoanPinned,
    LoanReleased, PoolAction, PoolActionDerived, Rejection, SyntheticOption,
};
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::{LoanId, Money, PoolName, TradeId};

use super::NameMatcher;
use super::ledger::{Fill, Ledger};
use super::loan::{
    CandidateStory, FinalFill, LoanExplanation, LoanOutcome, LoanStep, RunInput, SyntheticStory,
};
use super::verdict::{VerdictInput, full_limits};
use powerfill_tables::status::RunStatus;

pub use many::{LoanStories, TradeRelation};

/// Gathers the story of one loan from a run's events, in their order.
#[derive(Debug)]
pub struct LoanStory {
    sought: NameMatcher,
    loan_id: LoanId,
    run_id: Option<RunId>,
    status: RunStatus,
    input: Option<RunInput>,
    ledgers: HashMap<TradeId, Ledger>,
    candidates: Vec<CandidateScored>,
    rejections: Vec<Rejection>,
    steps: Vec<(u64, LoanStep)>,
    pinned: Option<LoanPinned>,
    kickout: Option<LoanKickedOut>,
    blocks: Vec<ConstraintBlockEvaluated>,
    postings: Vec<PoolActionDerived>,
    synthetic: Option<SyntheticStory>,
    cash: Option<SyntheticOption>,
    allocation_over: bool,
}

impl LoanStory {
    /// Of the loan with this id, compared as text (1.1).
    pub fn new(loan_id: &str) -> Self {
        Self {
            sought: NameMatcher::new(loan_id),
            loan_id: loan_id.into(),
            run_id: None,
            status: RunStatus::Pending,
            input: None,
            ledgers: HashMap::new(),
            candidates: Vec::new(),
            rejections: Vec::new(),
            steps: Vec::new(),
            pinned: None,
            kickout: None,
            blocks: Vec::new(),
            postings: Vec::new(),
            synthetic: None,
            cash: None,
            allocation_over: false,
        }
    }

    /// Takes the next event of the run.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        self.run_id = Some(recorded.run_id);
        self.status = self.status.max(RunStatus::reached_with(recorded.event));
        let version = recorded.stream_version;
        match recorded.event {
            RunEvent::RunRequested(requested) => self.input = Some((&**requested).into()),
            RunEvent::TradeAssessed(trade) => {
                self.ledgers.insert(trade.trade_id.clone(), Ledger::new(trade));
            }
            RunEvent::LoanPinned(pinned) => self.pin(pinned),
            RunEvent::CandidateScored(candidate) => self.note_candidate(candidate),
            RunEvent::CandidatesRejected(rejected) => {
                if self.is_about(&rejected.loan_id) {
                    self.rejections.clone_from(&rejected.rejections);
                }
            }
            RunEvent::LoanAllocated(placed) => self.allocate(version, placed),
            RunEvent::LoanMoved(moved) => self.shift(version, moved),
            RunEvent::LoanReleased(released) => self.release(version, released),
            RunEvent::ConstraintBlockEvaluated(block) => {
                self.allocation_over = true;
                if self.followed(&block.trade_id).is_some() {
                    self.blocks.push((**block).clone());
                }
            }
            RunEvent::TradeFillEvaluated(_) => self.allocation_over = true,
            RunEvent::LoanKickedOut(kickout) => {
                self.allocation_over = true;
                if self.is_about(&kickout.loan_id) {
                    self.kickout = Some((**kickout).clone());
                }
            }
            RunEvent::PoolActionDerived(posting) => {
                if self.is_about(&posting.loan_id) {
                    self.postings.push((**posting).clone());
                }
            }
            RunEvent::SyntheticOptionsRanked(ranked) => {
                if self.is_about(&ranked.loan_id) {
                    self.synthetic = Some(SyntheticStory::of(ranked));
                }
            }
            RunEvent::CashMarketMapped(mapped) => {
                if self.is_about(&mapped.loan_id) {
                    self.cash = Some(mapped.option.clone());
                }
            }
            ignored!(
                RunStarted PreflightCompleted CashGrids ConstraintMatched PassCompleted
                SyntheticTradePriced Verification End
            ) => {}
        }
    }

    fn is_about(&mut self, loan_id: &LoanId) -> bool {
        let is = self.sought.is(loan_id.as_str());
        if is {
            self.loan_id = loan_id.clone();
        }
        is
    }

    fn followed(&mut self, trade_id: &TradeId) -> Option<&mut Ledger> {
        self.ledgers.get_mut(trade_id).filter(|ledger| ledger.followed)
    }

    fn pin(&mut self, pinned: &LoanPinned) {
        if let Some(ledger) =
            pinned.trade_id.as_ref().and_then(|trade_id| self.ledgers.get_mut(trade_id))
        {
            ledger.pin(pinned);
        }
        if self.is_about(&pinned.loan_id) {
            self.pinned = Some(pinned.clone());
        }
    }

    fn note_candidate(&mut self, candidate: &CandidateScored) {
        if self.is_about(&candidate.loan_id) {
            if let Some(ledger) = self.ledgers.get_mut(&candidate.trade_id) {
                ledger.followed = true;
            }
            self.candidates.push(candidate.clone());
        }
    }

    fn allocate(&mut self, version: u64, placed: &LoanAllocated) {
        if let Some(ledger) = self.followed(&placed.trade_id) {
            ledger.allocate(version, placed);
        }
        if self.is_about(&placed.loan_id) {
            self.steps.push((version, LoanStep::Allocated(placed.clone())));
        }
    }

    fn shift(&mut self, version: u64, moved: &LoanMoved) {
        if let Some(ledger) = self.followed(&moved.from_trade_id) {
            ledger.move_out(version, moved);
        }
        if let Some(ledger) = self.followed(&moved.to_trade_id) {
            ledger.move_in(version, moved);
        }
        if self.is_about(&moved.loan_id) {
            self.steps.push((version, LoanStep::Moved(moved.clone())));
        }
    }

    fn release(&mut self, version: u64, released: &LoanReleased) {
        if let Some(ledger) = self.followed(&released.trade_id) {
            ledger.release(version, released);
        }
        if self.is_about(&released.loan_id) {
            self.steps.push((version, LoanStep::Released(released.clone())));
        }
    }

    /// The story, from the events so far.
    pub fn finish(self) -> LoanExplanation {
        let loan_amount = self.loan_amount();
        let present_trade_id = self.present_trade_id();
        let court = VerdictInput {
            options: self.input.as_ref().map(|input| &input.options),
            loan_id: &self.loan_id,
            loan_amount,
            present_trade_id: present_trade_id.as_ref(),
            steps: &self.steps,
            candidates: &self.candidates,
            blocks: &self.blocks,
            ledgers: &self.ledgers,
            allocation_over: self.allocation_over,
        };
        let story = |candidate: &CandidateScored| CandidateStory {
            turn: candidate.turn,
            candidate_rank: candidate.candidate_rank,
            node: Arc::clone(&candidate.node),
            trade_id: candidate.trade_id.clone(),
            settlement_date: self
                .ledgers
                .get(&candidate.trade_id)
                .and_then(|ledger| ledger.trade.settlement_date),
            pricing: candidate.pricing,
            verdict: court.judge(candidate),
            at_end: self.at_end(candidate),
        };
        LoanExplanation {
            candidates: self.candidates.iter().map(story).collect(),
            outcome: self.outcome(),
            pool_name: self.pool_name(),
            run_id: self.run_id,
            status: self.status,
            input: self.input,
            loan_amount,
            present_trade_id,
            rejections: self.rejections,
            steps: self.steps.into_iter().map(|(_, step)| step).collect(),
            postings: self.postings,
            synthetic: self.synthetic,
            cash: self.cash,
            loan_id: self.loan_id,
        }
    }

    fn loan_amount(&self) -> Option<Money> {
        let of_step = |(_, step): &(u64, LoanStep)| match step {
            LoanStep::Allocated(placed) => placed.loan_amount,
            LoanStep::Moved(moved) => moved.loan_amount,
            LoanStep::Released(released) => released.loan_amount,
        };
        let of_kickout = || self.kickout.as_ref().map(|kickout| kickout.loan_amount);
        let of_pinned = || self.pinned.as_ref().map(|pinned| pinned.loan_amount);
        self.steps.first().map(of_step).or_else(of_kickout).or_else(of_pinned)
    }

    fn first_placement(&self) -> Option<&LoanAllocated> {
        self.steps.iter().find_map(|(_, step)| match step {
            LoanStep::Allocated(placed) => Some(placed),
            LoanStep::Moved(_) | LoanStep::Released(_) => None,
        })
    }

    fn pool_name(&self) -> Option<PoolName> {
        let of_placement = self.first_placement().and_then(|placed| placed.prior_pool_name.clone());
        let of_kickout = || self.kickout.as_ref().and_then(|kickout| kickout.pool_name.clone());
        let of_pinned = || self.pinned.as_ref().map(|pinned| pinned.pool_name.clone());
        of_placement.or_else(of_kickout).or_else(of_pinned)
    }

    /// A kicked-out loan's only trace of it is the trade that it leaves (2.10).
    fn present_trade_id(&self) -> Option<TradeId> {
        let of_placement = self.first_placement().and_then(|placed| placed.prior_trade_id.clone());
        let of_pinned = || self.pinned.as_ref().and_then(|pinned| pinned.trade_id.clone());
        let of_leaving = || {
            let leaving = |posting: &&PoolActionDerived| posting.pool_action == PoolAction::Leaving;
            self.postings.iter().find(leaving).and_then(|posting| posting.trade_id.clone())
        };
        of_placement.or_else(of_pinned).or_else(of_leaving)
    }

    fn outcome(&self) -> LoanOutcome {
        if let Some(pinned) = &self.pinned {
            return LoanOutcome::Pinned(pinned.clone());
        }
        if let Some(kickout) = &self.kickout {
            return LoanOutcome::KickedOut(kickout.clone());
        }
        match self.steps.last() {
            Some((_, LoanStep::Allocated(placed))) => LoanOutcome::Allocated(placed.into()),
            Some((_, LoanStep::Moved(moved))) => LoanOutcome::Allocated(moved.into()),
            Some((_, LoanStep::Released(_))) => LoanOutcome::Undecided,
            None if self.candidates.is_empty() && self.rejections.is_empty() => LoanOutcome::NoPart,
            None => LoanOutcome::Undecided,
        }
    }

    fn at_end(&self, candidate: &CandidateScored) -> Option<FinalFill> {
        let loan_amount = self.kickout.as_ref()?.loan_amount;
        let ledger = self.ledgers.get(&candidate.trade_id)?;
        let max_amount = ledger.trade.band?.max_amount;
        let Fill { filled_amount, loans } = ledger.at_end();
        let with_loan = filled_amount + loan_amount;
        let excess_amount = (with_loan > max_amount).then(|| with_loan - max_amount);
        Some(FinalFill {
            filled_amount,
            room_amount: (max_amount - filled_amount).max(Money::ZERO),
            filled_by: if excess_amount.is_none() { loans } else { Vec::new() },
            excess_amount,
            full_limits: full_limits(&self.blocks, &candidate.trade_id, loan_amount),
        })
    }
}
