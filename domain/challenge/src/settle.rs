//! Settling of shadow prices: each price in turn becomes the least that gives the least bound, the
//! others fixed. The bound falls or stays, and prices that serve nothing become 0.

use crate::bound::ShadowPrices;
use crate::instance::Instance;

/// The prices that are being settled.
pub(crate) struct Settler<'a> {
    instance: &'a Instance,
    gains: &'a [i64],
    pub(crate) prices: ShadowPrices,
    /// Usable pairs per trade, per limit, and per turn.
    of_trade: Vec<Vec<u32>>,
    of_limit: Vec<Vec<u32>>,
    /// Per pair: what it is worth per 100 of par after prices.
    nets: Vec<i64>,
}

impl<'a> Settler<'a> {
    pub(crate) fn new(instance: &'a Instance, gains: &'a [i64], prices: ShadowPrices) -> Self {
        let mut of_trade = vec![Vec::new(); instance.trades.len()];
        let mut of_limit = vec![Vec::new(); instance.limits.len()];
        let premiums = prices.premiums();
        let mut nets = vec![i64::MIN; instance.pairs.len()];
        for (at, pair) in instance.pairs.iter().enumerate().filter(|(_, pair)| pair.is_usable) {
            of_trade[pair.trade as usize].push(at as u32);
            for limit in instance.limits_of(at) {
                of_limit[*limit as usize].push(at as u32);
            }
            nets[at] = gains[at] - prices.charge(instance, &premiums, at);
        }
        Self { instance, gains, prices, of_trade, of_limit, nets }
    }

    /// Settles each price once: limits, trades, then turns.
    pub(crate) fn sweep(&mut self) {
        for limit in 0..self.of_limit.len() {
            let room = self.instance.limits[limit].room;
            let price = self.clearing_price(&self.of_limit[limit], room, self.prices.limits[limit]);
            let change = self.prices.limits[limit] - price;
            self.prices.limits[limit] = price;
            self.of_limit[limit].iter().for_each(|pair| self.nets[*pair as usize] += change);
        }
        for trade in 0..self.of_trade.len() {
            let room = self.instance.trades[trade].room();
            let price = self.clearing_price(&self.of_trade[trade], room, self.prices.trades[trade]);
            let change = self.prices.trades[trade] - price;
            self.prices.trades[trade] = price;
            self.of_trade[trade].iter().for_each(|pair| self.nets[*pair as usize] += change);
        }
        for turn in 0..self.prices.turns.len() {
            let premium = self.clearing_premium(turn);
            let change = premium - self.prices.turns[turn];
            self.prices.turns[turn] = premium;
            if change != 0 {
                for (net, pair) in self.nets.iter_mut().zip(&self.instance.pairs) {
                    if pair.is_usable && pair.turn as usize <= turn + 1 {
                        *net += change;
                    }
                }
            }
        }
        debug_assert!(self.nets_are_right());
    }

    /// The least price at which no more than the room comes in. `present` is in the nets.
    fn clearing_price(&self, pairs: &[u32], room: i64, present: i64) -> i64 {
        let mut wanted: Vec<(i64, i64)> = Vec::new();
        let mut total = 0;
        for pair in pairs.iter().map(|pair| *pair as usize) {
            let loan = self.instance.pairs[pair].loan as usize;
            let others = self.instance.pairs_of(loan).filter(|other| *other != pair);
            let other = others.map(|other| self.nets[other]).fold(0, i64::max);
            let most = self.nets[pair] + present - other;
            if most > 0 {
                wanted.push((most, self.instance.loans[loan].amount));
                total += self.instance.loans[loan].amount;
            }
        }
        if total <= room {
            return 0;
        }
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        let mut amount = 0;
        for (most, of_loan) in wanted {
            amount += of_loan;
            if amount > room {
                return most;
            }
        }
        0
    }

    /// The least price of a turn at which the required amount comes in by it and those before it.
    fn clearing_premium(&self, turn: usize) -> i64 {
        let required = self.instance.required[turn];
        let present = self.prices.turns[turn];
        let mut offered: Vec<(i64, i64)> = Vec::new();
        for (at, loan) in self.instance.loans.iter().enumerate() {
            let (mut own, mut other) = (i64::MIN, 0);
            for pair in self.instance.pairs_of(at) {
                if self.nets[pair] == i64::MIN {
                    continue;
                }
                if self.instance.pairs[pair].turn as usize <= turn + 1 {
                    own = own.max(self.nets[pair] - present);
                } else {
                    other = other.max(self.nets[pair]);
                }
            }
            if own != i64::MIN {
                offered.push(((other - own).max(0), loan.amount));
            }
        }
        offered.sort_unstable();
        let mut amount = 0;
        for (least, of_loan) in offered {
            if amount >= required {
                return 0;
            }
            amount += of_loan;
            if amount >= required {
                return least;
            }
        }
        // All of them together reach what the run placed.
        present
    }

    fn nets_are_right(&self) -> bool {
        let premiums = self.prices.premiums();
        (0..self.nets.len()).all(|pair| {
            let charge = self.prices.charge(self.instance, &premiums, pair);
            !self.instance.pairs[pair].is_usable || self.nets[pair] == self.gains[pair] - charge
        })
    }
}
