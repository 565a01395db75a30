//! 2.2 Preprocess: three tables that the desk can read and edit before a run.

use powerfill_snapshot::tables::PoolStatus;

use crate::ModelTable;
use crate::market::Market;
use crate::tables::{money, node_key, or_null, table, trade_base, trade_id};

/// The rows that `pfill_lockdown_guide` gains, `pfill_trade_params`, `pfill_epci_params`.
pub(crate) fn preprocess(market: &Market<'_>) -> [ModelTable; 3] {
    [lockdown_guide(market), trade_params(market), epci_params(market)]
}

/// "a row with lock_pool = Y for each pool that is closed, or designated to a trade that settles
/// from as_of to as_of + lockdown_days, and is not in the guide yet"
fn lockdown_guide(market: &Market<'_>) -> ModelTable {
    let (input, snapshot) = (market.input, market.input.snapshot);
    let settles_soon = |t: usize| {
        input.trades[t].settlement_date.is_some_and(|date| {
            let days = i64::from(input.as_of.days_until(date));
            0 <= days && days <= snapshot.preflight.lockdown_days
        })
    };
    let mut rows = vec![];
    for (at, pool) in snapshot.pools.iter().enumerate() {
        let in_the_guide = snapshot.lockdown.iter().any(|row| row.pool_name == pool.pool_name);
        let closed = pool.status == PoolStatus::Closed;
        if !in_the_guide && (closed || input.pool_trade[at].is_some_and(settles_soon)) {
            let name = &pool.investor_instrument_name;
            let instrument = crate::market::instrument_row(input, name)
                .expect("the instrument of a pool exists");
            rows.push(vec![
                pool.pool_name.to_string(),
                instrument.investor_instrument_name.to_string(),
                or_null(input.pool_trade[at], |t| trade_id(market, t)),
                "Y".to_owned(),
            ]);
        }
    }
    let columns = "pool_name, investor_instrument_name, trade_id, lock_pool";
    table("pfill_lockdown_guide", columns, rows)
}

/// "for each trade the columns of pfill_trade_base without held_amount, then days_to_settle"
fn trade_params(market: &Market<'_>) -> ModelTable {
    let mut params = trade_base(market);
    params.name = "pfill_trade_params";
    params.columns.pop();
    params.columns.push("days_to_settle");
    for (row, assessed) in params.rows.iter_mut().zip(&market.input.trades) {
        row.pop();
        let as_of = market.input.as_of;
        row.push(or_null(assessed.settlement_date, |date| as_of.days_until(date).to_string()));
    }
    params
}

/// "for each (walkable constraint, included trade of its instrument) the lo and hi amounts of 2.5"
fn epci_params(market: &Market<'_>) -> ModelTable {
    let mut rows = vec![];
    for k in 0..market.nodes.len() {
        let instrument = &market.nodes[k].row.investor_instrument_name;
        for t in market.input.included().filter(|t| market.instrument_of(*t) == instrument) {
            let mut cells = node_key(market, k).to_vec();
            cells.extend([
                trade_id(market, t),
                or_null(market.lo(k, t), money),
                or_null(market.hi(k, t), money),
            ]);
            rows.push(cells);
        }
    }
    let columns =
        "investor_id, investor_instrument_name, constraint_name, trade_id, lo_amount, hi_amount";
    table("pfill_epci_params", columns, rows)
}
