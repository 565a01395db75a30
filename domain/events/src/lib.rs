//! The values of the domain and the events of the log (specification 1.1, 3.1): what a store, a projection, and the engine
//! have in common. No I/O, clock, randomness, or binary floats.

pub mod config;
pub mod log;
pub mod run;
pub mod values;
