//! 2.6 Candidates: the pairs of a loan and a trade that can be allocated, ranked per turn.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::book::{InstrumentIdx, LoanIdx, RunBook, TradeIdx};
use super::carry::CarryCurves;
use super::context::RunContext;
use super::grid::GridSlot;
use super::index::{Groups, Idx, IdxRange, IdxVec};
use super::matching::{InstrumentMatch, MatchIdx, Matches};
use super::pricing::{AllInPrice, PriceSources};
use super::tree::NodeIdx;
use powerfill_events::run::event::{Pricing, RejectionReason};
use powerfill_events::values::{Day, Money, Price};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::tables::{Loan, Trade, TradeType};

/// Position of a candidate by turn, then rank: a smaller position is a better candidate.
pub(crate) type CandidateIdx = Idx<Candidate>;

/// A pair of a loan and a trade that can be allocated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) loan: LoanIdx,
    pub(crate) trade: TradeIdx,
    /// The first node in walk order that the loan matches.
    pub(crate) node: NodeIdx,
    /// The loan's match of the trade's instrument.
    pub(crate) matched: MatchIdx,
    pub(crate) pricing: Pricing,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct PairRejection {
    pub(crate) loan: LoanIdx,
    pub(crate) trade: TradeIdx,
    pub(crate) reason: RejectionReason,
}

/// Makes and prices pairs.
pub(crate) struct Scorer<'a> {
    pub(crate) context: &'a RunContext<'a>,
    pub(crate) matches: &'a Matches,
    pub(crate) prices: PriceSources<'a>,
    carry: CarryCurves,
}

impl<'a> Scorer<'a> {
    pub(crate) fn new(context: &'a RunContext<'a>, matches: &'a Matches) -> Self {
        let prices = PriceSources::new(&context.book, &context.grids);
        Self { context, matches, prices, carry: CarryCurves::new(&context.book) }
    }

    /// Adds carry and score to a price (2.3).
    pub(crate) fn pricing(
        &self,
        all_in: AllInPrice,
        eligible_on: Day,
        settles_on: Day,
        instrument: InstrumentIdx,
    ) -> Pricing {
        let AllInPrice { price, payup } = all_in;
        let interest_earning_days = eligible_on.days_until(settles_on);
        let carry_cost = self.carry.cost(instrument, interest_earning_days);
        let prx_plus_carry = price + carry_cost;
        let score = match self.context.book.options.price_mode {
            PriceMode::Po => price,
            PriceMode::Pc => prx_plus_carry,
        };
        Pricing { interest_earning_days, price, payup, carry_cost, prx_plus_carry, score }
    }

    /// The price of a loan in a trade, also where the pair is not a candidate.
    pub(crate) fn price_in(&self, loan: LoanIdx, trade: TradeIdx) -> Option<AllInPrice> {
        let RunContext { book, participation, .. } = self.context;
        let pricer = self.prices.pricer(self.matches, loan, book.trade_instrument[trade]);
        pricer.price(trade, participation.settles_on(trade))
    }

    /// The pricing of a loan in each slot of an instrument that has a price (2.11).
    pub(crate) fn price_in_slots<'s>(
        &self,
        loan: LoanIdx,
        instrument: InstrumentIdx,
        slots: impl Iterator<Item = &'s GridSlot>,
    ) -> impl Iterator<Item = Option<Pricing>> {
        let pricer = self.prices.pricer(self.matches, loan, instrument);
        let eligible_on = self.eligible_on(loan);
        slots.map(move |slot| {
            let all_in = pricer.price_in_slot(slot)?;
            Some(self.pricing(all_in, eligible_on, slot.settles_on, instrument))
        })
    }

    /// The eligibility date of an eligible loan.
    pub(crate) fn eligible_on(&self, loan: LoanIdx) -> Day {
        let date = self.context.book.eligible_on[loan];
        date.expect("an eligible loan has an eligibility date")
    }

    /// The pairs of these loans: per loan, candidates by instrument and trade, and rejected pairs
    /// by trade.
    pub(crate) fn score(&self, loans: &[LoanIdx]) -> (Vec<Candidate>, Vec<PairRejection>) {
        let (mut candidates, mut rejected) = (Vec::new(), Vec::new());
        for loan in loans.iter().copied() {
            let others = rejected.len();
            for matched in self.matches.indices_of_loan(loan) {
                self.score_instrument(loan, matched, &mut candidates, &mut rejected);
            }
            rejected[others..].sort_unstable_by_key(|pair: &PairRejection| pair.trade);
        }
        (candidates, rejected)
    }

    /// The table of 2.6 for a loan and the included trades of one instrument.
    fn score_instrument(
        &self,
        loan: LoanIdx,
        matched: MatchIdx,
        candidates: &mut Vec<Candidate>,
        rejected: &mut Vec<PairRejection>,
    ) {
        let RunContext { book, participation, .. } = self.context;
        let InstrumentMatch { instrument, first: node, .. } = *self.matches.get(matched);
        let trades = &participation.included_of[instrument];
        if trades.is_empty() {
            return;
        }
        let options = book.options;
        let pricer = self.prices.pricer(self.matches, loan, instrument);
        let eligible_on = self.eligible_on(loan);
        let earliest = eligible_on.plus(options.eligible_settle_buffer_days);
        for trade in trades.iter().copied() {
            let settles_on = participation.settles_on(trade);
            let is_bx = book.trade(trade).trade_type == TradeType::Bx;
            let below_floor = |price| is_bx && options.bx_price_floor.is_some_and(|f| price < f);
            let reason = if settles_on < earliest {
                RejectionReason::SettlesTooSoon
            } else {
                match pricer.price(trade, settles_on) {
                    None => RejectionReason::NoPrice,
                    Some(all_in) if below_floor(all_in.price) => RejectionReason::BelowPriceFloor,
                    Some(all_in) => {
                        let pricing = self.pricing(all_in, eligible_on, settles_on, instrument);
                        candidates.push(Candidate { loan, trade, node, matched, pricing });
                        continue;
                    }
                }
            };
            rejected.push(PairRejection { loan, trade, reason });
        }
    }
}

