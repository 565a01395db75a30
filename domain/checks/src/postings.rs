//! Invariant 6: every loan with a present or a destination pool has its posting (2.10).

use std::borrow::Cow;

use powerfill_events::run::event::{PoolAction, PoolActionDerived};
use powerfill_events::values::{Day, Money, Price};

use super::arithmetic::count;
use super::decisions::Decisions;
use super::terms::{LoanTerms, RunTerms};
use super::violation::Violation;

/// A row of the pool guide.
#[derive(Debug, PartialEq, Eq)]
struct Posting<'a> {
    action: PoolAction,
    trade: Option<&'a str>,
    settles_on: Option<Day>,
    pool: Cow<'a, str>,
    from: Option<&'a str>,
    to: Option<Cow<'a, str>>,
    amount: Money,
    price: Option<Price>,
}

impl<'a> From<&'a PoolActionDerived> for Posting<'a> {
    fn from(event: &'a PoolActionDerived) -> Self {
        Self {
            action: event.pool_action,
            trade: event.trade_id.as_ref().map(|id| id.as_str()),
            settles_on: event.settlement_date,
            pool: event.pool_name.as_str().into(),
            from: event.from_pool_name.as_ref().map(|name| name.as_str()),
            to: event.to_pool_name.as_ref().map(|name| name.as_str().into()),
            amount: event.loan_amount,
            price: event.price,
        }
    }
}

/// Invariant 6: the postings of each loan are exactly those of 2.10.
pub(super) fn check_postings(
    terms: &RunTerms<'_>,
    decisions: &Decisions<'_>,
) -> Result<u64, Violation> {
    let mut checked = 0;
    for loan in 0..terms.loans.len() {
        let expected = expected_postings(terms, decisions, loan);
        let mut found = decisions.postings[loan].map(|event| event.map(Posting::from));
        // The events of a switch can have either order.
        if found[1].as_ref().is_some_and(|second| second.action == PoolAction::Switching) {
            found.reverse();
        }
        if found != expected {
            let subject = terms.loan_subject(loan);
            let (expected, found) = (describe(&expected), describe(&found));
            return Err(Violation::new(6, subject, expected, found));
        }
        checked += count(expected.iter().flatten().count());
    }
    Ok(checked)
}

fn describe(postings: &[Option<Posting<'_>>; 2]) -> String {
    match postings {
        [None, None] => "no posting".to_owned(),
        [Some(one), None] | [None, Some(one)] => format!("{one:?}"),
        [Some(one), Some(other)] => format!("{one:?} and {other:?}"),
    }
}

/// The table of 2.10 for one loan.
fn expected_postings<'a>(
    terms: &RunTerms<'a>,
    decisions: &Decisions<'a>,
    loan: usize,
) -> [Option<Posting<'a>>; 2] {
    let (snapshot, amount) = (terms.snapshot, terms.snapshot.loans[loan].loan_amount);
    let present = terms.pool_of[loan].map(|pool| snapshot.pools[pool].pool_name.as_str());
    let prior = terms.prior_trade(loan);
    let (to, destination, price) = match (terms.loans[loan], decisions.final_placement[loan]) {
        (LoanTerms::OutOfScope, _) => return [None, None],
        (LoanTerms::Pinned(_), _) => {
            let price = decisions.pinned[loan].and_then(|event| event.price);
            (prior, present.map(Cow::Borrowed), price)
        }
        (LoanTerms::Eligible { .. }, None) => (None, None, None),
        (LoanTerms::Eligible { .. }, Some(at)) => {
            let placement = &decisions.placements[at];
            let pool = destination(terms, loan, placement.trade);
            (Some(placement.trade), Some(pool), Some(placement.pricing.price))
        }
    };
    let posting = |action, trade: Option<usize>, pool: Cow<'a, str>| Posting {
        action,
        trade: trade.map(|trade| snapshot.trades[trade].trade_id.as_str()),
        settles_on: trade.and_then(|trade| terms.trades[trade].settles_on),
        pool,
        from: present,
        to: destination.clone(),
        amount,
        price,
    };
    match (present, &destination) {
        (None, None) => [None, None],
        (Some(p), Some(q)) if p == q => [Some(posting(PoolAction::Remaining, to, p.into())), None],
        (None, Some(q)) => [Some(posting(PoolAction::Joining, to, q.clone())), None],
        (Some(p), None) => [Some(posting(PoolAction::Leaving, prior, p.into())), None],
        (Some(p), Some(q)) => [
            Some(posting(PoolAction::Switching, prior, p.into())),
            Some(posting(PoolAction::SwappedIn, to, q.clone())),
        ],
    }
}

/// The destination pool of a loan that a pass placed in a trade (2.10).
fn destination<'a>(terms: &RunTerms<'a>, loan: usize, trade: usize) -> Cow<'a, str> {
    let stays = terms.pool_of[loan].filter(|_| terms.prior_trade(loan) == Some(trade));
    match stays.or(terms.trades[trade].destination) {
        Some(pool) => terms.snapshot.pools[pool].pool_name.as_str().into(),
        None => format!("NEW-{}", terms.snapshot.trades[trade].trade_id).into(),
    }
}
