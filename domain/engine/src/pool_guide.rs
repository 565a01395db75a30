//! 2.10 Pool guide: what each loan does about pools, posted to the trades concerned.

use super::book::{LoanIdx, PoolIdx, TradeIdx};
use super::candidates::{Candidates, Scorer};
use super::context::RunContext;
use super::index::IdxVec;
use super::participation::LoanParticipation;
use super::passes::AllocationOutcome;
use super::recorder::{Cancelled, EventRecorder};
use powerfill_events::run::event::{PoolAction, PoolActionDerived, RunEvent};
use powerfill_events::values::{LoanId, PoolName, Price, TradeId};
use powerfill_snapshot::tables::{PoolStatus, Trade};

/// A row of the pool guide, without the loan's data.
struct Posting {
    trade: Option<TradeIdx>,
    loan: LoanIdx,
    action: PoolAction,
    /// The pool that the action is about.
    pool: PoolName,
    from: Option<PoolName>,
    to: Option<PoolName>,
    price: Option<Price>,
}

pub(super) fn record(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    outcome: &AllocationOutcome,
    recorder: &mut EventRecorder<'_>,
) -> Result<(), Cancelled> {
    let RunContext { book, participation, .. } = scorer.context;
    let destinations = destinations(scorer.context);
    let mut postings = Vec::new();
    for loan in participation.loans.indices().iter() {
        add_postings(scorer, candidates, outcome, &destinations, loan, &mut postings);
    }
    // The order of the table: trade (none first), loan, pa_key.
    postings.sort_unstable_by_key(|p| (p.trade, p.loan, p.action.key()));
    for Posting { trade, loan, action, pool, from, to, price } in postings {
        let row = book.loan(loan);
        recorder.record(RunEvent::PoolActionDerived(Box::new(PoolActionDerived {
            trade_id: trade.map(|trade| TradeId::from(&book.trade(trade).trade_id)),
            loan_id: LoanId::from(&row.loan_id),
            pool_action: action,
            settlement_date: trade.and_then(|trade| participation.trades[trade].settles_on),
            pool_name: pool,
            from_pool_name: from,
            to_pool_name: to,
            loan_amount: row.loan_amount,
            price,
        })))?;
    }
    Ok(())
}

/// The table of 2.10 for one loan.
fn add_postings(
    scorer: &Scorer<'_>,
    candidates: &Candidates,
    outcome: &AllocationOutcome,
    destinations: &IdxVec<Trade, PoolName>,
    loan: LoanIdx,
    postings: &mut Vec<Posting>,
) {
    let RunContext { book, participation, .. } = scorer.context;
    let name = |pool: PoolIdx| PoolName::from(&book.pool(pool).pool_name);
    let present = book.loan_pool[loan].map(name);
    let present_trade = participation.present_trade(book, loan);
    let (trade, destination, price) = match participation.loans[loan] {
        LoanParticipation::OutOfScope(_) => return,
        LoanParticipation::Pinned(_) => {
            let included = participation.present_included_trade(book, loan);
            let all_in = included.and_then(|trade| scorer.price_in(loan, trade));
            (present_trade, present.clone(), all_in.map(|all_in| all_in.price))
        }
        LoanParticipation::Eligible => match outcome.placements.of(loan) {
            None => (None, None, None),
            Some(idx) => {
                let candidate = &candidates.all[idx];
                let trade = Some(candidate.trade);
                let stays = present.clone().filter(|_| present_trade == trade);
                let pool = stays.unwrap_or_else(|| destinations[candidate.trade].clone());
                (trade, Some(pool), Some(candidate.pricing.price))
            }
        },
    };
    let mut post = |action, trade, pool: &PoolName| {
        let (pool, from, to) = (pool.clone(), present.clone(), destination.clone());
        postings.push(Posting { trade, loan, action, pool, from, to, price });
    };
    match (&present, &destination) {
        (None, None) => {}
        (None, Some(to)) => post(PoolAction::Joining, trade, to),
        (Some(from), None) => post(PoolAction::Leaving, present_trade, from),
        (Some(from), Some(to)) if from == to => post(PoolAction::Remaining, trade, from),
        (Some(from), Some(to)) => {
            post(PoolAction::Switching, present_trade, from);
            post(PoolAction::SwappedIn, trade, to);
        }
    }
}

/// The pool that loans which enter a trade go to: the first one by name of its pools that are open
/// and not locked, else a new pool.
fn destinations(context: &RunContext<'_>) -> IdxVec<Trade, PoolName> {
    let RunContext { book, participation, .. } = context;
    let mut pools: IdxVec<Trade, Option<PoolIdx>> = IdxVec::per_row(&book.snapshot.trades, None);
    for (pool, trade) in participation.pool_trade.enumerate() {
        let is_open = book.pool(pool).status == PoolStatus::Open;
        if let Some(trade) = trade.filter(|_| is_open && !participation.pool_locked[pool]) {
            pools[trade].get_or_insert(pool);
        }
    }
    let destinations = pools.enumerate().map(|(trade, pool)| match pool {
        Some(pool) => PoolName::from(&book.pool(*pool).pool_name),
        None => PoolName::from(format!("NEW-{}", book.trade(trade).trade_id)),
    });
    destinations.collect()
}
