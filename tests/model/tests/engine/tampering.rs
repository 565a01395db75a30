//! The checks refuse a tampered run, by the invariant that it breaks.

use std::sync::Arc;

use powerfill_checks::verify;
use powerfill_engine::decide_all;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{
    ConstraintBlockEvaluated, FillStatus, HeldReason, KickoutReason, LoanAllocated, LoanKickedOut,
    LoanPinned, PoolAction, PoolActionDerived, TradeFillEvaluated,
};
use powerfill_events::values::{Money, Price, Share};
use powerfill_snapshot::tables::{Loan, LoanPrice};
use powerfill_snapshot::{RunOptions, Snapshot};

use crate::cases::case;

/// Picks an event of a type; with a condition, one for which it holds.
macro_rules! only {
    ($event:ident $(, $holds:expr)?) => {
        |event| match event {
            RunEvent::$event(e) $(if $holds(e))? => Some(&mut **e),
            _ => None,
        }
    };
}

/// The run of a conformance case, without violations before it is tampered with.
struct Run {
    snapshot: Snapshot,
    options: RunOptions,
    events: Vec<RunEvent>,
}

impl Run {
    fn of(number: &str) -> Self {
        let (snapshot, options) = case(number);
        let events = decide_all(&snapshot, &options);
        let run = Self { snapshot, options, events };
        assert_eq!(run.broken(), None, "case {number}");
        run
    }

    /// The number of the invariant that the run breaks.
    fn broken(&self) -> Option<u8> {
        let chunks: Vec<&[RunEvent]> = self.events.chunks(7).collect();
        verify(&self.snapshot, &self.options, &chunks).err().map(|violation| {
            assert!(!violation.to_string().is_empty());
            violation.invariant
        })
    }

    fn find<T>(&mut self, pick: impl Fn(&mut RunEvent) -> Option<&mut T>) -> &mut T {
        self.events.iter_mut().find_map(pick).expect("the run has an event of this kind")
    }

    fn drop_first(mut self, which: impl Fn(&RunEvent) -> bool) -> Self {
        let at = self.events.iter().position(which).expect("the run has an event of this kind");
        self.events.remove(at);
        self
    }

    fn double_first(mut self, which: impl Fn(&RunEvent) -> bool) -> Self {
        let at = self.events.iter().position(which).expect("the run has an event of this kind");
        self.events.insert(at, self.events[at].clone());
        self
    }

    fn allocation(&mut self, loan: &str) -> &mut LoanAllocated {
        self.find(only!(LoanAllocated, |e: &LoanAllocated| e.loan_id.as_str() == loan))
    }
}

/// Each of these changes of one event breaks an invariant in the run of a case.
#[track_caller]
fn each_breaks<T>(
    invariant: u8,
    case: &str,
    pick: impl Fn(&mut RunEvent) -> Option<&mut T>,
    tampers: impl IntoIterator<Item = fn(&mut T)>,
) {
    for tamper in tampers {
        let mut run = Run::of(case);
        tamper(run.find(&pick));
        assert_eq!(run.broken(), Some(invariant));
    }
}

fn is_allocation(event: &RunEvent) -> bool {
    matches!(event, RunEvent::LoanAllocated(_))
}

fn is_kickout(event: &RunEvent) -> bool {
    matches!(event, RunEvent::LoanKickedOut(_))
}

fn posts(event: &RunEvent, action: PoolAction) -> bool {
    matches!(event, RunEvent::PoolActionDerived(e) if e.pool_action == action)
}

fn cent() -> Money {
    Money::from_units(1)
}

