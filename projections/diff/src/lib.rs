//! The comparison of a run's output tables with others: those of another run, or an export of the
//! Desktop App (specification 3.4 `diff`). There is no clock and no I/O: the same sides give the
//! same bytes.
//!
//! * [`RunSide`] and [`mapping`]: read the two sides
//! * [`compare`]: pairs rows and gives verdicts; [`Incomparable`] if there is nothing to compare
//! * [`classes`]: classifies differences by a file
//! * [`loan_path`]: the position of a loan on both sides, and where the paths diverge
//! * [`outcome`]: the numbers of a run on changed input, and the loans that move
//! * [`run_differences`]: the differences of the inputs of two runs
//! * [`brief`]: what changed between two runs, and what the value of the later one is made of
//! * [`report`]: writes JSON, CSV, and one HTML page

#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

pub mod brief;
pub mod classes;
pub mod column_set;
pub mod compare;
mod comparison;
mod divergence;
pub mod grid;
pub mod interner;
pub mod loan_path;
mod loans;
pub mod mapping;
pub mod outcome;
pub mod report;
pub mod run_differences;
pub mod side;

pub use compare::{Incomparable, RowVerdict};
pub use comparison::{Comparison, ComparisonOutcome};
pub use interner::Interner;
pub use side::{RunSide, Side, SideHead};
