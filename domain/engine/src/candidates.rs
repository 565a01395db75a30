//! 2.6 Candidates: the pairs of a loan and a trade that can be allocated, ranked turn by turn.

use std::cmp::Reverse;
use std::ops::Range;

use rayon::prelude::*;

use super::book::{Book, Ix};
use super::carry::CarryCurves;
use super::participation::Participation;
use super::prices::{AllIn, PriceSources, Slot};
use super::tree::{InstrumentMatch, Matches, Tree};
use powerfill_events::run::event::{Pricing, RejectionReason};
use powerfill_events::values::{Day, Money, Price};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::tables::TradeType;

/// A candidate. Its position among all is its turn and rank: a smaller position ranks better.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) loan: Ix,
    pub(crate) trade: Ix,
    /// The first node in walk order that the loan matches.
    pub(crate) node: Ix,
    /// What the loan matches of the trade's instrument, as [`Matches::found`] knows it.
    pub(crate) found: Ix,
    pub(crate) pricing: Pricing,
}

/// A pair that is no candidate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rejected {
    pub(crate) loan: Ix,
    pub(crate) trade: Ix,
    pub(crate) reason: RejectionReason,
}

/// All candidates, in the order of turn and rank, and where to find them.
pub(crate) struct Candidates {
    pub(crate) all: Vec<Candidate>,
    /// By loan, then trade.
    pub(crate) rejected: Vec<Rejected>,
    turns: Vec<Range<usize>>,
    of_loan: Lists,
    of_trade: Lists,
}

/// Positions of candidates by loan or by trade, in order of turn and rank.
struct Lists {
    from: Vec<u32>,
    candidates: Vec<Ix>,
}

impl Lists {
    fn new(owners: usize, all: &[Candidate], owner: impl Fn(&Candidate) -> Ix) -> Self {
        let mut from = vec![0; owners + 1];
        for candidate in all {
            from[owner(candidate) as usize + 1] += 1;
        }
        for at in 0..owners {
            from[at + 1] += from[at];
        }
        let mut next = from.clone();
        let mut candidates = vec![0; all.len()];
        for (candidate, ix) in all.iter().zip(0..) {
            let next = &mut next[owner(candidate) as usize];
            candidates[*next as usize] = ix;
            *next += 1;
        }
        Self { from, candidates }
    }

    fn of(&self, owner: Ix) -> &[Ix] {
        let (from, to) = (self.from[owner as usize], self.from[owner as usize + 1]);
        &self.candidates[from as usize..to as usize]
    }

    fn within(&self, owner: Ix, range: &Range<usize>) -> &[Ix] {
        let all = self.of(owner);
        let from = all.partition_point(|ix| (*ix as usize) < range.start);
        let to = all.partition_point(|ix| (*ix as usize) < range.end);
        &all[from..to]
    }
}

/// What candidates are made from.
pub(crate) struct Scorer<'a> {
    pub(crate) book: &'a Book<'a>,
    pub(crate) participation: &'a Participation,
    pub(crate) matches: &'a Matches,
    pub(crate) prices: &'a PriceSources<'a>,
    pub(crate) carry: &'a CarryCurves,
    pub(crate) trades_of_instrument: &'a [Vec<Ix>],
}

