//! What can be typed to make and fill the tables that a tenant's reports read.

use clap::{Args, ValueEnum};

use super::StoreArgs;
use crate::log::LogFormat;
use crate::places::TargetUrl;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill publish --to mssql://powerfill@db.example/Lender
  powerfill publish 0197 --to 'mssql://powerfill@db.example/Lender?schema=pf'
  powerfill publish --follow --all-tenants

Replaces the rows of the output tables by those of the run, in one transaction, after what arrived was read back and held
against what was sent; readers see the former run until then, and also where something fails. `powerfill migrate --target`
makes the tables. With --follow it publishes each run that completes, goes on where it stopped, and waits for a server that
is away; SIGTERM or Ctrl-C ends it with 0.")]
pub(crate) struct PublishArgs {
    /// A run id, the beginning of one, or `latest`; any Complete run, not only the last
    #[arg(default_value = "latest")]
    pub(crate) run: String,
    /// mssql://USER@HOST/DATABASE?schema=NAME [default: what powerfill.toml says of the tenant]
    #[arg(long, env = "POWERFILL_PUBLISH", value_name = "URL", hide_env_values = true)]
    pub(crate) to: Option<TargetUrl>,
    /// Publish each run that completes, until told to stop
    #[arg(long, conflicts_with = "run")]
    pub(crate) follow: bool,
    /// With --follow: for every tenant of powerfill.toml that says where
    #[arg(long, requires = "follow", conflicts_with_all = ["store", "tenant", "to"])]
    pub(crate) all_tenants: bool,
    /// How the log of --follow on standard error is written
    #[arg(long, env = "POWERFILL_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill migrate --store postgres://owner@db.example/acme
  powerfill migrate --target mssql://owner@db.example/Lender
  powerfill migrate --target 'mssql://owner@db.example/Lender?schema=pf' --tables inputs

Run twice, it changes nothing.")]
pub(crate) struct MigrateArgs {
    /// Make the tables of a tenant's database, instead of a store:
    /// mssql://USER@HOST/DATABASE?schema=NAME
    #[arg(long, value_name = "URL", conflicts_with_all = ["store", "tenant"])]
    pub(crate) target: Option<TargetUrl>,
    /// Which tables of the target
    #[arg(long, value_enum, default_value = "outputs", requires = "target")]
    pub(crate) tables: WhichTables,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Tables of a tenant's database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhichTables {
    /// Those that PowerFill publishes to
    Outputs,
    /// Those that it reads, for a tenant that has none
    Inputs,
}
