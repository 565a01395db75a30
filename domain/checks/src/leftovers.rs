//! Invariant 7: at the end no open candidate fits (2.5).

use powerfill_events::values::Money;

use super::Violation;
use super::amounts::Amounts;
use super::book::{Book, LoanStand};
use super::placements::pair;
use super::story::Story;
use super::tree::Tree;

/// An included trade with what is left of it, up to max.
struct Room {
    trade: usize,
    left: Money,
}

/// Invariant 7, for every eligible loan without a place. Its candidates are worked out here, not taken from the
/// events: a candidate that the run overlooked counts too. Trades come by what is left of them, so that a loan looks
/// at those alone that have room for it.
pub(super) fn none_fits(
    book: &Book<'_>,
    tree: &Tree<'_>,
    story: &Story<'_>,
    amounts: &Amounts,
) -> Result<u64, Violation> {
    let mut rooms: Vec<Vec<Room>> = book.snapshot.instruments.iter().map(|_| Vec::new()).collect();
    for (trade, stand) in book.trades.iter().enumerate() {
        let left = stand.max - amounts.filled[trade];
        if stand.included() && left > Money::ZERO {
            rooms[stand.instrument].push(Room { trade, left });
        }
    }
    rooms.iter_mut().for_each(|rooms| rooms.sort_by_key(|room| std::cmp::Reverse(room.left)));
    let mut checked = 0;
    for (loan, stand) in book.loans.iter().enumerate() {
        let LoanStand::Eligible { from } = *stand else { continue };
        if story.at[loan].is_some() {
            continue;
        }
        checked += 1;
        let amount = book.snapshot.loans[loan].loan_amount;
        for room in rooms.iter().flat_map(|rooms| rooms.iter().take_while(|r| r.left >= amount)) {
            let barred = bars(book, tree, amounts, loan, room.trade);
            if !barred && pair(book, tree, loan, room.trade, from).is_ok() {
                let trade = &book.snapshot.trades[room.trade].trade_id;
                let found = format!("trade {trade} with room for {} and no limit", room.left);
                return Err(Violation::new(7, book.loan_subject(loan), "no trade to fit", found));
            }
        }
    }
    Ok(checked)
}

/// Whether a limit keeps a loan out of a trade.
fn bars(book: &Book<'_>, tree: &Tree<'_>, amounts: &Amounts, loan: usize, trade: usize) -> bool {
    let loan = &book.snapshot.loans[loan];
    amounts.blocks_of[trade].iter().map(|block| &amounts.blocks[*block]).any(|block| {
        block.hi.is_some_and(|hi| block.used + loan.loan_amount > hi)
            && tree.matches(block.node, loan)
    })
}
