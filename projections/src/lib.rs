//! The output tables (specification 1.5) and other answers, as projections of a run's events and of nothing else
//! (3.3). Pure: no clock, no I/O.
//!
//! * [`table`]: what a table, a row and a cell are

pub mod table;
