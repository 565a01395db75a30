//! `rebuild`: makes the output tables of a run again from its events.

use powerfill_app::rebuild::rebuild;

use super::open_run;
use crate::args::RunRefArgs;
use crate::error::CliError;
use crate::output::print_text;
use crate::settings::ProgramSettings;
use crate::summary::count;

pub(crate) async fn run(args: RunRefArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let (store, run) = open_run(&args.common.store, &args.run, settings).await?;
    let rebuilt = rebuild(store.as_ref(), run).await?;
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
