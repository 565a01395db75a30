//! SQL Server and Azure SQL (specification 4.1): the tables of 1.2 from a tenant's database, and the outputs of 1.5 back
//! into it.
//!
//! * [`url`]: where a database is; its password is never shown
//! * [`connect`]: connections, and what to make of what the server says
//! * [`source`]: a snapshot of it, in one transaction that sees one moment
//! * [`export`]: the output tables that it holds, for a comparison
//! * [`types`]: the types of the output tables
//! * [`migrate`]: makes the tables that are not there
//! * [`target`]: shows a run's outputs in place of the former run's

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
pub use url::{MssqlUrl, UrlFault};
