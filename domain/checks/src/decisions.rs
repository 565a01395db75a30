//! What the events of a run say, with every name found in the snapshot. Reading stops where events
//! contradict each other: a name that the snapshot lacks, a loan that is placed twice at a time, a
//! move from a trade that does not have the loan.

use std::collections::HashMap;

use powerfill_events::ignored;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, LoanAllocated, LoanKickedOut, LoanMoved, LoanPinned,
    LoanReleased, Node, PoolActionDerived, Pricing, TradeAssessed, TradeFillEvaluated,
};
use powerfill_events::values::{Day, LoanId, Money, TradeId};

use super::terms::{LoanTerms, RunTerms};
use super::violation::{Violation, ViolationSubject};

/// An allocation, or the arrival of a move.
pub(super) struct RecordedPlacement<'a> {
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
pub(super) struct FillChange {
    pub(super) trade: usize,
    pub(super) loan: usize,
    /// False where the loan leaves the trade.
    pub(super) enters: bool,
    /// As the event reports it.
    pub(super) filled_after: Money,
}

/// The decisions of a run.
pub(super) struct Decisions<'a> {
    /// In order, also those that a later decision undid.
    pub(super) placements: Vec<RecordedPlacement<'a>>,
    /// Per loan: the placement that it ended with.
    pub(super) final_placement: Vec<Option<usize>>,
    /// In order.
    pub(super) fill_changes: Vec<FillChange>,
    /// Per loan.
    pub(super) kicked_out: Vec<Option<&'a LoanKickedOut>>,
    /// Per loan.
    pub(super) pinned: Vec<Option<&'a LoanPinned>>,
    /// Per loan: one row, or the two sides of a switch.
    pub(super) postings: Vec<[Option<&'a PoolActionDerived>; 2]>,
    /// Per trade.
    pub(super) assessed: Vec<Option<&'a TradeAssessed>>,
    /// Per trade.
    pub(super) fills: Vec<Option<&'a TradeFillEvaluated>>,
    /// In the order of the events.
    pub(super) blocks: Vec<&'a ConstraintBlockEvaluated>,
    /// Per loan: its last placement, also where that was undone.
    latest: Vec<Option<usize>>,
}

