//! Measures challenges on public data: the real book of `tests/books`, once as it is and once with
//! trades of 0.85 times the loans, and the generated books `demo` and, with `-- --l`, `l` (seed 7).
//!
//! `cargo bench -p powerfill-challenge -- --steps 5000000`

use std::path::Path;
use std::time::Instant;

use powerfill_challenge::{
    Instance, NoWatcher, RunReader, SearchPlan, exact_dollars, find_prices, search, seed_of,
};
use powerfill_engine::decide_all;
use powerfill_events::challenge::{AllocationTotals, ChallengeWeights};
use powerfill_events::values::Money;
use powerfill_generator::{Scale, generate};
use powerfill_snapshot::{RunOptions, Snapshot, validate};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1)
    };
    let steps = value("--steps").map_or(5_000_000, |steps| steps.parse().expect("a number"));
    let threads = value("--threads").map_or(1, |threads| threads.parse().expect("a number"));
    let only = value("--only");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
    pool.build_global().expect("the only pool of the process");
    let wants = |name: &str| only.is_none_or(|only| only == name);
    let real = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/books/real");
    if wants("real-1.02") {
        measure("real-1.02", &read(Path::new(real)), steps);
    }
    if wants("real-0.85") {
        let mut snapshot = read(Path::new(real));
        for trade in &mut snapshot.trades {
            let cents = i128::from(trade.trade_amount.units()) * 85 / 102;
            trade.trade_amount = Money::from_wide(cents / 100 * 100);
        }
        measure("real-0.85", &snapshot, steps);
    }
    for scale in [Scale::Demo, Scale::L] {
        let is_asked = scale == Scale::Demo || args.iter().any(|arg| arg == "--l");
        if is_asked && wants(scale.name()) {
            let folder = tempfile::tempdir().expect("the temporary folder is writable");
            let book = folder.path().join("book");
            generate(&scale.sizes(), 7, &book).expect("the temporary folder is writable");
            measure(scale.name(), &read(&book), steps);
        }
    }
}

fn read(folder: &Path) -> Snapshot {
    let tables = powerfill_csv::read_folder(folder).expect("the folder exists");
    validate(tables).expect("the book is valid").snapshot
}

fn measure(name: &str, snapshot: &Snapshot, steps: u64) {
    let events = decide_all(snapshot, &RunOptions::default());
    let mut reader = RunReader::new(snapshot);
    events.iter().for_each(|event| reader.apply(event));
    reader.completed();
    let started = Instant::now();
    let instance = reader.finish(ChallengeWeights::default()).expect("the run is complete");
    let read = started.elapsed();
    let usable = instance.pairs.iter().filter(|pair| pair.is_usable).count();
    println!(
        "{name}: {} loans, {} trades, {} limits, {} of {} candidates usable, {} turns",
        instance.loans.len(),
        instance.trades.len(),
        instance.limits.len(),
        usable,
        instance.pairs.len(),
        instance.required.len()
    );
    let started = Instant::now();
    let prices = find_prices(&instance);
    let priced = started.elapsed();
    let bound = instance.bound(&prices);
    println!(
        "  bound {} in {:.2} s (instance {:.2} s); priced: {} trades, {} limits, {} turns",
        exact_dollars(bound),
        priced.as_secs_f32(),
        read.as_secs_f32(),
        prices.trades.iter().filter(|price| **price > 0).count(),
        prices.limits.iter().filter(|price| **price > 0).count(),
        prices.turns.iter().filter(|price| **price > 0).count(),
    );
    report(&instance, "passes", bound, &instance.run_allocation());
    let plan = SearchPlan { steps, seed: seed_of("7e5a3b1c90f2d468") };
    let started = Instant::now();
    let found = search(&instance, &prices, plan, &mut NoWatcher);
    let searched = started.elapsed();
    report(&instance, "challenger", bound, &found.allocation);
    println!("  {} steps in {:.2} s", found.steps, searched.as_secs_f32());
}

fn report(instance: &Instance, who: &str, bound: i128, allocation: &[Option<u32>]) {
    let AllocationTotals { placed_amount, kicked_out, filled_trades, proceeds, stays, .. } =
        instance.totals(allocation);
    let worth = instance.worth_of(allocation);
    // Hundredths of a basis point of the eligible amount.
    let hundredths = (bound - worth) / i128::from(instance.eligible_amount()) / 10_000;
    println!(
        "  {who}: worth {} gap {} = {}.{:02} bp; placed {placed_amount} kicked out {kicked_out} \
         filled {filled_trades} proceeds {proceeds} stays {stays}",
        exact_dollars(worth).round_dp(2),
        exact_dollars(bound - worth).round_dp(2),
        hundredths / 100,
        hundredths % 100,
    );
}
