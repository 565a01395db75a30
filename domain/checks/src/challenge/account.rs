//! Rooms, limits, candidates, and worth of a run (10.1), and the bound that prices give (10.2).

use powerfill_events::challenge::{ChallengeEvent, ChallengeWeights, PriceSubject};
use powerfill_events::run::RunEvent;
use powerfill_events::values::{Money, Price};

use super::allocation::FinalAllocation;
use super::fault::ChallengeFault;
use super::{dollars, expect_same};
use crate::amounts::{FinalAmounts, block_subject};
use crate::decisions::Decisions;
use crate::terms::{LoanTerms, RunTerms};
use crate::tree::NodeTree;
use crate::violation::ViolationSubject;

/// A candidate of a loan.
#[derive(Debug, Clone, Copy)]
pub(super) struct AccountCandidate {
    pub(super) trade: usize,
    pub(super) turn: usize,
    pub(super) score: Price,
    pub(super) price: Price,
    /// Where its blocks are in [`Account::limited_blocks`].
    blocks: (usize, usize),
}

/// Points per 100 of par, units of 10^−8; the dollars of an amount in cents at such a price are in
/// units of 10^−12.
pub(super) struct Prices {
    trades: Vec<i128>,
    blocks: Vec<i128>,
    /// From turn 1 at 0.
    turns: Vec<i128>,
}

/// What the snapshot and the events of a run say about its instance.
pub(super) struct Account<'a> {
    pub(super) terms: &'a RunTerms<'a>,
    tree: &'a NodeTree<'a>,
    amounts: FinalAmounts,
    weights: ChallengeWeights,
    /// Per loan of the snapshot, by trade; empty for a loan that is not eligible.
    pub(super) candidates: Vec<Vec<AccountCandidate>>,
    /// Per loan of the snapshot: the lowest score among its candidates.
    lowest_scores: Vec<Price>,
    /// The blocks with an upper limit that candidates use: those of each follow each other.
    limited_blocks: Vec<usize>,
    turns: usize,
    /// Per turn: what the run placed by candidates of it and those before it.
    required: Vec<Money>,
}

impl<'a> Account<'a> {
    pub(super) fn new(
        terms: &'a RunTerms<'a>,
        tree: &'a NodeTree<'a>,
        decisions: &Decisions<'_>,
        chunks: &[&[RunEvent]],
        weights: ChallengeWeights,
    ) -> Result<Self, ChallengeFault> {
        let candidates = read_candidates(terms, chunks)?;
        let lowest = |of_loan: &Vec<AccountCandidate>| of_loan.iter().map(|c| c.score).min();
        let lowest_scores = candidates.iter().map(|of_loan| lowest(of_loan).unwrap_or_default());
        let lowest_scores = lowest_scores.collect();
        let mut account = Self {
            terms,
            tree,
            amounts: FinalAmounts::new(terms, tree, decisions),
            weights,
            candidates,
            lowest_scores,
            limited_blocks: Vec::new(),
            turns: tree.nodes.last().map_or(0, |node| node.turn as usize),
            required: Vec::new(),
        };
        account.find_blocks();
        let run = account.run_allocation(decisions)?;
        account.required = account.prefix_amounts(&run);
        Ok(account)
    }

    pub(super) fn amount(&self, loan: usize) -> Money {
        self.terms.snapshot.loans[loan].loan_amount
    }

    /// The amount of all eligible loans.
    pub(super) fn eligible_amount(&self) -> Money {
        let loans = (0..self.candidates.len()).filter(|loan| self.is_eligible(*loan));
        loans.map(|loan| self.amount(loan)).sum()
    }

    pub(super) fn is_eligible(&self, loan: usize) -> bool {
        matches!(self.terms.loans[loan], LoanTerms::Eligible { .. })
    }

    pub(super) fn trade_room(&self, trade: usize) -> Money {
        Money::ZERO.max(self.terms.trades[trade].max - self.terms.trades[trade].held)
    }

    /// The room of a block; `None` without an upper limit.
    pub(super) fn block_room(&self, block: usize) -> Option<Money> {
        let block = &self.amounts.blocks[block];
        block.hi.map(|hi| Money::ZERO.max(hi - block.held))
    }

    /// Finds the blocks of each candidate. Whether a loan matches a node is computed once.
    fn find_blocks(&mut self) {
        let mut matches = vec![None; self.tree.nodes.len()];
        for (loan, of_loan) in self.candidates.iter_mut().enumerate() {
            let row = &self.terms.snapshot.loans[loan];
            matches.fill(None);
            for candidate in of_loan {
                let from = self.limited_blocks.len();
                for at in &self.amounts.blocks_of[candidate.trade] {
                    let block = &self.amounts.blocks[*at];
                    let matches = &mut matches[block.node];
                    if block.hi.is_some()
                        && *matches.get_or_insert_with(|| self.tree.matches(block.node, row))
                    {
                        self.limited_blocks.push(*at);
                    }
                }
                candidate.blocks = (from, self.limited_blocks.len());
            }
        }
    }

