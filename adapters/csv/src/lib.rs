//! A folder of CSV files as the raw tables of a snapshot (specification 1.2).
//!
//! * [`read_folder`] reads `<table>.csv` and `<table>.csv.gz`, several files at a time
//! * [`read_table`] reads one table from any reader
//!
//! Nothing is judged here but what keeps a file from being read; see [`parser`] for how strictly.

pub mod export;
mod folder;
pub mod parser;

pub use folder::{FolderFault, read_folder};
pub use parser::{Unreadable, read_table};
