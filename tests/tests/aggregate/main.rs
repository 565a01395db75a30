//! Given, when, then: the commands that a run accepts, and the rules by which it rejects others
//! (specification 3.1), through the traits of `eventually`.

mod book;
mod repository;

use book::*;
use eventually::aggregate::{Aggregate, AggregateExt};
use futures::FutureExt;
use powerfill_events::run::event::{EventType, PoolAction};
use powerfill_events::run::state::RunPhase;
use powerfill_events::run::{Run, RunCommand, RunEvent, RunRejection, RunState};
use powerfill_eventually::RunAggregate;

/// The state after a history.
#[track_caller]
fn state_after(history: &[RunEvent]) -> RunState {
    RunAggregate::fold(RunState::default(), history.iter().cloned())
        .expect("the given history is valid")
}

/// The events of a command, or its rejection.
#[track_caller]
fn decide(given: &[RunEvent], when: RunCommand) -> Result<Vec<RunEvent>, RunRejection> {
    let state = state_after(given);
    let answer =
        RunAggregate.handle(&run_id(), &state, when).now_or_never().expect("no I/O in a decision");
    answer.map(|events| events.expect("every command has events"))
}

/// A history up to the first allocation: L1 fills half of T1, T2 holds $900,000, T3 is paired off.
fn started_run() -> Vec<RunEvent> {
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
    let given = started_run();
    let end = decide(&given, by).unwrap();
    then(given, end)
}

/// At least one case per rule: the history, the command, and the rejection.
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
        (started_run(), request(), RunRejection::AlreadyRequested),
        (vec![requested()], request(), RunRejection::AlreadyRequested),
        (vec![], record(started()), RunRejection::NotRequested),
        (vec![], cancellation(), RunRejection::NotRequested),
        (started_run(), record(started()), RunRejection::AlreadyStarted),
        (
            vec![requested()],
            record(preflight()),
            RunRejection::NotStarted { event: "PreflightCompleted" },
        ),
        (vec![requested()], completion(), RunRejection::NotStarted { event: "RunCompleted" }),
        (started_run(), record(trade("T1", 0)), RunRejection::TradeAssessedBefore { trade: t1() }),
        (
            started_run(),
            record(allocated("L1", 100_000, "T2", 1_000_000)),
            RunRejection::LoanAlreadyAllocated { loan: l1(), trade: t1() },
        ),
        (
            started_run(),
            record(moved("L1", 500_000, ("T1", 0), ("T1", 1_000_000))),
            RunRejection::LoanAlreadyAllocated { loan: l1(), trade: t1() },
        ),
        (
            started_run(),
            record(moved("L1", 500_000, ("T2", 400_000), ("T1", 1_000_000))),
            RunRejection::LoanNotThere { loan: l1(), trade: t2() },
        ),
        (
            started_run(),
            record(released("L2", 500_000, "T1", 0)),
            RunRejection::LoanNotThere { loan: l2(), trade: t1() },
        ),
        (
            started_run(),
            record(kicked_out("L1")),
            RunRejection::KickoutOfAllocatedLoan { loan: l1(), trade: t1() },
        ),
        (
            then(started_run(), [kicked_out("L2")]),
            record(kicked_out("L2")),
            RunRejection::LoanKickedOutBefore { loan: l2() },
        ),
        (
            then(started_run(), [kicked_out("L2")]),
            record(allocated("L2", 100_000, "T1", 600_000)),
            RunRejection::LoanKickedOutBefore { loan: l2() },
        ),
        (
            started_run(),
            record(allocated("L2", 100_000, "T3", 100_000)),
            RunRejection::TradeNotIncluded { trade: t3() },
        ),
        (
            started_run(),
            record(moved("L1", 500_000, ("T1", 0), ("T3", 500_000))),
            RunRejection::TradeNotIncluded { trade: t3() },
        ),
        (
            started_run(),
            record(allocated("L2", 100_000, "T1", 600_001)),
            RunRejection::FillDoesNotAddUp {
                trade: t1(),
                said: usd(600_001),
                actual: usd(600_000),
            },
        ),
        (
            started_run(),
            record(released("L1", 500_000, "T1", 1)),
            RunRejection::FillDoesNotAddUp { trade: t1(), said: usd(1), actual: usd(0) },
        ),
        (
            started_run(),
            record(moved("L1", 100_000, ("T1", 0), ("T2", 1_000_000))),
            RunRejection::FillDoesNotAddUp { trade: t1(), said: usd(0), actual: usd(400_000) },
        ),
        (
            started_run(),
            record(allocated("L2", 600_001, "T1", 1_100_001)),
            RunRejection::TradeAboveMax {
                trade: t1(),
                filled: usd(1_100_001),
                max: usd(1_100_000),
            },
        ),
        (
            started_run(),
            record(moved("L1", 500_000, ("T1", 0), ("T2", 1_400_000))),
            RunRejection::TradeAboveMax {
                trade: t2(),
                filled: usd(1_400_000),
                max: usd(1_100_000),
            },
        ),
        (
            then(started_run(), [posting()]),
            record(posting()),
            RunRejection::PostingRepeated { loan: l1() },
        ),
    ]
}

