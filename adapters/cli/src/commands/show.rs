//! `show`: the summary of a run, from its events.

use futures::TryStreamExt;
use futures::stream::BoxStream;
use powerfill_app::as_of::{AsOf, as_of};
use powerfill_app::{Read, RunnerError, read_run, recorded};
use powerfill_events::run::{RecordedEvent, RunId};
use powerfill_ports::Store;
use powerfill_tables::summary::{RunSummary, TradeFill};
use serde_json::json;

use super::find_run;
use crate::args::ShowArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_csv, print_json, say};
use crate::settings::Settings;
use crate::summary;
use crate::tenancy::Place;

pub(crate) async fn run(args: ShowArgs, settings: &Settings) -> Result<(), Failure> {
    let store = Place::resolve(&args.run.store.place, settings)?.open_existing().await?;
    let run = find_run(store.as_ref(), &args.run.run).await?;
    let format = args.run.store.print.format;
    if let Some(at) = args.at.at {
        let events = store.stream_version(&run.stream()).await?;
        return print_as_of(&as_of(store.as_ref(), run, at).await?, events, format);
    }
    let summary = summarise(store.as_ref(), run).await?;
    match format {
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

/// Prints a run as it stood after an event; as CSV, how full its trades were.
pub(super) fn print_as_of(as_of: &AsOf, events: u64, format: Format) -> Result<(), Failure> {
    let (stored, event) = &as_of.event;
    match format {
        Format::Text => say(summary::text_as_of(&as_of.summary, event, events)),
        Format::Json => {
            let payload: serde_json::Value =
                serde_json::from_slice(&stored.payload).unwrap_or_default();
            print_json(&json!({
                "run_events": events,
                "event": {
                    "stream_version": stored.stream_version,
                    "event_type": stored.event_type,
                    "recorded_at": stored.recorded_at,
                    "payload": payload,
                },
                "state": as_of.summary,
            }))
        }
        Format::Csv => {
            let rows: Vec<[String; 7]> = as_of.summary.fills.iter().map(fill_row).collect();
            let header = [
                "trade_id",
                "fill_status",
                "loan_count",
                "filled_amount",
                "open_amount",
                "min_amount",
                "max_amount",
            ];
            print_csv(&header, rows.iter().map(|row| row.iter().map(String::as_str)))
        }
    }
}

fn fill_row(fill: &TradeFill) -> [String; 7] {
    [
        fill.trade_id.to_string(),
        fill.fill_status.as_str().to_owned(),
        fill.loan_count.to_string(),
        fill.filled_amount.to_string(),
        fill.open_amount.to_string(),
        fill.min_amount.to_string(),
        fill.max_amount.to_string(),
    ]
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
    each: impl FnMut(&RecordedEvent<'_>),
) -> Result<(), Failure> {
    hand_over(run, read_run(store, run), each).await
}

/// Hands over what is read of a run, in order.
pub(crate) async fn hand_over(
    run: RunId,
    mut batches: BoxStream<'_, Result<Vec<Read>, RunnerError>>,
    mut each: impl FnMut(&RecordedEvent<'_>),
) -> Result<(), Failure> {
    let mut told = false;
    while let Some(batch) = batches.try_next().await? {
        told = true;
        batch.iter().for_each(|read| each(&recorded(run, read)));
    }
    if told {
        return Ok(());
    }
    let message = format!("run {run} has no events: whoever asked for it broke off; ask again");
    Err(Failure::Environment(message))
}
