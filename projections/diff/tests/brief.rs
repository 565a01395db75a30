//! The morning brief of two small runs, by hand (specification part 9).

use powerfill_diff::brief::{Brief, BriefNoteKind, BriefSide, RerunValues};
use powerfill_diff::run_differences::RunDifferences;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::*;
use powerfill_fixtures::*;

fn placed(loan: &str, dollars: i64, trade: &str, price: &str) -> RunEvent {
    let placed = allocated((loan, dollars), (trade, dollars), Pass::BestFit, 1, price);
    RunEvent::LoanAllocated(Box::new(placed))
}

fn out(loan: &str, dollars: i64, reason: KickoutReason) -> RunEvent {
    let RunEvent::LoanKickedOut(mut kickout) = kicked_out(loan, reason, None) else {
        unreachable!()
    };
    kickout.loan_amount = usd(dollars);
    RunEvent::LoanKickedOut(kickout)
}

/// A and B are in T1, G too, C is kicked out, and D is in T2, which is short.
fn then() -> Vec<RunEvent> {
    vec![
        requested(),
        trade("T1", 600_000, 0),
        trade("T2", 200_000, 0),
        trade("T3", 100_000, 0),
        placed("A", 300_000, "T1", "100"),
        placed("B", 200_000, "T1", "101"),
        placed("G", 100_000, "T1", "100"),
        placed("D", 50_000, "T2", "100"),
        fill("T1", 600_000, 600_000, FillStatus::Filled),
        fill("T2", 200_000, 50_000, FillStatus::Under),
        fill("T3", 100_000, 0, FillStatus::Under),
        out("C", 100_000, KickoutReason::CapacityExhausted),
    ]
}

/// A moves to T2, C is rescued, D is kicked out, G is gone, and N and M are new.
fn now() -> Vec<RunEvent> {
    vec![
        requested(),
        preflight(vec![finding(FindingCode::PricesStale, Severity::Warning, "2026-01-10")]),
        trade("T1", 600_000, 0),
        trade("T2", 200_000, 0),
        excluded("T3", ExclusionReason::BeyondHorizon),
        candidate(1, 1, "A", "T1", "101"),
        candidate(1, 2, "A", "T2", "102"),
        candidate(1, 3, "D", "T1", "103"),
        placed("A", 300_000, "T2", "102"),
        placed("B", 200_000, "T1", "100.5"),
        placed("C", 100_000, "T1", "99"),
        placed("N", 100_000, "t2", "100"),
        fill("T1", 600_000, 300_000, FillStatus::Under),
        fill("T2", 200_000, 200_000, FillStatus::Filled),
        out("D", 50_000, KickoutReason::LimitReached),
        out("M", 70_000, KickoutReason::NoPrice),
    ]
}

fn brief_with(reruns: RerunValues) -> Brief {
    let mut former = BriefSide::new(run_id());
    then().iter().for_each(|event| apply(&mut former, event));
    let mut present = BriefSide::after(run_id(), &former);
    now().iter().for_each(|event| apply(&mut present, event));
    let differences = RunDifferences::new(&former.run, &present.run);
    Brief::new(&former, &present, &differences, reruns)
}

fn apply(side: &mut BriefSide, event: &RunEvent) {
    recorded(std::slice::from_ref(event)).for_each(|event| side.apply(&event));
}

#[test]
fn the_bridge_is_exact() {
    let steps = |reruns| -> Vec<(&'static str, Option<u64>, i64)> {
        let bridge = brief_with(reruns).bridge;
        assert_eq!((bridge.then_amount, bridge.now_amount), (usd(652_000), usd(706_000)));
        let sum = bridge.steps.iter().fold(bridge.then_amount, |sum, step| sum + step.amount);
        assert_eq!(sum, bridge.now_amount);
        let dollars = |step: &powerfill_diff::brief::BridgeStep| step.amount.units() / 100;
        bridge.steps.iter().map(|step| (step.step, step.loans, dollars(step))).collect()
    };
    // A at T1 is worth 3,000 more, and B 1,000 less; D is no candidate of T2 any more. A gains
    // 3,000 by its move, C has a place for 99,000, and D lost one for 50,000.
    let expected = [
        ("loans_gone", Some(1), -100_000),
        ("loans_new", Some(1), 100_000),
        ("prices", Some(2), 2_000),
        ("trades", None, 0),
        ("configuration", None, 0),
        ("reallocation", None, 52_000),
    ];
    assert_eq!(steps(RerunValues::default()), expected);
    let reruns =
        RerunValues { former_configuration: Some(usd(700_000)), former_trades: Some(usd(690_000)) };
    let rerun = steps(reruns);
    assert_eq!(rerun[..3], expected[..3]);
    let last =
        [("trades", None, 10_000), ("configuration", None, 6_000), ("reallocation", None, 36_000)];
    assert_eq!(rerun[3..], last);
    let trades_only = RerunValues { former_trades: Some(usd(690_000)), ..RerunValues::default() };
    let rerun = steps(trades_only);
    assert_eq!((rerun[3].2, rerun[4].2, rerun[5].2), (16_000, 0, 36_000));
}

#[test]
fn loans_and_trades_are_told_by_what_became_of_them() {
    let brief = brief_with(RerunValues::default());
    let ids = |group: &powerfill_diff::brief::LoanChangeGroup| {
        group.listed.iter().map(|loan| loan.loan_id.clone()).collect::<Vec<_>>()
    };
    let groups = brief.loans.groups().map(|(name, group)| {
        (name, ids(group), group.loan_amount, group.value_amount, group.kicked_out)
    });
    let expected = [
        ("new", vec!["N".to_owned(), "M".to_owned()], usd(170_000), usd(100_000), 1),
        ("gone", vec!["G".to_owned()], usd(100_000), usd(-100_000), 0),
        ("moved", vec!["A".to_owned()], usd(300_000), usd(6_000), 0),
        ("rescued", vec!["C".to_owned()], usd(100_000), usd(99_000), 0),
        ("newly kicked out", vec!["D".to_owned()], usd(50_000), usd(-50_000), 1),
    ];
    assert_eq!(groups, expected);
    let trades = |list: &[powerfill_diff::brief::BriefTrade]| {
        list.iter().map(|trade| trade.trade_id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(trades(&brief.trades.fallen_short), ["T1"]);
    assert_eq!(trades(&brief.trades.filled), ["T2"]);
    assert_eq!(trades(&brief.trades.gone), ["T3"]);
    assert!(brief.trades.new.is_empty());
    assert_eq!((brief.now.placed, brief.now.kicked_out), (4, 2));
    assert_eq!((brief.then.placed, brief.then.kicked_out), (4, 1));
}

#[test]
fn what_to_look_at_comes_in_the_order_of_the_kinds() {
    let brief = brief_with(RerunValues::default());
    let kinds: Vec<BriefNoteKind> = brief.to_look_at.iter().map(|note| note.kind).collect();
    let expected = [
        BriefNoteKind::Finding,
        BriefNoteKind::FallenShort,
        BriefNoteKind::NewlyKickedOut,
        BriefNoteKind::NewAndKickedOut,
        BriefNoteKind::Rescued,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(brief.to_look_at[2].text, "loan D (50,000.00) is out of T2: LimitReached");
    assert_eq!(brief.to_look_at[1].amount, Some(usd(240_000)));
}