impl Scorer<'_> {
    /// Carry and score on top of a price (2.3).
    pub(crate) fn pricing(&self, all_in: AllIn, eligible_on: Day, on: Day, i: Ix) -> Pricing {
        let interest_earning_days = eligible_on.days_until(on);
        let carry_cost = self.carry.cost(i, interest_earning_days);
        let prx_plus_carry = all_in.price + carry_cost;
        let score = match self.book.options.price_mode {
            PriceMode::Po => all_in.price,
            PriceMode::Pc => prx_plus_carry,
        };
        let AllIn { price, payup } = all_in;
        Pricing { interest_earning_days, price, payup, carry_cost, prx_plus_carry, score }
    }

    /// The price of a loan in a trade, whether or not it is a candidate there.
    pub(crate) fn price_in(&self, loan: Ix, trade: Ix) -> Option<AllIn> {
        let instrument = self.book.trade_instrument[trade as usize];
        let pricer = self.prices.pricer(self.matches, loan, instrument);
        pricer.price(trade, self.participation.settles_on(trade))
    }

    /// The options of a loan in the slots of an instrument (2.11), by date.
    pub(crate) fn in_slots<'s>(
        &self,
        loan: Ix,
        instrument: Ix,
        slots: impl Iterator<Item = &'s Slot>,
    ) -> Vec<(Day, Pricing)> {
        let pricer = self.prices.pricer(self.matches, loan, instrument);
        let eligible_on = self.deliverable_on(loan);
        let priced = slots.filter_map(|slot| Some((slot.settles_on, pricer.in_slot(slot)?)));
        priced
            .map(|(day, price)| (day, self.pricing(price, eligible_on, day, instrument)))
            .collect()
    }

    /// The eligibility date of an eligible loan.
    pub(crate) fn deliverable_on(&self, loan: Ix) -> Day {
        self.book.eligible_on[loan as usize].expect("an eligible loan has an eligibility date")
    }

    /// The pairs of these loans: of each, candidates in the order of instruments and trades, rejected ones by trade.
    pub(crate) fn score(&self, loans: &[Ix]) -> (Vec<Candidate>, Vec<Rejected>) {
        let (mut candidates, mut rejected) = (Vec::new(), Vec::new());
        for loan in loans.iter().copied() {
            let others = rejected.len();
            for found in self.matches.places_of_loan(loan) {
                self.score_instrument(loan, found, &mut candidates, &mut rejected);
            }
            rejected[others..].sort_unstable_by_key(|pair: &Rejected| pair.trade);
        }
        (candidates, rejected)
    }

    /// The table of 2.6 for the pairs of a loan and the included trades of one instrument.
    fn score_instrument(
        &self,
        loan: Ix,
        found: Ix,
        candidates: &mut Vec<Candidate>,
        rejected: &mut Vec<Rejected>,
    ) {
        let InstrumentMatch { instrument, first: node, .. } = *self.matches.found(found);
        let trades = &self.trades_of_instrument[instrument as usize];
        if trades.is_empty() {
            return;
        }
        let options = self.book.options;
        let pricer = self.prices.pricer(self.matches, loan, instrument);
        let eligible_on = self.deliverable_on(loan);
        let earliest = eligible_on.plus(options.eligible_settle_buffer_days);
        for trade in trades.iter().copied() {
            let settles_on = self.participation.settles_on(trade);
            let is_bx = self.book.trade(trade).trade_type == TradeType::Bx;
            let below_floor = |price| is_bx && options.bx_price_floor.is_some_and(|f| price < f);
            let reason = if settles_on < earliest {
                RejectionReason::SettlesTooSoon
            } else {
                match pricer.price(trade, settles_on) {
                    None => RejectionReason::NoPrice,
                    Some(all_in) if below_floor(all_in.price) => RejectionReason::BelowPriceFloor,
                    Some(all_in) => {
                        let pricing = self.pricing(all_in, eligible_on, settles_on, instrument);
                        candidates.push(Candidate { loan, trade, node, found, pricing });
                        continue;
                    }
                }
            };
            rejected.push(Rejected { loan, trade, reason });
        }
    }
}

/// What ranks a candidate (the six lines of 2.6), smaller is better.
type RankKey = (u32, Reverse<Price>, bool, Day, u32, Ix);

