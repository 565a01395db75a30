//! Arguments of `config`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{ReportArgs, SourceArgs, StorePrintArgs, visible_name};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigSubcommand {
    /// Print the tables with the token of each row, as they are or as they were
    List(ConfigListArgs),
    /// Add a row
    Add(ConfigRowArgs),
    /// Change columns of a row
    Change(ConfigRowArgs),
    /// Remove a row
    Remove(ConfigRowArgs),
    /// Set the priorities of all constraints at once
    Reprioritise(ReprioritiseArgs),
    /// Adopt all six tables of a source
    Import(ConfigImportArgs),
    /// Write the six tables as CSV files, which `import` can read
    Export(ConfigExportArgs),
    /// Print every change: who, when, before and after
    History(StorePrintArgs),
}

/// A configuration table, as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfigTableArg {
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
    #[arg(value_name = "KIND")]
    pub(crate) table: Option<ConfigTableArg>,
    #[command(flatten)]
    pub(crate) at: ConfigAtArgs,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

/// The version or the time of the configuration.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigAtArgs {
    /// As of this version of the configuration, or this time (RFC 3339) [default: now]
    #[arg(long, value_name = "VERSION|TIME")]
    pub(crate) at: Option<String>,
}

/// The actor and the reason of a change, and the store.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Who makes the change [default: the user of this machine]
    #[arg(long, env = "POWERFILL_REQUESTED_BY", value_name = "NAME", value_parser = visible_name)]
    pub(crate) requested_by: Option<String>,
    /// Why; recorded with the change
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill config add rule rule_name=California \"rule_syntax=state = 'CA'\"
  powerfill config add constraint investor_id=FNMA \\
      \"investor_instrument_name=FN 6.0\" \\
      constraint_name=CA constraint_priority=20 hi_limit=0.15 \\
      --reason \"a cap for California\"
  powerfill config add link investor_id=FNMA \\
      \"investor_instrument_name=FN 6.0\" \\
      constraint_name=CA rule_name=California
  powerfill config change carry \"investor_instrument_name=FN 6.0\" on_day=0 \\
      annual_rate=4.25 --token 17
  powerfill config change settings lockdown_days=3
  powerfill config remove lock pool_name=P1

The columns are those of the table; its key columns select the row. `change` keeps columns that are
not given; `COLUMN=` means NULL. `remove settings` restores the defaults. With --token, nothing is
written if the row has changed since `list` printed this token. Exit status 1 if the change is
refused: faults, a stale token, rules that are still linked.")]
pub(crate) struct ConfigRowArgs {
    /// The table
    #[arg(value_name = "KIND")]
    pub(crate) table: ConfigTableArg,
    /// The columns of the row
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

The file is CSV with investor_id, investor_instrument_name, constraint_name, and
constraint_priority, every constraint once; other columns that `list` prints are ignored.
Constraints of the same priority are filled in one turn. The token is that of the table, as `list`
prints it.")]
pub(crate) struct ReprioritiseArgs {
    /// The file with all priorities, or `-` for standard input
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
  powerfill config import xlsx:book.xlsx --reason \"the rules of the workbook\"
  powerfill config import --tenant acme

Imports pscat_securitization_rules and the pfill_ tables of constraints, their rules, carry,
lockdown, and preflight. A table that the source does not have counts as empty, except the
constraints, which are required. Only real changes are recorded.")]
pub(crate) struct ConfigImportArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Show what would change, and record nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
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
    pub(crate) common: StorePrintArgs,
}

fn cell(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("write COLUMN=VALUE")?;
    Ok((column.to_owned(), value.to_owned()))
}
