//! Collects the story of a trade from a run's events (specification 3.4).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use powerfill_events::ignored;
use powerfill_events::run::event::{
    CandidateScored, FillStatus, LoanAllocated, LoanMoved, LoanReleased,
};
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::{LoanId, Money};
use powerfill_tables::status::RunStatus;

use super::name_matcher::NameMatcher;
use super::trade::{
    AbsentCandidate, LoanPlace, Shortage, TradeChange, TradeEntry, TradeExplanation,
};
use super::trade_history::TradeHistory;
use super::verdict::CandidateVerdict;

/// Collects the story of one trade from a run's events, in their order.
#[derive(Debug)]
pub struct TradeStory {
    name: NameMatcher,
    explanation: TradeExplanation,
    /// Every candidate of the trade; `finish` keeps the absent ones.
    candidates: Vec<AbsentCandidate>,
    /// Positions in `candidates`.
    positions: HashMap<LoanId, usize>,
    history: TradeHistory,
}

impl TradeStory {
    /// The story of the trade with this id, which is compared as text (1.1), before the first
    /// event.
    pub fn new(trade_id: &str) -> Self {
        Self {
            name: NameMatcher::new(trade_id),
            explanation: TradeExplanation {
                run_id: None,
                status: RunStatus::Pending,
                input: None,
                trade_id: trade_id.into(),
                trade: None,
                pinned: Vec::new(),
                entries: Vec::new(),
                candidates: 0,
                turned_away: Vec::new(),
                rejected: BTreeMap::new(),
                limits: Vec::new(),
                fill: None,
                shortage: None,
            },
            candidates: Vec::new(),
            positions: HashMap::new(),
            history: TradeHistory::default(),
        }
    }

