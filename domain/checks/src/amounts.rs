//! Invariants 2 and 3: the amounts in trades, and under limits.

use std::collections::HashMap;

use powerfill_events::run::event::{Band, ConstraintBlockEvaluated, FillStatus};
use powerfill_events::values::{Money, Name, Share, TradeId};

use super::arithmetic::{count, narrow, nearest, share_of};
use super::decisions::Decisions;
use super::terms::{LoanTerms, RunTerms};
use super::tree::NodeTree;
use super::violation::{Violation, ViolationSubject};

/// A node with a limit and an included trade of its instrument (2.9).
pub(super) struct BlockAmounts {
    pub(super) node: usize,
    pub(super) trade: usize,
    pub(super) lo: Option<Money>,
    pub(super) hi: Option<Money>,
    /// Amount of all loans in the trade that match the node.
    pub(super) used: Money,
    /// Amount of the locked and held ones among these.
    pub(super) held: Money,
}

/// The amounts of every trade and block at the end, as sums over the loans in them.
pub(super) struct FinalAmounts {
    /// Per trade.
    pub(super) filled: Vec<Money>,
    /// Per trade: number of loans.
    loans: Vec<u64>,
    /// In walk order of the nodes, then by trade.
    pub(super) blocks: Vec<BlockAmounts>,
    /// Per trade: its blocks.
    pub(super) blocks_of: Vec<Vec<usize>>,
}

