//! A story from events, told together with what the engine says of the run's input (`standing`,
//! `never_came`) and, where it was asked, with what would have changed it (`what_if`). The story
//! alone is a projection; here come in, as plain values, the reasons that no event carries.

use powerfill_events::values::{LoanId, Money, TradeId};
use powerfill_facts::what_if::WhatIf;
use powerfill_facts::{LimitFacts, LoanFacts, UnmatchedLoans};
use serde::Serialize;

use super::ledger::FillingLoan;
use super::loan::{LoanExplanation, LoanOutcome};
use super::trade::TradeExplanation;
use super::verdict::{CandidateVerdict, FullLimit};

/// All that there is to say about a loan.
#[derive(Debug, Clone, Serialize)]
pub struct LoanAccount {
    /// From events.
    #[serde(flatten)]
    pub story: LoanExplanation,
    /// From the input; NULL where the snapshot does not have the loan, or the run was not asked for
    /// yet.
    pub standing: Option<LoanFacts>,
    /// What would have given it a place; NULL where it was not asked.
    pub what_if: Option<WhatIf>,
}

/// All that there is to say about a trade.
#[derive(Debug, Clone, Serialize)]
pub struct TradeAccount {
    /// From events.
    #[serde(flatten)]
    pub story: TradeExplanation,
    /// From the input: the loans that match no node of its instrument; NULL where the trade is not
    /// in the run.
    pub never_came: Option<UnmatchedLoans>,
}

impl LoanAccount {
    /// Whether the run's snapshot does not have the loan.
    pub fn is_unknown(&self) -> bool {
        self.story.input.is_some()
            && self.standing.is_none()
            && matches!(self.story.outcome, LoanOutcome::NoPart)
    }

    /// Whether it can be asked what would have given the loan a place, and was not.
    pub(super) fn leaves_a_question(&self) -> bool {
        matches!(self.story.outcome, LoanOutcome::KickedOut(_)) && self.what_if.is_none()
    }
}

impl LoanExplanation {
    /// The trades where a limit barred the loan.
    pub fn trades_with_limits(&self) -> Vec<TradeId> {
        let barred = self.candidates.iter().filter(|candidate| {
            matches!(candidate.verdict, CandidateVerdict::LimitBarred { .. })
                || candidate.at_end.as_ref().is_some_and(|at_end| at_end.excess_amount.is_none())
        });
        barred.map(|candidate| candidate.trade_id.clone()).collect()
    }

    /// The loans that were there.
    pub fn fillers_beside_limits(&self) -> impl Iterator<Item = &LoanId> {
        let fillers = self.candidates.iter().flat_map(|candidate| {
            let then = match &candidate.verdict {
                CandidateVerdict::LimitBarred { filled_by, .. } => &filled_by[..],
                _ => &[],
            };
            let at_end = candidate.at_end.as_ref().map_or(&[][..], |at_end| &at_end.filled_by);
            then.iter().chain(at_end)
        });
        fillers.map(|filler| &filler.loan_id)
    }

    /// Replaces the limits that may have barred the loan by those that did: they describe it, and
    /// with the loans that were there had too little left.
    pub fn settle_limits(&mut self, limits: &[LimitFacts]) {
        let Some(loan_amount) = self.loan_amount else { return };
        let subject = (&self.loan_id, loan_amount);
        for candidate in &mut self.candidates {
            let of_trade = || limits.iter().filter(|limit| limit.trade_id == candidate.trade_id);
            if let CandidateVerdict::LimitBarred { filled_by, full_limits, .. } =
                &mut candidate.verdict
            {
                *full_limits = barring(of_trade(), filled_by, subject);
            }
            if let Some(at_end) = &mut candidate.at_end {
                at_end.full_limits = match at_end.excess_amount {
                    None => barring(of_trade(), &at_end.filled_by, subject),
                    Some(_) => Vec::new(),
                };
            }
        }
    }
}

impl TradeExplanation {
    /// The loans that limits of the trade barred, and those that were in it.
    pub fn loans_beside_limits(&self) -> impl Iterator<Item = &LoanId> {
        let barred = |away: &&super::trade::AbsentCandidate| {
            matches!(away.verdict, CandidateVerdict::LimitBarred { .. })
        };
        let away = self.turned_away.iter().filter(barred).map(|away| &away.loan_id);
        let entries = self.entries.iter().map(|entry| &entry.loan_id);
        away.chain(entries).chain(self.pinned.iter().map(|pinned| &pinned.loan_id))
    }

    /// As [`LoanExplanation::settle_limits`], for each loan that was turned away.
    pub fn settle_limits(&mut self, limits: &[LimitFacts]) {
        for away in &mut self.turned_away {
            let Some(loan_amount) = away.loan_amount else { continue };
            if let CandidateVerdict::LimitBarred { filled_by, full_limits, .. } = &mut away.verdict
            {
                *full_limits = barring(limits.iter(), filled_by, (&away.loan_id, loan_amount));
                // The entries say who was there when.
                filled_by.clear();
                full_limits.iter_mut().for_each(|limit| limit.used_by.clear());
            }
        }
    }
}

/// The limits that describe a loan and, with these loans there, have too little left for it.
fn barring<'l>(
    limits: impl Iterator<Item = &'l LimitFacts>,
    there: &[FillingLoan],
    (loan_id, loan_amount): (&LoanId, Money),
) -> Vec<FullLimit> {
    let describing = limits.filter(|limit| limit.describes.contains(loan_id));
    let full = describing.filter_map(|limit| {
        let uses = |filler: &&FillingLoan| limit.describes.contains(&filler.loan_id);
        let used_by: Vec<FillingLoan> = there.iter().filter(uses).cloned().collect();
        let used_amount: Money = used_by.iter().map(|filler| filler.loan_amount).sum();
        let node = limit.node.clone();
        let hi_amount = limit.hi_amount;
        (used_amount + loan_amount > hi_amount).then_some(FullLimit {
            node,
            hi_amount,
            used_amount,
            used_by,
        })
    });
    full.collect()
}
