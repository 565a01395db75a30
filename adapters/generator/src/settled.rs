//! Past trades and their pools. Everything about one follows from its number.

use crate::dice::{Dice, Topic};
use crate::placement::apportion;
use crate::sizes::Sizes;

/// The status of a trade that is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PastStatus {
    Settled,
    Cancelled,
    Phantom,
}

impl PastStatus {
    pub(crate) const fn from_number(number: u32) -> Self {
        if number % 67 == 5 {
            Self::Cancelled
        } else if number % 101 == 7 {
            Self::Phantom
        } else {
            Self::Settled
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Cancelled => "cancelled",
            Self::Phantom => "phantom",
        }
    }
}

/// The trades that are not open, oldest first. They have the first numbers of the book.
pub(crate) struct PastTrades {
    pub(crate) trades: u32,
    /// The number of their pools.
    pools: u32,
    /// The instruments of the trades, repeated.
    cycle: Vec<u32>,
    /// The positions of each instrument in the cycle.
    positions: Vec<Vec<u32>>,
}

impl PastTrades {
    pub(crate) fn new(sizes: &Sizes, pools: u32, counts: &[u64], seed: u64) -> Self {
        let mut dice = Dice::new(seed, Topic::PastTrades);
        // Every instrument was traded at least once, the popular ones often.
        let mut cycle: Vec<u32> = (0_u32..)
            .zip(apportion(counts, 3 * counts.len() as u64))
            .flat_map(|(at, share)| std::iter::repeat_n(at, share as usize + 1))
            .collect();
        for at in (1..cycle.len()).rev() {
            let other = dice.index(at + 1);
            cycle.swap(at, other);
        }
        let mut positions = vec![Vec::new(); counts.len()];
        for (at, instrument) in (0_u32..).zip(&cycle) {
            positions[*instrument as usize].push(at);
        }
        Self { trades: sizes.trades - sizes.open_trades, pools, cycle, positions }
    }

    pub(crate) fn instrument(&self, trade: u32) -> u32 {
        self.cycle[trade as usize % self.cycle.len()]
    }

    /// The id of an open trade, by its number from 0. Open trades follow the past ones.
    pub(crate) fn open_trade_id(&self, trade: u32) -> String {
        trade_id(self.trades + trade)
    }

    /// The trade of a pool. The last pools belong to the last trades.
    pub(crate) fn trade_of(&self, pool: u32) -> Option<u32> {
        (self.trades > 0).then(|| self.trades - 1 - (self.pools - 1 - pool) % self.trades)
    }

    /// Draws a recent pool, of the instrument if it has one. The loans of older pools are not in
    /// the pipeline any more.
    pub(crate) fn draw_pool(&self, dice: &mut Dice, instrument: Option<u32>) -> Option<u32> {
        if self.pools == 0 {
            return None;
        }
        let recent = (self.pools.min(self.trades) * 2 / 5).max(1);
        let any = self.pools - 1 - dice.below(u64::from(recent)) as u32;
        let positions = instrument.map_or(&[][..], |at| &self.positions[at as usize]);
        if positions.is_empty() {
            return Some(any);
        }
        let place = dice.pick(positions);
        let turns = (self.cycle.len() as u32).max(1);
        let last = self.trades.saturating_sub(place + 1) / turns;
        let first = self.trades.saturating_sub(recent + place).div_ceil(turns);
        if self.trades <= place || first > last {
            return Some(any);
        }
        let trade = place + turns * dice.between(i64::from(first), i64::from(last)) as u32;
        // `trade` is among the last `recent`, so that its pool is among the last ones too.
        Some(self.pools - (self.trades - trade))
    }

    /// Whether the pool is closed. Most are, and all pools of trades that were not settled, so that
    /// their loans stay.
    pub(crate) fn is_closed(&self, pool: u32) -> bool {
        let status = self.trade_of(pool).map(PastStatus::from_number);
        status != Some(PastStatus::Settled) || scrambled(pool) % 100 < 85
    }

    /// Whether the pool is designated to its trade. A few closed ones never were.
    pub(crate) fn is_designated(&self, pool: u32) -> bool {
        self.trades > 0 && !(self.is_closed(pool) && scrambled(pool) % 100 < 3)
    }
}

/// A pseudo-random number (Knuth's multiplicative hash).
pub(crate) const fn scrambled(number: u32) -> u32 {
    number.wrapping_mul(2_654_435_761) >> 8
}

/// The id of a trade, by its number from 0.
pub(crate) fn trade_id(number: u32) -> String {
    format!("T{:07}", number as u64 + 1)
}
