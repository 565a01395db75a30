//! Why a candidate of a loan was taken, or not (specification 3.4): from how full its trade was
//! when its turn came.

use std::collections::HashMap;
use std::sync::Arc;

use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, LoanAllocated, Node, Pass,
};
use powerfill_events::run::options::RunOptions;
use powerfill_events::values::{LoanId, Money, TradeId, round_div};
use serde::Serialize;

use super::ledger::{Fill, FillingLoan, Ledger, Moment, standing};
use super::loan::LoanStep;

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum CandidateVerdict {
    /// The loan is there at the end.
    Chosen,
    /// The loan was there, and then moved or taken out.
    GivenUp {
        /// Number of the placement that brought it there.
        allocation_seq: u64,
    },
    /// The loan had a place already when its turn came.
    PlacedBefore {
        /// Where.
        trade_id: TradeId,
        /// The pass that had placed it.
        pass: Pass,
    },
    /// exact_fit goes before rank order: the loan completed another trade.
    CompletedAnother {
        /// Which.
        trade_id: TradeId,
    },
    /// With the loan the trade would have gone past max.
    NoRoom {
        /// Filled when its turn came.
        filled_amount: Money,
        /// The bound.
        max_amount: Money,
        /// What is too much.
        excess_amount: Money,
        /// The loans that were there.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        filled_by: Vec<FillingLoan>,
    },
    /// The trade had its open amount; only orphan_handling goes on to max.
    AtOpenAmount {
        /// Filled when its turn came.
        filled_amount: Money,
        /// The target.
        open_amount: Money,
        /// The loans that were there.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        filled_by: Vec<FillingLoan>,
    },
    /// Room was there, so a limit barred it.
    LimitBarred {
        /// Filled when its turn came.
        filled_amount: Money,
        /// What was left to max.
        room_amount: Money,
        /// The loans that were there.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        filled_by: Vec<FillingLoan>,
        /// From events alone: limits of the trade with too little left for the loan at the end of
        /// the run, for events do not say which of them describe it. With the input beside
        /// (`standing`): those that describe it and had too little left when its turn came.
        full_limits: Vec<FullLimit>,
    },
    /// The run's events do not reach that far.
    NotReached,
}

/// A limit without room for a loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FullLimit {
    /// Whose.
    pub node: Arc<Node>,
    /// The bound.
    pub hi_amount: Money,
    /// Used of it.
    pub used_amount: Money,
    /// The loans that use it; left out where events alone are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<FillingLoan>,
}

/// What a verdict is found from.
pub(super) struct VerdictInput<'a> {
    pub(super) options: Option<&'a RunOptions>,
    pub(super) loan_id: &'a LoanId,
    pub(super) loan_amount: Option<Money>,
    /// The trade that the loan's present pool is designated to.
    pub(super) present_trade_id: Option<&'a TradeId>,
    pub(super) steps: &'a [(u64, LoanStep)],
    pub(super) candidates: &'a [CandidateScored],
    pub(super) blocks: &'a [ConstraintBlockEvaluated],
    pub(super) ledgers: &'a HashMap<TradeId, Ledger>,
    /// Whether best_fit of every turn is over.
    pub(super) allocation_over: bool,
}

/// A place of the loan, from one step to the next.
pub(super) struct Stay<'a> {
    version: u64,
    pub(super) trade_id: &'a TradeId,
    pub(super) from: Moment,
    turn: u32,
    pub(super) pass: Pass,
    pub(super) allocation_seq: u64,
    /// When it left; `None` where it is there at the end.
    pub(super) until: Option<Moment>,
}

