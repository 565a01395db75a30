//! The track of a run against its summary, after each event of every conformance case.

use std::collections::BTreeMap;

use powerfill_events::run::RunEvent;
use powerfill_events::values::Money;
use powerfill_fixtures::{cases, recorded, run_id};
use powerfill_tables::RunSummary;
use powerfill_tables::track::{RunTrack, TrackState};

fn track(events: &[RunEvent]) -> RunTrack {
    let mut track = RunTrack::default();
    for event in recorded(events).filter(|event| RunTrack::needs(event.event.event_type())) {
        track.apply(&event);
    }
    track
}

/// The fills of the included trades that were assessed.
fn fills(track: &RunTrack, state: &TrackState) -> BTreeMap<String, (Money, u64)> {
    let trades = track.trades.iter().zip(&state.fills);
    trades
        .filter_map(|(trade, fill)| {
            let fill = (*fill)?;
            let id = trade.assessed.trade_id.to_string();
            Some((id, (fill.filled_amount, fill.loan_count)))
        })
        .collect()
}

#[test]
fn a_state_is_that_of_the_summary_after_each_event() {
    let mut compared = 0;
    for case in cases::cases() {
        let events = cases::run(&case);
        let track = track(&events);
        let mut summary = RunSummary::new(run_id());
        for event in recorded(&events) {
            summary.apply(&event);
            let (version, state) = (event.stream_version, track.state_at(event.stream_version));
            let place = format!("{}, event {version}", case.display());
            let expected: BTreeMap<_, _> = summary
                .fills
                .iter()
                .map(|fill| (fill.trade_id.to_string(), (fill.filled_amount, fill.loan_count)))
                .collect();
            assert_eq!(fills(&track, &state), expected, "{place}");
            let loans = &summary.loans;
            assert_eq!(state.placed, loans.allocated.values().sum::<u64>(), "{place}");
            assert_eq!(state.placed_amount, loans.allocated_amount, "{place}");
            let pinned = loans.locked + loans.held.values().sum::<u64>();
            assert_eq!(state.pinned, pinned, "{place}");
            let kicked_out = (loans.kicked_out, loans.kicked_out_amount);
            assert_eq!((state.kicked_out, state.kicked_out_amount), kicked_out, "{place}");
            compared += 1;
        }
        let passes: Vec<_> =
            track.passes.iter().filter_map(|pass| pass.completed.clone()).collect();
        assert_eq!(passes, summary.passes, "{}", case.display());
    }
    assert!(compared > 1_000, "{compared} states");
}

#[test]
fn each_event_of_a_pass_belongs_to_it_and_no_other_event_does() {
    for case in cases::cases() {
        let events = cases::run(&case);
        let track = track(&events);
        for event in recorded(&events) {
            let expected = match event.event {
                RunEvent::LoanAllocated(placed) => Some(placed.pass),
                RunEvent::LoanMoved(moved) => Some(moved.pass),
                RunEvent::LoanReleased(released) => Some(released.pass),
                RunEvent::PassCompleted(completed) => Some(completed.pass),
                _ => None,
            };
            let found = track.pass_at(event.stream_version).map(|pass| pass.pass);
            assert_eq!(found, expected, "{}, event {}", case.display(), event.stream_version);
        }
    }
}

#[test]
fn the_use_of_nodes_adds_up() {
    for case in cases::cases() {
        let events = cases::run(&case);
        let track = track(&events);
        let last = track.state_at(events.len() as u64);
        let placed: u64 = track.nodes.iter().map(|(_, used)| used.placed_loans).sum();
        assert_eq!(placed, last.placed, "{}", case.display());
        let amount: Money =
            track.nodes.iter().fold(Money::ZERO, |sum, (_, used)| sum + used.placed_amount);
        assert_eq!(amount, last.placed_amount, "{}", case.display());
        for (node, used) in &track.nodes {
            assert!(used.placed_loans <= used.matched_loans, "{}: {node:?}", case.display());
            let has_limit = used.lo_limit.is_some() || used.hi_limit.is_some();
            assert!(has_limit || used.limits.is_none(), "{}: {node:?}", case.display());
        }
    }
}
