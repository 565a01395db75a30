//! 2.2 Preprocess: three tables for the desk to see and edit before a run.

use super::book::{Book, Ix};
use super::participation::Participation;
use super::prices::Grids;
use super::tree::Tree;
use super::{opening, trades_of_instrument};
use powerfill_events::run::event::{Node, TradeAssessed};
use powerfill_events::values::{InstrumentName, Money, PoolName, TradeId};
use powerfill_snapshot::tables::PoolStatus;
use powerfill_snapshot::{RunOptions, Snapshot};

/// What preprocess proposes and rebuilds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preprocessed {
    /// Rows that `pfill_lockdown_guide` gains, by pool; rows that exist are never changed.
    pub lockdown: Vec<LockdownProposal>,
    /// `pfill_trade_params`, by trade.
    pub trade_params: Vec<TradeParams>,
    /// `pfill_epci_params`, by node in walk order, then trade.
    pub epci_params: Vec<Epci>,
}

/// A row that `pfill_lockdown_guide` gains, with `lock_pool` = `Y`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockdownProposal {
    /// The pool.
    pub pool_name: PoolName,
    /// Its instrument.
    pub investor_instrument_name: InstrumentName,
    /// The trade that it is designated to.
    pub trade_id: Option<TradeId>,
}

/// A row of `pfill_trade_params`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeParams {
    /// The columns of `pfill_trade_base`; its held amount is not part of the row.
    pub trade: TradeAssessed,
    /// From as_of; negative where the trade has settled, NULL where it has no date.
    pub days_to_settle: Option<i32>,
}

/// A row of `pfill_epci_params`: the capacity of a walkable constraint in an included trade of its instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epci {
    /// The constraint.
    pub node: Node,
    /// The trade.
    pub trade_id: TradeId,
    /// round(lo_limit × open, 2); NULL where the node has none.
    pub lo_amount: Option<Money>,
    /// round(hi_limit × open, 2); NULL where the node has none.
    pub hi_amount: Option<Money>,
}

/// Works out the three tables.
pub fn preprocess(snapshot: &Snapshot, options: &RunOptions) -> Preprocessed {
    let book = Book::new(snapshot, options);
    let participation = Participation::new(&book, &Grids::new(&book));
    let trades = 0..snapshot.trades.len() as Ix;
    Preprocessed {
        lockdown: lockdown(&book, &participation),
        trade_params: trades.map(|ix| trade_params(&book, &participation, ix)).collect(),
        epci_params: epci_params(&book, &participation),
    }
}

/// Pools that are closed, or designated to a trade that settles within lockdown_days (the 48-hour rule), and are not
/// in the guide yet.
fn lockdown(book: &Book<'_>, participation: &Participation) -> Vec<LockdownProposal> {
    let mut in_guide = vec![false; book.snapshot.pools.len()];
    for row in &book.snapshot.lockdown {
        if let Some(pool) = book.find_pool(&row.pool_name) {
            in_guide[pool as usize] = true;
        }
    }
    let settles_soon = |trade: Ix| {
        let days =
            participation.trades[trade as usize].settles_on.map(|d| book.as_of.days_until(d));
        days.is_some_and(|n| (0..=book.snapshot.preflight.lockdown_days).contains(&i64::from(n)))
    };
    let pools = book.snapshot.pools.iter().zip(&participation.pool_trade).zip(in_guide);
    let locked = pools.filter(|((pool, trade), in_guide)| {
        !in_guide && (pool.status == PoolStatus::Closed || trade.is_some_and(settles_soon))
    });
    locked
        .map(|((pool, trade), _)| LockdownProposal {
            pool_name: PoolName::from(&pool.pool_name),
            investor_instrument_name: InstrumentName::from(&pool.investor_instrument_name),
            trade_id: trade.map(|ix| TradeId::from(&book.trade(ix).trade_id)),
        })
        .collect()
}

fn trade_params(book: &Book<'_>, participation: &Participation, ix: Ix) -> TradeParams {
    let trade = opening::assessed(book, participation, ix);
    let days_to_settle = trade.settlement_date.map(|day| book.as_of.days_until(day));
    TradeParams { trade, days_to_settle }
}

fn epci_params(book: &Book<'_>, participation: &Participation) -> Vec<Epci> {
    let trades = trades_of_instrument(book, participation);
    let mut rows = Vec::new();
    for node in &Tree::new(book).nodes {
        let instrument = book.constraint_instrument[node.constraint as usize];
        for trade in instrument.map_or(&[][..], |ix| &trades[ix as usize]) {
            let open = participation.trades[*trade as usize].open;
            rows.push(Epci {
                node: Node::clone(&node.shown),
                trade_id: TradeId::from(&book.trade(*trade).trade_id),
                lo_amount: node.lo_limit.map(|limit| open.share(limit)),
                hi_amount: node.hi_limit.map(|limit| open.share(limit)),
            });
        }
    }
    rows
}
