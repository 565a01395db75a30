//! 2.10 Pool guide: what each loan does about pools, posted to the trades concerned.

use super::book::{Book, Ix};
use super::candidates::{Candidates, Scorer};
use super::participation::{LoanStanding, Participation};
use super::passes::Placed;
use super::{Cancelled, Recorder};
use powerfill_events::run::event::{PoolAction, PoolActionDerived, RunEvent};
use powerfill_events::values::{LoanId, PoolName, Price, TradeId};
use powerfill_snapshot::tables::PoolStatus;

pub(super) fn record(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    placed: &Placed,
    recorder: &mut Recorder<'_>,
) -> Result<(), Cancelled> {
    let (book, participation) = (scorer.book, scorer.participation);
    let destinations = destinations(book, participation);
    let mut postings = Vec::new();
    for (standing, loan) in participation.loans.iter().zip(0..) {
        let present = book.loan_pool[loan as usize];
        let present_trade = participation.present_trade(book, loan);
        let name = |pool: Ix| PoolName::from(&book.pool(pool).pool_name);
        let mut post = |pool_action, trade, about: &PoolName, to: Option<PoolName>, price| {
            let from = present.map(name);
            let place = (trade, loan, PoolAction::key(pool_action));
            postings.push((place, about.clone(), from, to, pool_action, price));
        };
        match standing {
            LoanStanding::OutOfScope(_) => {}
            LoanStanding::Pinned(_) => {
                let pool = name(present.expect("a locked or held loan is in a pool"));
                let included = participation.included_trade(book, loan);
                let price = included.and_then(|trade| scorer.price_in(loan, trade));
                let price = price.map(|all_in| all_in.price);
                post(PoolAction::Remaining, present_trade, &pool, Some(pool.clone()), price);
            }
            LoanStanding::Eligible => match (placed.of(loan), present.map(name)) {
                (None, None) => {}
                (None, Some(pool)) => post(PoolAction::Leaving, present_trade, &pool, None, None),
                (Some(place), present_name) => {
                    let candidate = candidates.get(place);
                    let trade = Some(candidate.trade);
                    let price = Some(candidate.pricing.price);
                    let stays = present_trade == trade;
                    match present_name {
                        Some(pool) if stays => {
                            post(PoolAction::Remaining, trade, &pool, Some(pool.clone()), price);
                        }
                        None => {
                            let to = &destinations[candidate.trade as usize];
                            post(PoolAction::Joining, trade, to, Some(to.clone()), price);
                        }
                        Some(pool) => {
                            let to = &destinations[candidate.trade as usize];
                            let there = Some(to.clone());
                            post(PoolAction::Switching, present_trade, &pool, there.clone(), price);
                            post(PoolAction::SwappedIn, trade, to, there, price);
                        }
                    }
                }
            },
        }
    }
    // The order of the table: trade (none first), loan, pa_key.
    postings.sort_unstable_by_key(|posting| posting.0);
    for ((trade, loan, _), pool_name, from_pool_name, to_pool_name, pool_action, price) in postings
    {
        let row = book.loan(loan);
        recorder.record(RunEvent::PoolActionDerived(Box::new(PoolActionDerived {
            trade_id: trade.map(|ix: Ix| TradeId::from(&book.trade(ix).trade_id)),
            loan_id: LoanId::from(&row.loan_id),
            pool_action,
            settlement_date: trade.and_then(|ix| participation.trades[ix as usize].settles_on),
            pool_name,
            from_pool_name,
            to_pool_name,
            loan_amount: row.loan_amount,
            price: price.filter(|_: &Price| pool_action != PoolAction::Leaving),
        })))?;
    }
    Ok(())
}

/// Where loans that come into each trade go: the first by name of its pools that are open and not locked, else a new
/// pool.
fn destinations(book: &Book<'_>, participation: &Participation) -> Vec<PoolName> {
    let mut pools: Vec<Option<Ix>> = vec![None; book.snapshot.trades.len()];
    for (trade, pool) in participation.pool_trade.iter().zip(0..) {
        let is_open = book.pool(pool).status == PoolStatus::Open;
        if let Some(trade) = trade.filter(|_| is_open && !participation.pool_locked[pool as usize])
        {
            pools[trade as usize].get_or_insert(pool);
        }
    }
    let named = pools.iter().zip(&book.snapshot.trades).map(|(pool, trade)| match pool {
        Some(pool) => PoolName::from(&book.pool(*pool).pool_name),
        None => PoolName::from(format!("NEW-{}", trade.trade_id)),
    });
    named.collect()
}
