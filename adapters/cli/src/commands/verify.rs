//! `verify`: hash chain, seals, captured snapshots, and the output tables against the events (specification 3.4).

use powerfill_runner::verify::{Verdict, verify};
use serde_json::json;

use crate::args::StoreArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_csv, print_json, say};
use crate::places::StoreUrl;
use crate::settings::Settings;
use crate::summary::count;

pub(crate) async fn run(args: &StoreArgs, settings: &Settings) -> Result<(), Failure> {
    let store = StoreUrl::resolve(args.store.as_ref(), settings)?.open_existing()?;
    let verdict = verify(store.as_ref()).await?;
    let found = found(&verdict);
    let answer = if found.is_none() { "whole" } else { "damaged" };
    match args.print.format {
        Format::Text => say(text(&verdict, found.as_deref()))?,
        Format::Json => print_json(&json!({
            "answer": answer,
            "found": found,
            "streams": verdict.log.streams,
            "events": verdict.log.events,
            "appends": verdict.log.appends,
            "snapshots": verdict.log.snapshots,
            "published_run": verdict.published,
            "rows": verdict.rows,
        }))?,
        Format::Csv => {
            print_csv(&["answer", "found"], [[answer, found.as_deref().unwrap_or_default()]])?;
        }
    }
    if verdict.is_clean() { Ok(()) } else { Err(Failure::Answered) }
}

/// The first thing that is wrong, in words.
fn found(verdict: &Verdict) -> Option<String> {
    let damage = verdict.damage().map(|damage| {
        let stream = damage.stream.iter().map(|stream| format!("stream {stream}"));
        let version = damage.stream_version.iter().map(|version| format!("event {version}"));
        let seq = damage.seq.iter().map(|seq| format!("append {seq}"));
        let place: Vec<String> = stream.chain(version).chain(seq).collect();
        format!("{}: {}", place.join(", "), damage.what)
    });
    damage.or_else(|| verdict.difference.clone())
}

fn text(verdict: &Verdict, found: Option<&str>) -> String {
    let log = &verdict.log;
    let log = format!(
        "log: {} streams, {} events, {} appends, {} snapshots",
        count(log.streams),
        count(log.events),
        count(log.appends),
        count(log.snapshots)
    );
    let tables = match verdict.published {
        Some(run) => format!("tables: {} rows of run {run} and the history", count(verdict.rows)),
        None => "tables: no run is published".to_owned(),
    };
    let answer = match found {
        None => "everything matches".to_owned(),
        Some(found) => format!("DAMAGED: {found}"),
    };
    format!("{log}\n{tables}\n{answer}\n")
}
