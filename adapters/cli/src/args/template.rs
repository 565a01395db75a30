//! Arguments of `template` and `schema`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill template --out book.xlsx
  powerfill template --out snapshot --examples

Every table has its columns; notes, or the page COLUMNS.md, say what they hold. Tables that are not
required may stay empty or be deleted.")]
pub(crate) struct TemplateArgs {
    /// A new workbook (*.xlsx), or a new or empty folder for CSV files
    #[arg(long, value_name = "PLACE")]
    pub(crate) out: PathBuf,
    /// Write a row of examples into each table; `check` accepts them
    #[arg(long)]
    pub(crate) examples: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill schema
  powerfill schema loan

Rows are objects, and decimals are strings. x-key, x-references, x-unit, x-range, and x-plausible say
what JSON Schema has no word for.")]
pub(crate) struct SchemaArgs {
    /// One table [default: all]
    #[arg(value_name = "TABLE")]
    pub(crate) table: Option<String>,
}
