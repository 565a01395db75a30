//! `preflight`: the nine checks without a run (specification 2.2).

use powerfill_events::run::event::{Finding, Severity};

use super::options;
use crate::args::PreflightArgs;
use crate::error::CliError;
use crate::format::Format;
use crate::output::{print_csv, print_json, print_table, print_text};
use crate::settings::ProgramSettings;
use crate::tenancy::SnapshotInput;

const COLUMNS: [&str; 4] = ["code", "severity", "subject", "message"];

pub(crate) async fn run(args: PreflightArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let input = SnapshotInput::resolve(&args.source, &args.tenant, settings)?;
    let options = options::resolve(&args.options, input.options())?;
    let validated = input.snapshot().await?;
    let findings = powerfill_engine::preflight(&validated.snapshot, &options);
    let cells = |finding: &Finding| {
        let subject = finding.subject.clone().unwrap_or_default();
        let (code, severity) = (finding.code.as_str(), finding.severity.as_str());
        [code.to_owned(), severity.to_owned(), subject, finding.message.clone()]
    };
    let rows: Vec<[String; 4]> = findings.iter().map(cells).collect();
    match args.print.format {
        Format::Json => print_json(&findings)?,
        Format::Csv => print_csv(&COLUMNS, rows)?,
        Format::Text if rows.is_empty() => print_text("preflight found nothing\n")?,
        Format::Text => print_table(&COLUMNS, rows, &[])?,
    }
    let has_errors = findings.iter().any(|finding| finding.severity == Severity::Error);
    if has_errors { Err(CliError::NegativeAnswer) } else { Ok(()) }
}
