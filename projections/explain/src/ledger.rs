//! The fill of a trade at any moment of the allocation, with the loans that make it up.

use std::cmp::Reverse;
use std::collections::HashMap;

use powerfill_events::ignored;
use powerfill_events::run::event::{Pass, TradeAssessed};
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_events::values::{LoanId, Money, Price, TradeId, fold};
use schemars::JsonSchema;
use serde::Serialize;

/// A moment of the allocation (2.7), in the order of time: orphan_handling follows the last turn.
/// An adopted challenge (10.7) has one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    turn: u32,
    pass: Pass,
}

impl Moment {
    /// The moment of a pass in a turn. A pass of all turns has one moment, whatever the turn.
    pub const fn new(turn: u32, pass: Pass) -> Self {
        match pass.is_of_all_turns() {
            true => Self { turn: u32::MAX, pass },
            false => Self { turn, pass },
        }
    }

    /// The turn; `None` for a pass of all turns.
    pub fn turn(self) -> Option<u32> {
        (!self.pass.is_of_all_turns()).then_some(self.turn)
    }

    /// The pass.
    pub const fn pass(self) -> Pass {
        self.pass
    }
}

/// The order of a trade's candidates within a turn: lines 1, 2, 4, and 5 of 2.6. The settlement
/// date and the trade are the same for all of them.
pub(super) type CandidateOrder = (Reverse<Price>, bool, Reverse<Money>, String);

/// The position of a candidate in that order. `is_home`: the loan's present pool is designated to
/// the trade.
pub(super) fn candidate_order(
    score: Price,
    is_home: bool,
    switch_threshold: Price,
    loan_amount: Money,
    loan_id: &LoanId,
) -> CandidateOrder {
    let ranked_by = if is_home { score + switch_threshold } else { score };
    (Reverse(ranked_by), !is_home, Reverse(loan_amount), fold(loan_id.as_str()))
}

/// A loan in a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FillingLoan {
    /// The loan.
    pub loan_id: LoanId,
    /// Its amount.
    pub loan_amount: Money,
    /// The pass that placed it; NULL for a pinned loan.
    pub pass: Option<Pass>,
}

/// The loans of a trade, in the order in which they entered and left.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) trade: TradeAssessed,
    pinned: Vec<FillingLoan>,
    entries: Vec<Entry>,
    is_followed: bool,
}

#[derive(Debug)]
struct Entry {
    moment: Moment,
    version: u64,
    loan_id: LoanId,
    loan_amount: Money,
    filled_after: Money,
    /// `None` for a loan that left.
    arrival: Option<Arrival>,
}

#[derive(Debug)]
struct Arrival {
    pass: Pass,
    score: Price,
    is_home: bool,
}

/// The fill of a trade at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fill {
    pub(super) filled_amount: Money,
    pub(super) loans: Vec<FillingLoan>,
}

/// The ledgers of some trades of a run.
#[derive(Debug, Default)]
pub(super) struct Ledgers(HashMap<TradeId, Ledger>);

impl Ledgers {
    /// Opens the ledger of a trade. Only a ledger that is followed keeps placements.
    pub(super) fn open(&mut self, trade: &TradeAssessed, is_followed: bool) {
        let (pinned, entries) = (Vec::new(), Vec::new());
        let ledger = Ledger { trade: trade.clone(), pinned, entries, is_followed };
        self.0.insert(trade.trade_id.clone(), ledger);
    }

    /// Keeps the placements of a trade from now on.
    pub(super) fn follow(&mut self, trade_id: &TradeId) {
        if let Some(ledger) = self.0.get_mut(trade_id) {
            ledger.is_followed = true;
        }
    }

    pub(super) fn is_followed(&self, trade_id: &TradeId) -> bool {
        self.get(trade_id).is_some_and(|ledger| ledger.is_followed)
    }

    pub(super) fn get(&self, trade_id: &TradeId) -> Option<&Ledger> {
        self.0.get(trade_id)
    }

