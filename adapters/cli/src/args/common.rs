//! Arguments that several commands share: the store, the tenant, and the format.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use powerfill_events::values::is_invisible;
use powerfill_tables::table::LargeTables;

use crate::format::{Format, TableFormat};
use crate::log::LogFormat;
use crate::urls::UrlText;

/// A name that is recorded, and shown to others: refused if it has a character that is not seen, or
/// that a terminal obeys.
pub(crate) fn visible_name(name: &str) -> Result<String, String> {
    match name.chars().find(|c| is_invisible(*c)) {
        Some(c) => Err(format!("it has a character that is not seen, U+{:04X}", u32::from(c))),
        None => Ok(name.to_owned()),
    }
}

/// The tenant.
#[derive(Debug, Clone, Args)]
pub(crate) struct TenantArgs {
    /// A tenant of powerfill.toml: the command uses its store and its source, and no other's
    #[arg(long, env = "POWERFILL_TENANT", value_name = "ID")]
    pub(crate) tenant: Option<String>,
}

/// The store.
#[derive(Debug, Clone, Args)]
pub(crate) struct StoreArgs {
    /// sqlite:FILE or postgres://USER@HOST/DATABASE [default: the tenant's, or sqlite:powerfill.db]
    // The variable may contain a password, which the help must not print.
    #[arg(long, env = "POWERFILL_STORE", value_name = "URL", hide_env_values = true)]
    pub(crate) store: Option<UrlText>,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
}

/// The store, and the format of the output.
#[derive(Debug, Clone, Args)]
pub(crate) struct StorePrintArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
}

/// How a report of faults is printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ReportArgs {
    /// Print every fault in a line of its own; otherwise, equal faults are one paragraph
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PrintArgs {
    /// The format of the output
    #[arg(long, value_enum, env = "POWERFILL_FORMAT", default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// The store, and the format of output tables.
#[derive(Debug, Clone, Args)]
pub(crate) struct TablePrintArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The format of the output; xlsx for a workbook
    #[arg(long, value_enum, env = "POWERFILL_FORMAT", default_value_t = TableFormat::Text)]
    pub(crate) format: TableFormat,
}

/// What the store gets of large tables.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct LargeTablesArgs {
    /// Where the rows of large tables (candidates, ranks of synthetic options) come from [default:
    /// built]
    #[arg(long, env = "POWERFILL_LARGE_TABLES", value_enum, value_name = "FROM")]
    pub(crate) large_tables: Option<LargeTablesArg>,
}

impl LargeTablesArgs {
    pub(crate) fn value(self) -> Option<LargeTables> {
        self.large_tables.map(Into::into)
    }
}

/// Whether runs get certificates.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct CertificateArgs {
    /// Record how far each run is from the best possible, also if powerfill.toml says otherwise
    #[arg(long)]
    certificate: bool,
    /// Do not record how far each run is from the best possible
    #[arg(long, env = "POWERFILL_NO_CERTIFICATE")]
    no_certificate: bool,
}

impl CertificateArgs {
    pub(crate) fn value(self) -> Option<bool> {
        match (self.certificate, self.no_certificate) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}

/// [`LargeTables`], as an argument and in `powerfill.toml`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LargeTablesArg {
    /// Built from events whenever they are read; a run takes a fifth of the space
    Built,
    /// Stored as rows, so that SQL can read them
    Stored,
}

impl From<LargeTablesArg> for LargeTables {
    fn from(arg: LargeTablesArg) -> Self {
        match arg {
            LargeTablesArg::Built => Self::Built,
            LargeTablesArg::Stored => Self::Stored,
        }
    }
}

/// The log of a command that runs until it is stopped.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct LogArgs {
    /// The format of the log on standard error
    #[arg(long, env = "POWERFILL_LOG_FORMAT", value_enum, default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// The source of a snapshot.
#[derive(Debug, Clone, Args)]
pub(crate) struct SourceArgs {
    /// dir:FOLDER, xlsx:FILE, sqlite:FILE, mismo:PATH, postgres:// or
    /// mssql://USER@HOST/DATABASE?schema=NAME
    /// [default: the tenant's]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Option<UrlText>,
    /// How the files of another system become the input tables (TOML) [default: the tenant's, for
    /// its source]
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
}
