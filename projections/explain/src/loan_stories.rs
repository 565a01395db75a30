//! The stories of many loans in one pass over a run's events (specification 3.4 `diff`). The loans
//! share the ledgers of the trades; each story keeps the events of its loan alone.

use std::collections::HashMap;
use std::sync::Arc;

use powerfill_events::ignored;
use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, ExclusionReason, Node, RejectionReason,
};
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::{LoanId, TradeId, fold};

use super::ledger::Ledgers;
use super::loan::{LoanOutcome, RunInput};
use super::loan_story::LoanStory;
use super::step::LoanStep;
use super::verdict::{CandidateVerdict, VerdictInput};

/// Collects the stories of many loans from a run's events, in their order.
#[derive(Debug, Default)]
pub struct LoanStories {
    /// By folded id. They get no assessed trades, so their own ledgers stay empty.
    stories: HashMap<String, LoanStory>,
    input: Option<RunInput>,
    ledgers: Ledgers,
    /// The trades by folded id.
    trades: HashMap<String, TradeId>,
    blocks: HashMap<TradeId, Vec<ConstraintBlockEvaluated>>,
    allocation_over: bool,
}

/// The relation of a loan to a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TradeRelation {
    /// The loan is a candidate for the trade.
    Candidate {
        /// The turn of the candidate.
        turn: u32,
        /// Its rank in the turn.
        candidate_rank: u32,
        /// The first node in walk order that the loan matches there.
        node: Arc<Node>,
        /// What became of it.
        verdict: CandidateVerdict,
    },
    /// The pair is no candidate.
    Rejected(RejectionReason),
    /// The trade is not in the run.
    Excluded(ExclusionReason),
    /// The run has no such trade.
    NoSuchTrade,
    /// The loan matches no constraint of the trade's instrument.
    NoMatch,
    /// The loan takes no part: it is pinned or out of scope.
    NoPart,
}

impl LoanStories {
    /// The stories of the loans with these ids, which are compared as text (1.1), before the first
    /// event.
    pub fn new<'n>(loan_ids: impl IntoIterator<Item = &'n str>) -> Self {
        let stories = loan_ids.into_iter().map(|id| (fold(id), LoanStory::new(id)));
        Self { stories: stories.collect(), ..Self::default() }
    }

    /// Applies the next event of the run.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        self.ledgers.apply(recorded);
        let loan_id = match recorded.event {
            RunEvent::RunRequested(requested) => {
                self.input = Some((&**requested).into());
                return;
            }
            RunEvent::TradeAssessed(trade) => {
                self.ledgers.open(trade, true);
                self.trades.insert(fold(trade.trade_id.as_str()), trade.trade_id.clone());
                return;
            }
            RunEvent::ConstraintBlockEvaluated(block) => {
                self.allocation_over = true;
                self.blocks.entry(block.trade_id.clone()).or_default().push((**block).clone());
                return;
            }
            RunEvent::TradeFillEvaluated(_) => {
                self.allocation_over = true;
                return;
            }
            RunEvent::LoanKickedOut(kickout) => {
                self.allocation_over = true;
                &kickout.loan_id
            }
            RunEvent::LoanPinned(pinned) => &pinned.loan_id,
            RunEvent::CandidateScored(candidate) => &candidate.loan_id,
            RunEvent::CandidatesRejected(rejected) => &rejected.loan_id,
            RunEvent::LoanAllocated(placed) => &placed.loan_id,
            RunEvent::LoanMoved(moved) => &moved.loan_id,
            RunEvent::LoanReleased(released) => &released.loan_id,
            RunEvent::PoolActionDerived(posting) => &posting.loan_id,
            ignored!(
                RunStarted PreflightCompleted CashGrids ConstraintMatched PassCompleted Synthetic
                Verification End
            ) => return,
        };
        if let Some(story) = find_mut(&mut self.stories, loan_id) {
            story.apply(recorded);
        }
    }

    /// The place of a loan at the end; `None` for a loan that has no story here.
    pub fn outcome(&self, loan_id: &str) -> Option<LoanOutcome> {
        self.stories.get(&fold(loan_id)).map(LoanStory::outcome)
    }

    /// The placements, moves, and releases of a loan, in their order.
    pub fn steps(&self, loan_id: &str) -> impl Iterator<Item = &LoanStep> {
        let story = self.stories.get(&fold(loan_id));
        story.into_iter().flat_map(|story| story.steps.iter().map(|recorded| &recorded.step))
    }

    /// The relation of a loan to a trade; `None` for a loan that has no story here.
    pub fn relation(&self, loan_id: &str, trade_id: &str) -> Option<TradeRelation> {
        let story = self.stories.get(&fold(loan_id))?;
        let Some(trade_id) = self.trades.get(&fold(trade_id)) else {
            return Some(TradeRelation::NoSuchTrade);
        };
        if let Some(candidate) = story.candidates.iter().find(|pair| pair.trade_id == *trade_id) {
            return Some(TradeRelation::Candidate {
                turn: candidate.turn,
                candidate_rank: candidate.candidate_rank,
                node: Arc::clone(&candidate.node),
                verdict: self.verdict(story, candidate),
            });
        }
        if let Some(rejection) = story.rejections.iter().find(|pair| pair.trade_id == *trade_id) {
            return Some(TradeRelation::Rejected(rejection.reason));
        }
        let excluded = self.ledgers.get(trade_id).and_then(|ledger| ledger.trade.exclusion_reason);
        Some(match (excluded, story.outcome()) {
            (Some(reason), _) => TradeRelation::Excluded(reason),
            (None, LoanOutcome::Pinned(_) | LoanOutcome::NoPart) => TradeRelation::NoPart,
            (None, _) => TradeRelation::NoMatch,
        })
    }

    fn verdict(&self, story: &LoanStory, candidate: &CandidateScored) -> CandidateVerdict {
        let present_trade_id = story.present_trade_id();
        let blocks = self.blocks.get(&candidate.trade_id).map_or(&[][..], Vec::as_slice);
        let input = VerdictInput {
            input: self.input.as_ref(),
            loan_id: &story.loan_id,
            loan_amount: story.loan_amount(),
            present_trade_id: present_trade_id.as_ref(),
            steps: &story.steps,
            candidates: &story.candidates,
            blocks,
            ledgers: &self.ledgers,
            allocation_over: self.allocation_over,
        };
        input.verdict(candidate)
    }
}

/// The story of a loan. Most ids equal their folded form, so most look-ups do not allocate.
fn find_mut<'s>(
    stories: &'s mut HashMap<String, LoanStory>,
    loan_id: &LoanId,
) -> Option<&'s mut LoanStory> {
    let id = loan_id.as_str();
    if id.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase()) {
        stories.get_mut(id)
    } else {
        stories.get_mut(&fold(id))
    }
}
