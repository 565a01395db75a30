//! What the events of a run say, with every name found in the snapshot. Reading stops at a story that contradicts
//! itself: a name that the snapshot lacks, a loan placed twice at a time, a move from where the loan is not.

use std::collections::HashMap;

use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, LoanAllocated, LoanKickedOut, LoanMoved, LoanPinned,
    LoanReleased, Node, PoolActionDerived, Pricing, TradeAssessed, TradeFillEvaluated,
};
use powerfill_events::values::{Day, LoanId, Money, TradeId};

use super::book::{Book, LoanStand};
use super::{Subject, Violation};

/// An allocation, or the arrival of a move.
pub(super) struct Placement<'a> {
    pub(super) loan: usize,
    pub(super) trade: usize,
    pub(super) turn: u32,
    pub(super) node: &'a Node,
    pub(super) pricing: &'a Pricing,
    pub(super) loan_amount: Money,
    pub(super) settlement_date: Day,
    /// The loan's placement before this one.
    earlier: Option<usize>,
}

/// A change of a trade's filled amount.
pub(super) struct Entry {
    pub(super) trade: usize,
    pub(super) loan: usize,
    /// In, or out.
    pub(super) comes_in: bool,
    /// As the event has it.
    pub(super) filled_after: Money,
}

/// The decisions of a run.
pub(super) struct Story<'a> {
    /// Every placement, in order, also those that did not last.
    pub(super) placements: Vec<Placement<'a>>,
    /// By loan: the placement that it ended with.
    pub(super) at: Vec<Option<usize>>,
    /// Every change of a filled amount, in order.
    pub(super) ledger: Vec<Entry>,
    /// By loan.
    pub(super) kicked_out: Vec<Option<&'a LoanKickedOut>>,
    /// By loan.
    pub(super) pinned: Vec<Option<&'a LoanPinned>>,
    /// By loan: one row, or the two sides of a switch.
    pub(super) postings: Vec<[Option<&'a PoolActionDerived>; 2]>,
    /// By trade.
    pub(super) assessed: Vec<Option<&'a TradeAssessed>>,
    /// By trade.
    pub(super) fills: Vec<Option<&'a TradeFillEvaluated>>,
    /// In the order of the events.
    pub(super) blocks: Vec<&'a ConstraintBlockEvaluated>,
    /// By loan: its last placement.
    latest: Vec<Option<usize>>,
}

