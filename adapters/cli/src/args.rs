//! The command line: commands, flags, and help with examples.

mod audit;
mod brief;
mod challenge;
mod common;
mod config;
mod diff;
mod evidence;
mod explain;
#[cfg(feature = "parquet")]
mod export;
mod help;
mod operate;
mod options;
mod publish;
mod report;
mod retention;
mod runs;
mod sample;
mod selection;
mod serve;
mod snapshot;
mod template;
mod tries;

pub(crate) use audit::{
    ReplayArgs, SealCheckArgs, SealCommand, SealExportArgs, StepArgs, VerifyArgs,
};
pub(crate) use brief::BriefArgs;
pub(crate) use challenge::{AdoptArgs, ChallengeArgs};
pub(crate) use common::{
    CertificateArgs, LargeTablesArg, LargeTablesArgs, LogArgs, PrintArgs, ReportArgs, SourceArgs,
    StoreArgs, StorePrintArgs, TablePrintArgs, TenantArgs, visible_name,
};
pub(crate) use config::{
    ChangeArgs, ConfigAtArgs, ConfigExportArgs, ConfigImportArgs, ConfigListArgs, ConfigRowArgs,
    ConfigSubcommand, ConfigTableArg, ReprioritiseArgs,
};
pub(crate) use diff::DiffArgs;
pub(crate) use evidence::{
    EvidenceCommand, EvidenceExportArgs, EvidenceSignArgs, EvidenceVerifyArgs,
};
pub(crate) use explain::ExplainArgs;
#[cfg(feature = "parquet")]
pub(crate) use export::ExportArgs;
#[cfg(feature = "nats")]
pub(crate) use operate::RelayArgs;
pub(crate) use operate::{CancelArgs, CopyStoreArgs, WorkArgs};
pub(crate) use options::OptionArgs;
pub(crate) use publish::{MigrateArgs, PublishArgs, TargetTables};
pub(crate) use report::RunReportArgs;
pub(crate) use retention::{ArchiveArgs, HoldArgs, RestoreArgs};
pub(crate) use runs::{AnnotateArgs, RunsArgs};
pub(crate) use sample::{DemoArgs, GenerateArgs};
pub(crate) use selection::SelectionArgs;
pub(crate) use serve::{ServeArgs, TokenCommand};
pub(crate) use snapshot::{SnapshotCommand, SnapshotExportArgs};
pub(crate) use template::{SchemaArgs, TemplateArgs};
pub(crate) use tries::TryArgs;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::urls::UrlText;

/// Decides where a mortgage lender's loans go, records why, and answers for it.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 110)]
#[command(after_help = "Examples:
  powerfill demo
  powerfill check dir:snapshot
  powerfill run dir:snapshot --out tables
  powerfill explain latest --loan L000123

