//! Arguments of `snapshot`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::StoreArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotCommand {
    /// Write the captured input of a run as a source: the same digest when it is read again
    #[command(after_help = "Examples:
  powerfill snapshot export latest --out input
  powerfill snapshot export 0197 --out input.xlsx
  powerfill check dir:input

The tables are those that the run was decided on: after its mapping, and with the managed
configuration. `check` prints the digest, which `show --format json` has as input_digest.")]
    Export(SnapshotExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SnapshotExportArgs {
    /// A run id, the beginning of one, or `latest`
    pub(crate) run: String,
    /// A new workbook (*.xlsx), or a new or empty folder for CSV files
    #[arg(long, value_name = "PLACE")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}
