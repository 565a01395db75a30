//! The candidates of each loan that are near its best one after prices.

use crate::bound::ShadowPrices;
use crate::instance::Instance;

/// Ranks the usable candidates of loans by what they are worth after prices.
pub(super) struct NearPairs<'a> {
    instance: &'a Instance,
    prices: &'a ShadowPrices,
    premiums: Vec<i64>,
    reach: i64,
    ranked: Vec<(i128, u32)>,
    pairs: Vec<u32>,
}

impl<'a> NearPairs<'a> {
    /// Leaves out what is further behind the best candidate of its loan, in units of 10^−8 points.
    pub(super) fn new(instance: &'a Instance, prices: &'a ShadowPrices, reach: i64) -> Self {
        let premiums = prices.premiums();
        Self { instance, prices, premiums, reach, ranked: Vec::new(), pairs: Vec::new() }
    }

    /// The candidates of a loan, the best one first. To be placed nowhere counts as worth 0.
    pub(super) fn of_loan(&mut self, loan: usize) -> &mut [u32] {
        let Self { instance, prices, premiums, .. } = self;
        let cost = |pair| (-instance.net(prices, premiums, pair), pair as u32);
        self.ranked.clear();
        self.ranked.extend(instance.usable_pairs_of(loan).map(cost));
        self.ranked.sort_unstable();
        let best = self.ranked.first().map_or(0, |(cost, _)| (*cost).min(0));
        let reach = i128::from(self.reach) * i128::from(instance.loans[loan].amount);
        let near = self.ranked.iter().take_while(|(cost, _)| cost - best <= reach);
        self.pairs.clear();
        self.pairs.extend(near.map(|(_, pair)| *pair));
        &mut self.pairs
    }
}
