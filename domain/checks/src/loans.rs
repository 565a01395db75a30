//! Invariants 1 and 5: the end of each loan.

use powerfill_events::run::event::{HeldReason, LoanPinned};

use super::arithmetic::count;
use super::decisions::Decisions;
use super::terms::{LoanTerms, RunTerms};
use super::violation::Violation;

/// Invariant 1: every eligible loan is exactly one of allocated and kicked out; no other loan is
/// either.
pub(super) fn check_ends(
    terms: &RunTerms<'_>,
    decisions: &Decisions<'_>,
) -> Result<u64, Violation> {
    for (loan, loan_terms) in terms.loans.iter().enumerate() {
        let allocated = decisions.final_placement[loan].is_some();
        let ends = (allocated, decisions.kicked_out[loan].is_some());
        let eligible = matches!(loan_terms, LoanTerms::Eligible { .. });
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
        return Err(Violation::new(1, terms.loan_subject(loan), expected, found));
    }
    Ok(count(terms.loans.len()))
}

/// Invariant 5: a locked or held loan has not moved: it is recorded as pinned, in its pool, with
/// its reason. Reading the decisions has checked that no pass placed it, and invariant 6 checks its
/// posting.
pub(super) fn check_pinned(
    terms: &RunTerms<'_>,
    decisions: &Decisions<'_>,
) -> Result<u64, Violation> {
    let mut checked = 0;
    for (loan, loan_terms) in terms.loans.iter().enumerate() {
        let violation = |expected: String, found: String| {
            Violation::new(5, terms.loan_subject(loan), expected, found)
        };
        match (loan_terms, decisions.pinned[loan]) {
            (LoanTerms::Pinned(reason), Some(event)) => {
                checked += 1;
                check_pinned_event(terms, loan, *reason, event)?;
            }
            (LoanTerms::Pinned(reason), None) => {
                return Err(violation(format!("pinned: {reason:?}"), "no such event".to_owned()));
            }
            (_, Some(event)) => {
                let found = format!("pinned: {:?}", event.held_reason);
                return Err(violation("neither locked nor held".to_owned(), found));
            }
            (_, None) => {}
        }
    }
    Ok(checked)
}

fn check_pinned_event(
    terms: &RunTerms<'_>,
    loan: usize,
    reason: HeldReason,
    event: &LoanPinned,
) -> Result<(), Violation> {
    let snapshot = terms.snapshot;
    let pool = terms.pool_of[loan].map_or("", |pool| snapshot.pools[pool].pool_name.as_str());
    let trade = terms.prior_trade(loan);
    let trade_id = trade.map(|trade| snapshot.trades[trade].trade_id.as_str());
    let settles_on = trade.and_then(|trade| terms.trades[trade].settles_on);
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
    Err(Violation::new(5, terms.loan_subject(loan), expected, found))
}
