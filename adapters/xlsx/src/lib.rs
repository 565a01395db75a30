//! Excel workbooks (.xlsx): a snapshot from a workbook, the texts of any workbook, and the output
//! tables of a run as a workbook (specification 1.2, 4.1, 4.2).
//!
//! * [`read`]: a snapshot, one sheet per table; every fault has the address of its cell
//! * [`read_foreign`]: sheets of any workbook, for a mapping
//! * [`read_texts`]: all sheets of any workbook as texts
//! * [`RunWorkbook`]: the output tables of a run as a workbook
//! * [`write_template`]: an empty snapshot as a workbook; [`write_tables`]: a whole one
//! * [`naming`]: the sheet name of a table
//!
//! `cells.rs` converts cells to texts; `package.rs` protects against damaged and malicious files.

mod cells;
mod column_formats;
mod display;
mod error;
mod hidden;
pub mod naming;
mod number;
mod package;
mod run_summary;
mod run_workbook;
mod source;
mod template;
mod texts;
mod totals;
mod walk;
mod written;

pub use error::XlsxError;
pub use run_summary::{MOVES_SHEET, SUMMARY_SHEET};
pub use run_workbook::{RUN_SHEET, RunWorkbook};
pub use source::{read, read_limited};
pub use template::{COLUMNS_SHEET, write_template};
pub use texts::{TextSheet, read_foreign, read_texts};
pub use written::write_tables;
