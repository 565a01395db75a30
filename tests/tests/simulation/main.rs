//! The orchestration in a deterministic simulation (specification 5.3): workers, desks,
//! subscribers, and their faults, with the in-memory store, in virtual time. A seed determines
//! everything. `docs/DETERMINISM.md` describes what is simulated, what is checked, and how to
//! replay a seed.

mod actors;
mod books;
mod checks;
mod connection;
mod faults;
mod life;
mod mutants;
mod observed;
mod trace;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use faults::FAULTS;
use life::{SeedResult, run_seed};
use mutants::Mutant;
use trace::EventCounts;

/// Number of seeds, unless `SEEDS` is set.
const SEEDS: u64 = 10_000;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Simulates seeds on all cores until one has a violation: that seed with the violation, and the
/// counts of all seeds.
fn through(first: u64, seeds: u64, mutant: Option<Mutant>) -> (Option<(u64, String)>, EventCounts) {
    let next = AtomicU64::new(first);
    let found: Mutex<Option<(u64, String)>> = Mutex::default();
    let all: Mutex<EventCounts> = Mutex::default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds || found.lock().unwrap().is_some() {
                        return;
                    }
                    let life = run_seed(seed, mutant);
                    all.lock().unwrap().merge(&life.counts);
                    if let Some(what) = life.found {
                        let mut found = found.lock().unwrap();
                        if found.as_ref().is_none_or(|(other, _)| seed < *other) {
                            *found = Some((seed, what));
                        }
                    }
                }
            });
        }
    });
    (found.into_inner().unwrap(), all.into_inner().unwrap())
}

/// The command that replays a seed.
fn replay_command(seed: u64, mutant: Option<Mutant>) -> String {
    let mutant = mutant.map(|mutant| format!("MUTANT={mutant:?} ")).unwrap_or_default();
    let test = "cargo nextest run -p powerfill-tests --test simulation replay --no-capture";
    format!("SEED={seed} {mutant}{test}")
}

#[test]
fn every_seed_passes_every_check() {
    let seeds = number_from("SEEDS").unwrap_or(SEEDS);
    let (found, counts) = through(0, seeds, None);
    println!("{seeds} seeds\n{counts}");
    if let Some((seed, what)) = found {
        panic!("seed {seed}: {what}\n{}", replay_command(seed, None));
    }
    for name in FAULTS.into_iter().chain(HAPPENINGS) {
        let (often, least) = (counts.of(name), seeds / 100);
        assert!(often >= least, "{name}: only {often} times in {seeds} seeds, not {least}");
    }
}

/// Situations that must occur often, because a check of a situation that never occurs proves
/// nothing.
const HAPPENINGS: [&str; 15] = [
    "a run is asked for",
    "an ask is recognised",
    "an ask is refused while a run is active",
    "a run is asked for by two at once",
    "two runs are asked for at once",
    "a run is claimed",
    "a run is taken up",
    "a lost lease is told",
    "a cancel is asked for",
    "a worker's own user cancels",
    "tables are shown",
    "end: complete",
    "end: cancelled",
    "end: broken off",
    "end: refused by preflight",
];

/// A seed determines every call, time, fault, and answer.
#[test]
fn a_seed_determines_everything() {
    for seed in 0..200 {
        let (one, other) = (run_seed(seed, None), run_seed(seed, None));
        let differs = one.trace.iter().zip(&other.trace).position(|(one, other)| one != other);
        if let Some(at) = differs {
            let (one, other) = (&one.trace[at], &other.trace[at]);
            panic!("entry {at}:\n{one}\n{other}\n{}", replay_command(seed, None));
        }
        assert_eq!(one.trace.len(), other.trace.len(), "seed {seed}");
        assert!(one.counts == other.counts, "seed {seed}");
    }
}

/// The checks find every bug that is put in.
#[test]
fn every_mutant_is_found() {
    for mutant in Mutant::ALL {
        let (found, _) = through(0, 3_000, Some(mutant));
        let Some((seed, what)) = found else { panic!("{mutant:?} is not found") };
        println!("{mutant:?}: {what}\n{}", replay_command(seed, Some(mutant)));
    }
}

/// Simulates `SEED` and prints its trace, with the bug `MUTANT` if that is set.
#[test]
fn replay() {
    let Some(seed) = number_from("SEED") else { return };
    let named = std::env::var("MUTANT").ok();
    let mutant = Mutant::ALL.into_iter().find(|m| Some(format!("{m:?}")) == named);
    let SeedResult { found, trace, counts } = run_seed(seed, mutant);
    trace.iter().for_each(|entry| println!("{entry}"));
    println!("{counts}");
    assert_eq!(found, None, "seed {seed}");
}
