//! Arguments of `brief`.

use clap::Args;

use super::{PrintArgs, StoreArgs};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill brief
  powerfill brief latest~5 latest
  powerfill brief 'month end' --json > brief.json

One screen: the loans and trades by what became of them, what the runs were given otherwise, the
bridge from one value to the other, and ten things to look at. It reads two runs, and runs the
engine again on partly changed input; nothing is recorded.")]
pub(crate) struct BriefArgs {
    /// The earlier run: an id, the beginning of one, a name, or `latest~N` [default: the official
    /// run before NOW that is Complete]
    #[arg(value_name = "THEN")]
    pub(crate) then: Option<String>,
    /// The later run [default: the latest official run that is Complete]
    #[arg(value_name = "NOW")]
    pub(crate) now: Option<String>,
    /// Print the whole brief as JSON: the same as --format json
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
}
