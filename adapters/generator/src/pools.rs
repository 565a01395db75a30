//! The pools of open trades, which are kept in memory; loose pools; and the many pools of past
//! trades, which follow from their numbers and need no memory.

use crate::book::{TradeBook, TradeStatus};
use crate::dice::{Dice, Topic};
use crate::sizes::Sizes;

/// A pool of an open trade.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenPool {
    pub(crate) trade: u32,
    pub(crate) is_closed: bool,
    /// Its row in the lockdown guide, if it has one.
    pub(crate) lockdown: Option<bool>,
}

impl OpenPool {
    /// Whether it is locked (2.1): by the guide, else if it is closed.
    pub(crate) fn is_locked(self) -> bool {
        self.lockdown.unwrap_or(self.is_closed)
    }
}

/// All pools. They are numbered: first those of past trades, then those of open trades, then loose
/// ones.
pub(crate) struct Pools {
    pub(crate) settled: u32,
    pub(crate) open: Vec<OpenPool>,
    /// The number of open pools without a trade in the book: not designated, or designated to a
    /// trade that was canceled.
    pub(crate) loose: u32,
    /// The position in `open` of the first pool of each open trade, and the length of `open`.
    first: Vec<u32>,
}

impl Pools {
    pub(crate) fn new(book: &TradeBook, sizes: &Sizes, seed: u64) -> Self {
        let mut dice = Dice::new(seed, Topic::OpenPools);
        let loose = (sizes.pools / 150).min(sizes.open_trades);
        // Most pools belong to past trades; in a tiny book at least a quarter do.
        let room = (sizes.pools - sizes.pools / 4 - loose) as usize;
        let mut open = Vec::new();
        let mut first = vec![0];
        for (at, trade) in (0_u32..).zip(&book.open) {
            let drawn = draw_pools(&mut dice, at, trade.standing);
            open.extend(drawn.into_iter().take(room - open.len()));
            // No more than `pools`, which is 32 bits wide.
            first.push(open.len() as u32);
        }
        Self { settled: sizes.pools - loose - open.len() as u32, open, loose, first }
    }

    /// Draws a pool of the trade that is locked, or that is not.
    pub(crate) fn draw_pool_of(&self, dice: &mut Dice, trade: u32, is_locked: bool) -> Option<u32> {
        let at = trade as usize;
        let fitting: Vec<u32> = (self.first[at]..self.first[at + 1])
            .filter(|pool| self.open[*pool as usize].is_locked() == is_locked)
            .collect();
        if fitting.is_empty() { None } else { Some(self.settled + dice.pick(&fitting)) }
    }

    /// Draws a loose pool.
    pub(crate) fn draw_loose(&self, dice: &mut Dice) -> Option<u32> {
        // Within the number of pools.
        let first = self.settled + self.open.len() as u32;
        (self.loose > 0).then(|| first + dice.below(u64::from(self.loose)) as u32)
    }
}

fn draw_pools(dice: &mut Dice, trade: u32, standing: TradeStatus) -> Vec<OpenPool> {
    let mut pools = Vec::new();
    let unlocked = dice.weighted(&[(0, 4), (1, 66), (2, 24), (3, 6)]);
    for _ in 0..unlocked {
        let lockdown = dice.weighted(&[(None, 94), (Some(false), 4), (Some(true), 2)]);
        pools.push(OpenPool { trade, is_closed: false, lockdown });
    }
    if standing == TradeStatus::Included && dice.permille(320) {
        let lockdown = dice.weighted(&[(None, 72), (Some(true), 20), (Some(false), 8)]);
        pools.push(OpenPool { trade, is_closed: true, lockdown });
    }
    pools
}

/// The name of a pool, by its number from 0.
pub(crate) fn pool_name(number: u32) -> String {
    format!("P{:07}", u64::from(number) + 1)
}
