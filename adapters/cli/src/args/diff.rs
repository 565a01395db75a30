//! Arguments of `diff`.

use std::path::PathBuf;

use clap::Args;

use super::StorePrintArgs;
use crate::urls::UrlText;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill diff latest --against latest~1
  powerfill diff latest --against latest --against-store sqlite:test.db
  powerfill diff latest --against dir:export --mapping mapping.toml \\
      --classifications classes.toml
  powerfill diff latest --against dir:export --mapping mapping.toml \\
      --html comparison.html
  powerfill diff latest --against mssql://desk@db.example/Lender \\
      --mapping mapping.toml
  powerfill diff latest --against dir:export --write-mapping mapping.toml
  powerfill diff latest --against dir:export --classifications classes.toml \\
      --classify-new

Two runs are compared from the earlier one to the later one, whichever is named first.
Exit status: 0 no unclassified difference, 1 differences, 2 incomparable or error.")]
pub(crate) struct DiffArgs {
    /// A run id, the beginning of one, the name of a run, `latest`, or `latest~1` for the run
    /// before the latest
    pub(crate) run: String,
    /// Another run (as RUN, or run:RUN), evidence:FILE, dir:FOLDER of CSV files or workbooks,
    /// xlsx:FILE, or mssql://USER@HOST/DATABASE?schema=NAME
    #[arg(long, value_name = "X")]
    pub(crate) against: UrlText,
    /// The store of the other run, which must be of the same tenant [default: the same store]
    #[arg(long, value_name = "URL")]
    pub(crate) against_store: Option<UrlText>,
    /// Also compare candidates and ranked synthetic options of two runs
    #[arg(long)]
    pub(crate) candidates: bool,
    /// Names of the other side for tables, columns, and values; tolerances; exclusions (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
    /// Write a draft of a mapping for this export, from names and values, and compare nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["mapping", "classifications", "html"])]
    pub(crate) write_mapping: Option<PathBuf>,
    /// Classifications of differences (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) classifications: Option<PathBuf>,
    /// Add entries to fill in for unclassified differences
    #[arg(long, requires = "classifications")]
    pub(crate) classify_new: bool,
    /// Write the comparison as one self-contained HTML page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// The largest number of printed loans, and of printed differences of each kind
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) show: usize,
    /// The largest number of explained loans with another decision
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) explain: usize,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}
