//! 2.5 Capacity: what is filled and used, and whether a loan still fits a trade.

use super::book::{Book, Ix};
use super::participation::{LoanStanding, Participation};
use super::tree::{Matches, Tree};
use powerfill_events::run::event::Band;
use powerfill_events::values::Money;

/// A block (k, t): a node with a limit, and an included trade of its instrument.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) node: Ix,
    pub(crate) trade: Ix,
    pub(crate) lo: Option<Money>,
    pub(crate) hi: Option<Money>,
    pub(crate) used: Money,
}

/// An included trade while it is being filled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fill {
    pub(crate) open: Money,
    pub(crate) min: Money,
    pub(crate) max: Money,
    pub(crate) filled: Money,
}

impl Fill {
    const OUT: Self =
        Self { open: Money::ZERO, min: Money::ZERO, max: Money::ZERO, filled: Money::ZERO };

    fn new(open: Money, band: &Band) -> Self {
        let Band { min_amount, max_amount, held_amount, .. } = *band;
        Self { open, min: min_amount, max: max_amount, filled: held_amount }
    }

    pub(crate) fn is_short(&self) -> bool {
        self.filled < self.min
    }

    pub(crate) fn is_below_open(&self) -> bool {
        self.filled < self.open
    }

    pub(crate) fn room(&self) -> Money {
        self.max - self.filled
    }
}

/// Fills of trades and used amounts of blocks; held loans count from the start.
pub(crate) struct Capacity {
    /// By position of the trade; trades that are not in the run have no room.
    fills: Vec<Fill>,
    /// By node in walk order, then by trade.
    pub(crate) blocks: Vec<Block>,
    /// Where the blocks of each node begin; those of a node without a limit are none.
    blocks_of_node: Vec<u32>,
    /// Place of each included trade among those of its instrument.
    place: Vec<u32>,
}

impl Capacity {
    pub(crate) fn new(
        book: &Book<'_>,
        participation: &Participation,
        tree: &Tree,
        matches: &Matches,
        trades_of_instrument: &[Vec<Ix>],
    ) -> Self {
        let trades = &participation.trades;
        let fill = |t: &super::participation::TradeStanding| {
            t.band().map_or(Fill::OUT, |band| Fill::new(t.open, band))
        };
        let fills: Vec<Fill> = trades.iter().map(fill).collect();
        let mut place = vec![0; trades.len()];
        for of_instrument in trades_of_instrument {
            for (trade, at) in of_instrument.iter().zip(0..) {
                place[*trade as usize] = at;
            }
        }
        let mut blocks = Vec::new();
        let mut blocks_of_node = Vec::with_capacity(tree.nodes.len());
        for (node, ix) in tree.nodes.iter().zip(0..) {
            blocks_of_node.push(blocks.len() as u32);
            // A node of another investor than its instrument's has blocks too, and nothing in them.
            let instrument = book.constraint_instrument[node.constraint as usize];
            if let Some(instrument) = instrument.filter(|_| node.is_limited()) {
                for trade in &trades_of_instrument[instrument as usize] {
                    let share = |limit| fills[*trade as usize].open.share(limit);
                    let (lo, hi) = (node.lo_limit.map(share), node.hi_limit.map(share));
                    blocks.push(Block { node: ix, trade: *trade, lo, hi, used: Money::ZERO });
                }
            }
        }
        let mut capacity = Self { fills, blocks, blocks_of_node, place };
        for (loan, standing) in participation.loans.iter().enumerate() {
            let pinned = matches!(standing, LoanStanding::Pinned(_));
            let trade = participation.included_trade(book, loan as Ix).filter(|_| pinned);
            if let Some(trade) = trade {
                let instrument = book.trade_instrument[trade as usize];
                let nodes = matches.limited_at(loan as Ix, instrument);
                capacity.use_up(trade, nodes, book.amount(loan as Ix));
            }
        }
        capacity
    }

    pub(crate) fn fill(&self, trade: Ix) -> &Fill {
        &self.fills[trade as usize]
    }

    /// The block of a node with a limit and an included trade of its instrument.
    pub(crate) fn block(&self, node: Ix, trade: Ix) -> usize {
        (self.blocks_of_node[node as usize] + self.place[trade as usize]) as usize
    }

    /// Whether the amount fits the trade: up to max, and up to the limit of every one of these nodes.
    pub(crate) fn fits(&self, trade: Ix, nodes: &[Ix], amount: Money) -> bool {
        self.has_room(trade, amount) && self.within_limits(trade, nodes, amount)
    }

    pub(crate) fn has_room(&self, trade: Ix, amount: Money) -> bool {
        let fill = self.fill(trade);
        fill.filled + amount <= fill.max
    }

    fn within_limits(&self, trade: Ix, nodes: &[Ix], amount: Money) -> bool {
        nodes.iter().all(|node| {
            let block = &self.blocks[self.block(*node, trade)];
            block.hi.is_none_or(|hi| block.used + amount <= hi)
        })
    }

    /// Whether the amount would fit the trade with another loan gone from it.
    pub(crate) fn fits_without(
        &self,
        trade: Ix,
        (nodes, amount): (&[Ix], Money),
        (gone_nodes, gone): (&[Ix], Money),
    ) -> bool {
        let fill = self.fill(trade);
        fill.filled - gone + amount <= fill.max
            && nodes.iter().all(|node| {
                let block = &self.blocks[self.block(*node, trade)];
                let freed = if gone_nodes.contains(node) { gone } else { Money::ZERO };
                block.hi.is_none_or(|hi| block.used - freed + amount <= hi)
            })
    }

    /// Adds a loan to a trade.
    pub(crate) fn add(&mut self, trade: Ix, nodes: &[Ix], amount: Money) {
        self.fills[trade as usize].filled += amount;
        self.use_up(trade, nodes, amount);
    }

    /// Takes a loan out of a trade.
    pub(crate) fn remove(&mut self, trade: Ix, nodes: &[Ix], amount: Money) {
        self.add(trade, nodes, -amount);
    }

    fn use_up(&mut self, trade: Ix, nodes: &[Ix], amount: Money) {
        for node in nodes {
            let block = self.block(*node, trade);
            self.blocks[block].used += amount;
        }
    }
}
