//! A story together with facts about the run's input (`standing`, `never_came`) and, on request,
//! with what would have placed the loan (`what_if`). The story alone is a projection; the facts are
//! plain data, which give the reasons that no event carries.

use powerfill_events::values::{LoanId, TradeId};
use powerfill_facts::what_if::WhatIf;
use powerfill_facts::{LimitFacts, LoanFacts, UnmatchedLoans};
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::{loan_verdict, trade_verdict};
use super::ledger::FillingLoan;
use super::limit::FullLimits;
use super::loan::{LoanExplanation, LoanOutcome};
use super::prices::TradePrices;
use super::trade::{AbsentCandidate, TradeExplanation};
use super::verdict::CandidateVerdict;
use super::words::near_words;

/// The account of a loan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LoanAccount {
    /// The answer in one sentence.
    pub verdict: String,
    /// From events.
    #[serde(flatten)]
    pub story: LoanExplanation,
    /// From the input; NULL if the snapshot does not have the loan, or before the run's request.
    pub standing: Option<LoanFacts>,
    /// What would have placed the loan; NULL unless it was requested.
    pub what_if: Option<WhatIf>,
}

/// The account of a trade.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct TradeAccount {
    /// The answer in one sentence.
    pub verdict: String,
    /// From events.
    #[serde(flatten)]
    pub story: TradeExplanation,
    /// From the input: the loans that match no node of the trade's instrument; NULL if the trade is
    /// not in the run.
    pub never_came: Option<UnmatchedLoans>,
    /// From the certificate of the run; NULL if it has none, or if the trade is not in the run.
    pub shadow_prices: Option<TradePrices>,
}

impl LoanAccount {
    /// The account of a loan, from events and the input. For a loan that the snapshot does not
    /// have, `nearest_ids` are ids that look like its id.
    pub fn new(
        story: LoanExplanation,
        standing: Option<LoanFacts>,
        nearest_ids: &[String],
    ) -> Self {
        let verdict = loan_verdict(&story, standing.as_ref());
        let mut account = Self { verdict, story, standing, what_if: None };
        if account.is_unknown() {
            let (loan, near) = (&account.story.loan_id, near_words(nearest_ids));
            account.verdict = format!("The snapshot of this run has no loan {loan}{near}.");
        }
        account
    }

    /// Whether the run's snapshot does not have the loan.
    pub fn is_unknown(&self) -> bool {
        self.story.input.is_some()
            && self.standing.is_none()
            && matches!(self.story.outcome, LoanOutcome::NoPart)
    }

    /// Whether a what-if is possible and was not requested.
    pub(super) fn can_have_what_if(&self) -> bool {
        let is_kicked_out = matches!(self.story.outcome, LoanOutcome::KickedOut(_));
        is_kicked_out && !self.story.adopts_challenge() && self.what_if.is_none()
    }
}

impl TradeAccount {
    /// The account of a trade, from events and the input. For a trade that the run does not have,
    /// `nearest_ids` are ids that look like its id.
    pub fn new(
        story: TradeExplanation,
        never_came: Option<UnmatchedLoans>,
        nearest_ids: &[String],
    ) -> Self {
        let verdict = match story.trade {
            Some(_) => trade_verdict(&story),
            None => {
                let near = near_words(nearest_ids);
                format!("No event of this run names trade {}{near}.", story.trade_id)
            }
        };
        Self { verdict, story, never_came, shadow_prices: None }
    }

    /// Whether the run does not have the trade.
    pub const fn is_unknown(&self) -> bool {
        self.story.trade.is_none()
    }
}

impl LoanExplanation {
    /// Whether the run adopted a challenge (10.7), so that no pass decided.
    pub(super) fn adopts_challenge(&self) -> bool {
        self.input.as_ref().is_some_and(|input| input.challenge.is_some())
    }

    /// The trades in which a limit barred the loan.
    pub fn trades_with_limits(&self) -> Vec<TradeId> {
        let barred = self.candidates.iter().filter(|candidate| {
            matches!(candidate.verdict, CandidateVerdict::LimitBarred { .. })
                || candidate.at_end.as_ref().is_some_and(|at_end| at_end.excess_amount.is_none())
        });
        barred.map(|candidate| candidate.trade_id.clone()).collect()
    }

    /// The loans that were in those trades.
    pub fn loans_in_limited_trades(&self) -> impl Iterator<Item = &LoanId> {
        let fillers = self.candidates.iter().flat_map(|candidate| {
            let at_visit = match &candidate.verdict {
                CandidateVerdict::LimitBarred { filled_by, .. } => &filled_by[..],
                _ => &[],
            };
            let at_end = candidate.at_end.as_ref().map_or(&[][..], |at_end| &at_end.filled_by);
            at_visit.iter().chain(at_end)
        });
        fillers.map(|filler| &filler.loan_id)
    }

    /// Replaces the limits that possibly barred the loan by those that did. `limits` must have the
    /// limits of [`trades_with_limits`](Self::trades_with_limits), for the loan and for
    /// [`loans_in_limited_trades`](Self::loans_in_limited_trades).
    pub fn apply_limits(&mut self, limits: &[LimitFacts]) {
        let Some(loan_amount) = self.loan_amount else { return };
        for candidate in &mut self.candidates {
            let barring = |present: &[FillingLoan]| {
                let of_trade = limits.iter().filter(|limit| limit.trade_id == candidate.trade_id);
                FullLimits::barring(of_trade, present, &self.loan_id, loan_amount)
            };
            if let CandidateVerdict::LimitBarred { filled_by, full_limits, .. } =
                &mut candidate.verdict
            {
                *full_limits = barring(filled_by);
            }
            if let Some(at_end) = &mut candidate.at_end {
                at_end.full_limits = match at_end.excess_amount {
                    None => barring(&at_end.filled_by),
                    Some(_) => FullLimits::Barring(Vec::new()),
                };
            }
        }
    }
}

impl TradeExplanation {
    /// The loans that limits of the trade barred, and the loans that were in the trade.
    pub fn loans_under_limits(&self) -> impl Iterator<Item = &LoanId> {
        let is_barred = |absent: &&AbsentCandidate| {
            matches!(absent.verdict, CandidateVerdict::LimitBarred { .. })
        };
        let barred = self.turned_away.iter().filter(is_barred).map(|absent| &absent.loan_id);
        let entries = self.entries.iter().map(|entry| &entry.loan_id);
        barred.chain(entries).chain(self.pinned.iter().map(|pinned| &pinned.loan_id))
    }

    /// As [`LoanExplanation::apply_limits`], for each absent candidate. `limits` must have the
    /// trade's limits for [`loans_under_limits`](Self::loans_under_limits).
    pub fn apply_limits(&mut self, limits: &[LimitFacts]) {
        for absent in &mut self.turned_away {
            let Some(loan_amount) = absent.loan_amount else { continue };
            if let CandidateVerdict::LimitBarred { filled_by, full_limits, .. } =
                &mut absent.verdict
            {
                let loan_id = &absent.loan_id;
                *full_limits = FullLimits::barring(limits.iter(), filled_by, loan_id, loan_amount);
                // The entries say which loans were in the trade, and when.
                filled_by.clear();
                full_limits.forget_users();
            }
        }
    }
}
