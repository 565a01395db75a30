//! What can be typed about the configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::StoreArgs;
use crate::places::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the tables with the token of each row, as they are or as they were
    List(ConfigListArgs),
    /// Add a row that is not there
    Add(ConfigRowArgs),
    /// Change columns of a row that is there
    Change(ConfigRowArgs),
    /// Remove a row
    Remove(ConfigRowArgs),
    /// Give every constraint its priority, all at once
    Reprioritise(ReprioritiseArgs),
    /// Take all six tables over from a source
    Import(ConfigImportArgs),
    /// Write the six tables as CSV files that `import` takes
    Export(ConfigExportArgs),
    /// Print every change: who, when, what it was and is
    History(StoreArgs),
}

/// What is configured, one word a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// `pscat_securitization_rules`
    Rule,
    /// `pfill_constraints`
    Constraint,
    /// `pfill_constraint_sec_rule_rel`
    Link,
    /// `pfill_carry_cost`
    Carry,
    /// `pfill_lockdown_guide`
    Lock,
    /// `pfill_preflight_settings`, one row
    Settings,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill config list
  powerfill config list constraint --format csv > order.csv
  powerfill config list carry --at 17
  powerfill config list lock --at 2026-01-15T10:00:00Z")]
pub(crate) struct ConfigListArgs {
    /// One table [default: all six]
    pub(crate) kind: Option<Kind>,
    #[command(flatten)]
    pub(crate) at: ConfigAtArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// How far the configuration is looked at.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigAtArgs {
    /// As it was after this version of the configuration, or at this moment (RFC 3339), instead of
    /// as it is
    #[arg(long, value_name = "VERSION|TIME")]
    pub(crate) at: Option<String>,
}

/// Who changes it, and why.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Who changes it [default: the user of this machine]
    #[arg(long, env = "POWERFILL_REQUESTED_BY", value_name = "NAME")]
    pub(crate) requested_by: Option<String>,
    /// Why; it stays with the change
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill config add rule rule_name=California \"rule_syntax=state = 'CA'\"
  powerfill config add constraint investor_id=FNMA \"investor_instrument_name=FN 6.0\" \\
      constraint_name=CA constraint_priority=20 hi_limit=0.15 --reason \"a cap for California\"
  powerfill config add link investor_id=FNMA \"investor_instrument_name=FN 6.0\" constraint_name=CA rule_name=California
  powerfill config change carry \"investor_instrument_name=FN 6.0\" on_day=0 annual_rate=4.25 --token 17
  powerfill config change settings lockdown_days=3
  powerfill config remove lock pool_name=P1

The columns are those of the table; the columns of its key say which row is meant. `change` leaves the others as they
are; `COLUMN=` is NULL. `remove settings` brings the defaults back. With --token nothing is written where the row is not
any more what `list` showed with this token. Exit status 1 where the change is refused: faults, a stale token, rules
that are still linked.")]
pub(crate) struct ConfigRowArgs {
    /// What it is
    pub(crate) kind: Kind,
    /// The row
    #[arg(value_name = "COLUMN=VALUE", value_parser = cell)]
    pub(crate) row: Vec<(String, String)>,
    /// The row's token, as `list` prints it
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<u64>,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill config list constraint --format csv > order.csv
  powerfill config reprioritise order.csv --token 17
  powerfill config reprioritise - < order.csv

The file is CSV with investor_id, investor_instrument_name, constraint_name and constraint_priority, every constraint
once; what else `list` prints in it is left alone. Constraints of the same priority are filled in one turn. The token is
that of the table, as `list` prints it.")]
pub(crate) struct ReprioritiseArgs {
    /// The whole order, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) order: PathBuf,
    /// The token of the constraints, as `list` prints it
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<u64>,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill config import dir:snapshot --dry-run
  powerfill config import xlsx:book.xlsx --reason \"as the workbook had it\"
  powerfill config import --tenant acme

Takes pscat_securitization_rules and the pfill_ tables of constraints, their rules, carry, lockdown and preflight; a table
that the source does not have is empty, but for the constraints, which must be there. Only real changes are recorded.")]
pub(crate) struct ConfigImportArgs {
    /// dir:FOLDER, xlsx:FILE, sqlite:FILE, postgres:// or mssql://USER@HOST/DATABASE?schema=NAME
    /// [default: the tenant's]
    pub(crate) source: Option<Source>,
    /// Show what would change, and record nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill config export --out configuration
  powerfill config export --out before --at 2026-01-15T10:00:00Z")]
pub(crate) struct ConfigExportArgs {
    /// The folder, which must be new or empty
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) at: ConfigAtArgs,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

fn cell(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("write COLUMN=VALUE")?;
    Ok((column.to_owned(), value.to_owned()))
}
