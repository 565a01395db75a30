//! `show`: the summary of a run, from its events.

use futures::TryStreamExt;
use futures::stream::BoxStream;
use powerfill_domain::run::{Recorded, RunEvent, RunId};
use powerfill_ports::Store;
use powerfill_ports::events::StoredEvent;
use powerfill_projections::summary::RunSummary;
use powerfill_runner::{RunnerError, read_run};

use super::find_run;
use crate::args::RunRefArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_csv, print_json, say};
use crate::places::StoreUrl;
use crate::settings::Settings;
use crate::summary;

pub(crate) async fn run(args: &RunRefArgs, settings: &Settings) -> Result<(), Failure> {
    let store = StoreUrl::resolve(args.store.store.as_ref(), settings)?.open_existing()?;
    let run = find_run(store.as_ref(), &args.run).await?;
    let summary = summarise(store.as_ref(), run).await?;
    match args.store.print.format {
        Format::Text => say(summary::text(&summary))?,
        Format::Json => print_json(&summary)?,
        Format::Csv => {
            let counts: Vec<[String; 2]> =
                summary.counts.iter().map(|(name, n)| [name.clone(), n.to_string()]).collect();
            let rows = counts.iter().map(|row| row.iter().map(String::as_str));
            print_csv(&["table", "rows"], rows)?;
        }
    }
    Ok(())
}

/// Folds the events of a run into its summary.
pub(crate) async fn summarise(store: &dyn Store, run: RunId) -> Result<RunSummary, Failure> {
    let mut summary = RunSummary::new(run);
    fold(store, run, |recorded| summary.apply(recorded)).await?;
    Ok(summary)
}

/// Hands every event of a run over, in order. A run without events has nothing to tell.
pub(crate) async fn fold(
    store: &dyn Store,
    run: RunId,
    each: impl FnMut(&Recorded<'_>),
) -> Result<(), Failure> {
    hand_over(run, read_run(store, run), each).await
}

/// Hands over what is read of a run, in order.
pub(crate) async fn hand_over(
    run: RunId,
    mut batches: BoxStream<'_, Result<Vec<(StoredEvent, RunEvent)>, RunnerError>>,
    mut each: impl FnMut(&Recorded<'_>),
) -> Result<(), Failure> {
    let mut told = false;
    while let Some(batch) = batches.try_next().await? {
        told = true;
        for (stored, event) in &batch {
            each(&Recorded {
                run_id: run,
                stream_version: stored.stream_version,
                recorded_at: stored.recorded_at,
                actor: &stored.actor,
                event,
            });
        }
    }
    if told {
        return Ok(());
    }
    let message = format!("run {run} has no events: whoever asked for it broke off; ask again");
    Err(Failure::Environment(message))
}
