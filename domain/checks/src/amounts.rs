//! Invariants 2 and 3: what trades hold and what limits allow.

use std::collections::HashMap;

use powerfill_events::run::event::{Band, ConstraintBlockEvaluated, FillStatus};
use powerfill_events::values::{Money, Share, TradeId};
use powerfill_snapshot::Snapshot;

use super::arithmetic::{narrow, nearest, share_of};
use super::book::{Book, LoanStand};
use super::story::Story;
use super::tree::Tree;
use super::{Subject, Violation};

/// A limit of a node in an included trade: a block (2.9).
pub(super) struct Block {
    pub(super) node: usize,
    pub(super) trade: usize,
    pub(super) lo: Option<Money>,
    pub(super) hi: Option<Money>,
    /// Of all loans in the trade that match the node.
    pub(super) used: Money,
    /// Of those, the locked and held ones.
    held: Money,
}

/// What every trade and every block holds when the passes are done, summed from the loans in them.
pub(super) struct Amounts {
    /// By trade.
    pub(super) filled: Vec<Money>,
    /// By trade: how many loans.
    loans: Vec<u64>,
    /// In walk order of the nodes, then by trade.
    pub(super) blocks: Vec<Block>,
    /// By trade: its blocks.
    pub(super) blocks_of: Vec<Vec<usize>>,
}

impl Amounts {
    /// Sums over the loans.
    pub(super) fn at_the_end(book: &Book<'_>, tree: &Tree<'_>, story: &Story<'_>) -> Self {
        let (blocks, blocks_of) = empty_blocks(book, tree);
        let trades = book.trades.len();
        let mut amounts =
            Self { filled: vec![Money::ZERO; trades], loans: vec![0; trades], blocks, blocks_of };
        for (at, loan) in book.snapshot.loans.iter().enumerate() {
            let pinned = matches!(book.loans[at], LoanStand::Pinned(_));
            let trade = if pinned { book.prior_trade(at) } else { story.trade_of(at) };
            let Some(trade) = trade.filter(|trade| book.trades[*trade].included()) else {
                continue;
            };
            amounts.filled[trade] += loan.loan_amount;
            amounts.loans[trade] += 1;
            for block in &amounts.blocks_of[trade] {
                let block = &mut amounts.blocks[*block];
                if tree.matches(block.node, loan) {
                    block.used += loan.loan_amount;
                    block.held += if pinned { loan.loan_amount } else { Money::ZERO };
                }
            }
        }
        amounts
    }
}

/// Every walkable node with a limit, with every included trade of the instrument that it names.
fn empty_blocks(book: &Book<'_>, tree: &Tree<'_>) -> (Vec<Block>, Vec<Vec<usize>>) {
    let mut trades_of = vec![Vec::new(); book.snapshot.instruments.len()];
    for (trade, stand) in book.trades.iter().enumerate() {
        if stand.included() {
            trades_of[stand.instrument].push(trade);
        }
    }
    let mut blocks = Vec::new();
    let mut blocks_of = vec![Vec::new(); book.trades.len()];
    for (node, walkable) in tree.nodes.iter().enumerate() {
        if !walkable.has_limit() {
            continue;
        }
        // By name, not by investor: a node of another investor has blocks too, in which nothing counts.
        let name = walkable.row.key.investor_instrument_name.folded();
        for trade in book.instrument_at.get(name).map_or(&[][..], |at| &trades_of[*at]) {
            let open = book.trades[*trade].open;
            blocks_of[*trade].push(blocks.len());
            blocks.push(Block {
                node,
                trade: *trade,
                lo: walkable.row.lo_limit.map(|share| share_of(share, open)),
                hi: walkable.row.hi_limit.map(|share| share_of(share, open)),
                used: Money::ZERO,
                held: Money::ZERO,
            });
        }
    }
    (blocks, blocks_of)
}

/// Invariant 2: filled(t) ≤ max(t), unless held loans alone exceed it; filled(t) is the sum of its loans.
pub(super) fn within_the_bands(
    book: &Book<'_>,
    story: &Story<'_>,
    amounts: &Amounts,
) -> Result<u64, Violation> {
    let mut checked = 0;
    for (trade, stand) in book.trades.iter().enumerate() {
        assessed_right(book, story, trade)?;
        let broken =
            |expected, found| Violation::new(2, book.trade_subject(trade), expected, found);
        if !stand.included() {
            if story.fills[trade].is_some() {
                return Err(broken("no fill: it is not in the run".to_owned(), "one".to_owned()));
            }
            continue;
        }
        checked += 1;
        let filled = amounts.filled[trade];
        if filled > stand.max.max(stand.held) {
            return Err(broken(format!("at most {}", stand.max), format!("{filled} filled")));
        }
        let status = if filled < stand.min {
            FillStatus::Under
        } else if filled > stand.max {
            FillStatus::Over
        } else {
            FillStatus::Filled
        };
        let shortfall = Money::ZERO.max(stand.min - filled);
        let expected = Some((filled, amounts.loans[trade], status, shortfall));
        let found = story.fills[trade].map(|event| {
            (event.filled_amount, event.loan_count, event.fill_status, event.shortfall_amount)
        });
        if found != expected {
            return Err(broken(format!("{expected:?}"), format!("{found:?}")));
        }
    }
    running_sums(book, story)?;
    Ok(checked)
}

