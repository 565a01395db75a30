//! Arguments of `explain`.

use clap::Args;

use super::StorePrintArgs;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  powerfill explain latest --loan L000123
  powerfill explain latest --loan L000123 --trade T0042
  powerfill explain latest --loan L000123 --what-if
  powerfill explain latest --trade T0042 --all

The answer comes first, in one sentence; then, on one screen, what it rests on. --all prints
everything, and json has everything. A loan with a trade is asked: why is it there, or why not?
Exit status 1 if the run does not have the loan or the trade.")]
pub(crate) struct ExplainArgs {
    /// A run id, the beginning of one, or `latest`
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// Find changes that would have allocated a kicked-out loan, by running the passes again
    #[arg(long, conflicts_with = "trade")]
    pub(crate) what_if: bool,
    /// Print everything, and not only one screen
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) common: StorePrintArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct SubjectArgs {
    /// The loan
    #[arg(long, value_name = "LOAN_ID")]
    pub(crate) loan: Option<String>,
    /// The trade; with a loan, why the loan is, or is not, in the trade
    #[arg(long, value_name = "TRADE_ID")]
    pub(crate) trade: Option<String>,
}
