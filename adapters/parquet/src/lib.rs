//! The output tables and the events of runs as Parquet files, for analysis over many runs and
//! tenants.
//!
//! The files of a run are in a folder per table, tenant, and date, in the form that DuckDB, Spark,
//! and warehouses read as one table with the columns `tenant` and `run_date`:
//!
//! ```text
//! pfill_trade_recap/tenant=ACME/run_date=2026-01-15/<run id>.parquet
//! ```
//!
//! * [`RunFiles`]: the files of one run
//! * [`TableFile`]: one file
//! * [`EVENTS`]: the events of a run as a table

mod error;
mod events;
mod rows;
mod run_files;
mod schema;
mod table_file;

pub use error::ExportError;
pub use events::{EVENTS, event_rows};
pub use run_files::{Partition, RunFiles};
pub use table_file::TableFile;
