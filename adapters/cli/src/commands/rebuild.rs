//! `rebuild`: the output tables of a run, made anew from its events.

use powerfill_app::rebuild::rebuild;

use super::find_run;
use crate::args::RunRefArgs;
use crate::failure::Failure;
use crate::output::say;
use crate::settings::Settings;
use crate::summary::count;
use crate::tenancy::Place;

pub(crate) async fn run(args: RunRefArgs, settings: &Settings) -> Result<(), Failure> {
    let store = Place::resolve(&args.store.place, settings)?.open_existing().await?;
    let run = find_run(store.as_ref(), &args.run).await?;
    let rebuilt = rebuild(store.as_ref(), run).await?;
    let rows: u64 = rebuilt.rebuilt.counts.values().sum();
    say(format!("run {run}: {} events, {} rows\n", count(rebuilt.events), count(rows)))?;
    match &rebuilt.recorded {
        None => say("the run is not Complete: what is shown stays as it was\n")?,
        Some(_) if rebuilt.agrees() => {
            say(format!("the tables are shown; digest {}\n", rebuilt.rebuilt.output_digest))?;
        }
        Some(recorded) => {
            eprintln!(
                "the rebuilt tables have digest {}, the run recorded {}",
                rebuilt.rebuilt.output_digest, recorded.output_digest
            );
            return Err(Failure::Answered);
        }
    }
    Ok(())
}
