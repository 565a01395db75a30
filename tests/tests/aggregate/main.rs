//! Given, when, then: what a run accepts, and which rule it names when it does not (specification
//! 3.1). Through the traits of `eventually`, as any user of the aggregate would.

mod book;
mod repository;

use book::*;
use eventually::aggregate::{Aggregate, AggregateExt};
use futures::FutureExt;
use powerfill_events::run::event::{EventType, PoolAction};
use powerfill_events::run::state::RunPhase;
use powerfill_events::run::{Run, RunCommand, RunEvent, RunRejection, RunState};
use powerfill_eventually::RunAggregate;

/// What a history amounts to.
#[track_caller]
fn state_after(history: &[RunEvent]) -> RunState {
    RunAggregate::fold(RunState::default(), history.iter().cloned())
        .expect("the given history is sound")
}

/// What the aggregate answers to a command.
#[track_caller]
fn decided(given: &[RunEvent], when: RunCommand) -> Result<Vec<RunEvent>, RunRejection> {
    let state = state_after(given);
    let answer =
        RunAggregate.handle(&run_id(), &state, when).now_or_never().expect("no I/O in a decision");
    answer.map(|events| events.expect("every command has events"))
}

/// A history that has come as far as its first allocation: L1 fills half of T1, T2 holds $900,000,
/// T3 is paired off.
fn under_way() -> Vec<RunEvent> {
    vec![
        requested(),
        started(),
        preflight(),
        trade("T1", 0),
        trade("T2", 900_000),
        paired_off("T3"),
        allocated("L1", 500_000, "T1", 500_000),
    ]
}

fn then(mut history: Vec<RunEvent>, more: impl IntoIterator<Item = RunEvent>) -> Vec<RunEvent> {
    history.extend(more);
    history
}

fn over(by: RunCommand) -> Vec<RunEvent> {
    let given = under_way();
    let end = decided(&given, by).unwrap();
    then(given, end)
}

/// One case a rule at least: the history, the command, the answer.
fn broken_rules() -> Vec<(Vec<RunEvent>, RunCommand, RunRejection)> {
    let (l1, l2) = (|| "L1".into(), || "L2".into());
    let (t1, t2, t3) = (|| "T1".into(), || "T2".into(), || "T3".into());
    let posting = || posted("L1", Some("T1"), PoolAction::Joining, false);
    vec![
        (
            over(completion()),
            record(preflight()),
            RunRejection::RunIsOver { ended_by: "RunCompleted" },
        ),
        (over(failure()), cancellation(), RunRejection::RunIsOver { ended_by: "RunFailed" }),
        (over(cancellation()), completion(), RunRejection::RunIsOver { ended_by: "RunCancelled" }),
        (under_way(), request(), RunRejection::AlreadyRequested),
        (vec![requested()], request(), RunRejection::AlreadyRequested),
        (vec![], record(started()), RunRejection::NotRequested),
        (vec![], cancellation(), RunRejection::NotRequested),
        (under_way(), record(started()), RunRejection::AlreadyStarted),
        (
            vec![requested()],
            record(preflight()),
            RunRejection::NotStarted { event: "PreflightCompleted" },
        ),
        (vec![requested()], completion(), RunRejection::NotStarted { event: "RunCompleted" }),
        (under_way(), record(trade("T1", 0)), RunRejection::TradeAssessedBefore { trade: t1() }),
        (
            under_way(),
            record(allocated("L1", 100_000, "T2", 1_000_000)),
            RunRejection::LoanAlreadyAllocated { loan: l1(), trade: t1() },
        ),
        (
            under_way(),
            record(moved("L1", 500_000, ("T1", 0), ("T1", 1_000_000))),
            RunRejection::LoanAlreadyAllocated { loan: l1(), trade: t1() },
        ),
        (
            under_way(),
            record(moved("L1", 500_000, ("T2", 400_000), ("T1", 1_000_000))),
            RunRejection::LoanNotThere { loan: l1(), trade: t2() },
        ),
        (
            under_way(),
            record(released("L2", 500_000, "T1", 0)),
            RunRejection::LoanNotThere { loan: l2(), trade: t1() },
        ),
        (
            under_way(),
            record(kicked_out("L1")),
            RunRejection::KickoutOfAllocatedLoan { loan: l1(), trade: t1() },
        ),
        (
            then(under_way(), [kicked_out("L2")]),
            record(kicked_out("L2")),
            RunRejection::LoanKickedOutBefore { loan: l2() },
        ),
        (
            then(under_way(), [kicked_out("L2")]),
            record(allocated("L2", 100_000, "T1", 600_000)),
            RunRejection::LoanKickedOutBefore { loan: l2() },
        ),
        (
            under_way(),
            record(allocated("L2", 100_000, "T3", 100_000)),
            RunRejection::TradeNotIncluded { trade: t3() },
        ),
        (
            under_way(),
            record(moved("L1", 500_000, ("T1", 0), ("T3", 500_000))),
            RunRejection::TradeNotIncluded { trade: t3() },
        ),
        (
            under_way(),
            record(allocated("L2", 100_000, "T1", 600_001)),
            RunRejection::FillDoesNotAddUp {
                trade: t1(),
                said: usd(600_001),
                actual: usd(600_000),
            },
        ),
        (
            under_way(),
            record(released("L1", 500_000, "T1", 1)),
            RunRejection::FillDoesNotAddUp { trade: t1(), said: usd(1), actual: usd(0) },
        ),
        (
            under_way(),
            record(moved("L1", 100_000, ("T1", 0), ("T2", 1_000_000))),
            RunRejection::FillDoesNotAddUp { trade: t1(), said: usd(0), actual: usd(400_000) },
        ),
        (
            under_way(),
            record(allocated("L2", 600_001, "T1", 1_100_001)),
            RunRejection::TradeAboveMax {
                trade: t1(),
                filled: usd(1_100_001),
                max: usd(1_100_000),
            },
        ),
        (
            under_way(),
            record(moved("L1", 500_000, ("T1", 0), ("T2", 1_400_000))),
            RunRejection::TradeAboveMax {
                trade: t2(),
                filled: usd(1_400_000),
                max: usd(1_100_000),
            },
        ),
        (
            then(under_way(), [posting()]),
            record(posting()),
            RunRejection::PostingRepeated { loan: l1() },
        ),
    ]
}

