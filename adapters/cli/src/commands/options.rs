//! Run options from a file and flags.

use std::path::Path;

use powerfill_snapshot::{FaultReport, GivenOptions, RunOptions, Snapshot, check_options_for};

use crate::args::OptionArgs;
use crate::error::{CliError, CliResult};

/// The options in a file, without validation.
pub(crate) fn in_file(file: &Path) -> CliResult<GivenOptions> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| CliError::context(format!("cannot read {}", file.display()), error))?;
    Ok(GivenOptions::from_json(text.trim_start_matches('\u{feff}')))
}

/// The options of a run: flags, then those of `--options`, or else those of the tenant.
pub(crate) fn resolve(args: &OptionArgs, own: Option<&Path>) -> CliResult<RunOptions> {
    let file = args.file.as_deref().or(own);
    let mut given = file.map_or_else(|| Ok(GivenOptions::default()), in_file)?;
    for (name, text) in &args.flags {
        given.set(*name, text);
    }
    given.resolve().map_err(refused)
}

/// Refuses options that do not fit the book.
pub(crate) fn check_for(options: &RunOptions, snapshot: &Snapshot) -> CliResult<()> {
    check_options_for(options, snapshot).map_err(refused)
}

fn refused(report: FaultReport) -> CliError {
    CliError::Faults { what: "the options are refused".to_owned(), report, all: false }
}
