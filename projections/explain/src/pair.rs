//! Why a loan is, or is not, in a trade: the account of one pair (specification 3.4).

use std::fmt::{Display, Formatter, Result};

use powerfill_events::run::RunId;
use powerfill_events::run::event::{ExclusionReason, RejectionReason, TradeAssessed};
use powerfill_events::values::{LoanId, TradeId, fold};
use powerfill_facts::{LoanFacts, RejectedPair};
use powerfill_tables::status::RunStatus;
use schemars::JsonSchema;
use serde::Serialize;

use super::account::LoanAccount;
use super::answer::verdict_words;
use super::facts_text::{rejected_words, write_unmatched};
use super::loan::{CandidateStory, LoanOutcome};
use super::loan_text::write_candidate;
use super::words::{near_words, points};

/// The constraints of the trade's instrument that the text lists.
const UNMATCHED: usize = 12;

/// The account of a loan and a trade.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PairAccount {
    /// The answer in one sentence.
    pub verdict: String,
    /// The run; NULL before its first event.
    #[schemars(with = "Option<String>")]
    pub run_id: Option<RunId>,
    /// The run's status.
    #[schemars(with = "String")]
    pub status: RunStatus,
    /// The loan.
    pub loan_id: LoanId,
    /// The trade.
    pub trade_id: TradeId,
    /// The loan's place at the end.
    #[serde(flatten)]
    pub outcome: LoanOutcome,
    /// What the loan and the trade have to do with each other.
    #[serde(flatten)]
    pub relation: PairRelation,
}

/// What a loan and a trade have to do with each other.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "relation", rename_all = "snake_case")]
pub enum PairRelation {
    /// The loan is a candidate for the trade.
    Candidate {
        /// With the verdict on it.
        candidate: Box<CandidateStory>,
    },
    /// The pair is no candidate; `pair` has the dates and prices that decided, if the input has
    /// them.
    Rejected {
        /// The first line of 2.6 that holds.
        rejection_reason: RejectionReason,
        /// With its values.
        pair: Option<RejectedPair>,
    },
    /// The trade is not in the run.
    Excluded {
        /// Why.
        exclusion_reason: ExclusionReason,
    },
    /// The loan matches no constraint of the trade's instrument.
    NoMatch {
        /// The loan, with the constraints of the instrument alone.
        standing: Option<Box<LoanFacts>>,
    },
    /// The loan takes no part: it is pinned or out of scope.
    NoPart,
    /// The run does not have the loan.
    NoSuchLoan,
    /// The run does not have the trade.
    NoSuchTrade {
        /// Ids that look like it.
        nearest_ids: Vec<String>,
    },
}

impl PairAccount {
    /// The account of a loan and a trade of the same run. `trade` is the trade's assessment;
    /// without one, `nearest_ids` are ids of trades that look like the id.
    pub fn new(
        loan: LoanAccount,
        trade_id: &str,
        trade: Option<&TradeAssessed>,
        nearest_ids: Vec<String>,
    ) -> Self {
        let is_unknown = loan.is_unknown();
        let LoanAccount { verdict, story, standing, .. } = loan;
        let is_trade = |id: &TradeId| fold(id.as_str()) == fold(trade_id);
        let candidate = story.candidates.into_iter().find(|c| is_trade(&c.trade_id));
        let rejected = story.rejections.iter().find(|pair| is_trade(&pair.trade_id));
        let relation = match (trade, &story.outcome) {
            _ if is_unknown => PairRelation::NoSuchLoan,
            (None, _) => PairRelation::NoSuchTrade { nearest_ids },
            (_, LoanOutcome::Pinned(_) | LoanOutcome::NoPart) => PairRelation::NoPart,
            (Some(trade), _) => match (candidate, rejected, trade.exclusion_reason) {
                (Some(candidate), ..) => PairRelation::Candidate { candidate: Box::new(candidate) },
                (None, Some(rejection), _) => PairRelation::Rejected {
                    rejection_reason: rejection.reason,
                    pair: standing.and_then(|facts| {
                        facts.rejections.into_iter().find(|pair| is_trade(&pair.trade_id))
                    }),
                },
                (None, None, Some(exclusion_reason)) => PairRelation::Excluded { exclusion_reason },
                (None, None, None) => {
                    let standing = standing.map(|facts| Box::new(of_instrument(facts, trade)));
                    PairRelation::NoMatch { standing }
                }
            },
        };
        let mut account = Self {
            verdict: String::new(),
            run_id: story.run_id,
            status: story.status,
            loan_id: story.loan_id,
            trade_id: trade.map_or_else(|| trade_id.into(), |trade| trade.trade_id.clone()),
            outcome: story.outcome,
            relation,
        };
        account.verdict = account.sentence(&verdict);
        account
    }

