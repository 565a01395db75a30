//! How full a trade was at any moment of the allocation, and by which loans.

use std::cmp::Reverse;

use powerfill_events::run::event::{
    LoanAllocated, LoanMoved, LoanPinned, LoanReleased, Pass, TradeAssessed,
};
use powerfill_events::values::{LoanId, Money, Price, fold};
use serde::Serialize;

/// When in the allocation (2.7) something happened: orphan_handling comes after the last turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    turn: u32,
    pass: Pass,
}

impl Moment {
    pub(super) const fn new(turn: u32, pass: Pass) -> Self {
        match pass {
            Pass::OrphanHandling => Self { turn: u32::MAX, pass },
            Pass::ExactFit | Pass::BestFit | Pass::FillRemaining => Self { turn, pass },
        }
    }
}

/// Where a candidate of one trade stands among the others of that trade in its turn: lines 1, 2, 4
/// and 5 of 2.6 (the settlement date and the trade are the same).
pub(super) type Standing = (Reverse<Price>, bool, Reverse<Money>, String);

/// The standing of a candidate whose present pool is designated to the trade (`stays`), or not.
pub(super) fn standing(
    score: Price,
    stays: bool,
    switch_threshold: Price,
    loan_amount: Money,
    loan_id: &LoanId,
) -> Standing {
    let ranked_by = if stays { score + switch_threshold } else { score };
    (Reverse(ranked_by), !stays, Reverse(loan_amount), fold(loan_id.as_str()))
}

/// A loan in a trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FillingLoan {
    /// The loan.
    pub loan_id: LoanId,
    /// Its amount.
    pub loan_amount: Money,
    /// The pass that placed it; NULL where it was there before the run and stays.
    pub pass: Option<Pass>,
}

/// A trade's loans, in the order in which they came and went.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) trade: TradeAssessed,
    pinned: Vec<FillingLoan>,
    entries: Vec<Entry>,
    /// Whether placements are of interest.
    pub(super) followed: bool,
}

#[derive(Debug)]
struct Entry {
    moment: Moment,
    version: u64,
    loan_id: LoanId,
    loan_amount: Money,
    filled_after: Money,
    /// Of a loan that came in; `None` for one that went.
    arrival: Option<Arrival>,
}

#[derive(Debug)]
struct Arrival {
    pass: Pass,
    score: Price,
    stays: bool,
}

/// How full a trade was at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fill {
    pub(super) filled_amount: Money,
    pub(super) loans: Vec<FillingLoan>,
}

impl Ledger {
    pub(super) fn new(trade: &TradeAssessed) -> Self {
        let trade = trade.clone();
        Self { trade, pinned: Vec::new(), entries: Vec::new(), followed: false }
    }

    pub(super) fn pin(&mut self, pinned: &LoanPinned) {
        self.pinned.push(FillingLoan {
            loan_id: pinned.loan_id.clone(),
            loan_amount: pinned.loan_amount,
            pass: None,
        });
    }

    pub(super) fn allocate(&mut self, version: u64, placed: &LoanAllocated) {
        self.entries.push(Entry {
            moment: Moment::new(placed.turn, placed.pass),
            version,
            loan_id: placed.loan_id.clone(),
            loan_amount: placed.loan_amount,
            filled_after: placed.filled_after,
            arrival: Some(Arrival {
                pass: placed.pass,
                score: placed.pricing.score,
                stays: placed.prior_trade_id.as_ref() == Some(&placed.trade_id),
            }),
        });
    }

    pub(super) fn move_in(&mut self, version: u64, moved: &LoanMoved) {
        self.entries.push(Entry {
            moment: Moment::new(moved.turn, moved.pass),
            version,
            loan_id: moved.loan_id.clone(),
            loan_amount: moved.loan_amount,
            filled_after: moved.filled_after,
            // Moves happen after best_fit, the only pass where standing matters.
            arrival: Some(Arrival { pass: moved.pass, score: moved.pricing.score, stays: false }),
        });
    }

    pub(super) fn move_out(&mut self, version: u64, moved: &LoanMoved) {
        self.entries.push(Entry {
            moment: Moment::new(moved.turn, moved.pass),
            version,
            loan_id: moved.loan_id.clone(),
            loan_amount: moved.loan_amount,
            filled_after: moved.from_filled_after,
            arrival: None,
        });
    }

    pub(super) fn release(&mut self, version: u64, released: &LoanReleased) {
        self.entries.push(Entry {
            moment: Moment::new(released.turn, released.pass),
            version,
            loan_id: released.loan_id.clone(),
            loan_amount: released.loan_amount,
            filled_after: released.filled_after,
            arrival: None,
        });
    }

    /// When best_fit of this turn came to a candidate with this standing: it goes in rank order, so
    /// everything before its turn's best_fit, and the better candidates that it placed.
    pub(super) fn at_best_fit(&self, turn: u32, standing_of: &Standing, threshold: Price) -> Fill {
        let visit = Moment::new(turn, Pass::BestFit);
        self.until(|entry| match &entry.arrival {
            Some(arrival) if entry.moment == visit => {
                let (amount, loan_id) = (entry.loan_amount, &entry.loan_id);
                standing(arrival.score, arrival.stays, threshold, amount, loan_id) < *standing_of
            }
            _ => entry.moment < visit,
        })
    }

    /// Before the event of this version.
    pub(super) fn before(&self, version: u64) -> Fill {
        self.until(|entry| entry.version < version)
    }

    /// After the last event.
    pub(super) fn at_end(&self) -> Fill {
        self.until(|_| true)
    }

    fn until(&self, happened: impl Fn(&Entry) -> bool) -> Fill {
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
