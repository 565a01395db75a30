//! Arguments of `hold`, `archive`, and `restore`.

use std::path::PathBuf;

use clap::Args;
use powerfill_events::values::Day;

use super::{StorePrintArgs, visible_name};

/// Who holds, archives, or restores, for the record.
#[derive(Debug, Args)]
pub(crate) struct ActorArgs {
    /// Who acts [default: the user of this machine]
    #[arg(long, env = "POWERFILL_REQUESTED_BY", value_name = "NAME", value_parser = visible_name)]
    pub(crate) requested_by: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill hold 0197 --reason 'claim 2026-17'
  powerfill hold 0197 --release
  powerfill hold

A run under hold is never archived. Without a run, lists the runs under hold.")]
pub(crate) struct HoldArgs {
    /// A run id, the beginning of one, or `latest`
    pub(crate) run: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", requires = "run")]
    pub(crate) reason: Option<String>,
    /// Release the hold
    #[arg(long, requires = "run")]
    pub(crate) release: bool,
    #[command(flatten)]
    pub(crate) actor: ActorArgs,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill archive --before 2019-01-01 --out /archive/acme
  powerfill archive --scenarios --before 2026-01-01 --out /archive/acme
  powerfill archive

Writes a file of evidence per run, verifies it, and then removes the run's payloads from the store;
hashes, seals, and the history stay, so that the log still verifies. Runs under hold and the latest
run stay. Without --before, archives what the policy in powerfill.toml says: runs that are older
than keep_years, and scenarios that are older than keep_scenario_days. An interrupted command
continues with the next call. Needs the rights of the store's owner.")]
pub(crate) struct ArchiveArgs {
    /// Archive runs that were requested before this day (UTC)
    #[arg(long, value_name = "DATE")]
    pub(crate) before: Option<Day>,
    /// Archive scenarios only
    #[arg(long)]
    pub(crate) scenarios: bool,
    /// The folder for the files of evidence [default: archive in powerfill.toml]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) actor: ActorArgs,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  powerfill restore /archive/acme/run-01970000-0000-7000-8000-000000000001.pfe

Verifies the file, and puts the payloads back into the store from which they were removed.")]
pub(crate) struct RestoreArgs {
    /// A file of evidence of an archived run
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) actor: ActorArgs,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}
