//! `hold`, `archive`, and `restore`: which runs keep their payloads in the store (specification
//! 3.5).

use std::path::Path;
use std::pin::pin;

use futures::TryStreamExt;
use powerfill_app::{Clock, SystemClock};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_evidence::archive::{
    ArchiveOutcome, ArchiveRequest, Archiver, RetentionActor, place_hold, release_hold, restore,
};
use powerfill_ports::Store;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::retention::read_retention;
use powerfill_ports::runs::{RunFilter, stream_runs};
use serde_json::json;

use super::evidence::PROGRAM;
use super::find_run;
use crate::args::{ArchiveArgs, HoldArgs, RestoreArgs};
use crate::error::CliError;
use crate::format::Format;
use crate::output::{print_csv, print_json, print_table, print_text};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

fn actor(name: &str) -> RetentionActor<'_> {
    RetentionActor { name, now: SystemClock.now() }
}

pub(crate) async fn hold(args: HoldArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let store = TenantStore::resolve(&args.common.store, settings)?.open_existing().await?;
    let store: &dyn Store = store.as_ref();
    let format = args.common.print.format;
    let Some(wanted) = &args.run else { return list_holds(store, format).await };
    let run = find_run(store, wanted).await?;
    let by = settings.requested_by(args.actor.requested_by.as_deref());
    let (text, is_held) = match (args.release, &args.reason) {
        (true, reason) => {
            let was_held = release_hold(store, run, reason.as_deref(), actor(&by)).await?;
            let what = if was_held { "is released" } else { "was not under hold" };
            (what.to_owned(), false)
        }
        (false, Some(reason)) => {
            place_hold(store, run, reason, actor(&by)).await?;
            (format!("is under hold: {reason}"), true)
        }
        (false, None) => {
            return Err(CliError::environment("say why with --reason TEXT, or --release the hold"));
        }
    };
    match format {
        Format::Text => print_text(format_args!("Run {run} {text}\n")),
        Format::Json => print_json(&json!({ "run_id": run, "is_held": is_held })),
        Format::Csv => print_csv(&["run_id", "is_held"], [[run.to_string(), is_held.to_string()]]),
    }
}

async fn list_holds(store: &dyn Store, format: Format) -> Result<(), CliError> {
    let state = read_retention(store).await?;
    let rows = state.holds().iter().map(|(run, reason)| [run.to_string(), reason.clone()]);
    let header = ["run_id", "reason"];
    match format {
        Format::Text => print_table(&header, rows, &[]),
        Format::Json => print_json(state.holds()),
        Format::Csv => print_csv(&header, rows),
    }
}

pub(crate) async fn archive(args: ArchiveArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let tenant_store = TenantStore::resolve(&args.common.store, settings)?;
    let before = match (args.before, tenant_store.keep_years(settings)) {
        (Some(day), _) => Timestamp::start_of(day),
        (None, Some(years)) => years_before(SystemClock.now(), years),
        (None, None) => {
            return Err(CliError::environment(
                "which runs? Name a day with --before DATE, or set keep_years in powerfill.toml",
            ));
        }
    };
    let store = tenant_store.open_existing().await?;
    std::fs::create_dir_all(&args.out)
        .map_err(|error| CliError::context(args.out.display().to_string(), error))?;
    let by = settings.requested_by(args.actor.requested_by.as_deref());
    let request = ArchiveRequest {
        actor: actor(&by),
        folder: &args.out,
        program: PROGRAM,
        reason: args.reason.as_deref(),
    };
    let outcomes = archive_before(store.as_ref(), before, request).await?;
    let rows = outcomes.iter().filter_map(|(run, outcome)| {
        let (outcome, detail) = match outcome {
            ArchiveOutcome::Archived(file) => ("archived", file.display().to_string()),
            ArchiveOutcome::Kept(reason) => ("kept", reason.clone()),
            ArchiveOutcome::Before => return None,
        };
        Some([run.to_string(), outcome.to_owned(), detail])
    });
    let header = ["run_id", "outcome", "detail"];
    match args.common.print.format {
        Format::Text => print_table(&header, rows, &[]),
        Format::Csv => print_csv(&header, rows),
        Format::Json => {
            let rows: Vec<_> = rows
                .map(|[run, outcome, detail]| {
                    json!({ "run_id": run, "outcome": outcome, "detail": detail })
                })
                .collect();
            print_json(&rows)
        }
    }
}

/// Archives the runs that were requested before a moment, the oldest first.
async fn archive_before(
    store: &dyn CopyStore,
    before: Timestamp,
    request: ArchiveRequest<'_>,
) -> Result<Vec<(RunId, ArchiveOutcome)>, CliError> {
    let mut runs = Vec::new();
    let mut all = pin!(stream_runs(store, RunFilter::All));
    while let Some(queued) = all.try_next().await? {
        if queued.requested_at < before && queued.status.is_over() {
            runs.push(queued.run_id);
        }
    }
    let mut archiver = Archiver::open(store, request).await?;
    let mut outcomes = Vec::new();
    for run in runs.into_iter().rev() {
        let archived = archiver.archive(run).await;
        let archived = archived.map_err(|error| CliError::context(format!("run {run}"), error))?;
        outcomes.push((run, archived));
    }
    store.give_space_back().await?;
    Ok(outcomes)
}

/// A year of retention has 365.25 days.
const fn years_before(now: Timestamp, years: u32) -> Timestamp {
    now.plus_days(-(years as i64 * 1_461 / 4))
}

pub(crate) async fn restore_file(
    args: RestoreArgs,
    settings: &ProgramSettings,
) -> Result<(), CliError> {
    let store = TenantStore::resolve(&args.common.store, settings)?.open_existing().await?;
    let by = settings.requested_by(args.actor.requested_by.as_deref());
    let run = restore(store.as_ref(), &args.file, actor(&by)).await?;
    match args.common.print.format {
        Format::Text => print_text(format_args!("Run {run} is restored\n")),
        Format::Json => print_json(&json!({ "run_id": run })),
        Format::Csv => print_csv(&["run_id"], [[run.to_string()]]),
    }
}

/// Refuses a run whose payloads are archived, and says where they are.
pub(super) async fn ensure_payloads(store: &dyn Store, run: RunId) -> Result<(), CliError> {
    if store.archived_blocks(run).await?.is_empty() {
        return Ok(());
    }
    let state = read_retention(store).await?;
    let file = state.archived(run).map_or("a file of evidence", |archived| &archived.file);
    let file = Path::new(file).display();
    Err(CliError::environment(format!(
        "run {run} is archived in {file}: read it with --store evidence:{file}, or bring it back \
         with `powerfill restore {file}`"
    )))
}