    /// Applies the next event of the run.
    pub fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        let explanation = &mut self.explanation;
        explanation.run_id = Some(recorded.run_id);
        explanation.status = explanation.status.max(RunStatus::reached_with(recorded.event));
        match recorded.event {
            RunEvent::TradeAssessed(trade) => {
                if self.name.matches(trade.trade_id.as_str()) {
                    explanation.trade_id = trade.trade_id.clone();
                    explanation.trade = Some((**trade).clone());
                }
            }
            RunEvent::LoanPinned(pinned) => {
                if pinned.trade_id.as_ref() == Some(&explanation.trade_id) {
                    explanation.pinned.push((**pinned).clone());
                }
            }
            RunEvent::CandidateScored(candidate) => self.add_candidate(candidate),
            RunEvent::CandidatesRejected(rejected) => {
                let here = rejected.rejections.iter();
                for pair in here.filter(|pair| pair.trade_id == explanation.trade_id) {
                    *explanation.rejected.entry(pair.reason).or_default() += 1;
                }
            }
            RunEvent::LoanAllocated(placed) => self.allocate(placed),
            RunEvent::LoanMoved(moved) => self.move_loan(moved),
            RunEvent::LoanReleased(released) => self.release(released),
            RunEvent::ConstraintBlockEvaluated(block) => {
                if block.trade_id == explanation.trade_id {
                    explanation.limits.push((**block).clone());
                }
            }
            RunEvent::TradeFillEvaluated(fill) => {
                if fill.trade_id == explanation.trade_id {
                    explanation.fill = Some((**fill).clone());
                }
            }
            RunEvent::LoanKickedOut(kickout) => {
                let place = LoanPlace::KickedOut { reason: kickout.reason };
                self.set_place(&kickout.loan_id, kickout.loan_amount, place);
            }
            ignored!(
                Opening CashGrids ConstraintMatched PassCompleted PoolActionDerived Synthetic
                Verification End
            ) => {}
        }
        self.history.apply(recorded, &self.explanation.trade_id);
    }

    /// The explanation from the events so far.
    pub fn finish(self) -> TradeExplanation {
        let Self { mut explanation, mut candidates, history, .. } = self;
        explanation.candidates = candidates.len() as u64;
        candidates.retain(|candidate| match &candidate.place {
            LoanPlace::Trade { trade_id, .. } => *trade_id != explanation.trade_id,
            LoanPlace::KickedOut { .. } | LoanPlace::Unplaced => true,
        });
        for absent in &mut candidates {
            absent.verdict = history.verdict(absent, &explanation);
        }
        explanation.turned_away = candidates;
        explanation.input = history.into_input();
        explanation.shortage = explanation
            .fill
            .as_ref()
            .filter(|fill| fill.fill_status == FillStatus::Under)
            .map(|fill| Shortage::new(fill.shortfall_amount, &explanation.turned_away));
        explanation
    }

    fn add_candidate(&mut self, candidate: &CandidateScored) {
        if candidate.trade_id == self.explanation.trade_id {
            self.positions.insert(candidate.loan_id.clone(), self.candidates.len());
            self.candidates.push(AbsentCandidate {
                loan_id: candidate.loan_id.clone(),
                turn: candidate.turn,
                candidate_rank: candidate.candidate_rank,
                node: Arc::clone(&candidate.node),
                score: candidate.pricing.score,
                loan_amount: None,
                verdict: CandidateVerdict::NotReached,
                place: LoanPlace::Unplaced,
            });
        }
    }

    fn set_place(&mut self, loan_id: &LoanId, loan_amount: Money, place: LoanPlace) {
        if let Some(at) = self.positions.get(loan_id) {
            let candidate = &mut self.candidates[*at];
            candidate.loan_amount = Some(loan_amount);
            candidate.place = place;
        }
    }

    fn allocate(&mut self, placed: &LoanAllocated) {
        let (trade_id, pass, score) = (placed.trade_id.clone(), placed.pass, placed.pricing.score);
        if trade_id == self.explanation.trade_id {
            let allocation_seq = placed.allocation_seq;
            self.explanation.entries.push(TradeEntry {
                loan_id: placed.loan_id.clone(),
                loan_amount: placed.loan_amount,
                change: TradeChange::Placed { allocation_seq, score },
                turn: placed.turn,
                pass,
                filled_after: placed.filled_after,
            });
        }
        let place = LoanPlace::Trade { trade_id, pass, score };
        self.set_place(&placed.loan_id, placed.loan_amount, place);
    }

    fn move_loan(&mut self, moved: &LoanMoved) {
        let score = moved.pricing.score;
        let entry = |change, filled_after| TradeEntry {
            loan_id: moved.loan_id.clone(),
            loan_amount: moved.loan_amount,
            change,
            turn: moved.turn,
            pass: moved.pass,
            filled_after,
        };
        let made_room_for = moved.made_room_for.clone();
        if moved.from_trade_id == self.explanation.trade_id {
            let to_trade_id = moved.to_trade_id.clone();
            let change = TradeChange::MovedOut { to_trade_id, made_room_for };
            self.explanation.entries.push(entry(change, moved.from_filled_after));
        } else if moved.to_trade_id == self.explanation.trade_id {
            let (allocation_seq, from_trade_id) =
                (moved.allocation_seq, moved.from_trade_id.clone());
            let change =
                TradeChange::MovedIn { allocation_seq, score, from_trade_id, made_room_for };
            self.explanation.entries.push(entry(change, moved.filled_after));
        }
        let (trade_id, pass) = (moved.to_trade_id.clone(), moved.pass);
        let place = LoanPlace::Trade { trade_id, pass, score };
        self.set_place(&moved.loan_id, moved.loan_amount, place);
    }

    fn release(&mut self, released: &LoanReleased) {
        if released.trade_id == self.explanation.trade_id {
            self.explanation.entries.push(TradeEntry {
                loan_id: released.loan_id.clone(),
                loan_amount: released.loan_amount,
                change: TradeChange::TakenOut { exchanged_for: released.exchanged_for.clone() },
                turn: released.turn,
                pass: released.pass,
                filled_after: released.filled_after,
            });
        }
        self.set_place(&released.loan_id, released.loan_amount, LoanPlace::Unplaced);
    }
}
