//! The verdict on a candidate of a loan (specification 3.4): whether the candidate was taken, or
//! why not, from the fill of its trade when best_fit reached it.

use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, LoanAllocated, Pass,
};
use powerfill_events::values::{LoanId, Money, TradeId, round_div};
use schemars::JsonSchema;
use serde::Serialize;

use super::ledger::{Fill, FillingLoan, Ledger, Ledgers, Moment, candidate_order};
use super::limit::{FullLimit, FullLimits};
use super::loan::RunInput;
use super::step::{RecordedStep, Stay, stays};

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum CandidateVerdict {
    /// The loan is in the trade at the end.
    Chosen,
    /// The loan was in the trade, and a later step moved it or took it out.
    GivenUp {
        /// The number of the placement that brought it there.
        allocation_seq: u64,
    },
    /// The loan was already in a trade when best_fit reached the candidate.
    PlacedBefore {
        /// That trade.
        trade_id: TradeId,
        /// The pass that placed it there.
        pass: Pass,
    },
    /// exact_fit precedes best_fit: the loan completed another trade.
    CompletedAnother {
        /// The other trade.
        trade_id: TradeId,
    },
    /// With the loan, the trade would exceed its max.
    NoRoom {
        /// The filled amount when best_fit reached the candidate.
        filled_amount: Money,
        /// The bound.
        max_amount: Money,
        /// By how much the trade would exceed it.
        excess_amount: Money,
        /// The loans in the trade at that moment.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        filled_by: Vec<FillingLoan>,
    },
    /// The trade had reached its open amount. Only orphan_handling fills up to max.
    AtOpenAmount {
        /// The filled amount when best_fit reached the candidate.
        filled_amount: Money,
        /// The target.
        open_amount: Money,
        /// The loans in the trade at that moment.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        filled_by: Vec<FillingLoan>,
    },
    /// The trade had room, so a limit barred the loan.
    LimitBarred {
        /// The filled amount when best_fit reached the candidate.
        filled_amount: Money,
        /// What was left to max.
        room_amount: Money,
        /// The loans in the trade at that moment.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        filled_by: Vec<FillingLoan>,
        /// The limits that left too little.
        #[schemars(with = "Vec<FullLimit>")]
        full_limits: FullLimits,
    },
    /// The run adopted a challenge, which looks at all loans together and has no order: it has the
    /// loan in another trade, or in none.
    NotAdopted {
        /// The other trade.
        trade_id: Option<TradeId>,
    },
    /// The run's events end before best_fit reaches the candidate.
    NotReached,
}

/// What the verdicts on the candidates of a loan follow from.
pub(super) struct VerdictInput<'a> {
    pub(super) input: Option<&'a RunInput>,
    pub(super) loan_id: &'a LoanId,
    pub(super) loan_amount: Option<Money>,
    /// The trade that the loan's present pool is designated to.
    pub(super) present_trade_id: Option<&'a TradeId>,
    pub(super) steps: &'a [RecordedStep],
    pub(super) candidates: &'a [CandidateScored],
    pub(super) blocks: &'a [ConstraintBlockEvaluated],
    pub(super) ledgers: &'a Ledgers,
    /// Whether best_fit of every turn is over.
    pub(super) allocation_over: bool,
}

