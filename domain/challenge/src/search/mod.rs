//! The search for an allocation that is worth more than that of the passes (10.3).
//!
//! It starts from the passes' result and makes random moves: a loan comes into a trade, what is in
//! its way leaves and looks for another place, and the room that is left is offered to others. A
//! move that loses is kept with a probability that falls while the search cools down. Then trades
//! below their band are filled, exchanges that gain are made, and moves that gain nothing are taken
//! back. Beside the worth, the search pays for filled trades, placed loans, and loans that stay.
//! The best allocation counts only if it is no worse than the passes in any turn, in kickouts,
//! filled trades, and placed amount. Random numbers follow from a seed, so that the same seed and
//! number of steps give the same allocation.

mod anneal;
mod fill;
mod near;
mod random;
mod restore;
mod state;

use crate::bound::ShadowPrices;
use crate::instance::Instance;
use anneal::Annealing;
use fill::fill;
use random::Random;
use restore::{RankedPairs, improve, restore, top_up};
use state::{Goal, SearchState};

/// How long a search may take, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchPlan {
    /// The steps of the cooling.
    pub steps: u64,
    /// The seed of the random numbers.
    pub seed: u64,
}

/// Receives the progress of a search, and may end it.
pub trait SearchWatcher {
    /// Called every 1,024 steps, with the steps made so far and the worth of the best allocation in
    /// units of 10^−8 dollars. `false` ends the search; the best allocation is kept.
    fn goes_on(&mut self, steps: u64, best: i64) -> bool;
}

/// Watches nothing.
pub struct NoWatcher;

impl SearchWatcher for NoWatcher {
    fn goes_on(&mut self, _: u64, _: i64) -> bool {
        true
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchEnd {
    /// Per loan of the instance, its pair.
    pub allocation: Vec<Option<u32>>,
    /// The steps that were made.
    pub steps: u64,
}

/// The seed that follows from the digest of a snapshot: its first 16 hexadecimal digits.
pub fn seed_of(digest: &str) -> u64 {
    digest.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(1)
}

/// Searches for a better allocation. Its worth is at least that of the run.
pub fn search(
    instance: &Instance,
    prices: &ShadowPrices,
    plan: SearchPlan,
    watcher: &mut dyn SearchWatcher,
) -> SearchEnd {
    let start = instance.run_allocation();
    let goal = Goal::of_run(instance);
    let mut state = SearchState::new(instance, &goal, &start);
    let mut annealing = Annealing::new(instance, prices, Random::new(plan.seed));
    let SearchEnd { allocation: best, steps } = annealing.run(&mut state, plan.steps, watcher);
    let mut state = SearchState::new(instance, &goal, &best);
    let ranked = RankedPairs::new(&state, prices);
    top_up(&mut state);
    fill(&mut state);
    improve(&mut state, &ranked);
    restore(&mut state, &ranked, &start);
    top_up(&mut state);
    let found = state.allocation();
    let is_better = instance.worth_of(&found) >= instance.worth_of(&start);
    let allocation = if is_better && state.meets_goal() { found } else { start };
    SearchEnd { allocation, steps }
}
