//! The bound for given prices, and the terms of the gap, exactly (10.2).

use rayon::prelude::*;
use rust_decimal::Decimal;

use crate::instance::{Instance, LoanPair};

/// Prices of rooms, limits, and turns, in units of 10^−8 points; none is negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowPrices {
    /// Per trade.
    pub trades: Vec<i64>,
    /// Per limit.
    pub limits: Vec<i64>,
    /// Per turn, from turn 1 at 0.
    pub turns: Vec<i64>,
}

/// The terms of the gap between the bound and an allocation, in units of 10^−12 dollars. None is
/// negative, and their sum is the gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapTerms {
    /// Per trade: its price times its unused room.
    pub trades: Vec<i128>,
    /// Per limit: its price times its unused room.
    pub limits: Vec<i128>,
    /// Per turn: its price times what the allocation places beyond the rule.
    pub turns: Vec<i128>,
    /// Per loan: what its best candidate is worth after prices, less what its placement is worth
    /// after prices.
    pub loans: Vec<i128>,
}

impl GapTerms {
    /// The gap.
    pub fn total(&self) -> i128 {
        [&self.trades, &self.limits, &self.turns, &self.loans].into_iter().flatten().sum()
    }
}

impl ShadowPrices {
    /// All 0.
    pub fn zero(instance: &Instance) -> Self {
        Self {
            trades: vec![0; instance.trades.len()],
            limits: vec![0; instance.limits.len()],
            turns: vec![0; instance.required.len()],
        }
    }

    /// Per turn: the sum of the prices of this turn and those after it, which is what a placement
    /// by a candidate of the turn earns.
    pub fn premiums(&self) -> Vec<i64> {
        let mut premiums = self.turns.clone();
        for turn in (1..premiums.len()).rev() {
            premiums[turn - 1] += premiums[turn];
        }
        premiums
    }

    /// What a pair has to pay, in units of 10^−8 points: the prices of its trade and its limits,
    /// less the premium of its turn.
    pub fn charge(&self, instance: &Instance, premiums: &[i64], pair: usize) -> i64 {
        let LoanPair { trade, turn, .. } = &instance.pairs[pair];
        let limits = instance.limits_of(pair).iter().map(|limit| self.limits[*limit as usize]);
        self.trades[*trade as usize] + limits.sum::<i64>() - premiums[*turn as usize - 1]
    }
}

impl Instance {
    /// What a pair is worth after prices, in units of 10^−12 dollars.
    pub(crate) fn net(&self, prices: &ShadowPrices, premiums: &[i64], pair: usize) -> i128 {
        let LoanPair { loan, points, .. } = self.pairs[pair];
        self.dollars(loan as usize, points - prices.charge(self, premiums, pair))
    }

    /// What the best usable candidate of a loan is worth after prices; 0 where that is negative.
    fn best_net(&self, prices: &ShadowPrices, premiums: &[i64], loan: usize) -> i128 {
        let points = |pair: usize| self.pairs[pair].points - prices.charge(self, premiums, pair);
        let best = self.usable_pairs_of(loan).map(points).max();
        best.map_or(0, |best| self.dollars(loan, best).max(0))
    }

    /// The bound, in units of 10^−12 dollars: no allocation within rooms, limits, and the priority
    /// rule is worth more, whatever the prices are.
    pub fn bound(&self, prices: &ShadowPrices) -> i128 {
        let premiums = prices.premiums();
        let product = |price: &i64, amount: i64| i128::from(*price) * i128::from(amount);
        let trades = prices.trades.iter().zip(&self.trades).map(|(p, t)| product(p, t.room()));
        let limits = prices.limits.iter().zip(&self.limits).map(|(p, l)| product(p, l.room));
        let turns = prices.turns.iter().zip(&self.required).map(|(p, amount)| product(p, *amount));
        let loans: i128 = (0..self.loans.len())
            .into_par_iter()
            .map(|loan| self.best_net(prices, &premiums, loan))
            .sum();
        trades.sum::<i128>() + limits.sum::<i128>() - turns.sum::<i128>() + loans
    }

    /// The terms of the gap of an allocation that is within rooms, limits, and the priority rule.
    pub fn gap(&self, prices: &ShadowPrices, allocation: &[Option<u32>]) -> GapTerms {
        let premiums = prices.premiums();
        let mut in_trade = vec![0_i64; self.trades.len()];
        let mut in_limit = vec![0_i64; self.limits.len()];
        for pair in allocation.iter().flatten().map(|pair| *pair as usize) {
            let amount = self.amount_of(pair);
            in_trade[self.pairs[pair].trade as usize] += amount;
            for limit in self.limits_of(pair) {
                in_limit[*limit as usize] += amount;
            }
        }
        let prefix = self.prefix_amounts(allocation);
        let term = |price: i64, amount: i64| i128::from(price) * i128::from(amount);
        let loans = allocation.par_iter().enumerate().map(|(loan, pair)| {
            let best = self.best_net(prices, &premiums, loan);
            best - pair.map_or(0, |pair| self.net(prices, &premiums, pair as usize))
        });
        GapTerms {
            trades: (0..in_trade.len())
                .map(|at| term(prices.trades[at], self.trades[at].room() - in_trade[at]))
                .collect(),
            limits: (0..in_limit.len())
                .map(|at| term(prices.limits[at], self.limits[at].room - in_limit[at]))
                .collect(),
            turns: (0..prefix.len())
                .map(|at| term(prices.turns[at], prefix[at] - self.required[at]))
                .collect(),
            loans: loans.collect(),
        }
    }
}

/// A number of units of 10^−12 dollars as exact dollars.
pub fn exact_dollars(units: i128) -> Decimal {
    // A decimal has 96 bits: up to 79 quadrillion dollars with 12 decimals.
    Decimal::from_i128_with_scale(units, 12).normalize()
}