    /// The blocks with an upper limit that the loan of a candidate uses in its trade.
    pub(super) fn blocks(&self, candidate: &AccountCandidate) -> &[usize] {
        &self.limited_blocks[candidate.blocks.0..candidate.blocks.1]
    }

    pub(super) fn block_subject(&self, block: usize) -> ViolationSubject {
        block_subject(self.terms, self.tree, &self.amounts.blocks[block])
    }

    pub(super) fn block_count(&self) -> usize {
        self.amounts.blocks.len()
    }

    /// What a candidate is worth, in units of 10^−12 dollars.
    pub(super) fn candidate_worth(&self, loan: usize, candidate: &AccountCandidate) -> i128 {
        let stays = self.terms.prior_trade(loan) == Some(candidate.trade);
        let stay = if stays { self.weights.stay } else { Price::ZERO };
        let points = candidate.score - self.lowest_scores[loan] + self.weights.placement + stay;
        let per_loan = i128::from(self.weights.per_loan.units()) * 10_i128.pow(10);
        product(points.units().into(), self.amount(loan)) + per_loan
    }

    /// What a candidate pays: the prices of its trade and limits, less those of its turn and the
    /// turns after it.
    fn charge(&self, prices: &Prices, candidate: &AccountCandidate) -> i128 {
        let blocks = self.blocks(candidate).iter().map(|block| prices.blocks[*block]);
        let turns = &prices.turns[candidate.turn - 1..];
        prices.trades[candidate.trade] + blocks.sum::<i128>() - turns.iter().sum::<i128>()
    }

    fn net(&self, prices: &Prices, loan: usize, candidate: &AccountCandidate) -> i128 {
        let charge = self.charge(prices, candidate);
        self.candidate_worth(loan, candidate) - product(charge, self.amount(loan))
    }

    pub(super) fn score_after_prices(
        &self,
        prices: &Prices,
        candidate: &AccountCandidate,
    ) -> Price {
        candidate.score - Price::from_wide(self.charge(prices, candidate))
    }

    /// Per loan: what its best usable candidate is worth after prices; 0 where that is negative.
    pub(super) fn best_nets(&self, prices: &Prices) -> Vec<i128> {
        (0..self.candidates.len()).map(|loan| self.best_net(prices, loan)).collect()
    }

    fn best_net(&self, prices: &Prices, loan: usize) -> i128 {
        let amount = self.amount(loan);
        let usable = self.candidates[loan].iter().filter(|candidate| {
            amount <= self.trade_room(candidate.trade)
                && self
                    .blocks(candidate)
                    .iter()
                    .all(|block| self.block_room(*block).is_none_or(|room| amount <= room))
        });
        usable.map(|candidate| self.net(prices, loan, candidate)).fold(0, i128::max)
    }

    /// Reads the prices of a challenge.
    pub(super) fn prices(&self, challenge: &[ChallengeEvent]) -> Result<Prices, ChallengeFault> {
        let mut prices = Prices {
            trades: vec![0; self.terms.trades.len()],
            blocks: vec![0; self.amounts.blocks.len()],
            turns: vec![0; self.turns],
        };
        for event in challenge {
            let ChallengeEvent::ShadowPriceFound(event) = event else { continue };
            let slot = self.slot(&mut prices, &event.subject);
            let is_new = slot.as_ref().is_some_and(|slot| **slot == 0);
            match slot {
                Some(slot) if is_new && event.price > Price::ZERO => {
                    *slot = event.price.units().into();
                }
                _ => {
                    let subject = format!("the price of {:?}", event.subject);
                    let expected = "one price above 0 per trade, block, and turn of the run";
                    return Err(ChallengeFault::new(subject, expected, format!("{}", event.price)));
                }
            }
        }
        Ok(prices)
    }

