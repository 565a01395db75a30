//! `run`: requests a run, and works on it in the foreground.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use powerfill_app::overview::overview;
use powerfill_app::publish::publish;
use powerfill_app::{AppError, NoObserver, RunRequest, Runner, SystemClock, active_run_settled};
use powerfill_events::challenge::RunCertificate;
use powerfill_events::run::RunId;
use powerfill_events::run::event::RunOrigin;
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::{RunOptions, Validated};
use powerfill_sqlserver::SqlServerTarget;
use powerfill_tables::status::RunStatus;
use powerfill_tables::summary::RunSummary;
use powerfill_tables::table::TableSpec;
use serde_json::json;
use uuid::Uuid;

use super::challenge;
use super::options;
use crate::args::RunArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::out_folder::{OutFolder, is_kept};
use crate::output::{print_csv, print_json, print_note, print_text, print_wrapped};
use crate::progress::{ForegroundObserver, Interrupt};
use crate::settings::ProgramSettings;
use crate::tenancy::{SnapshotInput, TenantStore};
use crate::urls::TargetUrl;
use crate::{out_place, summary, workbook};

/// The duration of a lease, which the worker renews.
const LEASE: Duration = Duration::from_secs(30);

/// A runner that works on a store under this worker name.
pub(super) fn runner(store: Arc<dyn Store>, name: String) -> Runner {
    Runner::new(store, Arc::new(SystemClock), name, LEASE)
}

/// As [`runner`], with the settings of the tenant.
pub(super) fn tenant_runner(tenant: &TenantStore, store: Arc<dyn Store>, name: String) -> Runner {
    runner(store, name)
        .with_large_tables(tenant.large_tables())
        .with_certificates(tenant.certificate())
}

/// The default worker name of this process.
pub(super) fn process_name() -> String {
    format!("powerfill-{}", std::process::id())
}

pub(crate) async fn run(args: RunArgs, settings: &ProgramSettings) -> CliResult<()> {
    let format = args.common.format.printed();
    let (folder, file) = match (format, args.out.as_deref()) {
        (_, Some(file)) if out_place::is_workbook(file) => (None, Some(file)),
        (Some(_), folder) => (folder, None),
        (None, Some(file)) => (None, Some(file)),
        (None, None) => {
            let message = "--format xlsx needs the file of the workbook: --out FILE";
            return Err(CliError::environment(message));
        }
    };
    let tenant_store = TenantStore::resolve(&args.common.store, settings)?
        .with_large_tables(args.large_tables.value())
        .with_certificate(if args.challenge { Some(false) } else { args.certificate.value() });
    let input = SnapshotInput::resolve(&args.source, &args.common.store.tenant, settings)?
        .for_store(&tenant_store)
        .reporting_all(args.report.all);
    if let Some(out) = &args.out {
        out_place::ensure_apart(out, input.source())?;
    }
    folder.map_or(Ok(()), out_place::ensure_folder)?;
    let options = options::resolve(&args.options, input.options())?;
    let target = args.publish.map(|url| url.parse::<TargetUrl>("--publish")).transpose()?;
    let target = target.map(|url| SqlServerTarget::new(url.0));
    let input = input.snapshot().await?;
    options::check_for(&options, &input.snapshot)?;
    file.map_or(Ok(()), workbook::prepare)?;
    let store = tenant_store.open().await?;
    let requested_by = settings.requested_by(args.requested_by.as_deref());
    if args.no_wait {
        let run_id = queue(store, &input, &options, &requested_by).await?;
        return print_queued(run_id, format.unwrap_or(Format::Text));
    }
    let runner = tenant_runner(&tenant_store, Arc::clone(&store), process_name());
    let origin = RunOrigin::default();
    let summary =
        run_in_foreground(&runner, input, &options, &requested_by, folder, origin).await?;
    let format = format.unwrap_or(Format::Text);
    print_result(&runner, &summary, format).await?;
    // The workbook has the certificate.
    if let Some(file) = file {
        write_workbook(store.as_ref(), &summary, file).await?;
    }
    if let Some(target) = target.filter(|_| summary.status == RunStatus::Complete) {
        let run = summary.run_id;
        let published = publish(store.as_ref(), run, &target).await.map_err(CliError::from);
        let again = format!("powerfill publish {run} --to URL");
        published.map_err(|error| after_recording(error, "--publish", &again))?;
    }
    if summary.status != RunStatus::Complete {
        return Err(CliError::NegativeAnswer);
    }
    if args.challenge {
        let is_text = format == Format::Text;
        challenge_completed(store.as_ref(), &summary, requested_by, is_text).await?;
    }
    Ok(())
}

