//! `verify`: checks hash chain, seals, captured snapshots, and output tables against the events
//! (specification 3.4).

use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use powerfill_app::verify::{
    VerifyProgress, VerifyReport, Workers, verify, verify_in_parallel, verify_incrementally,
    verify_since,
};
use powerfill_events::log::LogHead;
use powerfill_events::values::TenantId;
use powerfill_evidence::Expectation;
use powerfill_ports::Store;
use powerfill_ports::events::Damage;
use serde_json::json;

use super::{evidence, find_run, seal};
use crate::args::VerifyArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::progress::progress_bar;
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;
use crate::urls::StoreUrl;

/// How often the elapsed time is shown.
const TICK: Duration = Duration::from_millis(200);

pub(crate) async fn run(args: VerifyArgs, settings: &ProgramSettings) -> CliResult<()> {
    let stores = TenantStore::resolve_all(args.all_tenants, &args.common.store, settings)?;
    let format = args.common.print.format;
    if let [store] = &stores[..]
        && let StoreUrl::Evidence(file) = store.url()
    {
        return evidence::verify_file(file, Expectation::default(), format).await;
    }
    let mut verified = Vec::new();
    for store in &stores {
        let tenant = store.tenant_id().filter(|_| args.all_tenants).cloned();
        let (since, report) = verify_store(store, &args).await?;
        verified.push(VerifiedStore { tenant, since, report });
    }
    print(&verified, format)?;
    let is_clean = verified.iter().all(|verified| verified.report.is_clean());
    if is_clean { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

/// A store that was verified.
struct VerifiedStore {
    /// Its tenant, if all tenants are verified.
    tenant: Option<TenantId>,
    /// Where the verification began, if not at the beginning.
    since: Option<LogHead>,
    report: VerifyReport,
}

async fn verify_store(
    store: &TenantStore,
    args: &VerifyArgs,
) -> CliResult<(Option<LogHead>, VerifyReport)> {
    let store = store.open_for_reading().await?;
    let bar = progress_bar();
    bar.set_message("runs; hashes and seals");
    bar.enable_steady_tick(TICK);
    let observer = |progress| show_progress(&bar, progress);
    let verified = match (&args.run, &args.since) {
        (Some(run), _) => {
            let run = find_run(store.as_ref(), run).await?;
            (None, verify(store.as_ref(), Some(run)).await?)
        }
        (None, Some(seal)) => {
            let sealed = seal::read_head(seal, store.as_ref()).await?;
            (Some(sealed), verify_since(&store, sealed, Workers::AllCores, &observer).await?)
        }
        (None, None) if args.incremental => {
            let incremental = verify_incrementally(&store, &observer).await?;
            if let Some(error) = incremental.not_recorded {
                bar.suspend(|| eprintln!("note: the next --incremental begins there too: {error}"));
            }
            (incremental.since, incremental.report)
        }
        (None, None) => {
            let store: Arc<dyn Store> = store;
            (None, verify_in_parallel(&store, &observer).await?)
        }
    };
    bar.finish_and_clear();
    Ok(verified)
}

fn print(stores: &[VerifiedStore], format: Format) -> CliResult<()> {
    match format {
        Format::Text => stores.iter().try_for_each(|store| {
            let heading = store.tenant.iter().map(|tenant| format!("{tenant}:\n"));
            print_text(heading.collect::<String>() + &text(store.since, &store.report))
        }),
        Format::Json => match stores {
            [store] if store.tenant.is_none() => print_json(&json_object(store)),
            stores => print_json(&stores.iter().map(json_object).collect::<Vec<_>>()),
        },
        Format::Csv => {
            let rows = stores.iter().map(|VerifiedStore { tenant, report, .. }| {
                let tenant = tenant.iter().map(ToString::to_string);
                let found = damage_of(report).unwrap_or_default();
                tenant.chain([answer(report).to_owned(), found]).collect::<Vec<_>>()
            });
            let has_tenants = stores.iter().any(|store| store.tenant.is_some());
            let header = ["tenant", "answer", "found"];
            print_csv(&header[usize::from(!has_tenants)..], rows)
        }
    }
}

const fn answer(report: &VerifyReport) -> &'static str {
    if report.is_clean() { "whole" } else { "damaged" }
}

fn json_object(VerifiedStore { tenant, since, report }: &VerifiedStore) -> serde_json::Value {
    let mut object = json!({
        "answer": answer(report),
        "found": damage_of(report),
        "since": since.map(|since| json!({ "seq": since.seq, "position": since.position })),
        "streams": report.log.streams,
        "events": report.log.events,
        "appends": report.log.appends,
        "snapshots": report.log.snapshots,
        "archived_runs": report.log.archived.len(),
        "published_run": report.published,
        "rows": report.rows,
        "index_entries": report.index_entries,
    });
    if let Some(tenant) = tenant {
        object["tenant"] = tenant.as_str().into();
    }
    object
}

fn show_progress(bar: &ProgressBar, progress: VerifyProgress) {
    match progress {
        VerifyProgress::LogVerified => bar.set_message("runs"),
        VerifyProgress::Runs { done, of } => {
            bar.set_length(of);
            bar.set_position(done);
        }
    }
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

fn text(since: Option<LogHead>, verdict: &VerifyReport) -> String {
    if let Some(damage) = damage_of(verdict) {
        return format!("DAMAGED: {damage}\n");
    }
    let log = &verdict.log;
    let tables = match verdict.published {
        Some(run) => format!("{} rows of run {run} and the history", count(verdict.rows)),
        None => format!("{} rows of the history; no other run is shown", count(verdict.rows)),
    };
    let (streams, events) = (count(log.streams), count(log.events));
    let appends = count(log.appends);
    let entries = count(verdict.index_entries);
    let (log, all) = match since {
        None => {
            let snapshots = count(log.snapshots);
            (
                format!(
                    "{streams} streams, {events} events, {appends} appends, {snapshots} snapshots"
                ),
                "everything matches",
            )
        }
        Some(since) => (
            format!(
                "as sealed up to append {}; since then {events} events in {appends} appends of \
                 {streams} streams",
                count(since.seq)
            ),
            "everything since then matches",
        ),
    };
    let archived = match verdict.log.archived.len() {
        0 => String::new(),
        runs => format!("archived: {} runs, whose hashes and seals match\n", count(runs as u64)),
    };
    format!(
        "log: {log}\n{archived}tables: {tables}\nindex: {entries} entries of the events by loan and trade\n\
         {all}\n"
    )
}
