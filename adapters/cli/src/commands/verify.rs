//! `verify`: hash chain, seals, captured snapshots, and the output tables against the events (specification 3.4).

use powerfill_runner::verify::{Verdict, verify};
use serde_json::json;

use crate::args::StoreArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_csv, print_json};
use crate::places::StoreUrl;
use crate::settings::Settings;
use crate::summary::count;

pub(crate) async fn run(args: &StoreArgs, settings: &Settings) -> Result<(), Failure> {
    let store = StoreUrl::resolve(args.store.as_ref(), settings)?.open_existing()?;
    let verdict = verify(store.as_ref()).await?;
    let found = found(&verdict);
    let answer = if found.is_none() { "whole" } else { "damaged" };
    match args.print.format {
        Format::Text => text(&verdict, found.as_deref()),
        Format::Json => print_json(&json!({
            "answer": answer,
            "found": found,
            "streams": verdict.log.streams,
            "events": verdict.log.events,
            "appends": verdict.log.appends,
            "snapshots": verdict.log.snapshots,
            "published_run": verdict.published,
            "rows": verdict.rows,
            "index_entries": verdict.index_entries,
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

fn text(verdict: &Verdict, found: Option<&str>) {
    let log = &verdict.log;
    println!(
        "log: {} streams, {} events, {} appends, {} snapshots",
        count(log.streams),
        count(log.events),
        count(log.appends),
        count(log.snapshots)
    );
    match verdict.published {
        Some(run) => {
            println!("tables: {} rows of run {run} and the history", count(verdict.rows));
        }
        None => println!("tables: no run is published"),
    }
    println!("index: {} entries of the events by loan and trade", count(verdict.index_entries));
    match found {
        None => println!("everything matches"),
        Some(found) => println!("DAMAGED: {found}"),
    }
}