/// The place of a rule in the written order. Without a wildcard, so that a new rule asks for its
/// case here.
fn precedence(rule: &RunRejection) -> usize {
    match rule {
        RunRejection::RunIsOver { .. } => 0,
        RunRejection::AlreadyRequested => 1,
        RunRejection::NotRequested => 2,
        RunRejection::AlreadyStarted => 3,
        RunRejection::NotStarted { .. } => 4,
        RunRejection::TradeAssessedBefore { .. } => 5,
        RunRejection::LoanAlreadyAllocated { .. } => 6,
        RunRejection::LoanNotThere { .. } => 7,
        RunRejection::KickoutOfAllocatedLoan { .. } => 8,
        RunRejection::LoanKickedOutBefore { .. } => 9,
        RunRejection::TradeNotIncluded { .. } => 10,
        RunRejection::FillDoesNotAddUp { .. } => 11,
        RunRejection::TradeAboveMax { .. } => 12,
        RunRejection::PostingRepeated { .. } => 13,
    }
}

#[test]
fn every_rule_is_named_when_it_is_broken() {
    let mut shown = Vec::new();
    for (given, when, rule) in broken_rules() {
        assert_eq!(decided(&given, when.clone()), Err(rule.clone()), "{when:?}");
        shown.push(precedence(&rule));
    }
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown, (0..=13).collect::<Vec<_>>(), "each rule has a case");
}

#[test]
fn a_rejected_command_changes_nothing_even_where_it_broke_a_rule_at_its_end() {
    let given = under_way();
    let before = state_after(&given);
    let fine_then_broken = RunCommand::Record(vec![
        allocated("L2", 100_000, "T1", 600_000),
        allocated("L2", 100_000, "T2", 1_000_000),
    ]);
    let rule = RunRejection::LoanAlreadyAllocated { loan: "L2".into(), trade: "T1".into() };
    assert_eq!(Run::decide(&before, fine_then_broken), Err(rule));
    assert_eq!(before, state_after(&given));
}

