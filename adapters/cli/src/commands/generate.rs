//! `generate`: writes a realistic snapshot.

use powerfill_generator::generate;

use crate::args::GenerateArgs;
use crate::error::{CliError, CliResult};
use crate::out_place;
use crate::output::print_text;
use crate::summary::count;

pub(crate) fn run(args: &GenerateArgs) -> CliResult<()> {
    out_place::ensure_folder(&args.out)?;
    let mut sizes = args.scale.sizes();
    if let Some(trades) = args.trades {
        sizes = sizes.with_trades(trades);
    }
    sizes.loans = args.loans.unwrap_or(sizes.loans);
    sizes.pools = args.pools.unwrap_or(sizes.pools);
    sizes.instruments = args.instruments.unwrap_or(sizes.instruments);
    sizes.constraints = args.constraints.unwrap_or(sizes.constraints);
    let written = generate(&sizes, args.seed, &args.out).map_err(CliError::environment)?;
    let rows = |table: &str| count(written.rows(table).unwrap_or_default());
    print_text(format!(
        "{} loans, {} trades, {} pools, {} bytes in {}\n",
        rows("loan"),
        rows("pscat_trades"),
        rows("pscat_pools"),
        count(written.bytes()),
        written.folder.display()
    ))
}
