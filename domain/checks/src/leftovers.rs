//! Invariant 7: at the end no open candidate fits (2.5).

use powerfill_events::values::Money;

use super::amounts::FinalAmounts;
use super::decisions::Decisions;
use super::pairs::pair;
use super::terms::{LoanTerms, RunTerms};
use super::tree::NodeTree;
use super::violation::Violation;

/// An included trade with room.
struct TradeRoom {
    trade: usize,
    room: Money,
}

/// Invariant 7, for every eligible loan without a placement. Its candidates are computed here, not
/// taken from the events, so a candidate that the run overlooked counts too. Trades are sorted by
/// room, so each loan visits only those with room for it.
pub(super) fn check_nothing_fits(
    terms: &RunTerms<'_>,
    tree: &NodeTree<'_>,
    decisions: &Decisions<'_>,
    amounts: &FinalAmounts,
) -> Result<u64, Violation> {
    let instruments = terms.snapshot.instruments.iter();
    let mut rooms: Vec<Vec<TradeRoom>> = instruments.map(|_| Vec::new()).collect();
    for (trade, trade_terms) in terms.trades.iter().enumerate() {
        let room = trade_terms.max - amounts.filled[trade];
        if trade_terms.is_included() && room > Money::ZERO {
            rooms[trade_terms.instrument].push(TradeRoom { trade, room });
        }
    }
    rooms.iter_mut().for_each(|rooms| rooms.sort_by_key(|room| std::cmp::Reverse(room.room)));
    let mut checked = 0;
    for (loan, loan_terms) in terms.loans.iter().enumerate() {
        let LoanTerms::Eligible { eligible_on } = *loan_terms else { continue };
        if decisions.final_placement[loan].is_some() {
            continue;
        }
        checked += 1;
        let amount = terms.snapshot.loans[loan].loan_amount;
        let wide_enough = rooms.iter().flat_map(|r| r.iter().take_while(|r| r.room >= amount));
        for TradeRoom { trade, room } in wide_enough {
            let barred = is_barred(terms, tree, amounts, loan, *trade);
            if !barred && pair(terms, tree, loan, *trade, eligible_on).is_ok() {
                let trade = &terms.snapshot.trades[*trade].trade_id;
                let found = format!("trade {trade} with room for {room} and no limit");
                return Err(Violation::new(7, terms.loan_subject(loan), "no trade to fit", found));
            }
        }
    }
    Ok(checked)
}

/// Whether a limit bars a loan from a trade.
fn is_barred(
    terms: &RunTerms<'_>,
    tree: &NodeTree<'_>,
    amounts: &FinalAmounts,
    loan: usize,
    trade: usize,
) -> bool {
    let loan = &terms.snapshot.loans[loan];
    amounts.blocks_of[trade].iter().map(|block| &amounts.blocks[*block]).any(|block| {
        block.hi.is_some_and(|hi| block.used + loan.loan_amount > hi)
            && tree.matches(block.node, loan)
    })
}