/// Prints the summary, and the certificate when it is there. A document has both.
pub(super) async fn print_result(
    runner: &Runner,
    summary: &RunSummary,
    format: Format,
) -> CliResult<()> {
    match format {
        Format::Text => {
            print_wrapped(&summary::text(summary))?;
            let certificate = certify(runner, summary).await;
            certificate.map_or(Ok(()), |certificate| print_text(challenge::within(&certificate)))
        }
        Format::Json => {
            let certificate = certify(runner, summary).await;
            print_json(&as_json(summary, certificate.as_ref())?)
        }
        Format::Csv => {
            let run = summary.run_id.to_string();
            print_csv(&["run_id", "status"], [[run.as_str(), summary.status.name()]])?;
            certify(runner, summary).await;
            Ok(())
        }
    }
}

/// Waits for the certificate of a Complete run, and records it. Ctrl-C ends the waiting. A run
/// without its certificate is whole, so that a failure is a note.
pub(super) async fn certify(runner: &Runner, summary: &RunSummary) -> Option<RunCertificate> {
    if summary.status != RunStatus::Complete {
        return None;
    }
    let run = summary.run_id;
    let certificate = tokio::select! {
        certificate = runner.certify(run) => certificate.map_err(|error| error.to_string()),
        _ = tokio::signal::ctrl_c() => Err("it was interrupted".to_owned()),
    };
    certificate.unwrap_or_else(|why| {
        print_note(format_args!(
            "note: the run is recorded, but not its certificate: {why} (`powerfill challenge {run} \
             --steps 0` makes it)\n"
        ));
        None
    })
}

/// `--out` of a workbook.
async fn write_workbook(store: &dyn Store, summary: &RunSummary, file: &Path) -> CliResult<()> {
    let (run, keep) = (summary.run_id, |table: &TableSpec| is_kept(table, summary));
    let overview = overview(store, run).await?;
    let (tables, overview) = (workbook::tables_of(false), overview.as_ref());
    let written = workbook::write(store, run, u64::MAX, &tables, overview, Some(file), keep).await;
    let again = format!("powerfill tables {run} --format xlsx --out FILE");
    written.map_err(|error| after_recording(error, "--out", &again))
}

/// `--challenge`.
async fn challenge_completed(
    store: &dyn Store,
    summary: &RunSummary,
    requested_by: String,
    is_text: bool,
) -> CliResult<()> {
    let challenged = challenge::after_run(store, summary.run_id, requested_by, is_text).await;
    let again = format!("powerfill challenge {}", summary.run_id);
    challenged.map_err(|error| after_recording(error, "--challenge", &again))
}

/// The error of a flag that failed after the run was recorded, with a command that repeats only
/// this.
fn after_recording(error: CliError, flag: &str, command: &str) -> CliError {
    error.with_context(format!(
        "the run is recorded, but {flag} failed (repeat it with `{command}`)"
    ))
}

/// Requests a run for another worker.
async fn queue(
    store: Arc<dyn Store>,
    input: &Validated,
    options: &RunOptions,
    requested_by: &str,
) -> CliResult<RunId> {
    // A script that sees a run Complete requests the next one.
    active_run_settled(store.as_ref()).await?;
    let runner = runner(store, process_name());
    let run_id = RunId(Uuid::now_v7());
    let Validated { snapshot, source_warnings, mapping, provenance, .. } = input;
    let (mapping, provenance) = (mapping.as_ref(), provenance.clone());
    let origin = RunOrigin { provenance, ..RunOrigin::default() };
    runner
        .request(&RunRequest {
            run_id,
            snapshot,
            options,
            requested_by,
            source_warnings,
            mapping,
            origin,
        })
        .await?;
    Ok(run_id)
}

