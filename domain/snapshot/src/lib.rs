//! The input of a run: one tenant's tables at one moment (specification 1.2), and the run's options
//! (1.3).
//!
//! A source fills [`raw`] tables; [`validate()`] types them, or reports every fault. [`tables`] has
//! the typed rows, [`canonical`] their one form in bytes, which gives the digest of a run's input.

#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

pub mod canonical;
mod cell;
pub mod config;
pub mod edits;
mod excerpt;
mod given;
pub mod groups;
pub mod near;
pub mod raw;
mod remedies;
pub mod report;
pub mod rules;
pub mod schema;
pub mod tables;
pub mod usual_names;
mod validate;

pub(crate) use cell::whole_number;
pub use given::{GivenOptions, check_options_for, options, options_from_json, options_from_pairs};
pub use powerfill_events::run::options::{PriceMode, RunOptions, Scope};
pub use raw::{
    IgnoredPart, RawSnapshot, RawTable, SourceFault, TableLimit, TableTooLarge, TooLarge,
};
pub use report::{Fault, FaultCode, FaultReport, Severity};
pub use tables::{Snapshot, TABLES, input_table, table_named, table_names};
pub use validate::{
    Validated, columns_for_rules, is_null_word, listed_columns, validate, validate_configuration,
};
