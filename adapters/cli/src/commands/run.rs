//! `run`: a run in the foreground.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use powerfill_app::publish::publish;
use powerfill_app::{AppError, NoObserver, RunRequest, Runner, SystemClock};
use powerfill_events::run::RunId;
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::{RunOptions, Validated};
use powerfill_sqlserver::SqlServerTarget;
use powerfill_tables::status::RunStatus;
use powerfill_tables::summary::RunSummary;
use powerfill_tables::table::TableSpec;
use powerfill_tables::tables::ALL;
use serde_json::json;
use uuid::Uuid;

use super::options;
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::out_folder::{OutFolder, is_kept};
use crate::output::{print_csv, print_json, say};
use crate::progress::{Foreground, Interrupt};
use crate::settings::Settings;
use crate::tenancy::{Input, Place};
use crate::{summary, workbook};

/// How long a claim holds without being renewed.
const LEASE: Duration = Duration::from_secs(30);

/// A worker on a store.
pub(super) fn runner(store: Arc<dyn Store>, name: String) -> Runner {
    Runner::new(store, Arc::new(SystemClock), name, LEASE)
}

/// What this process is called as a worker, unless it was given a name.
pub(super) fn process_name() -> String {
    format!("powerfill-{}", std::process::id())
}

pub(crate) async fn run(args: RunArgs, settings: &Settings) -> Result<(), Failure> {
    let format = args.store.format.printed();
    let (folder, file) = match (format, &args.out) {
        (Some(_), folder) => (folder.as_deref(), None),
        (None, Some(file)) => (None, Some(file.as_path())),
        (None, None) => {
            let message = "--format xlsx needs the file of the workbook: --out FILE";
            return Err(Failure::Environment(message.to_owned()));
        }
    };
    let place = Place::resolve(&args.store.place, settings)?;
    let input = Input::resolve(args.source.as_ref(), &args.store.place.tenant, settings)?
        .for_store(&place, settings)?;
    let options = options::resolve(&args.options, input.options())?;
    let target =
        args.publish.map(|url| url.readable("--publish").map(SqlServerTarget::new)).transpose()?;
    let input = input.snapshot()?;
    file.map_or(Ok(()), workbook::prepare)?;
    let store = place.open().await?;
    let requested_by = settings.requested_by(args.requested_by.as_deref());
    if args.no_wait {
        let run_id = queue(store, &input, &options, &requested_by).await?;
        return say_queued(run_id, format.unwrap_or(Format::Text));
    }
    let summary = in_foreground(Arc::clone(&store), input, &options, &requested_by, folder).await?;
    if let Some(file) = file {
        let (run, keep) = (summary.run_id, |table: &TableSpec| is_kept(table, &summary));
        let written = workbook::write(store.as_ref(), run, u64::MAX, ALL, Some(file), keep).await;
        let again = format!("powerfill tables {run} --format xlsx --out FILE");
        written.map_err(|failure| though_recorded(failure, "--out", &again))?;
    }
    if let Some(target) = target.filter(|_| summary.status == RunStatus::Complete) {
        let run = summary.run_id;
        let published = publish(store.as_ref(), run, &target).await.map_err(Failure::from);
        let again = format!("powerfill publish {run} --to URL");
        published.map_err(|failure| though_recorded(failure, "--publish", &again))?;
    }
    match format.unwrap_or(Format::Text) {
        Format::Text => say(summary::text(&summary))?,
        Format::Json => print_json(&as_json(&summary)?)?,
        Format::Csv => {
            let run = summary.run_id.to_string();
            print_csv(&["run_id", "status"], [[run.as_str(), summary.status.name()]])?;
        }
    }
    if summary.status == RunStatus::Complete { Ok(()) } else { Err(Failure::Answered) }
}

/// What a flag failed with after the run was recorded, and how to do that alone again.
fn though_recorded(failure: Failure, flag: &str, again: &str) -> Failure {
    match failure {
        Failure::Environment(message) => Failure::Environment(format!(
            "the run is recorded, but {flag} failed: {message}; once more with `{again}`"
        )),
        other => other,
    }
}

