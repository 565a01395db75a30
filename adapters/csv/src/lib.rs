//! Folders of CSV files: as a snapshot (specification 1.2), and as an export to compare with (3.4).
//!
//! * [`read_folder`] reads `<table>.csv` and `<table>.csv.gz` of a snapshot, several at a time
//! * [`read_table`] reads one table of a snapshot, strictly; see [`parser`]
//! * [`export`] reads files of other programs, whatever their encoding and delimiter
//!
//! Readers report only what keeps a file from being read; the validation checks the cells.

pub mod error;
pub mod export;
mod file;
mod folder;
pub mod parser;

pub use error::{CsvError, CsvFileError};
pub use folder::read_folder;
pub use parser::read_table;
