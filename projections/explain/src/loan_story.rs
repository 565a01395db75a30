//! Collects the story of a loan from a run's events (specification 3.4).

use std::sync::Arc;

use powerfill_events::ignored;
use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, LoanAllocated, LoanKickedOut, LoanPinned,
    PoolAction, PoolActionDerived, Rejection, SyntheticOption,
};
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::{LoanId, Money, PoolName, TradeId};
use powerfill_tables::status::RunStatus;

use super::ledger::{Fill, Ledgers};
use super::limit::FullLimits;
use super::loan::{
    CandidateStory, FinalFill, LoanExplanation, LoanOutcome, RunInput, SyntheticStory,
};
use super::name_matcher::NameMatcher;
use super::step::{LoanStep, RecordedStep};
use super::verdict::VerdictInput;

/// Collects the story of one loan from a run's events, in their order.
#[derive(Debug)]
pub struct LoanStory {
    name: NameMatcher,
    pub(super) loan_id: LoanId,
    run_id: Option<RunId>,
    status: RunStatus,
    input: Option<RunInput>,
    ledgers: Ledgers,
    pub(super) candidates: Vec<CandidateScored>,
    pub(super) rejections: Vec<Rejection>,
    pub(super) steps: Vec<RecordedStep>,
    pinned: Option<LoanPinned>,
    kickout: Option<LoanKickedOut>,
    blocks: Vec<ConstraintBlockEvaluated>,
    postings: Vec<PoolActionDerived>,
    synthetic: Option<SyntheticStory>,
    cash: Option<SyntheticOption>,
    allocation_over: bool,
}

impl LoanStory {
    /// The story of the loan with this id, which is compared as text (1.1), before the first event.
    pub fn new(loan_id: &str) -> Self {
        Self {
            name: NameMatcher::new(loan_id),
            loan_id: loan_id.into(),
            run_id: None,
            status: RunStatus::Pending,
            input: None,
            ledgers: Ledgers::default(),
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

    /// Applies the next event of the run.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        self.run_id = Some(recorded.run_id);
        self.status = self.status.max(RunStatus::reached_with(recorded.event));
        self.ledgers.apply(recorded);
        match recorded.event {
            RunEvent::RunRequested(requested) => self.input = Some((&**requested).into()),
            RunEvent::TradeAssessed(trade) => self.ledgers.open(trade, false),
            RunEvent::LoanPinned(pinned) => {
                if self.is_about(&pinned.loan_id) {
                    self.pinned = Some((**pinned).clone());
                }
            }
            RunEvent::CandidateScored(candidate) => {
                if self.is_about(&candidate.loan_id) {
                    self.ledgers.follow(&candidate.trade_id);
                    self.candidates.push(candidate.clone());
                }
            }
            RunEvent::CandidatesRejected(rejected) => {
                if self.is_about(&rejected.loan_id) {
                    self.rejections.clone_from(&rejected.rejections);
                }
            }
            RunEvent::LoanAllocated(placed) => self.add_step(recorded, &placed.loan_id),
            RunEvent::LoanMoved(moved) => self.add_step(recorded, &moved.loan_id),
            RunEvent::LoanReleased(released) => self.add_step(recorded, &released.loan_id),
            RunEvent::ConstraintBlockEvaluated(block) => {
                self.allocation_over = true;
                if self.ledgers.is_followed(&block.trade_id) {
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
                    self.synthetic = Some(SyntheticStory::new(ranked));
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

    /// Whether an event is about the loan. It then gives the loan the spelling of its table.
    fn is_about(&mut self, loan_id: &LoanId) -> bool {
        let matches = self.name.matches(loan_id.as_str());
        if matches {
            self.loan_id = loan_id.clone();
        }
        matches
    }

    fn add_step(&mut self, recorded: &RecordedEvent<'_>, loan_id: &LoanId) {
        if self.is_about(loan_id) {
            let version = recorded.stream_version;
            let step = LoanStep::from_event(recorded.event);
            self.steps.extend(step.map(|step| RecordedStep { version, step }));
        }
    }

    /// The explanation from the events so far.
    pub fn finish(self) -> LoanExplanation {
        let loan_amount = self.loan_amount();
        let present_trade_id = self.present_trade_id();
        let input = VerdictInput {
            input: self.input.as_ref(),
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
            verdict: input.verdict(candidate),
            at_end: self.final_fill(candidate),
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
            steps: self.steps.into_iter().map(|recorded| recorded.step).collect(),
            postings: self.postings,
            synthetic: self.synthetic,
            cash: self.cash,
            loan_id: self.loan_id,
        }
    }

    pub(super) fn loan_amount(&self) -> Option<Money> {
        let of_step = self.steps.first().map(|recorded| recorded.step.loan_amount());
        let of_kickout = || self.kickout.as_ref().map(|kickout| kickout.loan_amount);
        let of_pinned = || self.pinned.as_ref().map(|pinned| pinned.loan_amount);
        of_step.or_else(of_kickout).or_else(of_pinned)
    }

    fn first_placement(&self) -> Option<&LoanAllocated> {
        self.steps.iter().find_map(|recorded| recorded.step.allocated())
    }

    fn pool_name(&self) -> Option<PoolName> {
        let of_placement = self.first_placement().and_then(|placed| placed.prior_pool_name.clone());
        let of_kickout = || self.kickout.as_ref().and_then(|kickout| kickout.pool_name.clone());
        let of_pinned = || self.pinned.as_ref().map(|pinned| pinned.pool_name.clone());
        of_placement.or_else(of_kickout).or_else(of_pinned)
    }

    /// The trade that the loan's pool is designated to. For a kicked-out loan, only the posting
    /// `Leaving` names that trade (2.10).
    pub(super) fn present_trade_id(&self) -> Option<TradeId> {
        let of_placement = self.first_placement().and_then(|placed| placed.prior_trade_id.clone());
        let of_pinned = || self.pinned.as_ref().and_then(|pinned| pinned.trade_id.clone());
        let of_leaving = || {
            let leaving = |posting: &&PoolActionDerived| posting.pool_action == PoolAction::Leaving;
            self.postings.iter().find(leaving).and_then(|posting| posting.trade_id.clone())
        };
        of_placement.or_else(of_pinned).or_else(of_leaving)
    }

    pub(super) fn outcome(&self) -> LoanOutcome {
        if let Some(pinned) = &self.pinned {
            return LoanOutcome::Pinned(pinned.clone());
        }
        if let Some(kickout) = &self.kickout {
            return LoanOutcome::KickedOut(kickout.clone());
        }
        match self.steps.last().map(|recorded| &recorded.step) {
            Some(LoanStep::Allocated(placed)) => LoanOutcome::Allocated(placed.into()),
            Some(LoanStep::Moved(moved)) => LoanOutcome::Allocated(moved.into()),
            Some(LoanStep::Released(_)) => LoanOutcome::Undecided,
            None if self.candidates.is_empty() && self.rejections.is_empty() => LoanOutcome::NoPart,
            None => LoanOutcome::Undecided,
        }
    }

    fn final_fill(&self, candidate: &CandidateScored) -> Option<FinalFill> {
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
            full_limits: FullLimits::possible(&self.blocks, &candidate.trade_id, loan_amount),
        })
    }
}