Exit status: 0 ok, 1 the answer is no (faults, a failed run), 2 usage or environment.
Settings come from flags, then POWERFILL_* variables, then powerfill.toml in the working folder.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Generate a sample tenant, run it, print the summary, and explain one loan
    Demo(DemoArgs),
    /// Write a realistic snapshot as a folder of CSV files
    Generate(GenerateArgs),
    /// Write an empty workbook, or a folder of empty CSV files, to fill in
    Template(TemplateArgs),
    /// Print the input tables as JSON Schema
    Schema(SchemaArgs),
    /// Validate a snapshot and run options, and report every fault
    Check(CheckArgs),
    /// Do the nine checks of preflight without a run
    Preflight(PreflightArgs),
    /// Propose lockdown rows, and write trade and capacity parameters
    Preprocess(PreprocessArgs),
    /// Run in the foreground: allocate, record every event, project every table
    Run(RunArgs),
    /// Decide an edited input in memory beside its base, and keep it as a scenario
    Try(TryArgs),
    /// Work on queued and abandoned runs, and wait for more
    Work(WorkArgs),
    /// Send events to NATS JetStream, and wait for more
    #[cfg(feature = "nats")]
    Relay(RelayArgs),
    /// Serve the tenants of powerfill.toml over HTTP, and work on their runs
    Serve(ServeArgs),
    /// Create, list, and revoke the bearer tokens of `serve`
    #[command(subcommand)]
    Token(TokenCommand),
    /// Cancel a run that is queued or active
    Cancel(CancelArgs),
    /// List the runs of the store, latest first
    Runs(RunsArgs),
    /// What changed since yesterday: two runs on one screen, and the bridge between their values
    Brief(BriefArgs),
    /// Name a run, add notes to it, and print them
    Annotate(AnnotateArgs),
    /// Summarize a run, as it is or as of any of its events
    Show(ShowArgs),
    /// Print an output table of a run, or list the tables
    Tables(TablesArgs),
    /// Write output tables and events of runs as Parquet files, for analysis over many runs
    #[cfg(feature = "parquet")]
    Export(ExportArgs),
    /// Print the events of a run
    Events(EventsArgs),
    /// Explain everything that a run decided about a loan or a trade
    Explain(ExplainArgs),
    /// Say how far a run is from the best possible, and find a better allocation
    Challenge(ChallengeArgs),
    /// Make an official run of the allocation that a challenge found
    Adopt(AdoptArgs),
    /// Compare the output tables of a run with another run or an export
    Diff(DiffArgs),
    /// Write what a run decided and is worth as one page, or its certificate for an auditor
    Report(RunReportArgs),
    /// Make the output tables again from the events of a run
    Rebuild(RebuildArgs),
    /// Decide a run again from its captured snapshot, and compare event by event
    Replay(ReplayArgs),
    /// Show a run as of its events, one event per line of standard input
    Step(StepArgs),
    /// Check hash chain, seals, snapshots, and output tables against the events
    Verify(VerifyArgs),
    /// Export the seal of the log, and check the log against an exported seal
    #[command(subcommand)]
    Seal(SealCommand),
    /// Write the captured input of a run as a source
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Hand over a run as one file, check such a file without a store, and sign it
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Keep a run in the store until the hold is released
    Hold(HoldArgs),
    /// Write evidence of old runs to files, and remove their payloads from the store
    Archive(ArchiveArgs),
    /// Put the payloads of an archived run back into the store
    Restore(RestoreArgs),
    /// Print and change the configuration: constraints, rules, carry, lockdown, preflight settings
    #[command(subcommand)]
    Config(ConfigSubcommand),
    /// Publish a run's outputs to a tenant's SQL Server database
    Publish(PublishArgs),
    /// Create or upgrade a store, or the tables of a tenant's database
    Migrate(MigrateArgs),
    /// Copy a whole store to another one, with every hash and seal
    CopyStore(CopyStoreArgs),
    /// Print a completion script for a shell
    Completions {
        /// bash, zsh, fish, elvish, or powershell
        shell: Shell,
    },
}

impl Command {
    /// Whether the command writes a log and not only what a person must know.
    pub(crate) const fn has_log(&self) -> bool {
        #[cfg(feature = "nats")]
        if matches!(self, Self::Relay(_)) {
            return true;
        }
        matches!(self, Self::Work(_) | Self::Serve(_))
            || matches!(self, Self::Publish(args) if args.follow)
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill check dir:snapshot
  powerfill check xlsx:book.xlsx
  powerfill check dir:snapshot --options options.json --format csv
  powerfill check dir:tapes --write-mapping book.toml
  powerfill check dir:tapes --mapping book.toml

Equal faults are one paragraph, with the first rows and what to write; --all, csv, and json have
every fault. Exit status 1 if there is an error; warnings alone give 0.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Write a draft of a mapping for the source, from names and values, and check nothing
    #[arg(long, value_name = "FILE", conflicts_with = "mapping")]
    pub(crate) write_mapping: Option<PathBuf>,
    /// Validate these run options too (JSON)
    #[arg(long, value_name = "FILE")]
    pub(crate) options: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  powerfill preflight dir:snapshot --max-trade-settle-days 45

Exit status 1 if a finding would refuse the run.")]
pub(crate) struct PreflightArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) options: OptionArgs,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  powerfill preprocess dir:snapshot --out proposed

Writes pfill_lockdown_guide.csv (existing and proposed rows), pfill_trade_params.csv, and
pfill_epci_params.csv.")]
pub(crate) struct PreprocessArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) options: OptionArgs,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
    /// The folder for the three tables
    #[arg(long)]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill run dir:snapshot
  powerfill run dir:snapshot --price-mode pc --out tables
  powerfill run xlsx:book.xlsx --out run.xlsx
  powerfill run dir:snapshot --options options.json --store sqlite:books.db
  powerfill run 'mssql://desk@db.example/Lender?schema=pf' \\
      --publish mssql://pf@db.example/Lender
  powerfill run --tenant acme --no-wait

