//! Stories of loans and trades, in runs of the conformance cases and in hand-written ones.

use std::collections::BTreeSet;

use powerfill_events::run::RunEvent;
use powerfill_events::run::event::{
    CandidateScored, ConstraintBlockEvaluated, KickoutReason, Pass,
};
use powerfill_events::values::{LoanId, TradeId};
use powerfill_explain::{
    CandidateVerdict, LoanExplanation, LoanOutcome, LoanPlace, LoanStories, LoanStory,
    RelationClause, TradeExplanation, TradeRelation, TradeStory,
};
use powerfill_fixtures::{allocated, cases, kicked_out, node, pricing, recorded, requested, usd};

fn case(name: &str) -> Vec<RunEvent> {
    cases::run(&cases::case(name))
}

fn loan(events: &[RunEvent], loan_id: &str) -> LoanExplanation {
    let mut story = LoanStory::new(loan_id);
    recorded(events).for_each(|event| story.apply(&event));
    story.finish()
}

fn trade(events: &[RunEvent], trade_id: &str) -> TradeExplanation {
    let mut story = TradeStory::new(trade_id);
    recorded(events).for_each(|event| story.apply(&event));
    story.finish()
}

/// The loans that events name.
fn loans(events: &[RunEvent]) -> BTreeSet<LoanId> {
    let named = events.iter().filter_map(|event| match event {
        RunEvent::LoanAllocated(placed) => Some(placed.loan_id.clone()),
        RunEvent::LoanKickedOut(kickout) => Some(kickout.loan_id.clone()),
        RunEvent::LoanPinned(pinned) => Some(pinned.loan_id.clone()),
        _ => None,
    });
    named.collect()
}

fn trades(events: &[RunEvent]) -> Vec<TradeId> {
    let named = events.iter().filter_map(|event| match event {
        RunEvent::TradeAssessed(trade) => Some(trade.trade_id.clone()),
        _ => None,
    });
    named.collect()
}

/// Trades with a limit.
fn limited(events: &[RunEvent]) -> BTreeSet<TradeId> {
    let named = events.iter().filter_map(|event| match event {
        RunEvent::ConstraintBlockEvaluated(block) if block.hi_amount.is_some() => {
            Some(block.trade_id.clone())
        }
        _ => None,
    });
    named.collect()
}

/// What a story concludes must agree with what the engine knew when it decided.
#[test]
fn stories_agree_with_the_decisions_of_every_case() {
    let (mut kicked_out, mut barred, mut passed_over) = (0, 0, 0);
    for case in cases::cases() {
        let events = cases::run(&case);
        let limited = limited(&events);
        for loan_id in loans(&events) {
            let told = loan(&events, loan_id.as_str());
            let place = format!("{}: {told}", case.display());
            assert!(!matches!(told.outcome, LoanOutcome::Undecided | LoanOutcome::NoPart));
            if let LoanOutcome::KickedOut(kickout) = &told.outcome {
                let at_end: Vec<_> =
                    told.candidates.iter().map(|story| story.at_end.as_ref().unwrap()).collect();
                let room = at_end.iter().any(|at_end| at_end.excess_amount.is_none());
                match kickout.reason {
                    KickoutReason::CapacityExhausted => assert!(!room, "{place}"),
                    KickoutReason::LimitReached => assert!(room, "{place}"),
                    _ => assert!(told.candidates.is_empty(), "{place}"),
                }
                for at_end in at_end.iter().filter(|at_end| at_end.excess_amount.is_none()) {
                    assert!(!at_end.full_limits.limits().is_empty(), "{place}");
                }
                kicked_out += 1;
            }
            let mut better = true;
            for candidate in &told.candidates {
                match &candidate.verdict {
                    CandidateVerdict::Chosen => better = false,
                    CandidateVerdict::LimitBarred { .. } => {
                        assert!(limited.contains(&candidate.trade_id), "{place}");
                        barred += 1;
                    }
                    CandidateVerdict::NotAdopted { .. } | CandidateVerdict::NotReached => {
                        panic!("{place}")
                    }
                    CandidateVerdict::CompletedAnother { .. } => passed_over += 1,
                    // Rank order takes the best that is free: a better one is never simply not
                    // needed, unless another pass, or an earlier turn, came first.
                    CandidateVerdict::PlacedBefore { .. }
                    | CandidateVerdict::GivenUp { .. }
                    | CandidateVerdict::NoRoom { .. }
                    | CandidateVerdict::AtOpenAmount { .. } => {}
                }
            }
            let allocated = matches!(told.outcome, LoanOutcome::Allocated(_));
            assert_eq!(allocated, !better, "{place}");
        }
    }
    assert!(
        kicked_out > 50 && barred > 20 && passed_over > 0,
        "{kicked_out} {barred} {passed_over}"
    );
}