    /// Applies the next event of the run.
    pub(super) fn apply(&mut self, recorded: &RecordedEvent<'_>) {
        let version = recorded.stream_version;
        match recorded.event {
            RunEvent::LoanPinned(pinned) => {
                let ledger = pinned.trade_id.as_ref().and_then(|trade| self.0.get_mut(trade));
                if let Some(ledger) = ledger {
                    ledger.pinned.push(FillingLoan {
                        loan_id: pinned.loan_id.clone(),
                        loan_amount: pinned.loan_amount,
                        pass: None,
                    });
                }
            }
            RunEvent::LoanAllocated(placed) => self.add(&placed.trade_id, || Entry {
                moment: Moment::new(placed.turn, placed.pass),
                version,
                loan_id: placed.loan_id.clone(),
                loan_amount: placed.loan_amount,
                filled_after: placed.filled_after,
                arrival: Some(Arrival {
                    pass: placed.pass,
                    score: placed.pricing.score,
                    is_home: placed.prior_trade_id.as_ref() == Some(&placed.trade_id),
                }),
            }),
            RunEvent::LoanMoved(moved) => {
                let entry = |filled_after, arrival| Entry {
                    moment: Moment::new(moved.turn, moved.pass),
                    version,
                    loan_id: moved.loan_id.clone(),
                    loan_amount: moved.loan_amount,
                    filled_after,
                    arrival,
                };
                // The order of candidates matters in best_fit only, and moves happen later.
                let (pass, score) = (moved.pass, moved.pricing.score);
                let arrival = Arrival { pass, score, is_home: false };
                self.add(&moved.from_trade_id, || entry(moved.from_filled_after, None));
                self.add(&moved.to_trade_id, || entry(moved.filled_after, Some(arrival)));
            }
            RunEvent::LoanReleased(released) => self.add(&released.trade_id, || Entry {
                moment: Moment::new(released.turn, released.pass),
                version,
                loan_id: released.loan_id.clone(),
                loan_amount: released.loan_amount,
                filled_after: released.filled_after,
                arrival: None,
            }),
            ignored!(
                Opening TradeAssessed CashGrids Candidates PassCompleted Results Synthetic
                Verification End
            ) => {}
        }
    }

    fn add(&mut self, trade_id: &TradeId, entry: impl FnOnce() -> Entry) {
        if let Some(ledger) = self.0.get_mut(trade_id).filter(|ledger| ledger.is_followed) {
            ledger.entries.push(entry());
        }
    }
}

impl Ledger {
    /// The fill when best_fit of this turn reaches a candidate. best_fit goes in rank order, so the
    /// fill has everything before the turn's best_fit, and the better candidates that it placed.
    pub(super) fn at_best_fit(&self, turn: u32, order: &CandidateOrder, threshold: Price) -> Fill {
        let visit = Moment::new(turn, Pass::BestFit);
        self.while_true(|entry| match &entry.arrival {
            Some(arrival) if entry.moment == visit => {
                let (amount, loan_id) = (entry.loan_amount, &entry.loan_id);
                candidate_order(arrival.score, arrival.is_home, threshold, amount, loan_id) < *order
            }
            _ => entry.moment < visit,
        })
    }

    /// The fill before the event of this version.
    pub(super) fn before(&self, version: u64) -> Fill {
        self.while_true(|entry| entry.version < version)
    }

    /// The fill after the last event.
    pub(super) fn at_end(&self) -> Fill {
        self.while_true(|_| true)
    }

    fn while_true(&self, happened: impl Fn(&Entry) -> bool) -> Fill {
        let held_amount = self.trade.band.map_or(Money::ZERO, |band| band.held_amount);
        let mut fill = Fill { filled_amount: held_amount, loans: self.pinned.clone() };
        for entry in self.entries.iter().take_while(|entry| happened(entry)) {
            fill.filled_amount = entry.filled_after;
            match &entry.arrival {
                Some(arrival) => fill.loans.push(FillingLoan {
                    loan_id: entry.loan_id.clone(),
                    loan_amount: entry.loan_amount,
                    pass: Some(arrival.pass),
                }),
                None => fill.loans.retain(|filler| filler.loan_id != entry.loan_id),
            }
        }
        fill
    }
}