    /// Whether the run has both.
    pub const fn is_unknown(&self) -> bool {
        matches!(self.relation, PairRelation::NoSuchLoan | PairRelation::NoSuchTrade { .. })
    }

    /// `of_loan` is the sentence about the loan alone.
    fn sentence(&self, of_loan: &str) -> String {
        let Self { loan_id: loan, trade_id: trade, .. } = self;
        match &self.relation {
            PairRelation::Candidate { candidate } if candidate.is_chosen() => {
                let price = points(candidate.pricing.price);
                format!("Loan {loan} is in trade {trade}, at {price}.")
            }
            PairRelation::Candidate { candidate } => {
                let why = verdict_words(&candidate.verdict, &candidate.node);
                format!("Loan {loan} is not in trade {trade}: {why}.")
            }
            PairRelation::Rejected { rejection_reason, pair } => {
                let why = match pair {
                    Some(pair) => rejected_words(pair).1,
                    None => rejection_reason.words().to_owned(),
                };
                format!("Loan {loan} is no candidate for trade {trade}: {why}.")
            }
            PairRelation::Excluded { exclusion_reason } => {
                let why = exclusion_reason.words();
                format!("Loan {loan} cannot be in trade {trade}, which is not in the run: {why}.")
            }
            PairRelation::NoMatch { .. } => format!(
                "Loan {loan} is no candidate for trade {trade}: it matches no constraint of the \
                 trade's instrument."
            ),
            PairRelation::NoPart | PairRelation::NoSuchLoan => of_loan.to_owned(),
            PairRelation::NoSuchTrade { nearest_ids } => {
                format!("The run has no trade {trade}{}.", near_words(nearest_ids))
            }
        }
    }
}

/// The loan with the constraints of the trade's instrument alone.
fn of_instrument(mut facts: LoanFacts, trade: &TradeAssessed) -> LoanFacts {
    let instrument = fold(trade.investor_instrument_name.as_str());
    facts.nodes.retain(|node| fold(node.node.investor_instrument_name.as_str()) == instrument);
    facts
}

impl Display for PairAccount {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}", self.verdict)?;
        match &self.relation {
            PairRelation::Candidate { candidate } => {
                if let LoanOutcome::Allocated(place) = &self.outcome
                    && !candidate.is_chosen()
                {
                    let (here, there) = (points(candidate.pricing.score), &place.trade_id);
                    let score = points(place.pricing.score);
                    writeln!(
                        f,
                        "It is in trade {there}: its score is {score} there, {here} here."
                    )?;
                }
                writeln!(f)?;
                write_candidate(candidate, f)?;
            }
            PairRelation::NoMatch { standing: Some(facts) } if facts.nodes.is_empty() => {
                writeln!(f, "No constraint names the trade's instrument.")?;
            }
            PairRelation::NoMatch { standing: Some(facts) } => {
                write_unmatched(facts, UNMATCHED, f)?;
            }
            PairRelation::NoMatch { standing: None }
            | PairRelation::Rejected { .. }
            | PairRelation::Excluded { .. }
            | PairRelation::NoPart
            | PairRelation::NoSuchLoan
            | PairRelation::NoSuchTrade { .. } => {}
        }
        match (&self.outcome, self.is_unknown()) {
            (LoanOutcome::KickedOut(_), false) => {
                writeln!(
                    f,
                    "\nWhat would have given it a place? Ask with --what-if, without --trade."
                )
            }
            _ => Ok(()),
        }
    }
}