#[test]
fn a_trades_story_adds_up_in_every_case() {
    let mut judged = 0;
    for case in cases::cases() {
        let events = cases::run(&case);
        for trade_id in trades(&events) {
            let told = trade(&events, trade_id.as_str());
            let place = format!("{}: {told}", case.display());
            let Some(fill) = &told.fill else { continue };
            let filled = told.entries.last().map(|entry| entry.filled_after);
            let held = told.trade.as_ref().unwrap().band.unwrap().held_amount;
            assert_eq!(filled.unwrap_or(held), fill.filled_amount, "{place}");
            assert!(told.turned_away.len() as u64 <= told.candidates, "{place}");
            let undecided =
                told.turned_away.iter().filter(|away| away.place == LoanPlace::Unplaced).count();
            assert_eq!(undecided, 0, "{place}");
            for away in &told.turned_away {
                let of_loan = loan(&events, away.loan_id.as_str());
                let here = of_loan.candidates.iter().find(|story| story.trade_id == trade_id);
                let seen = &here.unwrap().verdict;
                let alike = match (&away.verdict, seen) {
                    (
                        CandidateVerdict::NoRoom { filled_amount: here, .. },
                        CandidateVerdict::NoRoom { filled_amount: there, .. },
                    )
                    | (
                        CandidateVerdict::AtOpenAmount { filled_amount: here, .. },
                        CandidateVerdict::AtOpenAmount { filled_amount: there, .. },
                    )
                    | (
                        CandidateVerdict::LimitBarred { filled_amount: here, .. },
                        CandidateVerdict::LimitBarred { filled_amount: there, .. },
                    ) => here == there,
                    // A loan's story goes into why exact_fit placed it against its rank; a trade's
                    // does not.
                    (CandidateVerdict::PlacedBefore { pass: Pass::ExactFit, .. }, seen) => {
                        !matches!(seen, CandidateVerdict::Chosen | CandidateVerdict::GivenUp { .. })
                    }
                    (here, there) => here == there,
                };
                assert!(
                    alike,
                    "{}: {:?} here, {seen:?} there\n{place}",
                    away.loan_id, away.verdict
                );
                judged += 1;
            }
        }
    }
    assert!(judged > 500, "{judged} loans were turned away");
}

#[test]
fn a_loan_that_was_moved() {
    let events = case("05-fill-remaining-substitution");
    insta::assert_snapshot!(loan(&events, "c"));
}

#[test]
fn a_loan_that_was_taken_out() {
    insta::assert_snapshot!(loan(&case("06-fill-remaining-exchange"), "X"));
}

#[test]
fn a_loan_that_a_limit_barred() {
    insta::assert_snapshot!(loan(&case("12-kickout-reasons"), "K7"));
}

#[test]
fn a_loan_that_exact_fit_placed_against_its_rank() {
    insta::assert_snapshot!(loan(&case("02-exact-fit-sole-choice"), "L3"));
}

#[test]
fn loans_that_switch_stay_and_leave() {
    let events = case("13-pool-actions");
    let told = ["L8", "L5", "L4", "unknown"].map(|loan_id| loan(&events, loan_id).to_string());
    insta::assert_snapshot!(told.join("\n----\n"));
}

#[test]
fn a_loan_with_options_elsewhere() {
    insta::assert_snapshot!(loan(&case("35-ue-synthetic"), "A"));
}

#[test]
fn a_story_for_programs() {
    let events = case("06-fill-remaining-exchange");
    let told = serde_json::to_string_pretty(&loan(&events, "Y")).unwrap();
    insta::assert_snapshot!(told);
}

#[test]
fn a_trade_that_made_room() {
    insta::assert_snapshot!(trade(&case("11-make-room"), "t1"));
}

#[test]
fn a_trade_that_is_short_with_held_loans_and_limits() {
    insta::assert_snapshot!(trade(&case("18-limits-bind-everywhere"), "T1"));
}

#[test]
fn trades_that_are_not_in_the_run() {
    let events = case("14-trade-exclusions");
    let told: Vec<_> =
        trades(&events).iter().map(|id| trade(&events, id.as_str()).to_string()).collect();
    insta::assert_snapshot!(told.join("\n----\n"));
}

