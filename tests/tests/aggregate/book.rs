//! Events of a small book, with defaults for the fields that a scenario does not need.

use std::collections::BTreeMap;

use powerfill_events::run::event::*;
use powerfill_events::run::{RunCommand, RunEvent};
use powerfill_events::values::Money;
use powerfill_fixtures as fixtures;
pub(crate) use powerfill_fixtures::{requested, run_id, usd};

pub(crate) fn started() -> RunEvent {
    fixtures::started(&[("Eligible", 2)], &[("Included", 2)])
}

pub(crate) fn preflight() -> RunEvent {
    fixtures::preflight(Vec::new())
}

/// An included trade of $1,000,000 with a tolerance of 10 % and this held amount.
pub(crate) fn trade(trade_id: &str, held: i64) -> RunEvent {
    fixtures::trade(trade_id, 1_000_000, held)
}

/// A trade that is not in the run.
pub(crate) fn paired_off(trade_id: &str) -> RunEvent {
    let excluded = fixtures::excluded(trade_id, ExclusionReason::PairedOff);
    let RunEvent::TradeAssessed(mut assessed) = excluded else { unreachable!() };
    assessed.open_amount = Money::ZERO;
    RunEvent::TradeAssessed(assessed)
}

/// The allocation of a loan to a trade, and the filled amount of the trade after it.
pub(crate) fn allocated(loan: &str, amount: i64, trade: &str, filled_after: i64) -> RunEvent {
    let (loan, trade) = ((loan, amount), (trade, filled_after));
    RunEvent::LoanAllocated(Box::new(fixtures::allocated(loan, trade, Pass::BestFit, 1, "101")))
}

/// The move of a loan, and the filled amounts of both trades after it.
pub(crate) fn moved(loan: &str, amount: i64, from: (&str, i64), to: (&str, i64)) -> RunEvent {
    let moved = fixtures::moved((loan, amount), from, to, Pass::FillRemaining, 2, "101");
    RunEvent::LoanMoved(Box::new(moved))
}

pub(crate) fn released(loan: &str, amount: i64, trade: &str, filled_after: i64) -> RunEvent {
    fixtures::released((loan, amount), (trade, filled_after), "L9")
}

pub(crate) fn kicked_out(loan: &str) -> RunEvent {
    fixtures::kicked_out(loan, KickoutReason::CapacityExhausted, Some(("T1", "101")))
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
        settlement_date: Some(fixtures::day("2026-02-12").plus(i32::from(next_day))),
        pool_name: "P1".into(),
        from_pool_name: Some("P1".into()),
        to_pool_name: Some("P1".into()),
        loan_amount: usd(500_000),
        price: Some(fixtures::pts("101")),
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
    let RunEvent::RunFailed(failed) = fixtures::failed(Step::Preflight) else { unreachable!() };
    RunCommand::Fail(failed)
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
