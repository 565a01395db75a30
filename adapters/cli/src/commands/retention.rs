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
use tokio_util::sync::CancellationToken;

use super::evidence::PROGRAM;
use super::find_run;
use crate::args::{ArchiveArgs, HoldArgs, RestoreArgs};
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_table, print_text};
use crate::retention_policy::{Cutoff, RetentionPolicy, RunSelection};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

fn actor(name: &str) -> RetentionActor<'_> {
    RetentionActor { name, now: SystemClock.now() }
}

pub(crate) async fn hold(args: HoldArgs, settings: &ProgramSettings) -> CliResult<()> {
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

async fn list_holds(store: &dyn Store, format: Format) -> CliResult<()> {
    let state = read_retention(store).await?;
    let rows = state.holds().iter().map(|(run, reason)| [run.to_string(), reason.clone()]);
    let header = ["run_id", "reason"];
    match format {
        Format::Text => print_table(&header, rows, &[]),
        Format::Json => print_json(state.holds()),
        Format::Csv => print_csv(&header, rows),
    }
}

pub(crate) async fn archive(args: ArchiveArgs, settings: &ProgramSettings) -> CliResult<()> {
    let tenant_store = TenantStore::resolve(&args.common.store, settings)?;
    let policy = tenant_store.retention(settings);
    let selection = select(&args, policy)?.with_reason(args.reason.as_deref());
    let folder = args.out.as_ref().or(policy.folder.as_ref()).ok_or_else(|| {
        CliError::environment(
            "where to? Name a folder with --out DIR, or set archive in powerfill.toml",
        )
    })?;
    let store = tenant_store.open_existing().await?;
    let by = settings.requested_by(args.actor.requested_by.as_deref());
    create_folder(folder)?;
    let request = ArchiveRequest { actor: actor(&by), folder, program: PROGRAM };
    let chosen = chosen_runs(store.as_ref(), selection).await?;
    let mut archiver = Archiver::open(store.as_ref(), request).await?;
    let mut outcomes = Vec::new();
    for (run, reason) in chosen {
        outcomes.push((run, archive_run(&mut archiver, run, reason.as_deref()).await?));
    }
    store.give_space_back().await?;
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

/// The runs that the command line chooses, or else the policy.
fn select(args: &ArchiveArgs, policy: &RetentionPolicy) -> CliResult<RunSelection> {
    let given = args.before.map(|day| {
        let cutoff = Some(Cutoff { before: Timestamp::start_of(day), reason: None });
        RunSelection { official: cutoff.clone(), scenarios: cutoff }
    });
    let selection = given.or_else(|| policy.selection(SystemClock.now())).ok_or_else(|| {
        CliError::environment(
            "which runs? Name a day with --before DATE, or set keep_years or keep_scenario_days in \
             powerfill.toml",
        )
    })?;
    Ok(match args.scenarios {
        true => RunSelection { official: None, ..selection },
        false => selection,
    })
}

/// The chosen runs with their reasons, the oldest first.
async fn chosen_runs(
    store: &dyn CopyStore,
    selection: RunSelection,
) -> CliResult<Vec<(RunId, Option<String>)>> {
    let mut chosen = Vec::new();
    let mut all = pin!(stream_runs(store, RunFilter::All));
    while let Some(queued) = all.try_next().await? {
        if let Some(cutoff) = selection.cutoff(&queued) {
            chosen.push((queued.run_id, cutoff.reason.clone()));
        }
    }
    chosen.reverse();
    Ok(chosen)
}

/// Archives a run, and says which one cannot be archived.
async fn archive_run(
    archiver: &mut Archiver<'_>,
    run: RunId,
    reason: Option<&str>,
) -> CliResult<ArchiveOutcome> {
    let archived = archiver.archive(run, reason).await;
    archived.map_err(|error| CliError::context(format!("run {run}"), error))
}

fn create_folder(folder: &Path) -> CliResult<()> {
    std::fs::create_dir_all(folder)
        .map_err(|error| CliError::context(folder.display().to_string(), error))
}

/// Carries out the policy of a store for a worker, until a run is requested or the worker is to
/// stop. Returns whether it came to the end.
pub(super) async fn carry_out_policy(
    tenant_store: &TenantStore,
    label: &str,
    worker: &str,
    shutdown: &CancellationToken,
) -> CliResult<bool> {
    let actor = actor(worker);
    let policy = tenant_store.archiving();
    let selection = policy.and_then(|policy| policy.selection(actor.now));
    let folder = policy.and_then(|policy| policy.folder.as_deref());
    let (Some(selection), Some(folder)) = (selection, folder) else { return Ok(true) };
    let store = tenant_store.open_existing().await?;
    // Asked again at each idle turn until then: the list of runs may be long.
    if store.active_run().await?.is_some() {
        return Ok(false);
    }
    let chosen = chosen_runs(store.as_ref(), selection).await?;
    if chosen.is_empty() {
        return Ok(true);
    }
    create_folder(folder)?;
    let request = ArchiveRequest { actor, folder, program: PROGRAM };
    let mut archiver = Archiver::open(store.as_ref(), request).await?;
    for (run, reason) in chosen {
        if shutdown.is_cancelled() || store.active_run().await?.is_some() {
            return Ok(false);
        }
        let outcome = archive_run(&mut archiver, run, reason.as_deref()).await?;
        if let ArchiveOutcome::Archived(file) = outcome {
            print_text(format_args!("{label}: run {run} is archived in {}\n", file.display()))?;
        }
    }
    Ok(true)
}

pub(crate) async fn restore_file(args: RestoreArgs, settings: &ProgramSettings) -> CliResult<()> {
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
pub(super) async fn ensure_payloads(store: &dyn Store, run: RunId) -> CliResult<()> {
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
