//! The arguments of `demo` and `generate`, which write sample data.

use std::path::PathBuf;

use clap::Args;

use super::CertificateArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill demo --open
  powerfill demo --folder sample

Writes FOLDER/snapshot, FOLDER/powerfill.db, and FOLDER/tables. A second call adds a run. With
--open, Ctrl-C ends the service.")]
pub(crate) struct DemoArgs {
    /// The folder of the sample tenant
    #[arg(long, default_value = "powerfill-demo")]
    pub(crate) folder: PathBuf,
    /// Seed of the sample
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Serve the sample on this machine afterwards, and show the console in the browser
    #[arg(long)]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill generate --scale demo --seed 7 --out snapshot
  powerfill generate --loans 500 --trades 200 --pools 80 --out small

The same seed and sizes give the same files on any machine.")]
pub(crate) struct GenerateArgs {
    /// demo (11,674 loans), l (100,000), or xl (1,000,000)
    #[arg(long, default_value = "demo")]
    pub(crate) scale: powerfill_generator::Scale,
    /// Instead of the scale's number of loans
    #[arg(long)]
    pub(crate) loans: Option<u32>,
    /// Instead of the scale's number of trades; the share of open trades stays
    #[arg(long)]
    pub(crate) trades: Option<u32>,
    /// Instead of the scale's number of pools
    #[arg(long)]
    pub(crate) pools: Option<u32>,
    /// Instead of the scale's number of instruments
    #[arg(long)]
    pub(crate) instruments: Option<u32>,
    /// Instead of the scale's number of constraints
    #[arg(long)]
    pub(crate) constraints: Option<u32>,
    /// The seed of the random numbers
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// The folder, which must be new or empty
    #[arg(long)]
    pub(crate) out: PathBuf,
}
