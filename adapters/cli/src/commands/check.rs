//! `check`: validates a snapshot and run options, and reports every fault.

use powerfill_snapshot::{Fault, FaultReport, check_options_for};

use super::options;
use crate::args::CheckArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::mapped;
use crate::output::{print_csv, print_json, print_text};
use crate::report;
use crate::settings::ProgramSettings;
use crate::tenancy::SnapshotInput;

pub(crate) async fn run(args: CheckArgs, settings: &ProgramSettings) -> CliResult<()> {
    let input = SnapshotInput::resolve(&args.source, &args.tenant, settings)?;
    if let Some(file) = &args.write_mapping {
        return mapped::write_draft(input.source(), file).await;
    }
    let (mut report, snapshot) = match input.validated().await? {
        Ok(validated) => (validated.warnings, Some(validated.snapshot)),
        Err(report) => (report, None),
    };
    if let Some(file) = args.options.as_deref().or(input.options()) {
        let fits =
            |options| snapshot.as_ref().map_or(Ok(()), |book| check_options_for(&options, book));
        if let Err(rejected) = options::in_file(file)?.resolve().and_then(fits) {
            report.faults.extend(rejected.faults);
        }
    }
    if report.errors() > 0 {
        input.note_managed_tables(&report);
    }
    let digest = snapshot.map(|snapshot| snapshot.digest());
    match args.print.format {
        Format::Text => print_report(&report, digest.as_deref(), args.report.all)?,
        Format::Json => print_json(&report)?,
        Format::Csv => print_csv(&Fault::COLUMNS, report.faults.iter().map(Fault::cells))?,
    }
    if report.errors() > 0 { Err(CliError::NegativeAnswer) } else { Ok(()) }
}

/// Prints the faults, and the digest that a run of a valid snapshot would record.
fn print_report(report: &FaultReport, digest: Option<&str>, all: bool) -> CliResult<()> {
    print_text(report::text(report, all))?;
    if !all && report::is_shortened(report) {
        print_text("--all prints every fault in a line, --format csv writes them as a table\n")?;
    }
    if let Some(digest) = digest {
        print_text(format_args!("input digest {digest}\n"))?;
    }
    print_text(format_args!("{} errors, {} warnings\n", report.errors(), report.warnings()))
}