impl VerdictInput<'_> {
    pub(super) fn verdict(&self, candidate: &CandidateScored) -> CandidateVerdict {
        let stays = stays(self.steps);
        if let Some(last) = stays.iter().rfind(|stay| *stay.trade_id == candidate.trade_id) {
            let allocation_seq = last.allocation_seq;
            return match last.until {
                None => CandidateVerdict::Chosen,
                Some(_) => CandidateVerdict::GivenUp { allocation_seq },
            };
        }
        let (Some(ledger), Some(loan_amount), Some(input)) =
            (self.ledgers.get(&candidate.trade_id), self.loan_amount, self.input)
        else {
            return CandidateVerdict::NotReached;
        };
        if input.challenge.is_some() {
            return not_adopted(&stays, self.allocation_over);
        }
        let visit = Moment::new(candidate.turn, Pass::BestFit);
        let was_placed = |stay: &&Stay<'_>| {
            stay.covers(visit, || self.rank_of(stay) < Some(candidate.candidate_rank))
        };
        if let Some(stay) = stays.iter().find(was_placed) {
            return self.placed_before(stay, candidate, ledger, loan_amount);
        }
        if stays.is_empty() && !self.allocation_over {
            return CandidateVerdict::NotReached;
        }
        let threshold = input.options.switch_threshold;
        let is_home = self.present_trade_id == Some(&candidate.trade_id);
        let score = candidate.pricing.score;
        let order = candidate_order(score, is_home, threshold, loan_amount, self.loan_id);
        let fill = ledger.at_best_fit(candidate.turn, &order, threshold);
        verdict_of_fill(fill, ledger, loan_amount, self.blocks)
    }

    fn rank_of(&self, stay: &Stay<'_>) -> Option<u32> {
        let is_stay = |candidate: &&CandidateScored| {
            candidate.turn == stay.turn && candidate.trade_id == *stay.trade_id
        };
        self.candidates.iter().find(is_stay).map(|candidate| candidate.candidate_rank)
    }

    /// exact_fit looks at all candidates of its turn before best_fit does, so it can place a loan
    /// although another candidate of the loan has a better rank. That candidate gets the reason.
    fn placed_before(
        &self,
        stay: &Stay<'_>,
        candidate: &CandidateScored,
        ledger: &Ledger,
        loan_amount: Money,
    ) -> CandidateVerdict {
        let outranks = Some(candidate.candidate_rank) < self.rank_of(stay);
        if !(stay.pass == Pass::ExactFit && stay.turn == candidate.turn && outranks) {
            return CandidateVerdict::PlacedBefore {
                trade_id: stay.trade_id.clone(),
                pass: stay.pass,
            };
        }
        if self.completed_trade(stay) {
            return CandidateVerdict::CompletedAnother { trade_id: stay.trade_id.clone() };
        }
        // The sole choice: no other candidate of the loan was live (2.7 exact_fit (b)).
        verdict_of_fill(ledger.before(stay.version), ledger, loan_amount, self.blocks)
    }

    /// Whether the placement brought its trade to within the variance of its open amount (2.7
    /// exact_fit (a)).
    fn completed_trade(&self, stay: &Stay<'_>) -> bool {
        let step = self.steps.iter().find(|recorded| recorded.version == stay.version);
        let placed = step.and_then(|recorded| recorded.step.allocated());
        placed.and_then(|placed| self.is_within_variance(placed)).unwrap_or_default()
    }

    fn is_within_variance(&self, placed: &LoanAllocated) -> Option<bool> {
        let open_amount = self.ledgers.get(&placed.trade_id)?.trade.open_amount;
        let percent = self.input?.options.exact_fit_variance;
        // Cents times per cent with 6 decimals.
        let exact = i128::from(open_amount.units()) * i128::from(percent.units());
        let variance = Money::from_wide(round_div(exact, 100_000_000));
        Some((placed.filled_after - open_amount).abs() <= variance)
    }
}

/// The verdict of an adopted challenge on a candidate that it did not take.
pub(super) fn not_adopted(stays: &[Stay<'_>], allocation_over: bool) -> CandidateVerdict {
    let trade_id = stays.last().map(|stay| stay.trade_id.clone());
    match trade_id.is_some() || allocation_over {
        true => CandidateVerdict::NotAdopted { trade_id },
        false => CandidateVerdict::NotReached,
    }
}

/// The verdict on a loan that was in no trade when best_fit reached its candidate, from the fill of
/// the candidate's trade.
pub(super) fn verdict_of_fill(
    fill: Fill,
    ledger: &Ledger,
    loan_amount: Money,
    blocks: &[ConstraintBlockEvaluated],
) -> CandidateVerdict {
    let Some(band) = ledger.trade.band else { return CandidateVerdict::NotReached };
    let Fill { filled_amount, loans: filled_by } = fill;
    let (open_amount, max_amount) = (ledger.trade.open_amount, band.max_amount);
    let with_loan = filled_amount + loan_amount;
    if with_loan > max_amount {
        let excess_amount = with_loan - max_amount;
        CandidateVerdict::NoRoom { filled_amount, max_amount, excess_amount, filled_by }
    } else if filled_amount >= open_amount {
        CandidateVerdict::AtOpenAmount { filled_amount, open_amount, filled_by }
    } else {
        let room_amount = max_amount - filled_amount;
        let full_limits = FullLimits::possible(blocks, &ledger.trade.trade_id, loan_amount);
        CandidateVerdict::LimitBarred { filled_amount, room_amount, filled_by, full_limits }
    }
}
