//! SQL Server and Azure SQL (specification 4.1): reads the tables of 1.2 from a tenant's database,
//! and publishes the outputs of 1.5 to it.
//!
//! * [`url`]: where a database is; its password is never printed
//! * [`connect`]: connections, and the classification of server errors
//! * [`source`]: a snapshot, read in one transaction
//! * [`export`]: output tables of a database, for a comparison
//! * [`types`]: the types of the output tables
//! * [`migrate`]: creates the missing tables
//! * [`target`]: replaces the outputs of the former run by those of another

mod cell;
pub mod connect;
pub mod export;
pub mod migrate;
pub mod source;
mod staged;
pub mod target;
pub mod types;
pub mod url;

pub use target::SqlServerTarget;
pub use url::{MssqlUrl, MssqlUrlError};