/// A run that is still going on, or was cancelled, has a story too.
#[test]
fn a_story_from_the_first_events() {
    let events = case("06-fill-remaining-exchange");
    let placed = |event: &RunEvent| matches!(event, RunEvent::LoanAllocated(_));
    let first = events.iter().position(placed).unwrap();
    let told = ["X", "Y"].map(|loan_id| loan(&events[..=first], loan_id).to_string());
    insta::assert_snapshot!(told.join("\n----\n"));
}

/// Many loans at once are told of as each alone, in every case.
#[test]
fn the_stories_of_many_loans_are_those_of_each() {
    let (mut candidates, mut rejected, mut excluded) = (0, 0, 0);
    for case in cases::cases() {
        let events = cases::run(&case);
        let (loans, trades) = (loans(&events), trades(&events));
        let lower: Vec<String> = loans.iter().map(|id| id.as_str().to_lowercase()).collect();
        let mut stories = LoanStories::new(lower.iter().map(String::as_str));
        recorded(&events).for_each(|event| stories.apply(&event));
        for loan_id in &loans {
            let alone = loan(&events, loan_id.as_str());
            let outcome = stories.outcome(loan_id.as_str()).unwrap();
            let json = |outcome: &LoanOutcome| serde_json::to_string(outcome).unwrap();
            assert_eq!(json(&outcome), json(&alone.outcome));
            assert_eq!(stories.steps(loan_id.as_str()).count(), alone.steps.len());
            for trade_id in &trades {
                let relation = stories.relation(loan_id.as_str(), trade_id.as_str()).unwrap();
                let candidate = alone.candidates.iter().find(|c| c.trade_id == *trade_id);
                let rejection = alone.rejections.iter().find(|r| r.trade_id == *trade_id);
                match (candidate, rejection, &relation) {
                    (
                        Some(of),
                        _,
                        TradeRelation::Candidate { turn, candidate_rank, verdict, .. },
                    ) => {
                        assert_eq!((of.turn, of.candidate_rank), (*turn, *candidate_rank));
                        assert_eq!(of.verdict, *verdict);
                        candidates += 1;
                    }
                    (None, Some(of), TradeRelation::Rejected(reason)) => {
                        assert_eq!(of.reason, *reason);
                        rejected += 1;
                    }
                    (None, None, TradeRelation::Excluded(_)) => excluded += 1,
                    (None, None, TradeRelation::NoMatch | TradeRelation::NoPart) => {}
                    (_, _, relation) => panic!("{loan_id} and {trade_id}: {relation:?}"),
                }
            }
            assert_eq!(
                stories.relation(loan_id.as_str(), "no such trade"),
                Some(TradeRelation::NoSuchTrade)
            );
        }
        assert!(stories.outcome("no such loan").is_none());
    }
    assert!(
        candidates > 1000 && rejected > 10 && excluded > 10,
        "{candidates} {rejected} {excluded}"
    );
}

/// A candidate says that its loan matches one node. Limits of other nodes may not describe the
/// loan, so a clause does not name them.
#[test]
fn a_clause_names_only_limits_that_describe_the_loan() {
    let block = |constraint: &str| {
        RunEvent::ConstraintBlockEvaluated(Box::new(ConstraintBlockEvaluated {
            node: node(constraint, 1),
            trade_id: "T1".into(),
            lo_amount: None,
            hi_amount: Some(usd(500_000)),
            used_amount: usd(500_000),
            used_share: None,
            lo_met: None,
        }))
    };
    let candidate = RunEvent::CandidateScored(CandidateScored {
        turn: 1,
        candidate_rank: 2,
        node: node("CA", 1),
        loan_id: "L1".into(),
        trade_id: "T1".into(),
        pricing: pricing("101"),
    });
    let placed = allocated(("L2", 500_000), ("T1", 500_000), Pass::BestFit, 1, "102");
    let events = [
        requested(),
        powerfill_fixtures::trade("T1", 1_000_000, 0),
        candidate,
        RunEvent::LoanAllocated(Box::new(placed)),
        block("TX"),
        block("CA"),
        block(""),
        kicked_out("L1", KickoutReason::LimitReached, Some(("T1", "101"))),
    ];
    let mut stories = LoanStories::new(["L1"]);
    recorded(&events).for_each(|event| stories.apply(&event));
    let relation = stories.relation("L1", "T1").unwrap();
    assert_eq!(
        RelationClause { trade_id: "T1", relation: &relation }.to_string(),
        "for trade T1 it was rank 2 of turn 1: room was there, 600,000.00 left to max, so a limit \
         barred it (full at the end: FNMA FN 6.0 \"CA\", FNMA FN 6.0)"
    );
}