Exit status 0 if the run is Complete, 1 if it is refused, Failed, or Cancelled. Ctrl-C cancels it.
With --no-wait, exit status 0 as soon as the run is queued.")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) options: OptionArgs,
    /// Write every output table and outcome.csv to this folder as CSV, or a workbook to FILE.xlsx
    #[arg(long, value_name = "PLACE")]
    pub(crate) out: Option<PathBuf>,
    /// Only queue the run and print its id: a `powerfill work` works on it
    #[arg(long, conflicts_with = "out")]
    pub(crate) no_wait: bool,
    /// When the run is Complete, challenge it with a search, as `powerfill challenge` does
    #[arg(long, conflicts_with = "no_wait")]
    pub(crate) challenge: bool,
    /// Publish the run when it is Complete: mssql://USER@HOST/DATABASE?schema=NAME
    #[arg(long, value_name = "URL", conflicts_with = "no_wait")]
    pub(crate) publish: Option<UrlText>,
    /// Who requests the run [default: the user of this machine]
    #[arg(long, env = "POWERFILL_REQUESTED_BY", value_name = "NAME", value_parser = visible_name)]
    pub(crate) requested_by: Option<String>,
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
    #[command(flatten)]
    pub(crate) large_tables: LargeTablesArgs,
    #[command(flatten)]
    pub(crate) common: TablePrintArgs,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RunRefArgs {
    /// A run id, the beginning of one, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill rebuild
  powerfill rebuild 0197 --large-tables stored

With --large-tables stored, the store gets rows of every table; with built, it loses those of large
tables.")]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    pub(crate) run: RunRefArgs,
    #[command(flatten)]
    pub(crate) large_tables: LargeTablesArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill show latest
  powerfill show 0197 --at 60000

With --at, the run is shown as of that event: the fills of trades and the loans placed so far.")]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) run: RunRefArgs,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// The event as of which a run is shown.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct AtArgs {
    /// As of this event of the run: its version in the stream, from 1 [default: the last one]
    #[arg(long, value_name = "EVENT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) at: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill tables latest
  powerfill tables latest pfill_powerfill_guide --format csv > guide.csv
  powerfill tables latest pfill_trade_recap --at 60000
  powerfill tables latest --out run.xlsx
  powerfill tables latest pfill_trade_recap --where \"fill_status = 'Under'\" \\
      --sort -shortfall_amount --top 10 --columns trade_id,shortfall_amount

Works for any run, not only for the latest: the rows are made from its events. On a terminal, a
table has the columns that fit, and names the others.")]
pub(crate) struct TablesArgs {
    /// A run id, the beginning of one, or `latest`
    pub(crate) run: String,
    /// The table; without it, prints the row counts of all tables, or writes all to the workbook
    pub(crate) table: Option<String>,
    /// Write a workbook to this file, FILE.xlsx
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write the large tables into the workbook too: candidates, ranks of synthetic options
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) at: AtArgs,
    #[command(flatten)]
    pub(crate) common: TablePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill events latest --type LoanAllocated
  powerfill events latest --from 200000 --follow
  powerfill events latest --cloudevents > events.jsonl")]
pub(crate) struct EventsArgs {
    /// A run id, the beginning of one, or `latest`
    pub(crate) run: String,
    /// Only events of this type; can be repeated
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// From this version of the stream on
    #[arg(long, value_name = "VERSION", default_value_t = 1)]
    pub(crate) from: u64,
    /// Wait for more until the run has ended
    #[arg(long)]
    pub(crate) follow: bool,
    /// One CloudEvent (JSON) per line
    #[arg(long)]
    pub(crate) cloudevents: bool,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}