    fn slot<'p>(&self, prices: &'p mut Prices, subject: &PriceSubject) -> Option<&'p mut i128> {
        match subject {
            PriceSubject::Trade { trade_id } => {
                let trade = self.terms.find_trade(trade_id)?;
                self.terms.trades[trade].is_included().then(|| &mut prices.trades[trade])
            }
            PriceSubject::Block { node, trade_id } => {
                let trade = self.terms.find_trade(trade_id)?;
                let mut of_trade = self.amounts.blocks_of[trade].iter();
                let block = of_trade.find(|at| {
                    let block = &self.amounts.blocks[**at];
                    block.hi.is_some() && self.tree.nodes[block.node].is_same(node)
                })?;
                Some(&mut prices.blocks[*block])
            }
            PriceSubject::Turn { turn } => prices.turns.get_mut((*turn as usize).checked_sub(1)?),
        }
    }

    /// The bound (10.2), in units of 10^−12 dollars.
    pub(super) fn bound(&self, prices: &Prices, best_nets: &[i128]) -> i128 {
        let trades = prices.trades.iter().enumerate();
        let trades = trades.map(|(at, price)| match price {
            0 => 0,
            price => product(*price, self.trade_room(at)),
        });
        let blocks = prices.blocks.iter().enumerate();
        let blocks =
            blocks.map(|(at, price)| product(*price, self.block_room(at).unwrap_or_default()));
        let turns = prices.turns.iter().zip(&self.required);
        let turns = turns.map(|(price, amount)| product(*price, *amount));
        let loans: i128 = best_nets.iter().sum();
        trades.sum::<i128>() + blocks.sum::<i128>() - turns.sum::<i128>() + loans
    }

    /// Per turn, from turn 1 at 0: what an allocation places by candidates of it and those before.
    fn prefix_amounts(&self, allocation: &FinalAllocation) -> Vec<Money> {
        let mut amounts = vec![Money::ZERO; self.turns];
        for (loan, candidate) in allocation.placed(self) {
            for amount in &mut amounts[candidate.turn - 1..] {
                *amount += self.amount(loan);
            }
        }
        amounts
    }

    /// Per turn: what an allocation places beyond the run, by candidates of it and those before.
    pub(super) fn priority_margins(&self, allocation: &FinalAllocation) -> Vec<Money> {
        let prefix = self.prefix_amounts(allocation);
        prefix.into_iter().zip(&self.required).map(|(own, run)| own - *run).collect()
    }

    /// The terms of the gap of an allocation: per trade, per block, and per turn; then those of the
    /// loans.
    pub(super) fn gap_terms(
        &self,
        prices: &Prices,
        best_nets: &[i128],
        allocation: &FinalAllocation,
    ) -> [Vec<i128>; 4] {
        let (in_trade, in_block) = allocation.amounts(self);
        let trades = in_trade.iter().enumerate().map(|(at, amount)| match prices.trades[at] {
            0 => 0,
            price => product(price, self.trade_room(at) - *amount),
        });
        let blocks = in_block.iter().enumerate().map(|(at, amount)| {
            let room = self.block_room(at).unwrap_or_default();
            product(prices.blocks[at], room - *amount)
        });
        let margins = self.priority_margins(allocation);
        let turns = prices.turns.iter().zip(margins).map(|(price, margin)| product(*price, margin));
        let loans = best_nets.iter().enumerate().map(|(loan, best)| {
            let placed = allocation.candidate(self, loan);
            best - placed.map_or(0, |candidate| self.net(prices, loan, candidate))
        });
        [trades.collect(), blocks.collect(), turns.collect(), loans.collect()]
    }

    /// The parts of the run's gap that the prices name.
    pub(super) fn check_run_gaps(
        &self,
        challenge: &[ChallengeEvent],
        [trades, blocks, turns, _]: [Vec<i128>; 4],
    ) -> Result<(), ChallengeFault> {
        let mut terms = Prices { trades, blocks, turns };
        for event in challenge {
            let ChallengeEvent::ShadowPriceFound(event) = event else { continue };
            let term = self.slot(&mut terms, &event.subject).map(|term| dollars(*term));
            let subject = format!("the gap at {:?}", event.subject);
            expect_same(&subject, &term, &Some(event.run_gap))?;
        }
        Ok(())
    }
}

/// No term of a gap is negative, and their sum is the gap: the bound less the worth.
pub(super) fn check_gap(
    whose: &str,
    gap: i128,
    terms: &[Vec<i128>; 4],
) -> Result<(), ChallengeFault> {
    let kinds = ["trade", "block", "turn", "loan"];
    for (kind, of_kind) in kinds.iter().zip(terms) {
        if let Some((at, term)) = of_kind.iter().enumerate().find(|(_, term)| **term < 0) {
            let subject = format!("the gap of {whose} at {kind} number {at}");
            return Err(ChallengeFault::new(
                subject,
                "no negative term",
                dollars(*term).to_string(),
            ));
        }
    }
    let total: i128 = terms.iter().flatten().sum();
    expect_same(&format!("the gap of {whose}"), &dollars(gap), &dollars(total))
}

/// Units of 10^−8 points times cents: units of 10^−12 dollars.
fn product(points: i128, amount: Money) -> i128 {
    points * i128::from(amount.units())
}

/// Per loan of the snapshot: its candidates, by trade, whose blocks are not known yet.
fn read_candidates(
    terms: &RunTerms<'_>,
    chunks: &[&[RunEvent]],
) -> Result<Vec<Vec<AccountCandidate>>, ChallengeFault> {
    let mut candidates = vec![Vec::new(); terms.loans.len()];
    for event in chunks.iter().copied().flatten() {
        let RunEvent::CandidateScored(event) = event else { continue };
        let place = terms.find_loan(&event.loan_id).zip(terms.find_trade(&event.trade_id));
        let Some((loan, trade)) = place else {
            let pair = format!("candidate {} in {}", event.loan_id, event.trade_id);
            return Err(ChallengeFault::new(pair, "a loan and a trade", "none"));
        };
        candidates[loan].push(AccountCandidate {
            trade,
            turn: event.turn as usize,
            score: event.pricing.score,
            price: event.pricing.price,
            blocks: (0, 0),
        });
    }
    for of_loan in &mut candidates {
        of_loan.sort_by_key(|candidate| candidate.trade);
    }
    Ok(candidates)
}
