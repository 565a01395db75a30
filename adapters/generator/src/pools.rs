//! The pools: those of the open trades, kept in memory; loose ones; and the many of settled trades,
//! which a formula tells apart, so that they cost nothing to keep.

use crate::book::{Book, Standing};
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
    /// 2.1: as the guide says, else while it is closed.
    pub(crate) fn is_locked(self) -> bool {
        self.lockdown.unwrap_or(self.is_closed)
    }
}

/// All pools: settled ones first, then those of open trades, then loose ones; numbered in that
/// order.
pub(crate) struct Pools {
    pub(crate) settled: u32,
    pub(crate) open: Vec<OpenPool>,
    /// Open pools that count as designated to no trade: undesignated, or to a trade that was
    /// cancelled.
    pub(crate) loose: u32,
    /// Where the pools of each open trade begin in `open`; one more at the end.
    first: Vec<u32>,
}

impl Pools {
    pub(crate) fn new(book: &Book, sizes: &Sizes, seed: u64) -> Self {
        let mut dice = Dice::new(seed, Topic::OpenPools);
        let loose = (sizes.pools / 150).min(sizes.open_trades);
        // Most pools are of settled trades; in a tiny book at least a quarter are.
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

    /// A pool of the trade that is locked, or one that is not.
    pub(crate) fn draw_of(&self, dice: &mut Dice, trade: u32, is_locked: bool) -> Option<u32> {
        let at = trade as usize;
        let fitting: Vec<u32> = (self.first[at]..self.first[at + 1])
            .filter(|pool| self.open[*pool as usize].is_locked() == is_locked)
            .collect();
        if fitting.is_empty() { None } else { Some(self.settled + dice.pick(&fitting)) }
    }

    /// A loose pool.
    pub(crate) fn draw_loose(&self, dice: &mut Dice) -> Option<u32> {
        // As above: within the number of pools.
        let first = self.settled + self.open.len() as u32;
        (self.loose > 0).then(|| first + dice.below(u64::from(self.loose)) as u32)
    }
}

fn draw_pools(dice: &mut Dice, trade: u32, standing: Standing) -> Vec<OpenPool> {
    let mut pools = Vec::new();
    let unlocked = dice.weighted(&[(0, 4), (1, 66), (2, 24), (3, 6)]);
    for _ in 0..unlocked {
        let lockdown = dice.weighted(&[(None, 94), (Some(false), 4), (Some(true), 2)]);
        pools.push(OpenPool { trade, is_closed: false, lockdown });
    }
    if standing == Standing::Included && dice.permille(320) {
        let lockdown = dice.weighted(&[(None, 72), (Some(true), 20), (Some(false), 8)]);
        pools.push(OpenPool { trade, is_closed: true, lockdown });
    }
    pools
}

/// The text of a pool's number, counted from 0.
pub(crate) fn pool_name(number: u32) -> String {
    format!("P{:07}", u64::from(number) + 1)
}
