//! The arguments of `report`.

use std::path::PathBuf;

use clap::Args;

use super::StoreArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill report latest --out run.html
  powerfill report latest --audit --loan L000123 --out certificate.html
  powerfill report latest --json > run.json

The page and the certificate are one file each, to mail, to print, and to file. The certificate
verifies and replays the run: exit status 1 if one of them fails, which the certificate then says.
The schema of the JSON is docs/reference/overview.schema.json.")]
pub(crate) struct RunReportArgs {
    /// A run id, the beginning of one, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) output: ReportOutput,
    /// Write the certificate of the run, to be signed, in place of the report
    #[arg(long, requires = "out")]
    pub(crate) audit: bool,
    /// Explain this loan in the certificate; can be repeated
    #[arg(long = "loan", value_name = "LOAN_ID", requires = "audit")]
    pub(crate) loans: Vec<String>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ReportOutput {
    /// Write one page to this file (*.html)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print the data of the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
