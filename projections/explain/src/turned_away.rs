//! Why a candidate of a trade is not in it: from where the loan was, and how full the trade was,
//! when its turn came.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use powerfill_events::ignored;
use powerfill_events::run::event::{ConstraintBlockEvaluated, LoanAllocated, Pass, PoolAction};
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::{Day, LoanId, Price, TradeId, fold};

use super::ledger::{Ledger, Moment, standing};
use super::loan::{LoanStep, RunInput};
use super::trade::AbsentCandidate;
use super::verdict::{CandidateVerdict, Stay, of_fill, stays};

/// What the verdicts on a trade's candidates are found from.
#[derive(Debug, Default)]
pub(super) struct TradeHistory {
    pub(super) input: Option<RunInput>,
    ledger: Option<Ledger>,
    /// What the passes did with each candidate.
    steps: HashMap<LoanId, Vec<(u64, LoanStep)>>,
    /// Loans whose present pool is designated to the trade, as far as they left a trace.
    at_home: HashSet<LoanId>,
    /// Whether best_fit of every turn is over.
    allocation_over: bool,
}

impl TradeHistory {
    /// Takes the next event of the run, once the story of the trade has.
    pub(super) fn apply(&mut self, recorded: &RecordedEvent<'_>, trade_id: &TradeId) {
        let version = recorded.stream_version;
        match recorded.event {
            RunEvent::RunRequested(requested) => self.input = Some((&**requested).into()),
            RunEvent::TradeAssessed(trade) if trade.trade_id == *trade_id => {
                let mut ledger = Ledger::new(trade);
                ledger.followed = true;
                self.ledger = Some(ledger);
            }
            RunEvent::LoanPinned(pinned) if pinned.trade_id.as_ref() == Some(trade_id) => {
                if let Some(ledger) = &mut self.ledger {
                    ledger.pin(pinned);
                }
            }
            RunEvent::CandidateScored(candidate) if candidate.trade_id == *trade_id => {
                self.steps.insert(candidate.loan_id.clone(), Vec::new());
            }
            RunEvent::LoanAllocated(placed) => {
                if let Some(ledger) = self.ledger_of(&placed.trade_id, trade_id) {
                    ledger.allocate(version, placed);
                }
                if placed.prior_trade_id.as_ref() == Some(trade_id) {
                    self.at_home.insert(placed.loan_id.clone());
                }
                self.step(&placed.loan_id, version, || LoanStep::Allocated((**placed).clone()));
            }
            RunEvent::LoanMoved(moved) => {
                if let Some(ledger) = self.ledger_of(&moved.from_trade_id, trade_id) {
                    ledger.move_out(version, moved);
                }
                if let Some(ledger) = self.ledger_of(&moved.to_trade_id, trade_id) {
                    ledger.move_in(version, moved);
                }
                self.step(&moved.loan_id, version, || LoanStep::Moved((**moved).clone()));
            }
            RunEvent::LoanReleased(released) => {
                if let Some(ledger) = self.ledger_of(&released.trade_id, trade_id) {
                    ledger.release(version, released);
                }
                self.step(&released.loan_id, version, || LoanStep::Released((**released).clone()));
            }
            RunEvent::ConstraintBlockEvaluated(_)
            | RunEvent::TradeFillEvaluated(_)
            | RunEvent::LoanKickedOut(_) => self.allocation_over = true,
            RunEvent::PoolActionDerived(posting) => {
                let leaves = posting.pool_action == PoolAction::Leaving;
                if leaves && posting.trade_id.as_ref() == Some(trade_id) {
                    self.at_home.insert(posting.loan_id.clone());
                }
            }
            RunEvent::TradeAssessed(_)
            | RunEvent::LoanPinned(_)
            | RunEvent::CandidateScored(_)
            | ignored!(
                RunStarted PreflightCompleted CashGrids ConstraintMatched CandidatesRejected PassCompleted
                Synthetic Verification End
            ) => {}
        }
    }

