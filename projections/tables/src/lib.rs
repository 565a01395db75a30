//! The output tables (specification 1.5) and other answers, as projections of a run's events and of nothing else
//! (3.3). Pure: no clock, no I/O.
//!
//! * [`table`]: what a table, a row and a cell are
//! * [`tables`]: the fourteen tables, one file each, in one list
//! * [`RunTables`]: all of them together, with counts and digest
//! * [`digest`]: the digest of the outputs
//! * [`csv`]: their canonical text
//! * [`event_index`]: which events concern which loan and trade
//! * [`spelling`]: enumerations as rows and reports spell them
//! * [`status`]: where a run stands
//! * [`RunSummary`]: a run at a glance

pub mod csv;
pub mod digest;
pub mod event_index;
mod run_tables;
pub mod spelling;
pub mod status;
pub mod summary;
pub mod table;
pub mod tables;

pub use powerfill_events::ignored;
pub use run_tables::RunTables;
pub use summary::RunSummary;
