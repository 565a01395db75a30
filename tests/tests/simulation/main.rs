//! The orchestration in a deterministic simulation (specification 5.3): workers, desks, subscribers and everything that
//! goes wrong with them, over the store in memory, in virtual time. A seed determines all of it. `docs/DETERMINISM.md`
//! tells what is simulated, what is checked and how a seed is lived through again.

mod actors;
mod books;
mod checks;
mod faults;
mod life;
mod mutants;
mod sound;
mod trace;
mod way;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use faults::FAULTS;
use life::{Life, live};
use mutants::Mutant;
use trace::Counts;

/// How many seeds are lived through, unless `SEEDS` says so.
const SEEDS: u64 = 10_000;

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Lives through seeds on all cores until one finds something: that seed, with what was found, and what happened in all.
fn through(first: u64, seeds: u64, mutant: Option<Mutant>) -> (Option<(u64, String)>, Counts) {
    let next = AtomicU64::new(first);
    let found: Mutex<Option<(u64, String)>> = Mutex::default();
    let all: Mutex<Counts> = Mutex::default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds || found.lock().unwrap().is_some() {
                        return;
                    }
                    let life = live(seed, mutant);
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

#[test]
fn every_seed_comes_out_right() {
    let seeds = number_from("SEEDS").unwrap_or(SEEDS);
    let (found, counts) = through(0, seeds, None);
    println!("{seeds} seeds\n{counts}");
    if let Some((seed, what)) = found {
        panic!(
            "seed {seed}: {what}\n\
             SEED={seed} cargo nextest run -p powerfill-tests --test simulation replay --no-capture"
        );
    }
    for name in FAULTS.into_iter().chain(HAPPENINGS) {
        let (often, least) = (counts.of(name), seeds / 100);
        assert!(often >= least, "{name}: only {often} times in {seeds} seeds, not {least}");
    }
}

/// What a simulation that proves anything has seen often.
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

/// The same seed is the same life: every call, time, fault and answer.
#[test]
fn a_seed_determines_everything() {
    for seed in 0..200 {
        let (one, other) = (live(seed, None), live(seed, None));
        let differs = one.trace.iter().zip(&other.trace).position(|(one, other)| one != other);
        if let Some(at) = differs {
            panic!("seed {seed}, entry {at}:\n{}\n{}", one.trace[at], other.trace[at]);
        }
        assert_eq!(one.trace.len(), other.trace.len(), "seed {seed}");
        assert!(one.counts == other.counts, "seed {seed}");
    }
}

/// A check that finds nothing where there is something is worth nothing.
#[test]
fn every_mutant_is_found() {
    for mutant in Mutant::ALL {
        let (found, _) = through(0, 3_000, Some(mutant));
        let Some((seed, what)) = found else { panic!("{mutant:?} is not found") };
        println!("{mutant:?}: seed {seed}: {what}");
    }
}

/// Lives through `SEED` and tells what happens, with the bug `MUTANT` where one is named.
#[test]
fn replay() {
    let Some(seed) = number_from("SEED") else { return };
    let named = std::env::var("MUTANT").ok();
    let mutant = Mutant::ALL.into_iter().find(|m| Some(format!("{m:?}")) == named);
    let Life { found, trace, counts } = live(seed, mutant);
    trace.iter().for_each(|entry| println!("{entry}"));
    println!("{counts}");
    assert_eq!(found, None, "seed {seed}");
}
