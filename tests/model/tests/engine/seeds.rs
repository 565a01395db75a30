//! For every seed: engine == model, and the checks pass.

use std::sync::atomic::{AtomicU64, Ordering};

use powerfill_checks::verify;
use powerfill_engine::decide_all;
use powerfill_model::{preprocess, run};

use crate::books::{Book, Terms, book};
use crate::compare::{differences, preprocessed};

/// Tests a property for many seeds on all processors, and reports the first seed that fails with
/// the command that replays it.
pub(crate) fn each(test: &str, seeds: u64, property: impl Fn(u64) -> Vec<String> + Sync) {
    if let Some(seed) = number("POWERFILL_SEED") {
        let found = property(seed);
        assert!(found.is_empty(), "seed {seed}:\n{}", found.join("\n"));
        return;
    }
    let seeds = number("POWERFILL_SEEDS").unwrap_or(seeds);
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.min(failed.load(Ordering::Relaxed)) {
                        return;
                    }
                    // A panic counts as a failure of its seed.
                    let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        property(seed).is_empty()
                    }));
                    if !matches!(held, Ok(true)) {
                        failed.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    if failed != u64::MAX {
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| property(failed)));
        panic!(
            "seed {failed} fails:\n{}\n\nreplay it with\n    POWERFILL_SEED={failed} cargo test -p \
             powerfill-model --test engine -- {test}\n",
            found.map_or("it panics".to_owned(), |found| found.join("\n"))
        );
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number of seeds"))
}

fn judge(book: &Book) -> Vec<String> {
    let (snapshot, options) = book.typed();
    let model = run(&snapshot, &options);
    let events = decide_all(&snapshot, &options);
    let mut found = differences(&events, &model);
    if model.completes {
        found.extend(verify(&snapshot, &options, &[events]).err().map(|fault| fault.to_string()));
    }
    found
}

#[test]
fn engine_model_and_checker_agree() {
    each("seeds::engine_model_and_checker_agree", 2_000, |seed| {
        let book = book(seed, Terms::PLAIN);
        let found = judge(&book);
        if let (false, Some(folder)) = (found.is_empty(), std::env::var_os("POWERFILL_KEEP")) {
            book.keep(folder.as_ref());
        }
        found
    });
}

/// The tables of preprocess.
#[test]
fn engine_and_model_propose_the_same() {
    each("seeds::engine_and_model_propose_the_same", 500, |seed| {
        let (snapshot, options) = book(seed, Terms::PLAIN).typed();
        let proposed = powerfill_engine::preprocess(&snapshot, &options);
        preprocessed(&proposed, &preprocess(&snapshot, &options))
    });
}

/// What the books must reach, and its values.
const RULES: &[(&str, &str)] = &[
    ("completes:", "true, false"),
    ("LoanAllocated", "exact_fit, best_fit, fill_remaining, orphan_handling"),
    ("LoanMoved", "fill_remaining, orphan_handling"),
    ("LoanReleased", "fill_remaining"),
    ("rejected", "SettlesTooSoon, NoPrice, BelowPriceFloor"),
    (
        "reason",
        "NoMatchingConstraint, NoOpenTrade, SettlesTooSoon, NoPrice, BelowPriceFloor, \
         CapacityExhausted, LimitReached",
    ),
    ("pool_action", "Remaining, Joining, Leaving, Switching, Swapped In"),
    ("held_reason", "Locked, TradeNotInRun, Status, Scope, NoEligibilityDate, NotEligibleInTime"),
    (
        "exclusion_reason",
        "Cancelled, Phantom, Settled, NoSettlement, PastSettlement, BeyondHorizon, PairedOff",
    ),
    ("fill_status", "Filled, Under, Over"),
    (
        "code",
        "PIPELINE_EMPTY, NO_OPEN_TRADES, NO_CONSTRAINTS, CONSTRAINT_UNREACHABLE, \
         PRICES_MISSING, PRICES_STALE, CARRY_CURVE_GAP, LOCKDOWN_INCONSISTENT, SNAPSHOT_STALE",
    ),
    ("lo_met", "Y, N"),
];

/// Every rule occurs in the books: a property that never meets an exchange proves nothing about
/// exchanges.
#[test]
fn the_books_reach_every_rule() {
    let mut reached = std::collections::BTreeMap::<String, u64>::new();
    let seeds = 600;
    for seed in 0..seeds {
        let (snapshot, options) = book(seed, Terms::PLAIN).typed();
        let model = run(&snapshot, &options);
        let mut reach = |what: String| *reached.entry(what).or_default() += 1;
        reach(format!("completes: {}", model.completes));
        for decision in &model.decisions {
            reach(format!("{} {}", decision.event, decision.pass));
        }
        for (_, _, reason) in &model.rejections {
            reach(format!("rejected {reason:?}"));
        }
        for (table, column) in [
            ("pfill_kickout_guide_01", "reason"),
            ("pfill_pool_guide", "pool_action"),
            ("pfill_powerfill_guide", "held_reason"),
            ("pfill_trade_base", "exclusion_reason"),
            ("pfill_trade_recap", "fill_status"),
            ("pfill_preflight_findings", "code"),
            ("pfill_loan_constraint_pool", "lo_met"),
        ] {
            let Some(table) = model.table(table) else { continue };
            let at = table.columns.iter().position(|name| *name == column).unwrap();
            table.rows.iter().for_each(|row| reach(format!("{column} {}", row[at])));
        }
    }
    // Shown with --no-capture: the number of books per rule.
    println!("{reached:#?}");
    let rules = RULES
        .iter()
        .flat_map(|(what, values)| values.split(", ").map(move |value| format!("{what} {value}")));
    let missing: Vec<String> = rules.filter(|rule| !reached.contains_key(rule)).collect();
    assert!(missing.is_empty(), "never reached in {seeds} seeds: {missing:?}");
}
