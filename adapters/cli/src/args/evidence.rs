//! Arguments of `evidence`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{PrintArgs, StorePrintArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Write everything that proves a run to one file
    #[command(after_help = "Examples:
  powerfill evidence export latest --out run.pfe
  powerfill evidence export 0197 --seal 2026-02-01.seal --out run.pfe

The file is a zip archive with the run's events, input, options, hashes, and seals; its README.txt
says how to check it without PowerFill. Commands that read a run take it as a store:
  powerfill show latest --store evidence:run.pfe")]
    Export(EvidenceExportArgs),
    /// Check every byte of a file of evidence, without a store
    #[command(after_help = "Examples:
  powerfill evidence verify run.pfe
  powerfill evidence verify run.pfe --seal 2026-02-01.seal --signer desk.pub

Exit status 0 if everything matches, 1 if not; prints the first difference.")]
    Verify(EvidenceVerifyArgs),
    /// Add an SSH signature to a file of evidence
    #[command(after_help = "Examples:
  powerfill evidence sign run.pfe --key ~/.ssh/id_ed25519
  unzip -p run.pfe SHA256SUMS > sums
  ssh-keygen -Y sign -n powerfill-evidence -f key sums
  powerfill evidence sign run.pfe --signature sums.sig

Checks the evidence first. The second way is for keys with a passphrase, in an agent, or on a
hardware token.")]
    Sign(EvidenceSignArgs),
}

#[derive(Debug, Args)]
pub(crate) struct EvidenceExportArgs {
    /// A run id, the beginning of one, or `latest`; the run must be over
    pub(crate) run: String,
    /// The file, which must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// A file of `seal export`: the seals up to that one go into the evidence
    #[arg(long, value_name = "FILE")]
    pub(crate) seal: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EvidenceVerifyArgs {
    /// A file of `evidence export`
    pub(crate) file: PathBuf,
    /// A file of `seal export`: the evidence must lead to this seal
    #[arg(long, value_name = "FILE")]
    pub(crate) seal: Option<PathBuf>,
    /// Public keys (id_ed25519.pub, or OpenSSH's allowed signers): one of them must have signed
    #[arg(long, value_name = "FILE")]
    pub(crate) signer: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EvidenceSignArgs {
    /// A file of `evidence export`
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) source: SignatureArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SignatureArgs {
    /// An OpenSSH private key of the type ed25519, without a passphrase
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// A signature of SHA256SUMS by `ssh-keygen -Y sign -n powerfill-evidence`
    #[arg(long, value_name = "FILE")]
    pub(crate) signature: Option<PathBuf>,
}
