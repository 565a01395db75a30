//! Why a candidate of a trade is not in the trade at the end (specification 3.4): from the place of
//! the loan, and the fill of the trade, when best_fit reached the candidate.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use powerfill_events::ignored;
use powerfill_events::run::event::{Pass, PoolAction, TradeAssessed};
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::{Day, LoanId, Price, TradeId, fold};

use super::ledger::{Ledgers, Moment, candidate_order};
use super::loan::RunInput;
use super::step::{LoanStep, RecordedStep, Stay, stays};
use super::trade::{AbsentCandidate, TradeExplanation};
use super::verdict::{CandidateVerdict, not_adopted, verdict_of_fill};

/// What the verdicts on a trade's candidates follow from.
#[derive(Debug, Default)]
pub(super) struct TradeHistory {
    input: Option<RunInput>,
    /// The ledger of the trade alone.
    ledgers: Ledgers,
    /// The steps of each candidate.
    steps: HashMap<LoanId, Vec<RecordedStep>>,
    /// Loans whose present pool is designated to the trade, as far as events say so.
    at_home: HashSet<LoanId>,
    /// Whether best_fit of every turn is over.
    allocation_over: bool,
}

impl TradeHistory {
    /// Applies the next event of the run, after the story of the trade did.
    pub(super) fn apply(&mut self, recorded: &RecordedEvent<'_>, trade_id: &TradeId) {
        self.ledgers.apply(recorded);
        match recorded.event {
            RunEvent::RunRequested(requested) => self.input = Some((&**requested).into()),
            RunEvent::TradeAssessed(trade) if trade.trade_id == *trade_id => {
                self.ledgers.open(trade, true);
            }
            RunEvent::CandidateScored(candidate) if candidate.trade_id == *trade_id => {
                self.steps.insert(candidate.loan_id.clone(), Vec::new());
            }
            RunEvent::LoanAllocated(placed) => {
                if placed.prior_trade_id.as_ref() == Some(trade_id) {
                    self.at_home.insert(placed.loan_id.clone());
                }
                self.add_step(recorded, &placed.loan_id);
            }
            RunEvent::LoanMoved(moved) => self.add_step(recorded, &moved.loan_id),
            RunEvent::LoanReleased(released) => self.add_step(recorded, &released.loan_id),
            RunEvent::ConstraintBlockEvaluated(_)
            | RunEvent::TradeFillEvaluated(_)
            | RunEvent::LoanKickedOut(_) => self.allocation_over = true,
            RunEvent::PoolActionDerived(posting) => {
                let leaves = posting.pool_action == PoolAction::Leaving;
                if leaves && posting.trade_id.as_ref() == Some(trade_id) {
                    self.at_home.insert(posting.loan_id.clone());
                }
            }
            ignored!(
                RunStarted PreflightCompleted Positions CashGrids Candidates PassCompleted
                Synthetic Verification End
            ) => {}
        }
    }

    fn add_step(&mut self, recorded: &RecordedEvent<'_>, loan_id: &LoanId) {
        if let Some(steps) = self.steps.get_mut(loan_id) {
            let version = recorded.stream_version;
            let step = LoanStep::from_event(recorded.event);
            steps.extend(step.map(|step| RecordedStep { version, step }));
        }
    }

    pub(super) fn into_input(self) -> Option<RunInput> {
        self.input
    }

    /// The verdict on a candidate that is not in the trade at the end.
    pub(super) fn verdict(
        &self,
        absent: &AbsentCandidate,
        explanation: &TradeExplanation,
    ) -> CandidateVerdict {
        let (Some(ledger), Some(loan_amount), Some(input)) =
            (self.ledgers.get(&explanation.trade_id), absent.loan_amount, &self.input)
        else {
            return CandidateVerdict::NotReached;
        };
        let steps = self.steps.get(&absent.loan_id).map_or(&[][..], Vec::as_slice);
        let stays = stays(steps);
        if let Some(stay) = stays.iter().rfind(|stay| *stay.trade_id == explanation.trade_id) {
            return CandidateVerdict::GivenUp { allocation_seq: stay.allocation_seq };
        }
        if input.challenge.is_some() {
            return not_adopted(&stays, self.allocation_over);
        }
        let threshold = input.options.switch_threshold;
        let visit = Moment::new(absent.turn, Pass::BestFit);
        let was_placed = |stay: &&Stay<'_>| {
            stay.covers(visit, || self.outranks(stay, steps, absent, &ledger.trade, threshold))
        };
        if let Some(stay) = stays.iter().find(was_placed) {
            return CandidateVerdict::PlacedBefore {
                trade_id: stay.trade_id.clone(),
                pass: stay.pass,
            };
        }
        if stays.is_empty() && !self.allocation_over {
            return CandidateVerdict::NotReached;
        }
        let is_home = self.at_home.contains(&absent.loan_id);
        let order = candidate_order(absent.score, is_home, threshold, loan_amount, &absent.loan_id);
        let fill = ledger.at_best_fit(absent.turn, &order, threshold);
        let mut verdict = verdict_of_fill(fill, ledger, loan_amount, &explanation.limits);
        // The trade's entries say which loans were there. Only the limits need them once more.
        if let CandidateVerdict::NoRoom { filled_by, .. }
        | CandidateVerdict::AtOpenAmount { filled_by, .. } = &mut verdict
        {
            filled_by.clear();
        }
        verdict
    }

    /// Whether best_fit reached the candidate that it placed the loan by before it reached the
    /// candidate for this trade: lines 1, 2, 3, and 6 of 2.6, because the loan is the same.
    fn outranks(
        &self,
        stay: &Stay<'_>,
        steps: &[RecordedStep],
        absent: &AbsentCandidate,
        trade: &TradeAssessed,
        threshold: Price,
    ) -> bool {
        let mut placements = steps.iter().filter_map(|recorded| recorded.step.allocated());
        let placed = placements.find(|placed| placed.allocation_seq == stay.allocation_seq);
        let is_home = self.at_home.contains(&absent.loan_id);
        let here = rank(absent.score, is_home, threshold, trade.settlement_date, &trade.trade_id);
        placed.is_some_and(|placed| {
            let is_home = placed.prior_trade_id.as_ref() == Some(&placed.trade_id);
            let (score, settles_on) = (placed.pricing.score, Some(placed.settlement_date));
            rank(score, is_home, threshold, settles_on, &placed.trade_id) < here
        })
    }
}

type Rank = (Reverse<Price>, bool, Option<Day>, String);

fn rank(
    score: Price,
    is_home: bool,
    threshold: Price,
    settles_on: Option<Day>,
    trade_id: &TradeId,
) -> Rank {
    let ranked_by = if is_home { score + threshold } else { score };
    (Reverse(ranked_by), !is_home, settles_on, fold(trade_id.as_str()))
}
