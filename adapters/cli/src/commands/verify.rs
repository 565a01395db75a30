//! `verify`: checks hash chain, seals, captured snapshots, and output tables against the events
//! (specification 3.4).

use powerfill_app::verify::{VerifyReport, verify};
use powerfill_evidence::Expectation;
use powerfill_ports::events::Damage;
use serde_json::json;

use super::{evidence, find_run};
use crate::args::VerifyArgs;
use crate::error::CliError;
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;
use crate::urls::StoreUrl;

pub(crate) async fn run(args: VerifyArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let store = TenantStore::resolve(&args.common.store, settings)?;
    if let StoreUrl::Evidence(file) = store.url() {
        return evidence::verify_file(file, Expectation::default(), args.common.print.format).await;
    }
    let store = store.open_existing().await?;
    let only = match &args.run {
        Some(run) => Some(find_run(store.as_ref(), run).await?),
        None => None,
    };
    let verdict = verify(store.as_ref(), only).await?;
    let damage = damage_of(&verdict);
    let answer = if damage.is_none() { "whole" } else { "damaged" };
    match args.common.print.format {
        Format::Text => print_text(text(&verdict, damage.as_deref()))?,
        Format::Json => print_json(&json!({
            "answer": answer,
            "found": damage,
            "streams": verdict.log.streams,
            "events": verdict.log.events,
            "appends": verdict.log.appends,
            "snapshots": verdict.log.snapshots,
            "published_run": verdict.published,
            "rows": verdict.rows,
            "index_entries": verdict.index_entries,
        }))?,
        Format::Csv => {
            print_csv(&["answer", "found"], [[answer, damage.as_deref().unwrap_or_default()]])?;
        }
    }
    if verdict.is_clean() { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

/// The first damage or difference, in words.
pub(super) fn damage_of(verdict: &VerifyReport) -> Option<String> {
    verdict.damage().map(damage_text).or_else(|| verdict.difference.clone())
}

/// Damage of the log and its location, in words.
pub(super) fn damage_text(damage: &Damage) -> String {
    let stream = damage.stream.iter().map(|stream| format!("stream {stream}"));
    let version = damage.stream_version.iter().map(|version| format!("event {version}"));
    let seq = damage.seq.iter().map(|seq| format!("append {seq}"));
    let location: Vec<String> = stream.chain(version).chain(seq).collect();
    match location.is_empty() {
        true => damage.what.clone(),
        false => format!("{}: {}", location.join(", "), damage.what),
    }
}

fn text(verdict: &VerifyReport, damage: Option<&str>) -> String {
    if let Some(damage) = damage {
        return format!("DAMAGED: {damage}\n");
    }
    let log = &verdict.log;
    let tables = match verdict.published {
        Some(run) => format!("{} rows of run {run} and the history", count(verdict.rows)),
        None => format!("{} rows of the history; no other run is shown", count(verdict.rows)),
    };
    format!(
        "log: {} streams, {} events, {} appends, {} snapshots\ntables: {tables}\n\
         index: {} entries of the events by loan and trade\neverything matches\n",
        count(log.streams),
        count(log.events),
        count(log.appends),
        count(log.snapshots),
        count(verdict.index_entries)
    )
}