    fn ledger_of(&mut self, of: &TradeId, trade_id: &TradeId) -> Option<&mut Ledger> {
        self.ledger.as_mut().filter(|_| of == trade_id)
    }

    fn step(&mut self, loan_id: &LoanId, version: u64, step: impl FnOnce() -> LoanStep) {
        if let Some(steps) = self.steps.get_mut(loan_id) {
            steps.push((version, step()));
        }
    }

    /// The verdict on a candidate that is not in the trade at the end.
    pub(super) fn judge(
        &self,
        away: &AbsentCandidate,
        limits: &[ConstraintBlockEvaluated],
    ) -> CandidateVerdict {
        let (Some(ledger), Some(loan_amount), Some(input)) =
            (&self.ledger, away.loan_amount, &self.input)
        else {
            return CandidateVerdict::NotReached;
        };
        let steps = self.steps.get(&away.loan_id).map_or(&[][..], Vec::as_slice);
        let stays = stays(steps);
        let here = |stay: &&Stay<'_>| *stay.trade_id == ledger.trade.trade_id;
        if let Some(stay) = stays.iter().rfind(here) {
            return CandidateVerdict::GivenUp { allocation_seq: stay.allocation_seq };
        }
        let threshold = input.options.switch_threshold;
        let visit = Moment::new(away.turn, Pass::BestFit);
        let was_there = |stay: &&Stay<'_>| {
            let came = stay.from < visit
                || (stay.from == visit && self.outranks(stay, steps, away, ledger, threshold));
            came && stay.until.is_none_or(|until| until > visit)
        };
        if let Some(stay) = stays.iter().find(was_there) {
            return CandidateVerdict::PlacedBefore {
                trade_id: stay.trade_id.clone(),
                pass: stay.pass,
            };
        }
        if stays.is_empty() && !self.allocation_over {
            return CandidateVerdict::NotReached;
        }
        let at_home = self.at_home.contains(&away.loan_id);
        let standing = standing(away.score, at_home, threshold, loan_amount, &away.loan_id);
        let fill = ledger.at_best_fit(away.turn, &standing, threshold);
        let mut verdict = of_fill(fill, ledger, loan_amount, limits);
        match &mut verdict {
            // Told by the trade's entries. A limit is asked about them.
            CandidateVerdict::NoRoom { filled_by, .. }
            | CandidateVerdict::AtOpenAmount { filled_by, .. } => {
                filled_by.clear();
            }
            _ => {}
        }
        verdict
    }

    /// Whether best_fit came to the place where it put the loan before it came to the loan's
    /// candidate here: lines 1, 2, 3 and 6 of 2.6 (the loan is the same).
    fn outranks(
        &self,
        stay: &Stay<'_>,
        steps: &[(u64, LoanStep)],
        away: &AbsentCandidate,
        ledger: &Ledger,
        threshold: Price,
    ) -> bool {
        let place = |placed: &LoanAllocated| {
            let stays = placed.prior_trade_id.as_ref() == Some(&placed.trade_id);
            let settles_on = Some(placed.settlement_date);
            rank(placed.pricing.score, stays, threshold, settles_on, &placed.trade_id)
        };
        let there = steps.iter().find_map(|(_, step)| match step {
            LoanStep::Allocated(placed) if placed.allocation_seq == stay.allocation_seq => {
                Some(place(placed))
            }
            LoanStep::Allocated(_) | LoanStep::Moved(_) | LoanStep::Released(_) => None,
        });
        let trade = &ledger.trade;
        let at_home = self.at_home.contains(&away.loan_id);
        let here = rank(away.score, at_home, threshold, trade.settlement_date, &trade.trade_id);
        there.is_some_and(|there| there < here)
    }
}

type Rank = (Reverse<Price>, bool, Option<Day>, String);

fn rank(
    score: Price,
    stays: bool,
    threshold: Price,
    settles_on: Option<Day>,
    trade_id: &TradeId,
) -> Rank {
    let ranked_by = if stays { score + threshold } else { score };
    (Reverse(ranked_by), !stays, settles_on, fold(trade_id.as_str()))
}
