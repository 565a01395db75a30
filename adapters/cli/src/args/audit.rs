//! Arguments of `replay`, `verify`, `step`, and `seal`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{RunRefArgs, StorePrintArgs};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill replay latest
  powerfill replay 0197 --store sqlite:books.db --format json

  powerfill replay challenge-019751f0-6b1e-7c3a-9d2f-3b8e5a7c1d24-1 --check

A challenge is checked, statement by statement, without its search; without --check, it is also made
again.
The hashes and seals of the run are checked first: an altered event is reported, and nothing is
replayed. Exit status 0 if every event is the same, 1 if one is altered, differs, or cannot be
read. Writes nothing.")]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) run: RunRefArgs,
    /// Check the statements of a challenge, and do not repeat its search
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill verify
  powerfill verify latest
  powerfill verify --store sqlite:books.db --format json
  powerfill verify --since 2026-02-01.seal
  powerfill verify --incremental
  powerfill verify --all-tenants

Without a run, checks the whole store on all cores; with one, its stream, its snapshot, and its
tables. --since checks that the log still contains what the seal covers, and verifies everything
that was recorded after it. --incremental begins where the last --incremental ended, which the store
itself records: a routine check, and no proof against someone who can write the store.
Exit status 0 if everything matches, 1 if not; prints the first difference.")]
pub(crate) struct VerifyArgs {
    /// A run id, the beginning of one, or `latest` [default: the whole store]
    pub(crate) run: Option<String>,
    /// Verify only what was recorded after this seal, a file of `seal export`
    #[arg(long, value_name = "SEAL", conflicts_with = "run")]
    pub(crate) since: Option<PathBuf>,
    /// Verify only what was recorded since the last --incremental; at the first time, everything
    #[arg(long, conflicts_with_all = ["run", "since"])]
    pub(crate) incremental: bool,
    /// Verify the store of every tenant of powerfill.toml
    #[arg(long, conflicts_with_all = ["run", "since", "store", "tenant"])]
    pub(crate) all_tenants: bool,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill step latest
  printf '60000\\n+1\\n' | powerfill step latest --format json

A line is an event's number, +N or -N from the current event, empty for the next event, or q.")]
pub(crate) struct StepArgs {
    #[command(flatten)]
    pub(crate) run: RunRefArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SealCommand {
    /// Write the seal of the log's last append, to be kept where the store's administrators cannot
    /// write
    #[command(after_help = "Examples:
  powerfill seal export --out 2026-02-01.seal
  powerfill seal export --all-tenants --out 2026-02-01

The seal covers every event up to now. A copy elsewhere reveals a truncated or rewritten log.")]
    Export(SealExportArgs),
    /// Check that the log still contains what a seal covers
    #[command(after_help = "Examples:
  powerfill seal check 2026-02-01.seal
  powerfill seal check 2026-02-01 --all-tenants

Exit status 0 if the log is intact and contains the sealed append, 1 if not. With --all-tenants also
1 if a tenant has no seal in the folder, or a seal no tenant.")]
    Check(SealCheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SealExportArgs {
    /// The file; with --all-tenants the folder, for a file TENANT.seal each [default: standard
    /// output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Export the seal of every tenant of powerfill.toml
    #[arg(long, conflicts_with_all = ["store", "tenant"])]
    pub(crate) all_tenants: bool,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SealCheckArgs {
    /// A file of `seal export`; with --all-tenants its folder
    pub(crate) seal: PathBuf,
    /// Check the log of every tenant of powerfill.toml against TENANT.seal in the folder
    #[arg(long, conflicts_with_all = ["store", "tenant"])]
    pub(crate) all_tenants: bool,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}
