//! `show`: prints the summary of a run, from its events.

use std::io;

use powerfill_app::as_of::{RunAtEvent, run_at_event};
use powerfill_app::certificate::certificate_with_prices;
use powerfill_app::{for_each_event, read_run};
use powerfill_events::annotation::Annotations;
use powerfill_events::challenge::{RunCertificate, ShadowPriceFound};
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_ports::run_list::read_annotations;
use powerfill_tables::status::RunStatus;
use powerfill_tables::summary::{RunSummary, TradeFill};
use powerfill_tables::table::RowBatch;
use powerfill_tables::tables::{Projector, value_summary};
use serde::Serialize;
use serde_json::json;

use super::annotate::notes_text;
use super::challenge::{list_prices, within};
use super::open_run;
use crate::args::ShowArgs;
use crate::error::CliResult;
use crate::format::Format;
use crate::output::{json_rows, print_csv, print_json, print_text, print_wrapped};
use crate::settings::ProgramSettings;
use crate::{summary, value};

pub(crate) async fn run(args: ShowArgs, settings: &ProgramSettings) -> CliResult<()> {
    let (store, run) = open_run(&args.run.common.store, &args.run.run, settings).await?;
    let format = args.run.common.print.format;
    if let Some(at) = args.at.at {
        let events = store.stream_version(&run.stream()).await?;
        let as_of = run_at_event(store.as_ref(), run, at).await?;
        return print_as_of(store.as_ref(), &as_of, events, format).await;
    }
    let (summary, value) = summarize(store.as_ref(), run).await?;
    match format {
        Format::Text => {
            let annotations = annotations_text(&read_annotations(store.as_ref(), run).await?);
            let text = summary::text(&summary) + &value::text(&value) + &annotations;
            let certificate = certificate(store.as_ref(), run).await?;
            let text = text + &certificate.map_or_else(String::new, |own| certificate_text(&own));
            print_wrapped(&text)?;
        }
        Format::Json => {
            let mut json = with_value(&summary, &value)?;
            let certificate = certificate(store.as_ref(), run).await?;
            json["certificate"] = serde_json::to_value(certificate).map_err(io::Error::from)?;
            json["name"] = read_annotations(store.as_ref(), run).await?.name.into();
            print_json(&json)?;
        }
        Format::Csv => {
            let rows = summary.counts.iter().map(|(name, n)| [name.clone(), n.to_string()]);
            print_csv(&["table", "rows"], rows)?;
        }
    }
    Ok(())
}

/// How far a run is from the best possible, and what binds it.
#[derive(Serialize)]
struct CertificateWithPrices {
    #[serde(flatten)]
    certificate: RunCertificate,
    prices: Vec<ShadowPriceFound>,
}

/// What the store has recorded about a run; `None` if nothing.
async fn certificate(store: &dyn Store, run: RunId) -> CliResult<Option<CertificateWithPrices>> {
    let found = certificate_with_prices(store, run).await?;
    Ok(found.map(|(certificate, prices)| CertificateWithPrices { certificate, prices }))
}

fn certificate_text(of: &CertificateWithPrices) -> String {
    let mut text = within(&of.certificate);
    list_prices(&of.prices.iter().collect::<Vec<_>>(), "--format json has all", &mut text);
    text
}

/// The name and the notes of a run; nothing if it has none.
fn annotations_text(annotations: &Annotations) -> String {
    let Annotations { name, notes, .. } = annotations;
    let name = name.as_ref().map_or_else(String::new, |name| format!("\nName: {name}\n"));
    let title = if notes.is_empty() { "" } else { "\nNotes\n" };
    format!("{name}{title}{}", notes_text(notes))
}

/// Prints a run as of an event; as CSV, the fills of its trades.
pub(super) async fn print_as_of(
    store: &dyn Store,
    as_of: &RunAtEvent,
    events: u64,
    format: Format,
) -> CliResult<()> {
    match format {
        Format::Text => print_text(summary::text_as_of(&as_of.summary, &as_of.event.event, events)),
        Format::Json => {
            let stored = as_of.stored(store).await?;
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
            let rows = as_of.summary.fills.iter().map(fill_row);
            let header = [
                "trade_id",
                "fill_status",
                "loan_count",
                "filled_amount",
                "open_amount",
                "min_amount",
                "max_amount",
            ];
            print_csv(&header, rows)
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

/// Folds the events of a run into its summary, and what it is worth: no rows if it is not Complete.
async fn summarize(store: &dyn Store, run: RunId) -> CliResult<(RunSummary, RowBatch)> {
    let (mut summary, mut value) = (RunSummary::new(run), value_summary::projector());
    for_each_event(run, read_run(store, run), |recorded| {
        summary.apply(recorded);
        value.apply(recorded);
    })
    .await?;
    let mut rows = RowBatch::new(&value_summary::TABLE);
    if summary.status == RunStatus::Complete {
        value.rows(&mut rows);
    }
    Ok((summary, rows))
}

/// The summary as JSON, with the rows of its value under `value`.
fn with_value(summary: &RunSummary, value: &RowBatch) -> CliResult<serde_json::Value> {
    let mut json = serde_json::to_value(summary).map_err(io::Error::from)?;
    json["value"] = json_rows(value).into();
    Ok(json)
}
