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

/// The options that a run is asked for with: flags, then those of `--options`, or else of the tenant.
pub(crate) fn resolve(args: &OptionArgs, own: Option<&Path>) -> Result<RunOptions, Failure> {
    let file = args.options.as_deref().or(own);
    let mut given = file.map_or_else(|| Ok(GivenOptions::default()), in_file)?;
    for (name, flag) in flags(args) {
        if let Some(text) = flag {
            given.set(name, text);
        }
    }
    let refused = |report: FaultReport| Failure::Faults {
        what: "the options are refused".to_owned(),
        report,
    };
    given.resolve().map_err(refused)
}

fn flags(args: &OptionArgs) -> [(&'static str, &Option<String>); 11] {
    [
        ("scope", &args.scope),
        ("price_mode", &args.price_mode),
        ("min_status", &args.min_status),
        ("max_eligible_days", &args.max_eligible_days),
        ("max_trade_settle_days", &args.max_trade_settle_days),
        ("eligible_settle_buffer_days", &args.eligible_settle_buffer_days),
        ("bx_price_floor", &args.bx_price_floor),
        ("exact_fit_variance", &args.exact_fit_variance),
        ("max_fill_iterations", &args.max_fill_iterations),
        ("switch_threshold", &args.switch_threshold),
        ("as_of", &args.as_of),
    ]
}
