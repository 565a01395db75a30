//! Folders of CSV files: as a snapshot (specification 1.2), and as files of another system that a
//! mapping reads (3.4, 4.1).
//!
//! * [`read_folder`] reads `<table>.csv` and `<table>.csv.gz` of a snapshot, several at a time
//! * [`read_table`] reads one table of a snapshot, strictly; see [`parser`]
//! * [`write_template`] writes an empty snapshot, and [`write_tables`] a whole one
//! * [`tolerant`] reads files of other systems, whatever their encoding and delimiter
//!
//! Readers report only what keeps a file from being read; the validation checks the cells.

pub mod error;
mod file;
mod folder;
pub mod parser;
mod start;
mod template;
pub mod tolerant;
mod written;

pub use error::{CsvError, CsvFileError};
pub use folder::{read_folder, read_folder_limited};
pub use parser::read_table;
pub use template::{COLUMNS_PAGE, FolderError, write_template};
pub use written::write_tables;
