//! The stories of many loans in one pass over a run's events (specification 3.4 `diff`): how full
//! the trades were is kept once for all of them, and a loan's own events are kept for the loans
//! that are asked about.

use std::collections::HashMap;

use powerfill_events::ignored;
use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, ExclusionReason, RejectionReason,
};
use powerfill_events::run::options::RunOptions;
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::{LoanId, TradeId, fold};

use super::{LoanOutcome, LoanStep, LoanStory};
use crate::ledger::Ledger;
use crate::verdict::{CandidateVerdict, VerdictInput};

/// Gathers the stories of many loans from a run's events, in their order.
#[derive(Debug, Default)]
pub struct LoanStories {
    /// By folded id. A story here keeps no ledgers of its own.
    stories: HashMap<String, LoanStory>,
    options: Option<RunOptions>,
    ledgers: HashMap<TradeId, Ledger>,
    /// The trades by folded id.
    trades: HashMap<String, TradeId>,
    blocks: HashMap<TradeId, Vec<ConstraintBlockEvaluated>>,
    allocation_over: bool,
}

/// How a loan stands to a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TradeRelation {
    /// It was a candidate for it.
    Candidate {
        /// In this turn.
        turn: u32,
        /// With this rank.
        candidate_rank: u32,
        /// And came to this.
        verdict: CandidateVerdict,
    },
    /// The pair is no candidate.
    Rejected(RejectionReason),
    /// The trade is not in the run.
    Excluded(ExclusionReason),
    /// The run knows no such trade.
    NoSuchTrade,
    /// The loan matches no constraint of the trade's instrument.
    NoMatch,
    /// The loan takes no part, since it stays where it is or is out of scope.
    NoPart,
}

impl LoanStories {
    /// Of the loans with these ids, compared as text (1.1).
    pub fn of<'n>(loan_ids: impl IntoIterator<Item = &'n str>) -> Self {
        let stories = loan_ids.into_iter().map(|id| (fold(id), LoanStory::new(id)));
        Self { stories: stories.collect(), ..Self::default() }
    }

    /// Takes the next event of the run.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        let version = recorded.stream_version;
        let loan_id = match recorded.event {
            RunEvent::RunRequested(requested) => {
                self.options = Some(requested.options.clone());
                return;
            }
            RunEvent::TradeAssessed(trade) => {
                let mut ledger = Ledger::new(trade);
                ledger.followed = true;
                self.ledgers.insert(trade.trade_id.clone(), ledger);
                self.trades.insert(fold(trade.trade_id.as_str()), trade.trade_id.clone());
                return;
            }
            RunEvent::LoanPinned(pinned) => {
                let trade = pinned.trade_id.as_ref();
                if let Some(ledger) = trade.and_then(|trade| self.ledgers.get_mut(trade)) {
                    ledger.pin(pinned);
                }
                &pinned.loan_id
            }
            RunEvent::CandidateScored(candidate) => &candidate.loan_id,
            RunEvent::CandidatesRejected(rejected) => &rejected.loan_id,
            RunEvent::LoanAllocated(placed) => {
                if let Some(ledger) = self.ledgers.get_mut(&placed.trade_id) {
                    ledger.allocate(version, placed);
                }
                &placed.loan_id
            }
            RunEvent::LoanMoved(moved) => {
                if let Some(ledger) = self.ledgers.get_mut(&moved.from_trade_id) {
                    ledger.move_out(version, moved);
                }
                if let Some(ledger) = self.ledgers.get_mut(&moved.to_trade_id) {
                    ledger.move_in(version, moved);
                }
                &moved.loan_id
            }
            RunEvent::LoanReleased(released) => {
                if let Some(ledger) = self.ledgers.get_mut(&released.trade_id) {
                    ledger.release(version, released);
                }
                &released.loan_id
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

    /// What became of a loan; `None` for one that was not asked about.
    pub fn outcome(&self, loan_id: &str) -> Option<LoanOutcome> {
        self.stories.get(&fold(loan_id)).map(LoanStory::outcome)
    }

    /// Its placements, moves and releases, in their order.
    pub fn steps(&self, loan_id: &str) -> impl Iterator<Item = &LoanStep> {
        let story = self.stories.get(&fold(loan_id));
        story.into_iter().flat_map(|story| story.steps.iter().map(|(_, step)| step))
    }

    /// How a loan stands to a trade; `None` for a loan that was not asked about.
    pub fn toward(&self, loan_id: &str, trade_id: &str) -> Option<TradeRelation> {
        let story = self.stories.get(&fold(loan_id))?;
        let Some(trade_id) = self.trades.get(&fold(trade_id)) else {
            return Some(TradeRelation::NoSuchTrade);
        };
        if let Some(candidate) = story.candidates.iter().find(|pair| pair.trade_id == *trade_id) {
            let verdict = self.judge(story, candidate);
            let CandidateScored { turn, candidate_rank, .. } = *candidate;
            return Some(TradeRelation::Candidate { turn, candidate_rank, verdict });
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

    fn judge(&self, story: &LoanStory, candidate: &CandidateScored) -> CandidateVerdict {
        let present_trade_id = story.present_trade_id();
        let blocks = self.blocks.get(&candidate.trade_id).map_or(&[][..], Vec::as_slice);
        let court = VerdictInput {
            options: self.options.as_ref(),
            loan_id: &story.loan_id,
            loan_amount: story.loan_amount(),
            present_trade_id: present_trade_id.as_ref(),
            steps: &story.steps,
            candidates: &story.candidates,
            blocks,
            ledgers: &self.ledgers,
            allocation_over: self.allocation_over,
        };
        court.judge(candidate)
    }
}

/// The story of a loan, if it is asked about. Most ids are folded as they are.
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
