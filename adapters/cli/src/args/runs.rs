//! Arguments of `runs` and `annotate`.

use clap::Args;
use powerfill_events::values::Day;

use super::StorePrintArgs;
use super::retention::ActorArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill runs
  powerfill runs --since 2026-01-01 --by ann --status Complete
  powerfill runs --option price_mode=pc
  powerfill runs --scenarios
  powerfill runs --format csv > runs.csv

The columns that a narrow terminal has no room for are named below the table.")]
pub(crate) struct RunsArgs {
    /// List only the latest N runs [default: 50 as text, all as csv and json]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Only runs that were requested on this day (UTC) or later
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<Day>,
    /// Only runs that were requested on this day (UTC) or earlier
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<Day>,
    /// Only runs that count from this day
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<Day>,
    /// Only runs with this status: Pending, …, Complete, Failed, Cancelled
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// Only runs that this user requested
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Only runs with this value of an option, also if it is the default; can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) option: Vec<String>,
    /// List the runs of every tenant of powerfill.toml
    #[arg(long, conflicts_with_all = ["store", "tenant"])]
    pub(crate) all_tenants: bool,
    /// List the scenarios that were kept, instead of the official runs
    #[arg(long)]
    pub(crate) scenarios: bool,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill annotate latest --name 'month end'
  powerfill annotate 'month end' --note 'signed off by the head of the desk'
  powerfill annotate latest
  powerfill annotate latest --no-name

Names are unique in a store, and every command takes the name of a run in place of its id. Without
--name and --note, prints the name and the notes.")]
pub(crate) struct AnnotateArgs {
    /// A run id, the beginning of one, the name of a run, or `latest`
    pub(crate) run: String,
    /// The name of the run, instead of a former one
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Take the name of the run away
    #[arg(long, conflicts_with = "name")]
    pub(crate) no_name: bool,
    /// A note, which stays for good
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) actor: ActorArgs,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}
