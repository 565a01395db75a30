//! The value of a run by hand (part 7).

use powerfill_events::run::RunEvent;
use powerfill_events::run::event::*;
use powerfill_events::values::Price;
use powerfill_fixtures::*;

const TABLE: &str = "pfill_value_summary";

/// A candidate's event and its allocation, with a prior trade.
fn placed(
    loan: &str,
    trade: &str,
    pricing: Pricing,
    prior: Option<&str>,
    cents: i64,
) -> [RunEvent; 2] {
    let candidate = RunEvent::CandidateScored(CandidateScored {
        turn: 1,
        candidate_rank: 1,
        node: node("", 1),
        loan_id: loan.into(),
        trade_id: trade.into(),
        pricing,
    });
    let mut event = allocated((loan, 0), (trade, 0), Pass::BestFit, 1, "100");
    event.loan_amount = powerfill_events::values::Money::from_units(cents);
    event.pricing = pricing;
    event.prior_trade_id = prior.map(Into::into);
    [candidate, RunEvent::LoanAllocated(Box::new(event))]
}

/// A switches from T1 to T2, B joins, C remains, P is locked, and K leaves.
fn book() -> Vec<RunEvent> {
    let better = Pricing {
        payup: pts("0.25"),
        carry_cost: pts("-0.125"),
        prx_plus_carry: pts("101.375"),
        ..pricing("101.5")
    };
    let mut events = vec![
        trade("T1", 900_000, 60_000),
        trade("T2", 400_000, 0),
        excluded("T3", ExclusionReason::BeyondHorizon),
        pinned("P", "PL", Some("T1"), HeldReason::Locked),
        pinned("Q", "PQ", Some("T3"), HeldReason::TradeNotInRun),
        candidate(1, 2, "A", "T1", "101"),
        candidate(1, 3, "K", "T1", "100.75"),
        candidate(1, 4, "K", "T2", "100"),
    ];
    events.extend(placed("A", "T2", better, Some("T1"), 30_000_000));
    events.extend(placed("B", "T1", pricing("100.5"), None, 20_000_000));
    events.extend(placed("C", "T1", pricing("101"), Some("T1"), 10_000_033));
    events.extend([
        fill("T1", 900_000, 360_000, FillStatus::Filled),
        fill("T2", 400_000, 300_000, FillStatus::Under),
        kicked_out("K", KickoutReason::CapacityExhausted, Some(("T1", "100.75"))),
        posting(Some("T1"), "A", PoolAction::Switching, Some("P1"), Some("P2")),
        posting(Some("T2"), "A", PoolAction::SwappedIn, Some("P1"), Some("P2")),
        posting(Some("T1"), "B", PoolAction::Joining, None, Some("P1")),
        posting(Some("T1"), "C", PoolAction::Remaining, Some("P1"), Some("P1")),
        posting(Some("T1"), "P", PoolAction::Remaining, Some("PL"), Some("PL")),
        posting(Some("T1"), "K", PoolAction::Leaving, Some("P1"), None),
        synthetic(
            "FN 6.0",
            powerfill_events::input::InstrumentKind::Tba,
            &[("6", "99"), ("6.5", "98.5"), ("7", "97")],
        ),
        ranked("A", vec![option("FN 6.0", "102", 1, 1)], Some(("T2", "101.5"))),
        ranked("K", vec![option("FN 6.0", "100.5", 1, 1)], None),
    ]);
    events
}

