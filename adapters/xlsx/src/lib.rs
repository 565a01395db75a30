//! Workbooks (.xlsx): the raw tables of a snapshot from one, the texts of any other, and the output tables of a run as
//! one (specification 1.2, 4.1, 4.2).
//!
//! * [`read`]: a snapshot, a sheet a table, every fault with the address of its cell
//! * [`read_texts`]: any workbook as texts, for whoever compares tables
//! * [`RunBook`]: the output tables of a run as a workbook
//! * [`naming`]: which sheet has which table
//!
//! What a cell counts as is in `cells.rs`; what keeps a file from harming its reader in `package.rs`.

mod cells;
mod error;
pub mod naming;
mod number;
mod package;
mod source;

mod texts;
mod walk;
mod written;

pub use error::XlsxError;
pub use source::read;

pub use texts::{Sheet, read_texts};
pub use written::{RUN_SHEET, RunBook};