impl VerdictInput<'_> {
    /// The verdict on a candidate.
    pub(super) fn judge(&self, candidate: &CandidateScored) -> CandidateVerdict {
        let stays = stays(self.steps);
        if let Some(last) = stays.iter().rfind(|stay| *stay.trade_id == candidate.trade_id) {
            let allocation_seq = last.allocation_seq;
            let still_there = last.until.is_none();
            return if still_there {
                CandidateVerdict::Chosen
            } else {
                CandidateVerdict::GivenUp { allocation_seq }
            };
        }
        let (Some(ledger), Some(loan_amount), Some(options)) =
            (self.ledgers.get(&candidate.trade_id), self.loan_amount, self.options)
        else {
            return CandidateVerdict::NotReached;
        };
        if let Some(stay) = stays.iter().find(|stay| self.has_place(stay, candidate)) {
            return self.placed_before(stay, candidate, ledger, loan_amount);
        }
        if stays.is_empty() && !self.allocation_over {
            return CandidateVerdict::NotReached;
        }
        let threshold = options.switch_threshold;
        let at_home = self.present_trade_id == Some(&candidate.trade_id);
        let score = candidate.pricing.score;
        let standing = standing(score, at_home, threshold, loan_amount, self.loan_id);
        let fill = ledger.at_best_fit(candidate.turn, &standing, threshold);
        of_fill(fill, ledger, loan_amount, self.blocks)
    }

    /// Whether the loan was in this place when best_fit came to the candidate.
    fn has_place(&self, stay: &Stay<'_>, candidate: &CandidateScored) -> bool {
        let visit = Moment::new(candidate.turn, Pass::BestFit);
        let came = stay.from < visit
            || (stay.from == visit && self.rank_of(stay) < Some(candidate.candidate_rank));
        came && stay.until.is_none_or(|until| until > visit)
    }

    fn rank_of(&self, stay: &Stay<'_>) -> Option<u32> {
        let is_stay = |candidate: &&CandidateScored| {
            candidate.turn == stay.turn && candidate.trade_id == *stay.trade_id
        };
        self.candidates.iter().find(is_stay).map(|candidate| candidate.candidate_rank)
    }

    /// exact_fit looks at all candidates of its turn before best_fit does, so that a better-ranked
    /// one has an answer of its own; any other place simply came first.
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
        if self.completed(stay) {
            return CandidateVerdict::CompletedAnother { trade_id: stay.trade_id.clone() };
        }
        // The sole choice: no other candidate was live.
        of_fill(ledger.before(stay.version), ledger, loan_amount, self.blocks)
    }

    /// Whether the placement brought its trade to within the variance of its open amount (2.7
    /// exact_fit (a)).
    fn completed(&self, stay: &Stay<'_>) -> bool {
        let Some(placed) = self.steps.iter().find_map(|(version, step)| match step {
            LoanStep::Allocated(placed) if *version == stay.version => Some(placed),
            LoanStep::Allocated(_) | LoanStep::Moved(_) | LoanStep::Released(_) => None,
        }) else {
            return false;
        };
        self.variance_of(placed).is_some_and(|(variance, off)| off <= variance)
    }

    /// The good-delivery variance of the trade in dollars, and how far off its open amount the loan
    /// left it.
    fn variance_of(&self, placed: &LoanAllocated) -> Option<(Money, Money)> {
        let open_amount = self.ledgers.get(&placed.trade_id)?.trade.open_amount;
        // Cents times per cent with 6 decimals.
        let exact =
            i128::from(open_amount.units()) * i128::from(self.options?.exact_fit_variance.units());
        let variance = Money::from_wide(round_div(exact, 100_000_000));
        Some((variance, (placed.filled_after - open_amount).abs()))
    }
}

/// What the fill of a trade, when a candidate's turn came, says about it.
pub(super) fn of_fill(
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
        let full_limits = full_limits(blocks, &ledger.trade.trade_id, loan_amount);
        CandidateVerdict::LimitBarred { filled_amount, room_amount, filled_by, full_limits }
    }
}

/// The places of a loan, in their order.
pub(super) fn stays(steps: &[(u64, LoanStep)]) -> Vec<Stay<'_>> {
    let mut stays: Vec<Stay<'_>> = Vec::new();
    for (version, step) in steps {
        let (turn, pass, arrives) = match step {
            LoanStep::Allocated(placed) => {
                (placed.turn, placed.pass, Some((&placed.trade_id, placed.allocation_seq)))
            }
            LoanStep::Moved(moved) => {
                (moved.turn, moved.pass, Some((&moved.to_trade_id, moved.allocation_seq)))
            }
            LoanStep::Released(released) => (released.turn, released.pass, None),
        };
        let from = Moment::new(turn, pass);
        if let Some(stay) = stays.last_mut() {
            stay.until.get_or_insert(from);
        }
        if let Some((trade_id, allocation_seq)) = arrives {
            let version = *version;
            let until = None;
            stays.push(Stay { version, trade_id, from, turn, pass, allocation_seq, until });
        }
    }
    stays
}

/// The limits of a trade that have too little left for a loan.
pub(super) fn full_limits(
    blocks: &[ConstraintBlockEvaluated],
    trade_id: &TradeId,
    loan_amount: Money,
) -> Vec<FullLimit> {
    let of_trade = blocks.iter().filter(|block| block.trade_id == *trade_id);
    let full = of_trade.filter_map(|block| {
        let hi_amount = block.hi_amount?;
        (block.used_amount + loan_amount > hi_amount).then(|| FullLimit {
            node: Arc::clone(&block.node),
            hi_amount,
            used_amount: block.used_amount,
            used_by: Vec::new(),
        })
    });
    full.collect()
}
