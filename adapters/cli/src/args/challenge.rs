//! Arguments of `challenge` and `adopt`.

use std::path::PathBuf;

use clap::Args;
use powerfill_app::challenge::DEFAULT_STEPS;
use powerfill_events::challenge::{ChallengeId, ChallengeWeights};
use powerfill_events::values::{Money, Price};

use super::{LargeTablesArgs, StorePrintArgs, visible_name};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill challenge latest
  powerfill challenge latest --steps 0
  powerfill challenge 0197 --out challenger --seconds 10

The bound holds whatever the search does; --steps 0 computes it alone. The same run, weights, and
steps give the same answer on any machine. Ctrl-C or --seconds ends the search early and keeps the
best allocation so far. The store records each challenge in a stream of its own, which `powerfill
replay` checks; --no-record leaves that out.")]
pub(crate) struct ChallengeArgs {
    /// A run id, the beginning of one, or `latest`
    pub(crate) run: String,
    /// Steps of the search for a better allocation; 0 for the bound alone
    #[arg(long, default_value_t = DEFAULT_STEPS)]
    pub(crate) steps: u64,
    /// End the search after this many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
    /// Write duals.csv, allocation.csv, and the tables of the better allocation to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) weights: WeightArgs,
    /// Do not record the challenge in the store
    #[arg(long)]
    pub(crate) no_record: bool,
    /// The same as --format json
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  powerfill adopt challenge-01970000-0000-7000-8000-000000000001-1 --note agreed

The run has the input and the options of the challenged run, and the challenger's placements instead
of those of the passes. `powerfill challenge` prints the name of a challenge. The tenant must allow
it: allow_adoption = true in powerfill.toml.")]
pub(crate) struct AdoptArgs {
    /// The challenge, challenge-<run_id>-<number>
    pub(crate) challenge: ChallengeId,
    /// Why it is adopted: a note of the new run
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Who adopts it [default: the user of this machine]
    #[arg(long, env = "POWERFILL_REQUESTED_BY", value_name = "NAME", value_parser = visible_name)]
    pub(crate) requested_by: Option<String>,
    #[command(flatten)]
    pub(crate) large_tables: LargeTablesArgs,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

/// What a placement is worth beside its score.
#[derive(Debug, Clone, Args)]
pub(crate) struct WeightArgs {
    /// Points that a placement is worth beside its score
    #[arg(long, value_name = "POINTS", default_value = "2", value_parser = weight::<Price>)]
    placement: Price,
    /// Points that a loan is worth more in the trade of its present pool
    #[arg(long, value_name = "POINTS", default_value = "0.125", value_parser = weight::<Price>)]
    stay: Price,
    /// Dollars that each placed loan is worth beside that
    #[arg(long, value_name = "DOLLARS", default_value = "1000", value_parser = weight::<Money>)]
    per_loan: Money,
}

impl WeightArgs {
    pub(crate) fn weights(&self) -> ChallengeWeights {
        let Self { placement, stay, per_loan } = *self;
        ChallengeWeights { placement, stay, per_loan }
    }
}

fn weight<T: std::str::FromStr<Err: std::fmt::Display> + Default + PartialOrd>(
    text: &str,
) -> Result<T, String> {
    let number: T = text.parse().map_err(|error: T::Err| error.to_string())?;
    if number < T::default() { Err("must not be negative".to_owned()) } else { Ok(number) }
}