impl FinalAmounts {
    pub(super) fn new(
        terms: &RunTerms<'_>,
        tree: &NodeTree<'_>,
        decisions: &Decisions<'_>,
    ) -> Self {
        let (blocks, blocks_of) = empty_blocks(terms, tree);
        let trades = terms.trades.len();
        let mut amounts =
            Self { filled: vec![Money::ZERO; trades], loans: vec![0; trades], blocks, blocks_of };
        for (at, loan) in terms.snapshot.loans.iter().enumerate() {
            let pinned = matches!(terms.loans[at], LoanTerms::Pinned(_));
            let trade = if pinned { terms.prior_trade(at) } else { decisions.trade_of(at) };
            let Some(trade) = trade.filter(|trade| terms.trades[*trade].is_included()) else {
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
fn empty_blocks(terms: &RunTerms<'_>, tree: &NodeTree<'_>) -> (Vec<BlockAmounts>, Vec<Vec<usize>>) {
    let mut trades_of = vec![Vec::new(); terms.snapshot.instruments.len()];
    for (trade, trade_terms) in terms.trades.iter().enumerate() {
        if trade_terms.is_included() {
            trades_of[trade_terms.instrument].push(trade);
        }
    }
    let mut blocks = Vec::new();
    let mut blocks_of = vec![Vec::new(); terms.trades.len()];
    for (node, walkable) in tree.nodes.iter().enumerate() {
        if !walkable.has_limit() {
            continue;
        }
        // The name decides, not the investor: a node of another investor has blocks too, but no
        // loan matches it.
        let name = walkable.row.investor_instrument_name.folded();
        for trade in terms.instrument_at.get(name).map_or(&[][..], |at| &trades_of[*at]) {
            let open = terms.trades[*trade].open;
            blocks_of[*trade].push(blocks.len());
            blocks.push(BlockAmounts {
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

/// Invariant 2: filled(t) ≤ max(t), unless held loans alone exceed it; filled(t) is the sum of its
/// loans.
pub(super) fn check_bands(
    terms: &RunTerms<'_>,
    decisions: &Decisions<'_>,
    amounts: &FinalAmounts,
) -> Result<u64, Violation> {
    let mut checked = 0;
    for (trade, trade_terms) in terms.trades.iter().enumerate() {
        check_assessment(terms, decisions, trade)?;
        let violation =
            |expected, found| Violation::new(2, terms.trade_subject(trade), expected, found);
        if !trade_terms.is_included() {
            if decisions.fills[trade].is_some() {
                return Err(violation(
                    "no fill: it is not in the run".to_owned(),
                    "one".to_owned(),
                ));
            }
            continue;
        }
        checked += 1;
        let filled = amounts.filled[trade];
        if filled > trade_terms.max.max(trade_terms.held) {
            return Err(violation(
                format!("at most {}", trade_terms.max),
                format!("{filled} filled"),
            ));
        }
        let status = if filled < trade_terms.min {
            FillStatus::Under
        } else if filled > trade_terms.max {
            FillStatus::Over
        } else {
            FillStatus::Filled
        };
        let shortfall = Money::ZERO.max(trade_terms.min - filled);
        let expected = Some((filled, amounts.loans[trade], status, shortfall));
        let found = decisions.fills[trade].map(|event| {
            (event.filled_amount, event.loan_count, event.fill_status, event.shortfall_amount)
        });
        if found != expected {
            return Err(violation(format!("{expected:?}"), format!("{found:?}")));
        }
    }
    check_fill_changes(terms, decisions)?;
    Ok(checked)
}

/// The run's assessment of a trade is that of 2.1.
fn check_assessment(
    terms: &RunTerms<'_>,
    decisions: &Decisions<'_>,
    trade: usize,
) -> Result<(), Violation> {
    let trade_terms = &terms.trades[trade];
    let band = trade_terms.is_included().then_some(Band {
        tolerance_amount: trade_terms.tolerance,
        min_amount: trade_terms.min,
        max_amount: trade_terms.max,
        held_amount: trade_terms.held,
    });
    let expected = Some((trade_terms.exclusion, trade_terms.settles_on, trade_terms.open, band));
    let found = decisions.assessed[trade].map(|event| {
        (event.exclusion_reason, event.settlement_date, event.open_amount, event.band)
    });
    if found == expected {
        return Ok(());
    }
    let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
    Err(Violation::new(2, terms.trade_subject(trade), expected, found))
}

/// Each placement, move, and release reports the right filled amount, and none placed a loan above
/// max.
fn check_fill_changes(terms: &RunTerms<'_>, decisions: &Decisions<'_>) -> Result<(), Violation> {
    let mut filled: Vec<Money> = terms.trades.iter().map(|trade_terms| trade_terms.held).collect();
    for change in &decisions.fill_changes {
        let amount = terms.snapshot.loans[change.loan].loan_amount;
        let (sum, max) = (&mut filled[change.trade], terms.trades[change.trade].max);
        if change.enters {
            *sum += amount;
        } else {
            *sum -= amount;
        }
        let violation = |expected| {
            let found = format!(
                "{} after loan {}",
                change.filled_after, terms.snapshot.loans[change.loan].loan_id
            );
            Violation::new(2, terms.trade_subject(change.trade), expected, found)
        };
        if change.filled_after != *sum {
            return Err(violation(format!("{sum} filled")));
        }
        if change.enters && *sum > max {
            return Err(violation(format!("at most {max}")));
        }
    }
    Ok(())
}

/// Invariant 3: used(k, t) ≤ hi(k, t), unless held loans alone exceed it; used(k, t) is the sum of
/// its loans.
pub(super) fn check_limits(
    terms: &RunTerms<'_>,
    tree: &NodeTree<'_>,
    decisions: &Decisions<'_>,
    amounts: &FinalAmounts,
) -> Result<u64, Violation> {
    for block in &amounts.blocks {
        if let Some(hi) = block.hi.filter(|hi| block.used > (*hi).max(block.held)) {
            let (expected, found) = (format!("at most {hi}"), format!("{} used", block.used));
            return Err(Violation::new(3, block_subject(terms, tree, block), expected, found));
        }
    }
    check_blocks(terms, tree, decisions, amounts)?;
    Ok(count(amounts.blocks.len()))
}

/// Each block is reported once, with the right amounts.
fn check_blocks(
    terms: &RunTerms<'_>,
    tree: &NodeTree<'_>,
    decisions: &Decisions<'_>,
    amounts: &FinalAmounts,
) -> Result<(), Violation> {
    let trade_id = |block: &BlockAmounts| terms.snapshot.trades[block.trade].trade_id.as_str();
    let mut unreported: HashMap<[&str; 4], &BlockAmounts> = amounts
        .blocks
        .iter()
        .map(|block| {
            let key = tree.nodes[block.node].row;
            let names: [&Name; 3] =
                [&key.investor_id, &key.investor_instrument_name, &key.constraint_name];
            let [investor, instrument, name] = names.map(Name::as_str);
            ([investor, instrument, name, trade_id(block)], block)
        })
        .collect();
    for event in &decisions.blocks {
        let node = &event.node;
        let key = [
            node.investor_id.as_str(),
            node.investor_instrument_name.as_str(),
            node.constraint_name.as_str(),
            event.trade_id.as_str(),
        ];
        let block = unreported.remove(&key);
        if !block.is_some_and(|block| agrees(tree, amounts, block, event)) {
            let expected = block.map_or("no such block".to_owned(), |block| {
                format!("used {}, lo {:?}, hi {:?}", block.used, block.lo, block.hi)
            });
            let subject = ViolationSubject::Block {
                node: Box::new(node.as_ref().clone()),
                trade_id: event.trade_id.clone(),
            };
            return Err(Violation::new(3, subject, expected, format!("{event:?}")));
        }
    }
    // In the order of the blocks, because the map has none.
    let missing =
        amounts.blocks.iter().find(|block| unreported.values().any(|b| std::ptr::eq(*b, *block)));
    match missing {
        None => Ok(()),
        Some(block) => {
            let subject = block_subject(terms, tree, block);
            Err(Violation::new(3, subject, "one report of the block", "none"))
        }
    }
}

fn agrees(
    tree: &NodeTree<'_>,
    amounts: &FinalAmounts,
    block: &BlockAmounts,
    event: &ConstraintBlockEvaluated,
) -> bool {
    let filled = i128::from(amounts.filled[block.trade].units());
    let share = (filled > 0).then(|| {
        let exact = i128::from(block.used.units()) * i128::from(Share::ONE_UNITS);
        Share::from_units(narrow(nearest(exact, filled)))
    });
    tree.nodes[block.node].is_same(&event.node)
        && event.lo_amount == block.lo
        && event.hi_amount == block.hi
        && event.used_amount == block.used
        && event.used_share == share
        && event.lo_met == block.lo.map(|lo| block.used >= lo)
}

/// A block as the subject of a violation.
pub(super) fn block_subject(
    terms: &RunTerms<'_>,
    tree: &NodeTree<'_>,
    block: &BlockAmounts,
) -> ViolationSubject {
    ViolationSubject::Block {
        node: Box::new(tree.nodes[block.node].to_node()),
        trade_id: TradeId::from(&terms.snapshot.trades[block.trade].trade_id),
    }
}