impl Candidates {
    pub(crate) fn new(scorer: &Scorer<'_>, tree: &Tree) -> Self {
        let book = scorer.book;
        let eligible: Vec<Ix> = scorer.participation.eligible().collect();
        let (mut scored, mut rejected) = (Vec::new(), Vec::new());
        for block in eligible.chunks(1 << 12) {
            let found: Vec<_> = block.par_chunks(1 << 6).map(|loans| scorer.score(loans)).collect();
            for (candidates, others) in found {
                scored.extend(candidates);
                rejected.extend(others);
            }
        }
        let place = place_by_amount(book, &eligible);
        let key = |candidate: &Candidate| -> RankKey {
            let present = scorer.participation.present_trade(book, candidate.loan);
            let stays = present == Some(candidate.trade);
            let favour = if stays { book.options.switch_threshold } else { Price::ZERO };
            (
                tree.node(candidate.node).turn,
                Reverse(candidate.pricing.score + favour),
                !stays,
                scorer.participation.settles_on(candidate.trade),
                place[candidate.loan as usize],
                candidate.trade,
            )
        };
        let mut order: Vec<(RankKey, Ix)> =
            scored.par_iter().zip(0..scored.len() as Ix).map(|(c, ix)| (key(c), ix)).collect();
        order.par_sort_unstable();
        let all: Vec<Candidate> = order.par_iter().map(|(_, ix)| scored[*ix as usize]).collect();
        drop(order);
        drop(scored);
        let turn = |candidate: &Candidate| tree.node(candidate.node).turn;
        let turns = (1..=tree.turns())
            .map(|n| all.partition_point(|c| turn(c) < n)..all.partition_point(|c| turn(c) <= n));
        Self {
            turns: turns.collect(),
            of_loan: Lists::new(book.snapshot.loans.len(), &all, |c| c.loan),
            of_trade: Lists::new(book.snapshot.trades.len(), &all, |c| c.trade),
            all,
            rejected,
        }
    }

    pub(crate) fn get(&self, ix: Ix) -> &Candidate {
        &self.all[ix as usize]
    }

    /// Every turn, from 1, with the positions of its candidates.
    pub(crate) fn turns(&self) -> impl Iterator<Item = (u32, Range<usize>)> {
        (1..).zip(self.turns.iter().cloned())
    }

    /// Rank of a candidate in its turn, from 1.
    pub(crate) fn rank(&self, turn: u32, ix: Ix) -> u32 {
        ix - self.turns[turn as usize - 1].start as u32 + 1
    }

    /// The candidates of a loan, in order of turn and rank.
    pub(crate) fn of_loan(&self, loan: Ix) -> &[Ix] {
        self.of_loan.of(loan)
    }

    /// Those of them that are in a turn.
    pub(crate) fn of_loan_in(&self, loan: Ix, turn: &Range<usize>) -> &[Ix] {
        self.of_loan.within(loan, turn)
    }

    /// The candidates of a trade, in order of turn and rank.
    pub(crate) fn of_trade(&self, trade: Ix) -> &[Ix] {
        self.of_trade.of(trade)
    }

    /// Those of them that are in a turn.
    pub(crate) fn of_trade_in(&self, trade: Ix, turn: &Range<usize>) -> &[Ix] {
        self.of_trade.within(trade, turn)
    }

    /// The rejected pairs of a loan.
    pub(crate) fn rejected(&self, loan: Ix) -> &[Rejected] {
        let from = self.rejected.partition_point(|pair| pair.loan < loan);
        let to = self.rejected.partition_point(|pair| pair.loan <= loan);
        &self.rejected[from..to]
    }
}

/// Place of each eligible loan by amount, descending, then id: lines 4 and 5 of the ranking in one number.
fn place_by_amount(book: &Book<'_>, eligible: &[Ix]) -> Vec<u32> {
    let amount = |ix: &Ix| book.amount(*ix);
    let mut order: Vec<(Reverse<Money>, Ix)> =
        eligible.iter().map(|ix| (Reverse(amount(ix)), *ix)).collect();
    order.par_sort_unstable();
    let mut place = vec![0; book.snapshot.loans.len()];
    for ((_, loan), at) in order.into_iter().zip(0..) {
        place[loan as usize] = at;
    }
    place
}
