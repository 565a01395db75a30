//! The options of a run from a file and flags.

use std::path::Path;

use powerfill_snapshot::{FaultReport, GivenOptions, RunOptions};

use crate::args::OptionArgs;
use crate::failure::Failure;

/// The options in a file, not judged yet.
pub(crate) fn in_file(file: &Path) -> Result<GivenOptions, Failure> {
    let unreadable =
        |error| Failure::Environment(format!("cannot read {}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    Ok(GivenOptions::from_json(text.trim_start_matches('\u{feff}')))
}

/// The options that a run is asked for with: flags, then those of `--options`, or else of the
/// tenant.
pub(crate) fn resolve(args: &OptionArgs, own: Option<&Path>) -> Result<RunOptions, Failure> {
    let file = args.file.as_deref().or(own);
    let mut given = file.map_or_else(|| Ok(GivenOptions::default()), in_file)?;
    for (name, text) in &args.flags {
        given.set(*name, text);
    }
    let refused = |report: FaultReport| Failure::Faults {
        what: "the options are refused".to_owned(),
        report,
    };
    given.resolve().map_err(refused)
}