/// Commands that break two rules get the earlier one of the written order.
#[test]
fn the_first_broken_rule_answers() {
    let kicked = then(under_way(), [kicked_out("L2")]);
    let cases = [
        // Over, and requested before.
        (over(completion()), request(), "the run is over"),
        // Not requested, and not started.
        (vec![], record(preflight()), "the run has not been requested"),
        // Not started, and no such trade.
        (vec![requested()], record(allocated("L2", 1, "T9", 1)), "came before the run started"),
        // Allocated before, and no such trade.
        (under_way(), record(allocated("L1", 1, "T9", 1)), "is allocated to T1 already"),
        // Not there, and no such trade, and nothing adds up.
        (
            under_way(),
            record(moved("L2", 1, ("T1", 7), ("T9", 7))),
            "loan L2 is not allocated to T1",
        ),
        // Kicked out, and no such trade.
        (kicked, record(allocated("L2", 1, "T9", 1)), "loan L2 was kicked out before"),
        // The trade that it leaves does not add up, and the one that it goes to is not in the run.
        (under_way(), record(moved("L1", 500_000, ("T1", 7), ("T3", 7))), "trade T3 is not in"),
        // Does not add up, and is above max.
        (under_way(), record(allocated("L2", 1, "T1", 9_000_000)), "is filled with 500001.00"),
    ];
    for (given, when, says) in cases {
        let answer = decided(&given, when.clone()).unwrap_err().to_string();
        assert!(answer.contains(says), "{when:?}: {answer}");
    }
}

#[test]
fn a_small_run_goes_from_request_to_completion() {
    let mut history = Vec::new();
    let commands = [
        request(),
        RunCommand::Record(vec![started(), preflight()]),
        RunCommand::Record(vec![trade("T1", 0), trade("T2", 900_000)]),
        RunCommand::Record(vec![
            allocated("L1", 500_000, "T1", 500_000),
            allocated("L2", 200_000, "T2", 1_100_000),
            moved("L2", 200_000, ("T2", 900_000), ("T1", 700_000)),
            released("L1", 500_000, "T1", 200_000),
            allocated("L3", 900_000, "T1", 1_100_000),
            kicked_out("L1"),
        ]),
        RunCommand::Record(vec![
            posted("L1", None, PoolAction::Leaving, false),
            posted("L2", Some("T1"), PoolAction::Joining, false),
            posted("L3", Some("T1"), PoolAction::Joining, false),
        ]),
        completion(),
    ];
    for command in commands {
        let events = decided(&history, command).unwrap();
        history.extend(events);
    }
    assert_eq!(history.len(), 15);
    let state = state_after(&history);
    assert_eq!(state.phase(), RunPhase::Over(EventType::RunCompleted));
    assert_eq!(state.filled(&"T1".into()), Some(usd(1_100_000)));
    assert_eq!(state.filled(&"T2".into()), Some(usd(900_000)));
    assert_eq!(state.trade_of(&"L2".into()), Some(&"T1".into()));
    assert_eq!(state.trade_of(&"L1".into()), None);
}

#[test]
fn a_run_can_end_before_a_worker_began_it() {
    for end in [failure(), cancellation()] {
        assert_eq!(decided(&[requested()], end).unwrap().len(), 1);
    }
}

#[test]
fn held_loans_alone_may_fill_a_trade_above_its_max_but_nothing_comes_on_top() {
    let given = [requested(), started(), trade("T1", 1_200_000)];
    let filled = usd(1_200_001);
    assert_eq!(
        decided(&given, record(allocated("L1", 1, "T1", 1_200_001))),
        Err(RunRejection::TradeAboveMax { trade: "T1".into(), filled, max: usd(1_100_000) })
    );
}

#[test]
fn a_posting_differs_by_each_part_of_its_key() {
    let first = posted("L1", Some("T1"), PoolAction::Switching, false);
    let others = [
        posted("L2", Some("T1"), PoolAction::Switching, false),
        posted("L1", Some("T2"), PoolAction::Switching, false),
        posted("L1", None, PoolAction::Switching, false),
        posted("L1", Some("T1"), PoolAction::SwappedIn, false),
        posted("L1", Some("T1"), PoolAction::Switching, true),
    ];
    let given = then(under_way(), [first]);
    assert_eq!(decided(&given, RunCommand::Record(others.to_vec())), Ok(others.to_vec()));
}

#[test]
fn a_loan_that_was_released_can_be_placed_again() {
    let given = then(under_way(), [released("L1", 500_000, "T1", 0)]);
    assert!(decided(&given, record(allocated("L1", 500_000, "T1", 500_000))).is_ok());
    assert!(decided(&given, record(kicked_out("L1"))).is_ok());
}
