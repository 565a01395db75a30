//! The arguments of `report`.

use clap::Args;

use super::StoreArgs;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  powerfill report latest --json > run.json

The schema of the document is docs/reference/overview.schema.json.")]
pub(crate) struct RunReportArgs {
    /// A run id, the beginning of one, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) run: String,
    /// Print the data of the report as JSON
    #[arg(long, required = true)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}
