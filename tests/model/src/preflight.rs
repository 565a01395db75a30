//! 2.2 Preflight.

use std::collections::BTreeSet;

use powerfill_events::values::{InstrumentName, Key, fold};
use powerfill_snapshot::PriceMode;
use powerfill_snapshot::tables::{ConstraintRow, TradeType};

use crate::market::{Market, instrument_row};

/// A finding: code, severity, subject.
pub(crate) type Finding = (&'static str, &'static str, String);

/// The nine checks in their order, each with its findings in the order of their subjects.
pub(crate) fn findings(market: &Market<'_>) -> Vec<Finding> {
    let checks = [
        ("PIPELINE_EMPTY", "error", pipeline_empty(market)),
        ("NO_OPEN_TRADES", "error", no_open_trades(market)),
        ("NO_CONSTRAINTS", "error", no_constraints(market)),
        ("CONSTRAINT_UNREACHABLE", "warning", constraint_unreachable(market)),
        ("PRICES_MISSING", "warning", prices_missing(market)),
        ("PRICES_STALE", "warning", prices_stale(market)),
        ("CARRY_CURVE_GAP", "warning", carry_curve_gap(market)),
        ("LOCKDOWN_INCONSISTENT", "warning", lockdown_inconsistent(market)),
        ("SNAPSHOT_STALE", "warning", snapshot_stale(market)),
    ];
    let mut all = vec![];
    for (code, severity, subjects) in checks {
        // "One per subject."
        let mut subjects: Vec<String> =
            subjects.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        subjects.sort_by_key(|subject| fold(subject));
        all.extend(subjects.into_iter().map(|subject| (code, severity, subject)));
    }
    all
}

fn when(holds: bool, subject: impl ToString) -> Vec<String> {
    if holds { vec![subject.to_string()] } else { vec![] }
}

fn pipeline_empty(market: &Market<'_>) -> Vec<String> {
    let eligible = market.input.eligible().count();
    when((eligible as i64) < market.input.snapshot.preflight.min_pipeline_loans, eligible)
}

fn no_open_trades(market: &Market<'_>) -> Vec<String> {
    when(market.input.included().count() == 0, "")
}

fn no_constraints(market: &Market<'_>) -> Vec<String> {
    when(market.nodes.is_empty(), "")
}

/// "a walkable constraint has no included trade, or its instrument does not exist, or its investor
/// differs from the instrument's"
fn constraint_unreachable(market: &Market<'_>) -> Vec<String> {
    let input = market.input;
    let reachable = |key: &&ConstraintRow| {
        instrument_row(input, &key.investor_instrument_name)
            .is_some_and(|row| row.investor_id == key.investor_id)
            && input.included().any(|t| *market.instrument_of(t) == key.investor_instrument_name)
    };
    market
        .nodes
        .iter()
        .map(|node| node.row)
        .filter(|key| !reachable(key))
        .map(|key| {
            format!("{}|{}|{}", key.investor_id, key.investor_instrument_name, key.constraint_name)
        })
        .collect()
}

/// "the instrument of an included bx trade that is not priced_only has no row in the price grid for
/// that settlement date"
fn prices_missing(market: &Market<'_>) -> Vec<String> {
    let input = market.input;
    input
        .included()
        .filter(|t| input.snapshot.trades[*t].trade_type == TradeType::Bx)
        .filter(|t| !input.snapshot.trades[*t].priced_only)
        .filter_map(|t| {
            let (i, date) = (market.instrument_of(t), input.trades[t].settlement_date?);
            let row = |row: &powerfill_snapshot::tables::GridPrice| {
                row.investor_instrument_name == *i && row.settlement_date == date
            };
            (!input.snapshot.prices.iter().any(row)).then(|| {
                format!(
                    "{}|{date}",
                    instrument_row(input, i).expect("known").investor_instrument_name
                )
            })
        })
        .collect()
}

fn prices_stale(market: &Market<'_>) -> Vec<String> {
    let (input, snapshot) = (market.input, market.input.snapshot);
    let Some(date) = snapshot.header.prices_as_of else { return vec![] };
    let age = i64::from(date.days_until(input.as_of));
    when(age > snapshot.preflight.max_price_age_days, date)
}

/// "pc mode, and an instrument with included trades has no bucket with a rate for some day from 0
/// to max_trade_settle_days"
fn carry_curve_gap(market: &Market<'_>) -> Vec<String> {
    let input = market.input;
    if input.options.price_mode != PriceMode::Pc {
        return vec![];
    }
    let has_rate = |i: &Key<InstrumentName>, day: i64| {
        input.snapshot.carry_costs.iter().any(|row| {
            row.investor_instrument_name == *i
                && row.annual_rate.is_some()
                && row.on_day <= day
                && day <= row.to_day
        })
    };
    input
        .snapshot
        .instruments
        .iter()
        .map(|row| &row.investor_instrument_name)
        .filter(|i| input.included().any(|t| market.instrument_of(t) == *i))
        .filter(|i| {
            (0..=i64::from(input.options.max_trade_settle_days)).any(|day| !has_rate(i, day))
        })
        .map(ToString::to_string)
        .collect()
}

/// "a lockdown row names a pool that does not exist, or a trade other than the one that the pool is
/// designated to (any trade, where the pool is designated to none)"
fn lockdown_inconsistent(market: &Market<'_>) -> Vec<String> {
    let (input, snapshot) = (market.input, market.input.snapshot);
    let mut subjects = vec![];
    for row in &snapshot.lockdown {
        let Some(pool) = snapshot.pools.iter().position(|pool| pool.pool_name == row.pool_name)
        else {
            subjects.push(row.pool_name.to_string());
            continue;
        };
        let designated = input.pool_trade[pool].map(|t| &snapshot.trades[t].trade_id);
        if row.trade_id.is_some() && row.trade_id.as_ref() != designated {
            subjects.push(snapshot.pools[pool].pool_name.to_string());
        }
    }
    subjects
}

fn snapshot_stale(market: &Market<'_>) -> Vec<String> {
    let snapshot = market.input.snapshot;
    let age = i64::from(snapshot.header.as_of.days_until(market.input.as_of));
    when(age > snapshot.preflight.max_snapshot_age_days, age)
}
