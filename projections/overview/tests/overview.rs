//! The overview of the runs of the conformance cases, held against their events and tables.

use std::collections::BTreeMap;

use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{FillStatus, PoolAction};
use powerfill_events::values::Money;
use powerfill_fixtures::{cases, recorded, run_id};
use powerfill_overview::{FlowEndKind, Overview, OverviewBuilder};
use powerfill_tables::RunTables;
use powerfill_tables::table::RowBatch;

fn overview(events: &[RunEvent]) -> Option<Overview> {
    let (mut builder, mut tables) = (OverviewBuilder::new(run_id()), RunTables::new());
    for event in recorded(events) {
        builder.apply(&event);
        tables.apply(&event);
    }
    let rows = tables.finish();
    for table in OverviewBuilder::TABLES {
        rows.iter().filter(|batch| std::ptr::eq(batch.table, table)).for_each(
            |batch: &RowBatch| {
                builder.take(batch);
            },
        );
    }
    builder.finish()
}

fn sum(amounts: impl Iterator<Item = Money>) -> Money {
    amounts.fold(Money::ZERO, |sum, amount| sum + amount)
}

/// The overviews of the cases whose run is Complete, with their events.
fn complete() -> impl Iterator<Item = (String, Vec<RunEvent>, Overview)> {
    cases::cases().into_iter().filter_map(|case| {
        let events = cases::run(&case);
        let overview = overview(&events);
        let is_complete = matches!(events.last(), Some(RunEvent::RunCompleted(_)));
        assert_eq!(overview.is_some(), is_complete, "{}", case.display());
        Some((case.display().to_string(), events, overview?))
    })
}

#[test]
fn every_part_of_every_case_adds_up() {
    let (mut cases, mut short, mut moves) = (0, 0, 0);
    for (case, events, overview) in complete() {
        cases += 1;
        let steps = &overview.waterfall;
        let total = steps.last().unwrap();
        assert_eq!(total.amount, overview.value.all.value_amount, "{case}");
        assert_eq!(steps[steps.len() - 2].to_amount, total.to_amount, "{case}");
        for trade in &overview.trades {
            let passes = sum(trade.passes.iter().map(|pass| pass.amount));
            assert_eq!(
                trade.held_amount + passes,
                trade.filled_amount,
                "{case} {}",
                trade.trade_id
            );
            let is_short = trade.fill_status == FillStatus::Under;
            assert_eq!(trade.fill_loans.is_some(), is_short, "{case}");
            short += u64::from(is_short);
        }
        let grouped = sum(overview.trade_groups.iter().map(|group| group.filled_amount));
        assert_eq!(grouped, sum(overview.trades.iter().map(|trade| trade.filled_amount)));
        let statuses: Vec<_> =
            overview.trades.iter().map(|t| t.fill_status == FillStatus::Under).collect();
        assert!(statuses.is_sorted_by(|a, b| a >= b), "{case}: short trades come first");

        for flow in [&overview.flow, &overview.instrument_flow] {
            let to = |kind| {
                let links = flow.links.iter().filter(move |link| link.to.kind == kind);
                (links.clone().map(|link| link.loans).sum::<u64>(), sum(links.map(|l| l.amount)))
            };
            let kickouts = &overview.kickouts;
            let kicked_out = (kickouts.loans, kickouts.loan_amount);
            assert_eq!(to(FlowEndKind::KickedOut), kicked_out, "{case}");
            let placed = to(FlowEndKind::Trade).0;
            assert_eq!(placed, overview.value.all.loans, "{case}");
        }

        let mut actions: BTreeMap<PoolAction, u64> = BTreeMap::new();
        for event in &events {
            if let RunEvent::PoolActionDerived(posting) = event {
                *actions.entry(posting.pool_action).or_default() += 1;
            }
        }
        actions.remove(&PoolAction::SwappedIn);
        let counts = overview.moves.actions.iter();
        let counts: BTreeMap<_, _> = counts.map(|a| (a.pool_action, a.loans)).collect();
        assert_eq!(counts, actions, "{case}");
        actions.remove(&PoolAction::Remaining);
        let moved: u64 = overview.moves.moves.iter().map(|m| m.loans).sum();
        assert_eq!(moved, actions.values().sum::<u64>(), "{case}");
        moves += moved;
    }
    assert!(cases > 30 && short > 10 && moves > 50, "{cases} {short} {moves}");
}

#[test]
fn the_head_says_which_options_differ_from_their_defaults() {
    let mut changed = BTreeMap::new();
    for (_, events, overview) in complete() {
        let RunEvent::RunRequested(requested) = &events[0] else { unreachable!() };
        assert_eq!(overview.run.input_digest, requested.snapshot_digest);
        assert_eq!(overview.run.events, events.len() as u64);
        for option in overview.run.options {
            assert!(!option.is_changed || option.value != option.default, "{option:?}");
            *changed.entry(option.name).or_insert(0) += u64::from(option.is_changed);
        }
    }
    assert_eq!(changed.len(), 11);
    assert_eq!(changed["as_of"], 0);
    assert!(changed["price_mode"] > 0, "{changed:?}");
}

#[test]
fn a_run_that_is_not_complete_has_no_overview() {
    assert!(overview(&[powerfill_fixtures::requested()]).is_none());
}
