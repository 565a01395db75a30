//! The tables or views of an SQLite database as the raw tables of a snapshot (specification 1.2).
//!
//! Read-only, and in one transaction, so that the tables are of one moment. Rows have no numbers
//! there: the report names them by their keys.

pub mod source;

pub use source::{SourceUnreadable, read};
