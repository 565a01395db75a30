//! PowerFill's pure core: which loan goes to which trade, and why.
//!
//! No I/O, no clock, no randomness, no hash order, no binary floats: the same snapshot and options give the same
//! events, byte for byte, on any machine and with any number of threads (specification, part 2).
//!
//! * [`values`]: money, prices, rates, days and names, each with its scale and rounding (1.1)
//! * [`snapshot`]: the input tables, their validation, canonical form and digest (1.2)
//! * [`rules`]: securitization rules, parsed, checked, compiled, evaluated in three-valued logic (1.4)
//! * [`run`]: the run as an event-sourced aggregate (3.1)
//! * [`config`]: the configuration that a tenant manages, as an event-sourced aggregate
//! * [`log`]: the streams of the event log, whosever they are
//! * [`engine`]: the six steps of a run, one module a section of part 2
//! * [`what_if`]: what would have given a kicked-out loan a place
//! * [`checks`]: the second opinion on every run: the invariants, written without looking at the passes (2.12)

pub mod checks;
pub mod config;
pub mod engine;
pub mod log;
pub mod rules;
pub mod run;
pub mod snapshot;
pub mod values;
pub mod what_if;
