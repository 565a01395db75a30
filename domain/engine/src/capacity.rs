//! 2.5 Capacity: what is filled and used, and whether a loan fits a trade.

use super::book::TradeIdx;
use super::context::RunContext;
use super::index::{Groups, Idx, IdxVec};
use super::matching::Matches;
use super::participation::TradeAssessment;
use super::tree::{NodeIdx, WalkNode};
use powerfill_events::run::event::Band;
use powerfill_events::values::Money;
use powerfill_snapshot::tables::Trade;

/// Position of a block by node in walk order, then trade.
pub(crate) type BlockIdx = Idx<Block>;

/// A block (k, t): a node with a limit, and an included trade of its instrument.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) node: NodeIdx,
    pub(crate) trade: TradeIdx,
    pub(crate) lo: Option<Money>,
    pub(crate) hi: Option<Money>,
    pub(crate) used: Money,
}

impl Block {
    /// Whether the amount fits under the upper limit once `freed` has left.
    fn allows(&self, amount: Money, freed: Money) -> bool {
        self.hi.is_none_or(|hi| self.used - freed + amount <= hi)
    }
}

/// The fill of an included trade. Other trades have one without room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FillLevel {
    pub(crate) open: Money,
    pub(crate) min: Money,
    pub(crate) max: Money,
    pub(crate) filled: Money,
}

impl FillLevel {
    fn new(trade: &TradeAssessment) -> Self {
        match trade.band() {
            None => {
                let zero = Money::ZERO;
                Self { open: zero, min: zero, max: zero, filled: zero }
            }
            // The held amount is added with the limits that it uses.
            Some(Band { min_amount, max_amount, .. }) => {
                let (min, max) = (*min_amount, *max_amount);
                Self { open: trade.open, min, max, filled: Money::ZERO }
            }
        }
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

/// What a loan takes up in a trade: its amount, there and under each of these limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoanLoad<'a> {
    pub(crate) amount: Money,
    /// The nodes with a limit that describe the loan.
    pub(crate) limits: &'a [NodeIdx],
}

/// Filled amounts of trades and used amounts of blocks. Held loans count from the start.
pub(crate) struct Capacity {
    fills: IdxVec<Trade, FillLevel>,
    /// By trade within a node.
    blocks: Groups<WalkNode, Block>,
    /// Offset of each included trade among the included trades of its instrument.
    offsets: IdxVec<Trade, u32>,
}

impl Capacity {
    pub(crate) fn new(context: &RunContext<'_>, matches: &Matches) -> Self {
        let RunContext { book, participation, tree, .. } = context;
        let mut offsets = IdxVec::per_row(&book.snapshot.trades, 0);
        for trades in participation.included_of.iter() {
            for (trade, offset) in trades.iter().zip(0..) {
                offsets[*trade] = offset;
            }
        }
        let mut blocks = Groups::with_capacity(tree.nodes.as_slice().len());
        for (idx, node) in tree.nodes.enumerate() {
            // A node of another investor than its instrument's has blocks too; nothing uses them.
            let instrument = book.constraint_instrument[node.constraint];
            if let Some(instrument) = instrument.filter(|_| node.is_limited()) {
                for trade in &participation.included_of[instrument] {
                    let share = |limit| participation.trades[*trade].open.share(limit);
                    let (lo, hi) = (node.lo_limit.map(share), node.hi_limit.map(share));
                    blocks.push(Block { node: idx, trade: *trade, lo, hi, used: Money::ZERO });
                }
            }
            blocks.end_group();
        }
        let fills = participation.trades.iter().map(FillLevel::new).collect();
        let mut capacity = Self { fills, blocks, offsets };
        for (loan, _) in participation.pinned() {
            if let Some(trade) = participation.present_included_trade(book, loan) {
                let limits = matches.limited_at(loan, book.trade_instrument[trade]);
                capacity.add(trade, LoanLoad { amount: book.amounts[loan], limits });
            }
        }
        capacity
    }

    pub(crate) fn fill(&self, trade: TradeIdx) -> &FillLevel {
        &self.fills[trade]
    }

    /// All blocks, in their order.
    pub(crate) fn blocks(&self) -> &[Block] {
        self.blocks.values()
    }

    pub(crate) fn block(&self, idx: BlockIdx) -> &Block {
        &self.blocks[idx]
    }

    /// The block of a node with a limit and an included trade of its instrument.
    #[inline]
    pub(crate) fn block_at(&self, node: NodeIdx, trade: TradeIdx) -> BlockIdx {
        self.blocks.position(node, self.offsets[trade])
    }

    pub(crate) fn has_room(&self, trade: TradeIdx, amount: Money) -> bool {
        let fill = self.fill(trade);
        fill.filled + amount <= fill.max
    }

    /// Whether a loan fits a trade: up to the trade's max, and under every limit that describes
    /// the loan.
    ///
    /// The passes assume that this is monotone: as long as no loan leaves a trade, a loan that has
    /// stopped fitting the trade never fits it again. That holds because every bound is an upper
    /// bound on a sum. A limit that a further loan can relax, such as one on an average, breaks
    /// the marks of exact_fit and the kept moves of orphan_handling.
    ///
    /// `limits` is called only where the trade has room: most trades have none by then, and the
    /// limits lie elsewhere in memory.
    pub(crate) fn fits<'l>(
        &self,
        trade: TradeIdx,
        amount: Money,
        limits: impl FnOnce() -> &'l [NodeIdx],
    ) -> bool {
        self.has_room(trade, amount)
            && limits()
                .iter()
                .all(|node| self.blocks[self.block_at(*node, trade)].allows(amount, Money::ZERO))
    }

    /// Whether a loan would fit a trade after another loan has left it.
    pub(crate) fn fits_without(
        &self,
        trade: TradeIdx,
        load: LoanLoad<'_>,
        leaving: LoanLoad<'_>,
    ) -> bool {
        let fill = self.fill(trade);
        fill.filled - leaving.amount + load.amount <= fill.max
            && load.limits.iter().all(|node| {
                let is_freed = leaving.limits.contains(node);
                let freed = if is_freed { leaving.amount } else { Money::ZERO };
                self.blocks[self.block_at(*node, trade)].allows(load.amount, freed)
            })
    }

    /// Adds a loan to a trade.
    pub(crate) fn add(&mut self, trade: TradeIdx, load: LoanLoad<'_>) {
        self.fills[trade].filled += load.amount;
        for node in load.limits {
            let block = self.block_at(*node, trade);
            self.blocks[block].used += load.amount;
        }
    }

    /// Removes a loan from a trade.
    pub(crate) fn remove(&mut self, trade: TradeIdx, load: LoanLoad<'_>) {
        self.add(trade, LoanLoad { amount: -load.amount, ..load });
    }
}