impl<'a> Story<'a> {
    /// Reads the events once, candidates left out.
    pub(super) fn read(book: &Book<'_>, chunks: &[&'a [RunEvent]]) -> Result<Self, Violation> {
        let (loans, trades) = (book.loans.len(), book.trades.len());
        let mut story = Self {
            placements: Vec::new(),
            at: vec![None; loans],
            ledger: Vec::new(),
            kicked_out: vec![None; loans],
            pinned: vec![None; loans],
            postings: vec![[None; 2]; loans],
            assessed: vec![None; trades],
            fills: vec![None; trades],
            blocks: Vec::new(),
            latest: vec![None; loans],
        };
        for event in chunks.iter().copied().flatten() {
            match event {
                RunEvent::LoanAllocated(event) => story.allocated(book, event)?,
                RunEvent::LoanMoved(event) => story.moved(book, event)?,
                RunEvent::LoanReleased(event) => story.released(book, event)?,
                RunEvent::LoanKickedOut(event) => {
                    let loan = loan_in(book, &event.loan_id, 1)?;
                    once(&mut story.kicked_out[loan], event, 1, || book.loan_subject(loan))?;
                }
                RunEvent::LoanPinned(event) => {
                    let loan = loan_in(book, &event.loan_id, 5)?;
                    once(&mut story.pinned[loan], event, 5, || book.loan_subject(loan))?;
                }
                RunEvent::PoolActionDerived(event) => story.posted(book, event)?,
                RunEvent::TradeAssessed(event) => {
                    let trade = trade_in(book, &event.trade_id, 2)?;
                    once(&mut story.assessed[trade], event, 2, || book.trade_subject(trade))?;
                }
                RunEvent::TradeFillEvaluated(event) => {
                    let trade = trade_in(book, &event.trade_id, 2)?;
                    once(&mut story.fills[trade], event, 2, || book.trade_subject(trade))?;
                }
                RunEvent::ConstraintBlockEvaluated(event) => story.blocks.push(event),
                RunEvent::RunRequested(_)
                | RunEvent::RunStarted(_)
                | RunEvent::PreflightCompleted(_)
                | RunEvent::CashGridBuilt(_)
                | RunEvent::TradeSettlementSet(_)
                | RunEvent::ConstraintMatched(_)
                | RunEvent::CandidateScored(_)
                | RunEvent::CandidatesRejected(_)
                | RunEvent::PassCompleted(_)
                | RunEvent::SyntheticTradePriced(_)
                | RunEvent::SyntheticOptionsRanked(_)
                | RunEvent::CashMarketMapped(_)
                | RunEvent::InvariantsVerified(_)
                | RunEvent::RunCompleted(_)
                | RunEvent::RunFailed(_)
                | RunEvent::RunCancelled(_) => {}
            }
        }
        Ok(story)
    }

    /// By placement: the candidate of the run that it is. A sweep of its own, with a map of the placed loans alone:
    /// candidates are by far the most of a run's events.
    pub(super) fn candidates(
        &self,
        book: &Book<'_>,
        chunks: &[&'a [RunEvent]],
    ) -> Vec<Option<&'a CandidateScored>> {
        let placed: HashMap<&str, usize> = self
            .latest
            .iter()
            .zip(&book.snapshot.loans)
            .filter_map(|(latest, loan)| latest.map(|latest| (loan.loan_id.as_str(), latest)))
            .collect();
        let mut candidates = vec![None; self.placements.len()];
        for event in chunks.iter().copied().flatten() {
            let RunEvent::CandidateScored(candidate) = event else { continue };
            let mut next = placed.get(candidate.loan_id.as_str()).copied();
            while let Some(at) = next {
                let placement = &self.placements[at];
                let trade = &book.snapshot.trades[placement.trade].trade_id;
                if trade.as_str() == candidate.trade_id.as_str() {
                    candidates[at] = Some(candidate);
                }
                next = placement.earlier;
            }
        }
        candidates
    }

    /// The trade that a loan ended in by a pass.
    pub(super) fn trade_of(&self, loan: usize) -> Option<usize> {
        self.at[loan].map(|at| self.placements[at].trade)
    }

    fn allocated(&mut self, book: &Book<'_>, event: &'a LoanAllocated) -> Result<(), Violation> {
        let loan = free_to_move(book, &event.loan_id)?;
        if let Some(trade) = self.trade_of(loan) {
            let found = format!("allocated to {} as well", event.trade_id);
            return Err(Violation::new(1, book.loan_subject(loan), in_trade(book, trade), found));
        }
        self.place(
            Placement {
                loan,
                trade: trade_in(book, &event.trade_id, 4)?,
                turn: event.turn,
                node: &event.node,
                pricing: &event.pricing,
                loan_amount: event.loan_amount,
                settlement_date: event.settlement_date,
                earlier: None,
            },
            event.filled_after,
        );
        Ok(())
    }

    fn moved(&mut self, book: &Book<'_>, event: &'a LoanMoved) -> Result<(), Violation> {
        let loan = free_to_move(book, &event.loan_id)?;
        self.leave(book, loan, &event.from_trade_id, event.from_filled_after)?;
        self.place(
            Placement {
                loan,
                trade: trade_in(book, &event.to_trade_id, 4)?,
                turn: event.turn,
                node: &event.node,
                pricing: &event.pricing,
                loan_amount: event.loan_amount,
                settlement_date: event.settlement_date,
                earlier: None,
            },
            event.filled_after,
        );
        Ok(())
    }

    fn released(&mut self, book: &Book<'_>, event: &'a LoanReleased) -> Result<(), Violation> {
        let loan = free_to_move(book, &event.loan_id)?;
        self.leave(book, loan, &event.trade_id, event.filled_after)
    }

    fn place(&mut self, placement: Placement<'a>, filled_after: Money) {
        let (loan, trade) = (placement.loan, placement.trade);
        self.ledger.push(Entry { trade, loan, comes_in: true, filled_after });
        let at = Some(self.placements.len());
        self.placements.push(Placement { earlier: self.latest[loan], ..placement });
        self.latest[loan] = at;
        self.at[loan] = at;
    }

    fn leave(
        &mut self,
        book: &Book<'_>,
        loan: usize,
        from: &TradeId,
        filled_after: Money,
    ) -> Result<(), Violation> {
        let trade = trade_in(book, from, 2)?;
        if self.trade_of(loan) != Some(trade) {
            let expected =
                self.trade_of(loan).map_or("unallocated".to_owned(), |at| in_trade(book, at));
            let found = format!("taken out of {from}");
            return Err(Violation::new(1, book.loan_subject(loan), expected, found));
        }
        self.at[loan] = None;
        self.ledger.push(Entry { trade, loan, comes_in: false, filled_after });
        Ok(())
    }

    fn posted(&mut self, book: &Book<'_>, event: &'a PoolActionDerived) -> Result<(), Violation> {
        let loan = loan_in(book, &event.loan_id, 6)?;
        let [first, second] = &mut self.postings[loan];
        let slot = if first.is_none() { first } else { second };
        once(slot, event, 6, || book.loan_subject(loan))
    }
}

/// The loan of a placement: never a locked or held one.
fn free_to_move(book: &Book<'_>, id: &LoanId) -> Result<usize, Violation> {
    let loan = loan_in(book, id, 1)?;
    match book.loans[loan] {
        LoanStand::Pinned(reason) => Err(Violation::new(
            5,
            book.loan_subject(loan),
            format!("{reason:?}, so that it stays"),
            "a placement",
        )),
        LoanStand::Eligible { .. } | LoanStand::OutOfScope => Ok(loan),
    }
}

fn in_trade(book: &Book<'_>, trade: usize) -> String {
    format!("in {}", book.snapshot.trades[trade].trade_id)
}

fn loan_in(book: &Book<'_>, id: &LoanId, invariant: u8) -> Result<usize, Violation> {
    book.find_loan(id).ok_or_else(|| {
        Violation::new(invariant, Subject::Loan(id.clone()), "a loan of the snapshot", "none")
    })
}

fn trade_in(book: &Book<'_>, id: &TradeId, invariant: u8) -> Result<usize, Violation> {
    book.find_trade(id).ok_or_else(|| {
        Violation::new(invariant, Subject::Trade(id.clone()), "a trade of the snapshot", "none")
    })
}

/// Keeps the one event of its kind about a subject.
fn once<'a, E>(
    slot: &mut Option<&'a E>,
    event: &'a E,
    invariant: u8,
    subject: impl FnOnce() -> Subject,
) -> Result<(), Violation> {
    match slot.replace(event) {
        None => Ok(()),
        Some(_) => {
            Err(Violation::new(invariant, subject(), "one event of its kind", "more than that"))
        }
    }
}
