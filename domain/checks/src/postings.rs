//! Invariant 6: every loan with a present or a destination pool has its posting (2.10).

use std::borrow::Cow;

use powerfill_events::run::event::{PoolAction, PoolActionDerived};
use powerfill_events::values::{Day, Money, Price};

use super::Violation;
use super::book::{Book, LoanStand};
use super::story::Story;

/// A row of the pool guide as the snapshot and the placements call for it.
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

/// Invariant 6: the postings of each loan are those of 2.10, none missing, none more.
pub(super) fn complete(book: &Book<'_>, story: &Story<'_>) -> Result<u64, Violation> {
    let mut checked = 0;
    for loan in 0..book.loans.len() {
        let expected = postings(book, story, loan);
        let mut found = story.postings[loan].map(|event| event.map(Posting::from));
        // The two sides of a switch may be told in either order.
        if found[1].as_ref().is_some_and(|second| second.action == PoolAction::Switching) {
            found.reverse();
        }
        if found != expected {
            let subject = book.loan_subject(loan);
            let (expected, found) = (shown(&expected), shown(&found));
            return Err(Violation::new(6, subject, expected, found));
        }
        checked += expected.iter().flatten().count() as u64;
    }
    Ok(checked)
}

fn shown(postings: &[Option<Posting<'_>>; 2]) -> String {
    match postings {
        [None, None] => "no posting".to_owned(),
        [Some(one), None] | [None, Some(one)] => format!("{one:?}"),
        [Some(one), Some(other)] => format!("{one:?} and {other:?}"),
    }
}

/// The postings of a loan, from where it is and where it goes.
fn postings<'a>(book: &Book<'a>, story: &Story<'a>, loan: usize) -> [Option<Posting<'a>>; 2] {
    let (snapshot, amount) = (book.snapshot, book.snapshot.loans[loan].loan_amount);
    let present = book.pool_of[loan].map(|pool| snapshot.pools[pool].pool_name.as_str());
    let prior = book.prior_trade(loan);
    let (to, destination, price) = match (book.loans[loan], story.at[loan]) {
        (LoanStand::OutOfScope, _) => return [None, None],
        (LoanStand::Pinned(_), _) => {
            let price = story.pinned[loan].and_then(|event| event.price);
            (prior, present.map(Cow::Borrowed), price)
        }
        (LoanStand::Eligible { .. }, None) => (None, None, None),
        (LoanStand::Eligible { .. }, Some(at)) => {
            let placement = &story.placements[at];
            let pool = destination(book, loan, placement.trade);
            (Some(placement.trade), Some(pool), Some(placement.pricing.price))
        }
    };
    let posting = |action, trade: Option<usize>, pool: Cow<'a, str>| Posting {
        action,
        trade: trade.map(|trade| snapshot.trades[trade].trade_id.as_str()),
        settles_on: trade.and_then(|trade| book.trades[trade].settles_on),
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

/// The destination pool of a loan that a pass placed in a trade.
fn destination<'a>(book: &Book<'a>, loan: usize, trade: usize) -> Cow<'a, str> {
    let stays = book.pool_of[loan].filter(|_| book.prior_trade(loan) == Some(trade));
    match stays.or(book.trades[trade].destination) {
        Some(pool) => book.snapshot.pools[pool].pool_name.as_str().into(),
        None => format!("NEW-{}", book.snapshot.trades[trade].trade_id).into(),
    }
}
