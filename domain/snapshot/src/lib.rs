//! The input of a run: one tenant's tables at one moment (specification 1.2), and the run's options
//! (1.3).
//!
//! A source fills [`raw`] tables; [`validate()`] types them, or reports every fault. [`tables`] has
//! the typed rows, [`canonical`] their one form in bytes, which gives the digest of a run's input.

mod address;
pub mod canonical;
mod cell;
mod choices;
pub mod config;
mod configuration;
mod excerpt;
mod given;
pub mod raw;
mod records;
pub mod report;
pub mod rules;
mod schema;
pub mod tables;
mod validate;

pub use address::address;
pub(crate) use cell::whole_number;
pub use configuration::{ConfigurationTables, RuleText};
pub use given::{GivenOptions, option_names, options_from_json, options_from_pairs};
pub use powerfill_events::run::options::{self, PriceMode, RunOptions, Scope};
pub use raw::{RawSnapshot, RawTable, SourceFault, TooLarge};
pub use report::{Fault, FaultCode, FaultReport, Severity};
pub use schema::{table_columns, table_is_required, table_key, table_named, table_names};
pub use tables::Snapshot;
pub use validate::{CONFIGURATION_TABLES, Validated, validate, validate_configuration};
