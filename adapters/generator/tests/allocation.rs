//! A run of a generated book (5.1) has mostly Remaining, some Joining and Switching, and few
//! Leaving pool actions; it fills trades, and has every kickout reason.

mod reading;

use std::collections::BTreeMap;

use powerfill_engine::decide_all;
use powerfill_events::run::RunEvent;
use powerfill_generator::{Scale, generate};
use powerfill_snapshot::Snapshot;
use reading::read_valid;

fn demo(seed: u64) -> Snapshot {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("book");
    generate(&Scale::Demo.sizes(), seed, &folder).unwrap();
    read_valid(&folder)
}

/// Counts of events, reasons, and statuses.
fn outcome(snapshot: &Snapshot, options: &str) -> BTreeMap<String, usize> {
    let options = powerfill_snapshot::options_from_json(options).unwrap();
    let mut counts = BTreeMap::new();
    let mut add = |what: String, count| *counts.entry(what).or_default() += count;
    for event in decide_all(snapshot, &options) {
        match event {
            RunEvent::CandidateScored(_) => add("candidates".to_owned(), 1),
            RunEvent::SyntheticOptionsRanked(ranked) => {
                add("options".to_owned(), ranked.options.len());
            }
            RunEvent::LoanKickedOut(kickout) => add(format!("{:?}", kickout.reason), 1),
            RunEvent::PoolActionDerived(posting) => add(format!("{:?}", posting.pool_action), 1),
            RunEvent::TradeFillEvaluated(fill) => add(format!("{:?}", fill.fill_status), 1),
            _ => {}
        }
    }
    counts
}

#[test]
fn a_run_of_the_demo_book_is_realistic() {
    let snapshot = demo(1);
    let counts = outcome(&snapshot, r#"{"bx_price_floor": "95"}"#);
    let of = |what: &str| counts.get(what).copied().unwrap_or_default();

    assert!((150_000..=300_000).contains(&of("candidates")), "{counts:?}");
    assert!(of("options") <= of("candidates"), "{counts:?}");
    let included = of("Filled") + of("Under") + of("Over");
    assert!(of("Filled") * 100 >= included * 85, "{counts:?}");
    assert!(of("Remaining") > 4 * of("Switching"), "{counts:?}");
    assert!(of("Joining") > 2 * of("Leaving") && of("Leaving") > 0, "{counts:?}");
    for reason in [
        "NoMatchingConstraint",
        "NoOpenTrade",
        "SettlesTooSoon",
        "NoPrice",
        "BelowPriceFloor",
        "CapacityExhausted",
        "LimitReached",
    ] {
        assert!(of(reason) > 0, "{reason}: {counts:?}");
    }
}