/// The position of a rule in the order in which rules are checked. There is no wildcard, so that a
/// new rule needs a case here.
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
fn every_rejection_names_its_rule() {
    let mut covered = Vec::new();
    for (given, when, rule) in broken_rules() {
        assert_eq!(decide(&given, when.clone()), Err(rule.clone()), "{when:?}");
        covered.push(precedence(&rule));
    }
    covered.sort_unstable();
    covered.dedup();
    assert_eq!(covered, (0..=13).collect::<Vec<_>>(), "each rule has a case");
}

#[test]
fn a_command_whose_last_event_is_rejected_changes_nothing() {
    let given = started_run();
    let before = state_after(&given);
    let valid_then_rejected = RunCommand::Record(vec![
        allocated("L2", 100_000, "T1", 600_000),
        allocated("L2", 100_000, "T2", 1_000_000),
    ]);
    let rule = RunRejection::LoanAlreadyAllocated { loan: "L2".into(), trade: "T1".into() };
    assert_eq!(Run::decide(&before, valid_then_rejected), Err(rule));
    assert_eq!(before, state_after(&given));
}

/// A command that breaks two rules is rejected by the earlier one.
#[test]
fn the_first_broken_rule_rejects_a_command() {
    let kicked = then(started_run(), [kicked_out("L2")]);
    let cases = [
        // Over, and requested before.
        (over(completion()), request(), "the run is over"),
        // Not requested, and not started.
        (vec![], record(preflight()), "the run has not been requested"),
        // Not started, and no such trade.
        (vec![requested()], record(allocated("L2", 1, "T9", 1)), "came before the run started"),
        // Allocated before, and no such trade.
        (started_run(), record(allocated("L1", 1, "T9", 1)), "is allocated to T1 already"),
        // Not there, and no such trade, and nothing adds up.
        (
            started_run(),
            record(moved("L2", 1, ("T1", 7), ("T9", 7))),
            "loan L2 is not allocated to T1",
        ),
        // Kicked out, and no such trade.
        (kicked, record(allocated("L2", 1, "T9", 1)), "loan L2 was kicked out before"),
        // The fill of the former trade does not add up, and the new trade is not in the run.
        (started_run(), record(moved("L1", 500_000, ("T1", 7), ("T3", 7))), "trade T3 is not in"),
        // Does not add up, and is above max.
        (started_run(), record(allocated("L2", 1, "T1", 9_000_000)), "is filled with 500001.00"),
    ];
    for (given, when, says) in cases {
        let answer = decide(&given, when.clone()).unwrap_err().to_string();
        assert!(answer.contains(says), "{when:?}: {answer}");
    }
}

#[test]
fn a_small_run_is_accepted_from_request_to_completion() {
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
        let events = decide(&history, command).unwrap();
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
fn a_run_can_end_before_it_starts() {
    for end in [failure(), cancellation()] {
        assert_eq!(decide(&[requested()], end).unwrap().len(), 1);
    }
}

#[test]
fn a_trade_above_its_max_by_held_loans_accepts_no_other_loan() {
    let given = [requested(), started(), trade("T1", 1_200_000)];
    let filled = usd(1_200_001);
    assert_eq!(
        decide(&given, record(allocated("L1", 1, "T1", 1_200_001))),
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
    let given = then(started_run(), [first]);
    assert_eq!(decide(&given, RunCommand::Record(others.to_vec())), Ok(others.to_vec()));
}

#[test]
fn a_released_loan_can_be_allocated_again() {
    let given = then(started_run(), [released("L1", 500_000, "T1", 0)]);
    assert!(decide(&given, record(allocated("L1", 500_000, "T1", 500_000))).is_ok());
    assert!(decide(&given, record(kicked_out("L1"))).is_ok());
}
