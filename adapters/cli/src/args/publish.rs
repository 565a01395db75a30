//! Arguments of `publish` and `migrate`.

use clap::{Args, ValueEnum};

use super::{LogArgs, StorePrintArgs};
use crate::urls::UrlText;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill publish --to mssql://powerfill@db.example/Lender
  powerfill publish 0197 --to 'mssql://powerfill@db.example/Lender?schema=pf'
  powerfill publish --follow --all-tenants

Replaces the rows of the output tables by those of the run in one transaction, after the sent rows
were read back and compared; readers see the former run until then, and also after an error.
`powerfill migrate --target` creates the tables. With --follow, it publishes each completed run,
continues where it stopped, and tries again while a server is unavailable; SIGTERM or Ctrl-C ends it
with exit status 0.")]
pub(crate) struct PublishArgs {
    /// A run id, the beginning of one, or `latest`; any Complete run, not only the latest
    #[arg(default_value = "latest")]
    pub(crate) run: String,
    /// mssql://USER@HOST/DATABASE?schema=NAME [default: that of the tenant in powerfill.toml]
    #[arg(long, env = "POWERFILL_PUBLISH", value_name = "URL", hide_env_values = true)]
    pub(crate) to: Option<UrlText>,
    /// Publish each completed run, until the process is stopped
    #[arg(long, conflicts_with = "run")]
    pub(crate) follow: bool,
    /// With --follow: for every tenant of powerfill.toml that has a target
    #[arg(long, requires = "follow", conflicts_with_all = ["store", "tenant", "to"])]
    pub(crate) all_tenants: bool,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill migrate --store postgres://owner@db.example/acme
  powerfill migrate --target mssql://owner@db.example/Lender
  powerfill migrate --target 'mssql://owner@db.example/Lender?schema=pf' \\
      --tables inputs

A second call changes nothing.")]
pub(crate) struct MigrateArgs {
    /// Create the tables of a tenant's database, instead of a store:
    /// mssql://USER@HOST/DATABASE?schema=NAME
    #[arg(long, value_name = "URL", conflicts_with_all = ["store", "tenant"])]
    pub(crate) target: Option<UrlText>,
    /// Which tables of the target
    #[arg(long, value_enum, default_value = "outputs", requires = "target")]
    pub(crate) tables: TargetTables,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

/// Tables of a tenant's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetTables {
    /// Those to which PowerFill publishes
    Outputs,
    /// Those that PowerFill reads, for a tenant that has none
    Inputs,
}
