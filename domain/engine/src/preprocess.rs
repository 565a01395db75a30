//! 2.2 Preprocess: three tables that the desk can read and edit before a run.

use super::book::TradeIdx;
use super::context::RunContext;
use super::index::IdxVec;
use super::opening;
use powerfill_events::run::event::{Node, TradeAssessed};
use powerfill_events::values::{InstrumentName, Money, PoolName, TradeId};
use powerfill_snapshot::tables::PoolStatus;
use powerfill_snapshot::{RunOptions, Snapshot};

/// The three tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreprocessTables {
    /// Rows that `pfill_lockdown_guide` gains, by pool. Existing rows never change.
    pub lockdown: Vec<LockdownProposal>,
    /// `pfill_trade_params`, by trade.
    pub trade_params: Vec<TradeParams>,
    /// `pfill_epci_params`, by node in walk order, then trade.
    pub epci_params: Vec<Epci>,
}

/// A row that `pfill_lockdown_guide` gains, with `lock_pool` = `Y`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockdownProposal {
    /// Key of the row.
    pub pool_name: PoolName,
    /// The pool's instrument, as `pscat_pools` spells it.
    pub investor_instrument_name: InstrumentName,
    /// `None` where the pool counts as designated to no trade.
    pub trade_id: Option<TradeId>,
}

/// A row of `pfill_trade_params`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeParams {
    /// The columns of `pfill_trade_base`; its held amount is not part of the row.
    pub trade: TradeAssessed,
    /// Days from as_of; negative for a past date, `None` where the trade has no date.
    pub days_to_settle: Option<i32>,
}

/// A row of `pfill_epci_params`: the capacity of a walkable constraint in an included trade of its
/// instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epci {
    /// Key and priority of the constraint.
    pub node: Node,
    /// The included trade.
    pub trade_id: TradeId,
    /// round(lo_limit × open, 2); `None` where the node has no lo_limit.
    pub lo_amount: Option<Money>,
    /// round(hi_limit × open, 2); `None` where the node has no hi_limit.
    pub hi_amount: Option<Money>,
}

/// Computes the three tables.
pub fn preprocess(snapshot: &Snapshot, options: &RunOptions) -> PreprocessTables {
    let context = &RunContext::new(snapshot, options);
    let trades = context.participation.trades.indices().iter();
    PreprocessTables {
        lockdown: lockdown_proposals(context),
        trade_params: trades.map(|trade| trade_params(context, trade)).collect(),
        epci_params: epci_params(context),
    }
}

/// Pools that are not in the guide yet and are closed, or designated to a trade that settles within
/// lockdown_days (the 48-hour rule).
fn lockdown_proposals(context: &RunContext<'_>) -> Vec<LockdownProposal> {
    let RunContext { book, participation, .. } = context;
    let mut in_guide = IdxVec::per_row(&book.snapshot.pools, false);
    for row in &book.snapshot.lockdown {
        if let Some(pool) = book.pools.find(&row.pool_name) {
            in_guide[pool] = true;
        }
    }
    let settles_soon = |trade: TradeIdx| {
        let settles_on = participation.trades[trade].settles_on;
        settles_on.is_some_and(|day| {
            let days = i64::from(book.as_of.days_until(day));
            (0..=book.snapshot.preflight.lockdown_days).contains(&days)
        })
    };
    let proposals = participation.pool_trade.enumerate().filter_map(|(idx, trade)| {
        let pool = book.pool(idx);
        let locks = pool.status == PoolStatus::Closed || trade.is_some_and(settles_soon);
        (locks && !in_guide[idx]).then(|| LockdownProposal {
            pool_name: PoolName::from(&pool.pool_name),
            investor_instrument_name: InstrumentName::from(&pool.investor_instrument_name),
            trade_id: trade.map(|trade| TradeId::from(&book.trade(trade).trade_id)),
        })
    });
    proposals.collect()
}

fn trade_params(context: &RunContext<'_>, trade: TradeIdx) -> TradeParams {
    let RunContext { book, participation, .. } = context;
    let trade = opening::trade_assessed(book, participation, trade);
    let days_to_settle = trade.settlement_date.map(|day| book.as_of.days_until(day));
    TradeParams { trade, days_to_settle }
}

fn epci_params(context: &RunContext<'_>) -> Vec<Epci> {
    let RunContext { book, participation, tree, .. } = context;
    let mut rows = Vec::new();
    for node in tree.nodes.iter() {
        let instrument = book.constraint_instrument[node.constraint];
        for trade in instrument.map_or(&[][..], |idx| &participation.included_of[idx]) {
            let open = participation.trades[*trade].open;
            rows.push(Epci {
                node: Node::clone(&node.node),
                trade_id: TradeId::from(&book.trade(*trade).trade_id),
                lo_amount: node.lo_limit.map(|limit| open.share(limit)),
                hi_amount: node.hi_limit.map(|limit| open.share(limit)),
            });
        }
    }
    rows
}
