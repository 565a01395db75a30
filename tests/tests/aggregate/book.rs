//! Events of a small book, with defaults for the fields that a scenario does not need.

use std::collections::BTreeMap;
use std::sync::Arc;

use powerfill_events::run::event::*;
use powerfill_events::run::{RunCommand, RunEvent, RunId};
use powerfill_events::values::{Day, Money, Price};
use powerfill_snapshot::RunOptions;
use powerfill_snapshot::tables::TradeType;

pub(crate) fn run_id() -> RunId {
    "01970000-0000-7000-8000-000000000001".parse().unwrap()
}

pub(crate) fn usd(dollars: i64) -> Money {
    Money::whole(dollars)
}

fn settles_on() -> Day {
    "2026-02-12".parse().unwrap()
}

fn node() -> Arc<Node> {
    Arc::new(Node {
        investor_id: "FNMA".into(),
        investor_instrument_name: "FN 6.0".into(),
        constraint_name: "".into(),
        constraint_priority: 10,
    })
}

fn pricing() -> Pricing {
    let price = Price::whole(101);
    Pricing {
        interest_earning_days: 28,
        price,
        payup: Price::ZERO,
        carry_cost: Price::ZERO,
        prx_plus_carry: price,
        score: price,
    }
}

pub(crate) fn requested() -> RunEvent {
    RunEvent::RunRequested(Box::new(RunRequested {
        tenant_id: "ACME".into(),
        options: RunOptions::default(),
        requested_by: "dana".into(),
        snapshot_digest: "ab12".into(),
        spec_version: "1".into(),
        source_warnings: Vec::new(),
        mapping: None,
        origin: RunOrigin::default(),
    }))
}

pub(crate) fn started() -> RunEvent {
    RunEvent::RunStarted(Box::new(RunStarted {
        engine_version: "0.1.0".into(),
        loans: BTreeMap::from([("Eligible".to_owned(), 2)]),
        trades: BTreeMap::from([("Included".to_owned(), 2)]),
    }))
}

pub(crate) fn preflight() -> RunEvent {
    RunEvent::PreflightCompleted(PreflightCompleted { findings: Vec::new() })
}

/// An included trade of $1,000,000 with a tolerance of 10 % and this held amount.
pub(crate) fn trade(trade_id: &str, held: i64) -> RunEvent {
    assessed(trade_id, Some(held))
}

/// A trade that is not in the run.
pub(crate) fn paired_off(trade_id: &str) -> RunEvent {
    assessed(trade_id, None)
}

fn assessed(trade_id: &str, held: Option<i64>) -> RunEvent {
    let band = held.map(|held| Band {
        tolerance_amount: usd(100_000),
        min_amount: usd(900_000),
        max_amount: usd(1_100_000),
        held_amount: usd(held),
    });
    RunEvent::TradeAssessed(Box::new(TradeAssessed {
        trade_id: trade_id.into(),
        investor_id: "FNMA".into(),
        investor_instrument_name: "FN 6.0".into(),
        trade_type: TradeType::Forward,
        settlement_date: Some(settles_on()),
        exclusion_reason: band.is_none().then_some(ExclusionReason::PairedOff),
        open_amount: if band.is_some() { usd(1_000_000) } else { Money::ZERO },
        band,
    }))
}

/// The allocation of a loan to a trade, and the filled amount of the trade after it.
pub(crate) fn allocated(loan: &str, amount: i64, trade: &str, filled_after: i64) -> RunEvent {
    RunEvent::LoanAllocated(Box::new(LoanAllocated {
        turn: 1,
        node: node(),
        loan_id: loan.into(),
        trade_id: trade.into(),
        pass: Pass::BestFit,
        allocation_seq: 1,
        loan_amount: usd(amount),
        pricing: pricing(),
        settlement_date: settles_on(),
        prior_pool_name: None,
        prior_trade_id: None,
        filled_after: usd(filled_after),
    }))
}

/// The move of a loan, and the filled amounts of both trades after it.
pub(crate) fn moved(loan: &str, amount: i64, from: (&str, i64), to: (&str, i64)) -> RunEvent {
    RunEvent::LoanMoved(Box::new(LoanMoved {
        turn: 1,
        node: node(),
        loan_id: loan.into(),
        from_trade_id: from.0.into(),
        to_trade_id: to.0.into(),
        pass: Pass::FillRemaining,
        allocation_seq: 2,
        loan_amount: usd(amount),
        pricing: pricing(),
        settlement_date: settles_on(),
        marginal_cost: Money::ZERO,
        made_room_for: None,
        from_filled_after: usd(from.1),
        filled_after: usd(to.1),
    }))
}

pub(crate) fn released(loan: &str, amount: i64, trade: &str, filled_after: i64) -> RunEvent {
    RunEvent::LoanReleased(Box::new(LoanReleased {
        turn: 1,
        loan_id: loan.into(),
        trade_id: trade.into(),
        pass: Pass::FillRemaining,
        loan_amount: usd(amount),
        marginal_cost: Price::ZERO,
        exchanged_for: "L9".into(),
        filled_after: usd(filled_after),
    }))
}

pub(crate) fn kicked_out(loan: &str) -> RunEvent {
    RunEvent::LoanKickedOut(Box::new(LoanKickedOut {
        loan_id: loan.into(),
        reason: KickoutReason::CapacityExhausted,
        constraints_matched: 1,
        candidates: 1,
        best_trade_id: Some("T1".into()),
        best_score: Some(Price::whole(101)),
        pool_name: None,
        loan_amount: usd(500_000),
    }))
}

/// A posting on the settlement date, or on the next day.
pub(crate) fn posted(
    loan: &str,
    trade: Option<&str>,
    action: PoolAction,
    next_day: bool,
) -> RunEvent {
    RunEvent::PoolActionDerived(Box::new(PoolActionDerived {
        trade_id: trade.map(Into::into),
        loan_id: loan.into(),
        pool_action: action,
        settlement_date: Some(settles_on().plus(i32::from(next_day))),
        pool_name: "P1".into(),
        from_pool_name: Some("P1".into()),
        to_pool_name: Some("P1".into()),
        loan_amount: usd(500_000),
        price: Some(Price::whole(101)),
    }))
}

pub(crate) fn completion() -> RunCommand {
    RunCommand::Complete(Box::new(RunCompleted {
        counts: BTreeMap::from([("pfill_powerfill_guide".to_owned(), 1)]),
        output_digest: "cd34".into(),
        tables: vec![TableVersion { table: "pfill_powerfill_guide".to_owned(), version: 1 }],
    }))
}

pub(crate) fn failure() -> RunCommand {
    RunCommand::Fail(RunFailed {
        step: Step::Preflight,
        code: "PREFLIGHT_REFUSED".into(),
        message: "no included trade".into(),
    })
}

pub(crate) fn cancellation() -> RunCommand {
    RunCommand::Cancel(RunCancelled { cancelled_by: "dana".into(), step: Step::Allocation })
}

pub(crate) fn request() -> RunCommand {
    let RunEvent::RunRequested(requested) = requested() else { unreachable!() };
    RunCommand::Request(requested)
}

/// The command that records one event.
pub(crate) fn record(event: RunEvent) -> RunCommand {
    RunCommand::Record(vec![event])
}