#[test]
fn every_eligible_loan_has_one_end() {
    assert_eq!(Run::of("13").drop_first(is_allocation).broken(), Some(1));
    assert_eq!(Run::of("13").double_first(is_allocation).broken(), Some(1));
    assert_eq!(Run::of("13").drop_first(is_kickout).broken(), Some(1));
    assert_eq!(Run::of("13").double_first(is_kickout).broken(), Some(1));

    let mut both = Run::of("13");
    let allocated = both.allocation("L1").clone();
    both.events.push(RunEvent::LoanKickedOut(Box::new(LoanKickedOut {
        loan_id: allocated.loan_id,
        reason: KickoutReason::CapacityExhausted,
        constraints_matched: 1,
        candidates: 1,
        best_trade_id: None,
        best_score: None,
        pool_name: allocated.prior_pool_name,
        loan_amount: allocated.loan_amount,
    })));
    assert_eq!(both.broken(), Some(1));

    let mut unknown = Run::of("13");
    unknown.allocation("L1").loan_id = "unknown".into();
    assert_eq!(unknown.broken(), Some(1));

    // S3 of case 15 is out of scope.
    let mut out_of_scope = Run::of("15");
    let mut kickout = None;
    for event in &out_of_scope.events {
        if let RunEvent::LoanAllocated(e) = event {
            let e = LoanAllocated { loan_id: "S3".into(), ..(**e).clone() };
            kickout = Some(RunEvent::LoanAllocated(Box::new(e)));
        }
    }
    out_of_scope.events.push(kickout.expect("an allocation"));
    assert_eq!(out_of_scope.broken(), Some(1));

    // Case 11 moves W from T1, case 6 releases X from T1.
    let mut moved_from_elsewhere = Run::of("11");
    moved_from_elsewhere.find(only!(LoanMoved)).from_trade_id = "T2".into();
    assert_eq!(moved_from_elsewhere.broken(), Some(1));
    let release = |event: &RunEvent| matches!(event, RunEvent::LoanReleased(_));
    assert_eq!(Run::of("06").drop_first(release).broken(), Some(1));
}

#[test]
fn no_trade_exceeds_its_maximum_and_every_sum_is_right() {
    let mut to_another = Run::of("13");
    to_another.allocation("L1").trade_id = "T3".into();
    assert_eq!(to_another.broken(), Some(2));

    let mut running = Run::of("13");
    running.allocation("L2").filled_after += cent();
    assert_eq!(running.broken(), Some(2));

    let tampers: [fn(&mut TradeFillEvaluated); 4] = [
        |e| e.filled_amount += cent(),
        |e| e.loan_count += 1,
        |e| e.fill_status = FillStatus::Over,
        |e| e.shortfall_amount += cent(),
    ];
    each_breaks(2, "13", only!(TradeFillEvaluated), tampers);

    let mut wider = Run::of("13");
    wider
        .find(|event| match event {
            RunEvent::TradeAssessed(e) => e.band.as_mut(),
            _ => None,
        })
        .max_amount += cent();
    assert_eq!(wider.broken(), Some(2));
    let assessed = |event: &RunEvent| matches!(event, RunEvent::TradeAssessed(_));
    assert_eq!(Run::of("13").drop_first(assessed).broken(), Some(2));

    // Y fills T1 of case 11 exactly to its maximum. In the run of a loan that is a cent larger all
    // sums are right, but the maximum is exceeded.
    let mut a_cent_more = Run::of("11");
    let larger = |loan: &mut Loan| loan.loan_amount += cent();
    a_cent_more.snapshot.loans.iter_mut().filter(|l| l.loan_id.as_str() == "Y").for_each(larger);
    for event in &mut a_cent_more.events {
        match event {
            RunEvent::LoanAllocated(e) if e.loan_id.as_str() == "Y" => {
                e.loan_amount += cent();
                e.filled_after += cent();
            }
            RunEvent::TradeFillEvaluated(e) if e.trade_id.as_str() == "T1" => {
                e.filled_amount += cent();
                e.fill_status = FillStatus::Over;
            }
            RunEvent::PoolActionDerived(e) if e.loan_id.as_str() == "Y" => e.loan_amount += cent(),
            _ => {}
        }
    }
    assert_eq!(a_cent_more.broken(), Some(2));
}

#[test]
fn no_limit_is_exceeded_and_every_block_is_right() {
    // California is used to its limit, to the cent.
    let mut tighter = Run::of("18");
    let lowered = |share: &mut Share| {
        *share = Share::from_units(share.units() - 1);
    };
    tighter.snapshot.constraints.iter_mut().filter_map(|c| c.hi_limit.as_mut()).for_each(lowered);
    assert_eq!(tighter.broken(), Some(3));

    let tampers: [fn(&mut ConstraintBlockEvaluated); 5] = [
        |e| e.used_amount += cent(),
        |e| e.hi_amount = None,
        |e| e.lo_met = None,
        |e| e.used_share = None,
        |e| e.trade_id = "T2".into(),
    ];
    each_breaks(3, "18", only!(ConstraintBlockEvaluated), tampers);
    let block = |event: &RunEvent| matches!(event, RunEvent::ConstraintBlockEvaluated(_));
    assert_eq!(Run::of("18").drop_first(block).broken(), Some(3));
    assert_eq!(Run::of("18").double_first(block).broken(), Some(3));
}