/// The bounds that the run worked with are those of 2.1.
fn assessed_right(book: &Book<'_>, story: &Story<'_>, trade: usize) -> Result<(), Violation> {
    let stand = &book.trades[trade];
    let band = stand.included().then_some(Band {
        tolerance_amount: stand.tolerance,
        min_amount: stand.min,
        max_amount: stand.max,
        held_amount: stand.held,
    });
    let expected = Some((stand.exclusion, stand.settles_on, stand.open, band));
    let found = story.assessed[trade].map(|event| {
        (event.exclusion_reason, event.settlement_date, event.open_amount, event.band)
    });
    if found == expected {
        return Ok(());
    }
    let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
    Err(Violation::new(2, book.trade_subject(trade), expected, found))
}

/// The filled amount that each placement, move and release reports, and that none placed a loan above max.
fn running_sums(book: &Book<'_>, story: &Story<'_>) -> Result<(), Violation> {
    let mut filled: Vec<Money> = book.trades.iter().map(|stand| stand.held).collect();
    for entry in &story.ledger {
        let amount = book.snapshot.loans[entry.loan].loan_amount;
        let (sum, max) = (&mut filled[entry.trade], book.trades[entry.trade].max);
        if entry.comes_in {
            *sum += amount;
        } else {
            *sum -= amount;
        }
        let broken = |expected| {
            let found = format!("{} after loan {}", entry.filled_after, loan_id(book, entry.loan));
            Violation::new(2, book.trade_subject(entry.trade), expected, found)
        };
        if entry.filled_after != *sum {
            return Err(broken(format!("{sum} filled")));
        }
        if entry.comes_in && *sum > max {
            return Err(broken(format!("at most {max}")));
        }
    }
    Ok(())
}

/// Invariant 3: used(k, t) ≤ hi(k, t), unless held loans alone exceed it; used(k, t) is the sum of its loans.
pub(super) fn within_the_limits(
    book: &Book<'_>,
    tree: &Tree<'_>,
    story: &Story<'_>,
    amounts: &Amounts,
) -> Result<u64, Violation> {
    for block in &amounts.blocks {
        if let Some(hi) = block.hi.filter(|hi| block.used > (*hi).max(block.held)) {
            let (expected, found) = (format!("at most {hi}"), format!("{} used", block.used));
            return Err(Violation::new(3, block_subject(book, tree, block), expected, found));
        }
    }
    blocks_reported(book, tree, story, amounts)?;
    Ok(amounts.blocks.len() as u64)
}

/// Each block is reported once, as it is.
fn blocks_reported(
    book: &Book<'_>,
    tree: &Tree<'_>,
    story: &Story<'_>,
    amounts: &Amounts,
) -> Result<(), Violation> {
    let trade_id = |block: &Block| book.snapshot.trades[block.trade].trade_id.as_str();
    let mut unseen: HashMap<[&str; 4], &Block> = amounts
        .blocks
        .iter()
        .map(|block| {
            let key = &tree.nodes[block.node].row.key;
            let [investor, instrument, name] =
                [&key.investor_id, &key.investor_instrument_name, &key.constraint_name]
                    .map(|part| part.as_str());
            ([investor, instrument, name, trade_id(block)], block)
        })
        .collect();
    for event in &story.blocks {
        let node = &event.node;
        let key = [
            node.investor_id.as_str(),
            node.investor_instrument_name.as_str(),
            node.constraint_name.as_str(),
            event.trade_id.as_str(),
        ];
        let block = unseen.remove(&key);
        if !block.is_some_and(|block| agrees(tree, amounts, block, event)) {
            let expected = block.map_or("no such block".to_owned(), |block| {
                format!("used {}, lo {:?}, hi {:?}", block.used, block.lo, block.hi)
            });
            let subject = Subject::Block {
                node: Box::new(node.as_ref().clone()),
                trade_id: event.trade_id.clone(),
            };
            return Err(Violation::new(3, subject, expected, format!("{event:?}")));
        }
    }
    // In the order of the blocks, not of the map.
    let missing =
        amounts.blocks.iter().find(|block| unseen.values().any(|b| std::ptr::eq(*b, *block)));
    match missing {
        None => Ok(()),
        Some(block) => {
            let subject = block_subject(book, tree, block);
            Err(Violation::new(3, subject, "one report of the block", "none"))
        }
    }
}

fn agrees(
    tree: &Tree<'_>,
    amounts: &Amounts,
    block: &Block,
    event: &ConstraintBlockEvaluated,
) -> bool {
    let filled = i128::from(amounts.filled[block.trade].units());
    let share = (filled > 0).then(|| {
        let exact = i128::from(block.used.units()) * i128::from(Share::ONE_UNITS);
        Share::from_units(narrow(nearest(exact, filled)))
    });
    tree.nodes[block.node].is(&event.node)
        && event.lo_amount == block.lo
        && event.hi_amount == block.hi
        && event.used_amount == block.used
        && event.used_share == share
        && event.lo_met == block.lo.map(|lo| block.used >= lo)
}

fn block_subject(book: &Book<'_>, tree: &Tree<'_>, block: &Block) -> Subject {
    Subject::Block {
        node: Box::new(tree.nodes[block.node].node()),
        trade_id: TradeId::from(&book.snapshot.trades[block.trade].trade_id),
    }
}

fn loan_id<'a>(book: &Book<'a>, loan: usize) -> &'a str {
    let snapshot: &Snapshot = book.snapshot;
    snapshot.loans[loan].loan_id.as_str()
}