impl<'a> Decisions<'a> {
    /// Reads the events once, without the candidates.
    pub(super) fn read(terms: &RunTerms<'_>, chunks: &[&'a [RunEvent]]) -> Result<Self, Violation> {
        let (loans, trades) = (terms.loans.len(), terms.trades.len());
        let mut decisions = Self {
            placements: Vec::new(),
            final_placement: vec![None; loans],
            fill_changes: Vec::new(),
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
                RunEvent::LoanAllocated(event) => decisions.allocate(terms, event)?,
                RunEvent::LoanMoved(event) => decisions.move_loan(terms, event)?,
                RunEvent::LoanReleased(event) => decisions.release(terms, event)?,
                RunEvent::LoanKickedOut(event) => {
                    let loan = find_loan(terms, &event.loan_id, 1)?;
                    let slot = &mut decisions.kicked_out[loan];
                    set_once(slot, event, 1, || terms.loan_subject(loan))?;
                }
                RunEvent::LoanPinned(event) => {
                    let loan = find_loan(terms, &event.loan_id, 5)?;
                    let slot = &mut decisions.pinned[loan];
                    set_once(slot, event, 5, || terms.loan_subject(loan))?;
                }
                RunEvent::PoolActionDerived(event) => decisions.add_posting(terms, event)?,
                RunEvent::TradeAssessed(event) => {
                    let trade = find_trade(terms, &event.trade_id, 2)?;
                    let slot = &mut decisions.assessed[trade];
                    set_once(slot, event, 2, || terms.trade_subject(trade))?;
                }
                RunEvent::TradeFillEvaluated(event) => {
                    let trade = find_trade(terms, &event.trade_id, 2)?;
                    let slot = &mut decisions.fills[trade];
                    set_once(slot, event, 2, || terms.trade_subject(trade))?;
                }
                RunEvent::ConstraintBlockEvaluated(event) => decisions.blocks.push(event),
                ignored!(
                    Opening CashGrids Candidates PassCompleted Synthetic Verification End
                ) => {}
            }
        }
        Ok(decisions)
    }

    /// Per placement: the candidate of the run that it is. This is a sweep of its own, with a map
    /// of the placed loans alone, because most events of a run are candidates.
    pub(super) fn candidates(
        &self,
        terms: &RunTerms<'_>,
        chunks: &[&'a [RunEvent]],
    ) -> Vec<Option<&'a CandidateScored>> {
        let placed: HashMap<&str, usize> = self
            .latest
            .iter()
            .zip(&terms.snapshot.loans)
            .filter_map(|(latest, loan)| latest.map(|latest| (loan.loan_id.as_str(), latest)))
            .collect();
        let mut candidates = vec![None; self.placements.len()];
        for event in chunks.iter().copied().flatten() {
            let RunEvent::CandidateScored(candidate) = event else { continue };
            let mut next = placed.get(candidate.loan_id.as_str()).copied();
            while let Some(at) = next {
                let placement = &self.placements[at];
                let trade = &terms.snapshot.trades[placement.trade].trade_id;
                if trade.as_str() == candidate.trade_id.as_str() {
                    candidates[at] = Some(candidate);
                }
                next = placement.earlier;
            }
        }
        candidates
    }

    /// The trade in which the passes placed a loan in the end.
    pub(super) fn trade_of(&self, loan: usize) -> Option<usize> {
        self.final_placement[loan].map(|at| self.placements[at].trade)
    }

    fn allocate(
        &mut self,
        terms: &RunTerms<'_>,
        event: &'a LoanAllocated,
    ) -> Result<(), Violation> {
        let loan = find_free_loan(terms, &event.loan_id)?;
        if let Some(trade) = self.trade_of(loan) {
            let expected = in_trade(terms, trade);
            let found = format!("allocated to {} as well", event.trade_id);
            return Err(Violation::new(1, terms.loan_subject(loan), expected, found));
        }
        let placement = RecordedPlacement {
            loan,
            trade: find_trade(terms, &event.trade_id, 4)?,
            turn: event.turn,
            node: &event.node,
            pricing: &event.pricing,
            loan_amount: event.loan_amount,
            settlement_date: event.settlement_date,
            earlier: self.latest[loan],
        };
        self.place(placement, event.filled_after);
        Ok(())
    }

    fn move_loan(&mut self, terms: &RunTerms<'_>, event: &'a LoanMoved) -> Result<(), Violation> {
        let loan = find_free_loan(terms, &event.loan_id)?;
        self.remove(terms, loan, &event.from_trade_id, event.from_filled_after)?;
        let placement = RecordedPlacement {
            loan,
            trade: find_trade(terms, &event.to_trade_id, 4)?,
            turn: event.turn,
            node: &event.node,
            pricing: &event.pricing,
            loan_amount: event.loan_amount,
            settlement_date: event.settlement_date,
            earlier: self.latest[loan],
        };
        self.place(placement, event.filled_after);
        Ok(())
    }

    fn release(&mut self, terms: &RunTerms<'_>, event: &'a LoanReleased) -> Result<(), Violation> {
        let loan = find_free_loan(terms, &event.loan_id)?;
        self.remove(terms, loan, &event.trade_id, event.filled_after)
    }

    fn place(&mut self, placement: RecordedPlacement<'a>, filled_after: Money) {
        let (loan, trade) = (placement.loan, placement.trade);
        self.fill_changes.push(FillChange { trade, loan, enters: true, filled_after });
        let at = Some(self.placements.len());
        self.placements.push(placement);
        self.latest[loan] = at;
        self.final_placement[loan] = at;
    }

    fn remove(
        &mut self,
        terms: &RunTerms<'_>,
        loan: usize,
        from: &TradeId,
        filled_after: Money,
    ) -> Result<(), Violation> {
        let trade = find_trade(terms, from, 2)?;
        let present = self.trade_of(loan);
        if present != Some(trade) {
            let expected = present.map_or("unallocated".to_owned(), |at| in_trade(terms, at));
            let found = format!("taken out of {from}");
            return Err(Violation::new(1, terms.loan_subject(loan), expected, found));
        }
        self.final_placement[loan] = None;
        self.fill_changes.push(FillChange { trade, loan, enters: false, filled_after });
        Ok(())
    }

    fn add_posting(
        &mut self,
        terms: &RunTerms<'_>,
        event: &'a PoolActionDerived,
    ) -> Result<(), Violation> {
        let loan = find_loan(terms, &event.loan_id, 6)?;
        let [first, second] = &mut self.postings[loan];
        let slot = if first.is_none() { first } else { second };
        set_once(slot, event, 6, || terms.loan_subject(loan))
    }
}

/// The loan of a placement, which must not be locked or held.
fn find_free_loan(terms: &RunTerms<'_>, id: &LoanId) -> Result<usize, Violation> {
    let loan = find_loan(terms, id, 1)?;
    match terms.loans[loan] {
        LoanTerms::Pinned(reason) => {
            let expected = format!("{reason:?}, so that it stays");
            Err(Violation::new(5, terms.loan_subject(loan), expected, "a placement"))
        }
        LoanTerms::Eligible { .. } | LoanTerms::OutOfScope => Ok(loan),
    }
}

fn in_trade(terms: &RunTerms<'_>, trade: usize) -> String {
    format!("in {}", terms.snapshot.trades[trade].trade_id)
}

fn find_loan(terms: &RunTerms<'_>, id: &LoanId, invariant: u8) -> Result<usize, Violation> {
    terms.find_loan(id).ok_or_else(|| {
        let subject = ViolationSubject::Loan(id.clone());
        Violation::new(invariant, subject, "a loan of the snapshot", "none")
    })
}

fn find_trade(terms: &RunTerms<'_>, id: &TradeId, invariant: u8) -> Result<usize, Violation> {
    terms.find_trade(id).ok_or_else(|| {
        let subject = ViolationSubject::Trade(id.clone());
        Violation::new(invariant, subject, "a trade of the snapshot", "none")
    })
}

/// Keeps the only event of its kind about a subject.
fn set_once<'a, E>(
    slot: &mut Option<&'a E>,
    event: &'a E,
    invariant: u8,
    subject: impl FnOnce() -> ViolationSubject,
) -> Result<(), Violation> {
    match slot.replace(event) {
        None => Ok(()),
        Some(_) => Err(Violation::new(invariant, subject(), "one event of its kind", "several")),
    }
}