#[test]
fn each_grouping_has_its_loans_and_the_waterfall_adds_up() {
    assert_eq!(
        rows(TABLE, &book()),
        "\
1,run,all,4,0,660000.33,667100.33,101.07575754,750.00,-375.00,666725.33,2,1500.00,1,1500.00,,,,,,
2,run,placed,3,0,600000.33,606500.33,101.08333329,750.00,-375.00,606125.33,2,1500.00,1,1500.00,,,,,,
3,investor,FNMA,4,0,660000.33,667100.33,101.07575754,750.00,-375.00,666725.33,2,1500.00,1,1500.00,,,,,,
4,instrument,FN 6.0,4,0,660000.33,667100.33,101.07575754,750.00,-375.00,666725.33,2,1500.00,1,1500.00,,,,,,
5,settlement_date,2026-02-12,4,0,660000.33,667100.33,101.07575754,750.00,-375.00,666725.33,2,1500.00,1,1500.00,,,,,,
6,trade,T1,3,0,360000.33,362600.33,100.72222248,0.00,0.00,362600.33,1,0.00,0,0.00,,,,,,
7,trade,T2,1,0,300000.00,304500.00,101.50000000,750.00,-375.00,304125.00,1,1500.00,1,1500.00,,,,,,
8,pass,best_fit,3,0,600000.33,606500.33,101.08333329,750.00,-375.00,606125.33,2,1500.00,1,1500.00,,,,,,
9,pass,locked,1,0,60000.00,60600.00,101.00000000,0.00,0.00,60600.00,0,0.00,0,0.00,,,,,,
10,pool_action,Remaining,2,0,160000.33,161600.33,101.00000000,0.00,0.00,161600.33,1,0.00,0,0.00,,,,,,
11,pool_action,Joining,1,0,200000.00,201000.00,100.50000000,0.00,0.00,201000.00,0,0.00,0,0.00,,,,,,
12,pool_action,Switching,1,0,300000.00,304500.00,101.50000000,750.00,-375.00,304125.00,1,1500.00,1,1500.00,,,,,,
13,kickout_reason,CapacityExhausted,1,,290000.00,,,,,,,,,,1,291450.00,,,,
14,under_trade,T2,2,,300000.00,,,,,,,,,,,,60000.00,59100.00,1,290000.00
15,waterfall,as_is,4,,,,,,,756775.33,,,,,,,,,,
16,waterfall,switches,1,,,,,,,750.00,,,,,,,,,,
17,waterfall,leaving,1,,,,,,,-292175.00,,,,,,,,,,
18,waterfall,joins,1,,,,,,,201000.00,,,,,,,,,,
19,waterfall,payups,4,,,,,,,750.00,,,,,,,,,,
20,waterfall,carry,4,,,,,,,-375.00,,,,,,,,,,
21,waterfall,total,,,,,,,,666725.33,,,,,,,,,,
"
    );
}

#[test]
fn a_moved_loan_counts_where_it_is_and_a_released_one_nowhere() {
    let mut events = vec![trade("T1", 900_000, 0), trade("T2", 400_000, 0)];
    events.extend(placed("A", "T1", pricing("101"), None, 10_000_000));
    events.extend(placed("B", "T1", pricing("101"), None, 10_000_000));
    let to_t2 = moved(("A", 100_000), ("T1", 0), ("T2", 0), Pass::FillRemaining, 2, "100");
    events.push(RunEvent::LoanMoved(Box::new(to_t2)));
    events.push(released(("B", 100_000), ("T1", 0), "C"));
    let rows = rows(TABLE, &events);
    assert!(rows.starts_with("1,run,all,1,0,100000.00,100000.00,100.00000000,"), "{rows}");
    assert!(rows.contains(",pass,fill_remaining,1,"), "{rows}");
}

#[test]
fn a_loan_without_a_price_is_counted_apart() {
    let RunEvent::LoanPinned(mut loan) = pinned("P", "PL", Some("T1"), HeldReason::Status) else {
        unreachable!()
    };
    (loan.price, loan.payup, loan.score) = (None, None, None);
    let rows = rows(TABLE, &[trade("T1", 900_000, 60_000), RunEvent::LoanPinned(loan)]);
    assert!(rows.starts_with("1,run,all,1,1,0.00,0.00,,0.00,0.00,0.00,0,0.00,0,0.00,"), "{rows}");
}

#[test]
fn dollars_are_rounded_half_away_from_zero_per_loan() {
    let cents = |cents: i64, points: &str| {
        let points: Price = points.parse().unwrap();
        powerfill_events::values::Money::from_units(cents).at_points(points).units()
    };
    assert_eq!(cents(100, "0.5"), 1, "0.005 dollars");
    assert_eq!(cents(100, "-0.5"), -1);
    assert_eq!(cents(100, "0.49999999"), 0);
    assert_eq!(cents(999_999_999_999_999, "999.99999999"), 9_999_999_999_899_990);
}
