//! `rebuild`: makes the output tables of a run again from its events.

use powerfill_app::rebuild::rebuild;

use super::find_readable_run;
use crate::args::RebuildArgs;
use crate::error::{CliError, CliResult};
use crate::output::print_text;
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;

pub(crate) async fn run(args: RebuildArgs, settings: &ProgramSettings) -> CliResult<()> {
    let (common, large_tables) = (&args.run.common, args.large_tables.value());
    let tenant_store =
        TenantStore::resolve(&common.store, settings)?.with_large_tables(large_tables);
    let store = tenant_store.open_existing().await?;
    let run = find_readable_run(store.as_ref(), &args.run.run).await?;
    let rebuilt = rebuild(store.as_ref(), run, tenant_store.large_tables()).await?;
    let rows: u64 = rebuilt.rebuilt.counts.values().sum();
    print_text(format!("run {run}: {} events, {} rows\n", count(rebuilt.events), count(rows)))?;
    match &rebuilt.recorded {
        None => print_text("the run is not Complete: the output tables stay unchanged\n")?,
        Some(_) if rebuilt.agrees() => {
            print_text(format!(
                "the output tables show the run; digest {}\n",
                rebuilt.rebuilt.output_digest
            ))?;
        }
        Some(recorded) => {
            eprintln!(
                "the rebuilt tables have digest {}, the run recorded {}",
                rebuilt.rebuilt.output_digest, recorded.output_digest
            );
            return Err(CliError::NegativeAnswer);
        }
    }
    Ok(())
}
