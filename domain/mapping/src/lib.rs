//! How tables of other systems become those of PowerFill: the mapping file, which gives names,
//! values, and formats (specification 4.1 for sources, 3.4 for comparisons). There is no I/O.
//!
//! * [`TargetSchema`]: the tables that a mapping can name
//! * [`Mapping`]: a mapping file, checked against them
//! * [`ForeignTable`]: a table as an adapter read it, with [`HeadedTable`] to find its header
//! * [`map_source`]: the raw tables of a snapshot from foreign tables
//! * [`draft_source`]: a first mapping, from names and values
//! * [`MappedRows`]: the values of a table of ours, row by row
//! * [`formats`]: numbers, prices, and dates as others write them

#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod bind;
mod cells;
mod draft;
mod file;
pub mod formats;
mod headed;
mod header;
mod mapping;
pub mod names;
mod rows;
pub mod schema;
mod source;

pub use bind::{BindError, BoundColumns, ForeignTable};
pub use cells::MappedCell;
pub use draft::draft_source;
pub use headed::{HeadedTable, HeaderError};
pub use header::FirstRow;
pub use mapping::{ComparisonSettings, FileForm, HeaderPlace, Mapping, MappingError, TableMapping};
pub use rows::MappedRows;
pub use schema::{MappingUse, TargetColumn, TargetSchema, TargetTable, ValueKind};
pub use source::{MappedSource, map_source};
