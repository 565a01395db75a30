//! `preflight`: the nine checks without a run (specification 2.2).

use powerfill_events::run::event::{Finding, Severity};
use powerfill_snapshot::FaultReport;

use super::options;
use crate::args::PreflightArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_note, print_table, print_text};
use crate::report;
use crate::settings::ProgramSettings;
use crate::tenancy::SnapshotInput;

const COLUMNS: [&str; 4] = ["code", "severity", "subject", "message"];

pub(crate) async fn run(args: PreflightArgs, settings: &ProgramSettings) -> CliResult<()> {
    let input = SnapshotInput::resolve(&args.source, &args.tenant, settings)?;
    let options = options::resolve(&args.options, input.options())?;
    let validated = input.reporting_all(args.report.all).accepted().await?;
    options::check_for(&options, &validated.snapshot)?;
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
        Format::Text => print_findings(rows, &validated.warnings, args.report.all)?,
    }
    if args.print.format != Format::Text {
        print_note(report::text(&validated.warnings, args.report.all));
    }
    let has_errors = findings.iter().any(|finding| finding.severity == Severity::Error);
    if has_errors { Err(CliError::NegativeAnswer) } else { Ok(()) }
}

/// The findings, then the warnings about the values of the input.
fn print_findings(findings: Vec<[String; 4]>, warnings: &FaultReport, all: bool) -> CliResult<()> {
    match (findings.is_empty(), warnings.warnings()) {
        (false, _) => print_table(&COLUMNS, findings, &[])?,
        (true, 0) => print_text("preflight found nothing\n")?,
        (true, 1) => print_text("preflight found nothing; the input has 1 warning\n")?,
        (true, many) => {
            print_text(format!("preflight found nothing; the input has {many} warnings\n"))?;
        }
    }
    print_text(report::text(warnings, all))
}
