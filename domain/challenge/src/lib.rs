//! How far a run is from the best possible, and a better allocation (specification part 10).
//!
//! Everything is computed from the events of a run and its snapshot, in whole numbers, so that the
//! same run gives the same answer on any machine, with any number of threads. This crate cannot see
//! the engine, and `powerfill_checks`, which checks its answers, cannot see this crate.
//!
//! * [`read`] makes the [`Instance`] of a run: rooms, limits, candidates, worth, turns (10.1)
//! * [`bound`]: the bound for given prices, exactly, and the terms of the gap (10.2)
//! * [`prices`] finds good shadow prices: any prices give a valid bound
//! * [`search`] finds an allocation that is worth more than that of the passes (10.3)
//! * [`answer`] states both as events

mod answer;
mod bound;
mod fixed_point;
mod instance;
mod limits;
mod prices;
mod read;
mod search;
mod settle;
mod totals;

pub use answer::{certified, completed, decided_otherwise};
pub use bound::{GapTerms, ShadowPrices, exact_dollars};
pub use instance::{Instance, InstanceLoan, LimitRoom, LoanPair, TradeRoom};
pub use prices::find_prices;
pub use read::{NotChallengeable, RunReader};
pub use search::{NoWatcher, SearchEnd, SearchPlan, SearchWatcher, search, seed_of};
