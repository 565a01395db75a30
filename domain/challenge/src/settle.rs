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
    /// Per loan.
    leaders: Vec<Leaders>,
}

/// The best candidate of a loan after prices, and what the best of the others is worth; to be
/// placed nowhere is worth 0.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Leaders {
    pair: u32,
    best: i64,
    second: i64,
}

impl Leaders {
    fn of_loan(instance: &Instance, nets: &[i64], loan: usize) -> Self {
        let mut leaders = Self { pair: u32::MAX, best: 0, second: 0 };
        for pair in instance.pairs_of(loan) {
            leaders.take(pair as u32, nets[pair]);
        }
        leaders
    }

    /// Takes a candidate that is not among them.
    fn take(&mut self, pair: u32, net: i64) {
        if net > self.best {
            *self = Self { pair, best: net, second: self.best };
        } else {
            self.second = self.second.max(net);
        }
    }

    /// The most that another candidate than this one is worth.
    fn other_than(&self, pair: u32) -> i64 {
        if self.pair == pair { self.second } else { self.best }
    }
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
        let leaders =
            (0..instance.loans.len()).map(|loan| Leaders::of_loan(instance, &nets, loan)).collect();
        Self { instance, gains, prices, of_trade, of_limit, nets, leaders }
    }

    /// Settles each price once: limits, trades, then turns.
    pub(crate) fn sweep(&mut self) {
        for limit in 0..self.of_limit.len() {
            let pairs = std::mem::take(&mut self.of_limit[limit]);
            let room = self.instance.limits[limit].room;
            let price = self.clearing_price(&pairs, room, self.prices.limits[limit]);
            let change = std::mem::replace(&mut self.prices.limits[limit], price) - price;
            self.shift(&pairs, change);
            self.of_limit[limit] = pairs;
        }
        for trade in 0..self.of_trade.len() {
            let pairs = std::mem::take(&mut self.of_trade[trade]);
            let room = self.instance.trades[trade].room();
            let price = self.clearing_price(&pairs, room, self.prices.trades[trade]);
            let change = std::mem::replace(&mut self.prices.trades[trade], price) - price;
            self.shift(&pairs, change);
            self.of_trade[trade] = pairs;
        }
        for turn in 0..self.prices.turns.len() {
            let premium = self.clearing_premium(turn);
            let change = premium - std::mem::replace(&mut self.prices.turns[turn], premium);
            if change != 0 {
                self.shift_turns(turn, change);
            }
        }
        debug_assert!(self.nets_are_right());
    }

    /// Changes what pairs are worth after prices.
    fn shift(&mut self, pairs: &[u32], change: i64) {
        if change == 0 {
            return;
        }
        for pair in pairs {
            let loan = self.instance.pairs[*pair as usize].loan as usize;
            let before = self.nets[*pair as usize];
            self.nets[*pair as usize] += change;
            let leaders = &mut self.leaders[loan];
            if leaders.pair == *pair || before >= leaders.second {
                *leaders = Leaders::of_loan(self.instance, &self.nets, loan);
            } else if change > 0 {
                leaders.take(*pair, before + change);
            }
        }
    }

    /// Changes what the pairs up to a turn are worth after prices.
    fn shift_turns(&mut self, turn: usize, change: i64) {
        for (net, pair) in self.nets.iter_mut().zip(&self.instance.pairs) {
            if pair.is_usable && pair.turn as usize <= turn + 1 {
                *net += change;
            }
        }
        for (loan, leaders) in self.leaders.iter_mut().enumerate() {
            *leaders = Leaders::of_loan(self.instance, &self.nets, loan);
        }
    }

    /// The least price at which no more than the room comes in. `present` is in the nets.
    fn clearing_price(&self, pairs: &[u32], room: i64, present: i64) -> i64 {
        let mut wanted: Vec<(i64, i64)> = Vec::new();
        let mut total = 0;
        for pair in pairs {
            let loan = self.instance.pairs[*pair as usize].loan as usize;
            let most = self.nets[*pair as usize] + present - self.leaders[loan].other_than(*pair);
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
        let of_loan = |loan| Leaders::of_loan(self.instance, &self.nets, loan);
        let others = |leaders: &Leaders| (leaders.best, leaders.second);
        let are_right = |(loan, leaders)| others(leaders) == others(&of_loan(loan));
        self.leaders.iter().enumerate().all(are_right)
            && (0..self.nets.len()).all(|pair| {
                let charge = self.prices.charge(self.instance, &premiums, pair);
                !self.instance.pairs[pair].is_usable || self.nets[pair] == self.gains[pair] - charge
            })
    }
}
