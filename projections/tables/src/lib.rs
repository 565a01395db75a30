//! The output tables (specification 1.5) and other projections of a run's events (3.3). A
//! projection has no other input: no snapshot, no clock, no I/O.
//!
//! * [`table`]: declarations of tables, rows, and cells
//! * [`tables`]: the output tables, one file per table, in one list
//! * [`RunTables`]: all tables of a run, with counts and digests
//! * [`digest`]: the output digest
//! * [`csv`]: the canonical text of tables
//! * [`event_index`]: the events of each loan and each trade
//! * [`named_row`]: rows, read by the names of their columns
//! * [`run_headline`]: what the list of runs says about a run
//! * [`sorting`]: the order of cells
//! * [`status`]: the status of a run
//! * [`track`]: which loan went where at which event
//! * [`RunSummary`]: counts, fills, and outcomes of a run

#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

pub mod csv;
pub mod digest;
pub mod event_index;
pub mod named_row;
pub mod run_headline;
mod run_tables;
pub mod sorting;
pub mod status;
pub mod summary;
pub mod table;
pub mod tables;
pub mod track;

pub use run_tables::{RunTables, UnknownTable};
pub use summary::RunSummary;