fn print_queued(run_id: RunId, format: Format) -> CliResult<()> {
    let (run, status) = (run_id.to_string(), RunStatus::Pending.name());
    match format {
        Format::Text => print_text(format!("{run}\n")),
        Format::Json => print_json(&json!({ "run_id": run, "status": status })),
        Format::Csv => print_csv(&["run_id", "status"], [[run.as_str(), status]]),
    }
}

/// Requests a run, and works on it in this process.
pub(crate) async fn run_in_foreground(
    runner: &Runner,
    input: Validated,
    options: &RunOptions,
    requested_by: &str,
    out: Option<&Path>,
    origin: RunOrigin,
) -> CliResult<RunSummary> {
    let run_id = RunId(Uuid::now_v7());
    let out = out.map(|folder| {
        let cannot_write =
            |error| CliError::context(format!("cannot write to {}", folder.display()), error);
        OutFolder::new(run_id, folder).map(Arc::new).map_err(cannot_write)
    });
    let out = out.transpose()?;
    let snapshot = Arc::new(input.snapshot);
    let request = RunRequest {
        run_id,
        snapshot: &snapshot,
        options,
        requested_by,
        source_warnings: &input.source_warnings,
        mapping: input.mapping.as_ref(),
        origin: RunOrigin { provenance: input.provenance, ..origin },
    };
    let interrupt = Interrupt::listen(requested_by).await;
    let requested = request_when_free(runner, &request, &interrupt).await;
    let observer = Arc::new(ForegroundObserver::new(run_id, out.clone()));
    let worked = match requested {
        Ok(digest) => {
            let in_memory = Some((digest.as_str(), snapshot));
            runner
                .work(in_memory, interrupt.control(), observer.clone())
                .await
                .map_err(|error| ended_early(run_id, error))
        }
        Err(error) => Err(error),
    };
    observer.finish();
    let summary = observer.summary();
    drop(observer);
    let out = out.and_then(Arc::into_inner);
    let worked = worked.and_then(|finished| {
        finished.ok_or_else(|| {
            CliError::environment(format!(
                "another worker claimed run {run_id}: see `powerfill show {run_id}`"
            ))
        })
    });
    match (&worked, out) {
        (Ok(_), Some(out)) => out
            .finish(&summary)
            .map_err(|error| CliError::context("the run is recorded, but --out failed", error))?,
        (Err(_), Some(out)) => out.discard(),
        (_, None) => {}
    }
    worked.map(|_| summary)
}

/// The error of a run that did not reach its end. While its store is away, it waits for a worker.
fn ended_early(run: RunId, error: AppError) -> CliError {
    match error {
        AppError::Store(error) if error.is_transient() => CliError::context(
            format!(
                "run {run} is interrupted; `powerfill work` goes on with it when the store answers"
            ),
            error,
        ),
        error => error.into(),
    }
}

/// Requests the run. If an abandoned run is active, whose process was killed, ends that one first;
/// Ctrl-C cancels it too.
async fn request_when_free(
    runner: &Runner,
    request: &RunRequest<'_>,
    interrupt: &Interrupt,
) -> CliResult<String> {
    let active = match runner.request(request).await {
        Err(AppError::Store(StoreError::RunActive(active))) => active,
        requested => return Ok(requested?),
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
    Ok(runner.request(request).await?)
}

/// The summary as one object that begins with id, status, and counts, and has the certificate.
fn as_json(
    summary: &RunSummary,
    certificate: Option<&RunCertificate>,
) -> CliResult<serde_json::Value> {
    let unprintable = |error| CliError::context("cannot write the summary", error);
    let mut object = json!({
        "run_id": summary.run_id,
        "status": summary.status.name(),
        "counts": summary.counts,
        "certificate": certificate,
    });
    let whole = serde_json::to_value(summary).map_err(unprintable)?;
    if let (Some(object), serde_json::Value::Object(whole)) = (object.as_object_mut(), whole) {
        for (name, value) in whole {
            object.entry(name).or_insert(value);
        }
    }
    Ok(object)
}