/// All candidates by turn and rank, and the rejected pairs.
pub(crate) struct Candidates {
    pub(crate) all: IdxVec<Candidate>,
    /// By loan, then trade.
    pub(crate) rejected: Vec<PairRejection>,
    turns: Vec<IdxRange<Candidate>>,
    of_loan: Groups<Loan, CandidateIdx>,
    of_trade: Groups<Trade, CandidateIdx>,
}

/// Sort key of a candidate: the turn, then the six lines of 2.6. Smaller is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RankKey {
    turn: u32,
    score: Reverse<Price>,
    is_switch: bool,
    settles_on: Day,
    /// Lines 4 and 5 in one number.
    loan_rank: u32,
    trade: TradeIdx,
}

impl Candidates {
    pub(crate) fn new(scorer: &Scorer<'_>) -> Self {
        let RunContext { book, participation, tree, .. } = scorer.context;
        let eligible: Vec<LoanIdx> = participation.eligible().collect();
        let (mut scored, mut rejected) = (IdxVec::default(), Vec::new());
        // Blocks bound the memory of the batches that wait for the ones before them.
        for block in eligible.chunks(1 << 12) {
            let batches = block.par_chunks(1 << 6).map(|loans| scorer.score(loans));
            for (candidates, others) in batches.collect::<Vec<_>>() {
                scored.extend(candidates);
                rejected.extend(others);
            }
        }
        let all = ranked(scorer, &eligible, &scored);
        drop(scored);
        let turn = |candidate: &Candidate| tree.nodes[candidate.node].turn;
        let turns = (1..=tree.turns()).map(|number| {
            let all: &[Candidate] = all.as_slice();
            let start = all.partition_point(|candidate| turn(candidate) < number);
            let end = all.partition_point(|candidate| turn(candidate) <= number);
            IdxRange::new(start..end)
        });
        Self {
            turns: turns.collect(),
            of_loan: Groups::by_owner(book.snapshot.loans.len(), &all, |c| c.loan),
            of_trade: Groups::by_owner(book.snapshot.trades.len(), &all, |c| c.trade),
            all,
            rejected,
        }
    }

    /// Every turn, from 1, with its candidates.
    pub(crate) fn turns(&self) -> impl Iterator<Item = (u32, IdxRange<Candidate>)> {
        (1..).zip(self.turns.iter().copied())
    }

    /// The candidates of a loan, by turn and rank.
    pub(crate) fn of_loan(&self, loan: LoanIdx) -> &[CandidateIdx] {
        self.of_loan.group(loan)
    }

    /// The candidates of a trade, by turn and rank.
    pub(crate) fn of_trade(&self, trade: TradeIdx) -> &[CandidateIdx] {
        self.of_trade.group(trade)
    }

    /// The rejected pairs of a loan, by trade.
    pub(crate) fn rejected_of(&self, loan: LoanIdx) -> &[PairRejection] {
        let from = self.rejected.partition_point(|pair| pair.loan < loan);
        let to = self.rejected.partition_point(|pair| pair.loan <= loan);
        &self.rejected[from..to]
    }
}

/// The candidates sorted by turn and rank.
fn ranked(
    scorer: &Scorer<'_>,
    eligible: &[LoanIdx],
    scored: &IdxVec<Candidate>,
) -> IdxVec<Candidate> {
    let RunContext { book, participation, tree, .. } = scorer.context;
    let loan_ranks = loan_ranks(book, eligible);
    let key = |candidate: &Candidate| {
        let present = participation.present_trade(book, candidate.loan);
        let stays = present == Some(candidate.trade);
        let bonus = if stays { book.options.switch_threshold } else { Price::ZERO };
        RankKey {
            turn: tree.nodes[candidate.node].turn,
            score: Reverse(candidate.pricing.score + bonus),
            is_switch: !stays,
            settles_on: participation.settles_on(candidate.trade),
            loan_rank: loan_ranks[candidate.loan],
            trade: candidate.trade,
        }
    };
    let scored = scored.as_slice();
    let mut order: Vec<(RankKey, CandidateIdx)> =
        scored.par_iter().enumerate().map(|(at, c)| (key(c), Idx::new(at))).collect();
    order.par_sort_unstable();
    let all: Vec<Candidate> = order.par_iter().map(|(_, idx)| scored[idx.get()]).collect();
    all.into()
}

/// Rank of each eligible loan by amount, descending, then id.
fn loan_ranks(book: &RunBook<'_>, eligible: &[LoanIdx]) -> IdxVec<Loan, u32> {
    let mut order: Vec<(Reverse<Money>, LoanIdx)> =
        eligible.iter().map(|loan| (Reverse(book.amounts[*loan]), *loan)).collect();
    order.par_sort_unstable();
    let mut ranks = IdxVec::per_row(&book.snapshot.loans, 0);
    for ((_, loan), rank) in order.into_iter().zip(0..) {
        ranks[loan] = rank;
    }
    ranks
}
