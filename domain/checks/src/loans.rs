//! Invariants 1 and 5: where each loan ends.

use powerfill_events::run::event::{HeldReason, LoanPinned};

use super::Violation;
use super::book::{Book, LoanStand};
use super::story::Story;

/// Invariant 1: every eligible loan is exactly one of allocated and kicked out; no other loan is either.
pub(super) fn one_end_each(book: &Book<'_>, story: &Story<'_>) -> Result<u64, Violation> {
    for (loan, stand) in book.loans.iter().enumerate() {
        let ends = (story.at[loan].is_some(), story.kicked_out[loan].is_some());
        let eligible = matches!(stand, LoanStand::Eligible { .. });
        let expected = match (eligible, ends) {
            (true, (true, false) | (false, true)) | (false, (false, false)) => continue,
            (true, _) => "either allocated or kicked out",
            (false, _) => "neither allocated nor kicked out",
        };
        let found = match ends {
            (true, true) => "both",
            (true, false) => "allocated",
            (false, true) => "kicked out",
            (false, false) => "neither",
        };
        return Err(Violation::new(1, book.loan_subject(loan), expected, found));
    }
    Ok(book.loans.len() as u64)
}

/// Invariant 5: a locked or held loan has not moved: it is pinned in its pool, for its reason. That no pass placed it
/// is seen when the story is read, and its posting with the others.
pub(super) fn pinned_stay(book: &Book<'_>, story: &Story<'_>) -> Result<u64, Violation> {
    let mut checked = 0;
    for (loan, stand) in book.loans.iter().enumerate() {
        let broken = |expected: String, found: String| {
            Violation::new(5, book.loan_subject(loan), expected, found)
        };
        match (stand, story.pinned[loan]) {
            (LoanStand::Pinned(reason), Some(event)) => {
                checked += 1;
                stays(book, loan, *reason, event)?;
            }
            (LoanStand::Pinned(reason), None) => {
                return Err(broken(format!("pinned: {reason:?}"), "no such event".to_owned()));
            }
            (_, Some(event)) => {
                let found = format!("pinned: {:?}", event.held_reason);
                return Err(broken("neither locked nor held".to_owned(), found));
            }
            (_, None) => {}
        }
    }
    Ok(checked)
}

fn stays(
    book: &Book<'_>,
    loan: usize,
    reason: HeldReason,
    event: &LoanPinned,
) -> Result<(), Violation> {
    let snapshot = book.snapshot;
    let pool = book.pool_of[loan].map_or("", |pool| snapshot.pools[pool].pool_name.as_str());
    let trade = book.prior_trade(loan);
    let trade_id = trade.map(|trade| snapshot.trades[trade].trade_id.as_str());
    let settles_on = trade.and_then(|trade| book.trades[trade].settles_on);
    let amount = snapshot.loans[loan].loan_amount;
    let expected = (reason, pool, trade_id, settles_on, amount);
    let found = (
        event.held_reason,
        event.pool_name.as_str(),
        event.trade_id.as_ref().map(|id| id.as_str()),
        event.settlement_date,
        event.loan_amount,
    );
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
    Err(Violation::new(5, book.loan_subject(loan), expected, found))
}
