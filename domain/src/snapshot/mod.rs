//! The input of a run: one tenant's tables at one moment (specification 1.2), and the run's options (1.3).
//!
//! [`tables`] has the typed rows. They come about only through validation, which collects every fault.

pub mod options;
pub mod tables;

pub use options::{PriceMode, RunOptions, Scope};
pub use tables::Snapshot;