/// Asks for a run that somebody else carries through.
async fn queue(
    store: Arc<dyn Store>,
    input: &Validated,
    options: &RunOptions,
    requested_by: &str,
) -> Result<RunId, Failure> {
    let runner = runner(store, process_name());
    let run_id = RunId(Uuid::now_v7());
    let Validated { snapshot, source_warnings, .. } = input;
    runner
        .request(&RunRequest { run_id, snapshot, options, requested_by, source_warnings })
        .await?;
    Ok(run_id)
}

fn say_queued(run_id: RunId, format: Format) -> Result<(), Failure> {
    let (run, status) = (run_id.to_string(), RunStatus::Pending.name());
    match format {
        Format::Text => say(format!("{run}\n")),
        Format::Json => print_json(&json!({ "run_id": run, "status": status })),
        Format::Csv => print_csv(&["run_id", "status"], [[run.as_str(), status]]),
    }
}

/// Asks for a run and carries it through, in this process.
pub(crate) async fn in_foreground(
    store: Arc<dyn Store>,
    input: Validated,
    options: &RunOptions,
    requested_by: &str,
    out: Option<&Path>,
) -> Result<RunSummary, Failure> {
    let runner = runner(store, process_name());
    let run_id = RunId(Uuid::now_v7());
    let out = out.map(|folder| {
        let unwritable =
            |error| Failure::Environment(format!("cannot write to {}: {error}", folder.display()));
        OutFolder::new(run_id, folder).map(Arc::new).map_err(unwritable)
    });
    let out = out.transpose()?;
    let (snapshot, source_warnings) = (Arc::new(input.snapshot), input.source_warnings);
    let source_warnings = source_warnings.as_slice();
    let ask = RunRequest { run_id, snapshot: &snapshot, options, requested_by, source_warnings };
    let interrupt = Interrupt::listen(requested_by).await;
    let asked = ask_when_free(&runner, &ask, &interrupt).await;
    let watch = Arc::new(Foreground::new(run_id, out.clone()));
    let worked = match asked {
        Ok(digest) => {
            let in_memory = Some((digest.as_str(), snapshot));
            runner.work(in_memory, interrupt.control(), watch.clone()).await.map_err(Failure::from)
        }
        Err(failure) => Err(failure),
    };
    watch.finish();
    let summary = watch.summary();
    drop(watch);
    let out = out.and_then(Arc::into_inner);
    match worked {
        Ok(Some(_)) => {
            if let Some(out) = out {
                out.finish(&summary).map_err(|error| {
                    Failure::Environment(format!("the run is recorded, but --out failed: {error}"))
                })?;
            }
            Ok(summary)
        }
        Ok(None) => {
            if let Some(out) = out {
                out.discard();
            }
            let message =
                format!("another worker took run {run_id}: see `powerfill show {run_id}`");
            Err(Failure::Environment(message))
        }
        Err(failure) => {
            if let Some(out) = out {
                out.discard();
            }
            Err(failure)
        }
    }
}

/// Asks for the run; where an abandoned one is in the way (its process was killed), carries that
/// through first. Ctrl-C cancels that one too.
async fn ask_when_free(
    runner: &Runner,
    ask: &RunRequest<'_>,
    interrupt: &Interrupt,
) -> Result<String, Failure> {
    let active = match runner.request(ask).await {
        Err(AppError::Store(StoreError::RunActive(active))) => active,
        asked => return Ok(asked?),
    };
    match runner.work(None, interrupt.control(), Arc::new(NoObserver)).await? {
        Some(finished) => {
            let (run, status) = (finished.run_id, finished.status.name());
            eprintln!(
                "note: run {run} had been interrupted; it was taken up first and is {status}"
            );
        }
        None => return Err(StoreError::RunActive(active).into()),
    }
    Ok(runner.request(ask).await?)
}

/// One object: the run's id, status and counts first of all.
fn as_json(summary: &RunSummary) -> Result<serde_json::Value, Failure> {
    let unprintable = |error| Failure::Environment(format!("cannot write the summary: {error}"));
    let mut object = json!({
        "run_id": summary.run_id,
        "status": summary.status.name(),
        "counts": summary.counts,
    });
    let whole = serde_json::to_value(summary).map_err(unprintable)?;
    if let (Some(object), serde_json::Value::Object(whole)) = (object.as_object_mut(), whole) {
        for (name, value) in whole {
            object.entry(name).or_insert(value);
        }
    }
    Ok(object)
}