#[test]
fn every_allocation_is_a_candidate_at_its_price() {
    let tampers: [fn(&mut LoanAllocated); 10] = [
        |e| e.pricing.price += Price::from_units(1),
        |e| e.pricing.score += Price::from_units(1),
        |e| e.pricing.payup += Price::from_units(1),
        |e| e.pricing.carry_cost += Price::from_units(1),
        |e| e.pricing.prx_plus_carry += Price::from_units(1),
        |e| e.pricing.interest_earning_days += 1,
        |e| e.turn += 1,
        |e| Arc::make_mut(&mut e.node).constraint_priority += 1,
        |e| e.loan_amount += cent(),
        |e| e.settlement_date = e.settlement_date.plus(1),
    ];
    let of_l2 = |e: &LoanAllocated| e.loan_id.as_str() == "L2";
    each_breaks(4, "13", only!(LoanAllocated, of_l2), tampers);

    let of_l2 = |event: &RunEvent| match event {
        RunEvent::CandidateScored(candidate) => candidate.loan_id.as_str() == "L2",
        _ => false,
    };
    let mut no_candidate = Run::of("13");
    no_candidate.events.retain(|event| !of_l2(event));
    assert_eq!(no_candidate.broken(), Some(4));

    let mut another_price_today = Run::of("27");
    let dearer = |row: &mut LoanPrice| row.price += Price::from_units(1);
    another_price_today.snapshot.loan_prices.iter_mut().for_each(dearer);
    assert_eq!(another_price_today.broken(), Some(4));
}

#[test]
fn no_locked_or_held_loan_has_moved() {
    let tampers: [fn(&mut LoanPinned); 4] = [
        |e| e.pool_name = "P1A".into(),
        |e| e.trade_id = None,
        |e| e.held_reason = HeldReason::NoEligibilityDate,
        |e| e.loan_amount += cent(),
    ];
    each_breaks(5, "13", only!(LoanPinned), tampers);
    let pin = |event: &RunEvent| matches!(event, RunEvent::LoanPinned(_));
    assert_eq!(Run::of("13").drop_first(pin).broken(), Some(5));
    assert_eq!(Run::of("13").double_first(pin).broken(), Some(5));

    // L6 is held in P2.
    let mut placed = Run::of("13");
    placed.allocation("L2").loan_id = "L6".into();
    assert_eq!(placed.broken(), Some(5));
}

#[test]
fn every_posting_exists_and_is_right() {
    for action in [
        PoolAction::Remaining,
        PoolAction::Joining,
        PoolAction::Leaving,
        PoolAction::Switching,
        PoolAction::SwappedIn,
    ] {
        let dropped = Run::of("13").drop_first(|event| posts(event, action));
        assert_eq!(dropped.broken(), Some(6), "{action:?} dropped");
        let doubled = Run::of("13").double_first(|event| posts(event, action));
        assert_eq!(doubled.broken(), Some(6), "{action:?} doubled");

        let tampers: [fn(&mut PoolActionDerived); 8] = [
            |e| e.pool_name = "P9".into(),
            |e| e.to_pool_name = Some("P9".into()),
            |e| e.from_pool_name = Some("P9".into()),
            |e| e.trade_id = Some("T9".into()),
            |e| e.settlement_date = Some("2026-02-13".parse().unwrap()),
            |e| e.loan_amount += cent(),
            |e| e.price = Some(Price::ZERO),
            |e| {
                e.pool_action = match e.pool_action {
                    PoolAction::Remaining => PoolAction::Joining,
                    _ => PoolAction::Remaining,
                }
            },
        ];
        let is_posting = |e: &PoolActionDerived| e.pool_action == action;
        each_breaks(6, "13", only!(PoolActionDerived, is_posting), tampers);
    }
}

#[test]
fn no_open_candidate_fits() {
    // C of case 27 has no price for T1, which has room. With a price it would be a candidate that
    // the run has overlooked.
    let mut overlooked = Run::of("27");
    overlooked.snapshot.loan_prices.push(LoanPrice {
        loan_id: "C".into(),
        trade_id: "T1".into(),
        price: "100".parse().unwrap(),
    });
    overlooked
        .snapshot
        .loan_prices
        .sort_by(|a, b| (&a.loan_id, &a.trade_id).cmp(&(&b.loan_id, &b.trade_id)));
    assert_eq!(overlooked.broken(), Some(7));
}
