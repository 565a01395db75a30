//! SQL Server and Azure SQL (specification 4.1): the tables of 1.2 from a tenant's database, or views of those names.
//!
//! * [`url`]: where a database is; its password is never shown
//! * [`source`]: a snapshot of it, in one transaction that sees one moment

mod cell;
pub mod source;
pub mod url;

pub use url::{MssqlUrl, UrlFault};
