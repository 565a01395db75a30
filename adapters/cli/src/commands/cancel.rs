//! `cancel`: cancels a run that is queued or active.

use std::sync::Arc;
use std::time::{Duration, Instant};

use powerfill_app::{AppError, Clock, RunControl, RunProgress, SystemClock};
use powerfill_events::run::RunId;
use powerfill_ports::runs::{QueuedRun, RunStatus};
use powerfill_ports::{Store, StoreError};
use serde_json::json;

use super::find_run;
use super::run::{process_name, runner};
use crate::args::CancelArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::tenancy::TenantStore;

/// How long the worker of the run may take, before this process claims the run.
const WORKER_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the command waits for the end of the run.
const WAIT_LIMIT: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

pub(crate) async fn run(args: CancelArgs, settings: &ProgramSettings) -> CliResult<()> {
    let store: Arc<dyn Store> =
        TenantStore::resolve(&args.common.store, settings)?.open_existing().await?;
    let run = find_run(store.as_ref(), &args.run).await?;
    let by = settings.requested_by(args.requested_by.as_deref());
    let was_active = store.request_cancel(run, &by).await?;
    let queued = match was_active {
        true => wait_for_end(&store, run).await?,
        false => queued_run(&store, run).await?,
    };
    let status = queued.status;
    match args.common.print.format {
        Format::Text if !was_active => {
            print_text(format!("Run {run} was over: {}\n", status.name()))?
        }
        Format::Text if status.is_over() => {
            print_text(format!("Run {run} is {}\n", status.name()))?
        }
        Format::Text => print_text(format!(
            "Run {run} is still {}; its worker does not answer. The next worker cancels it\n",
            status.name()
        ))?,
        Format::Json => {
            print_json(
                &json!({ "run_id": run, "status": status.name(), "was_over": !was_active }),
            )?;
        }
        Format::Csv => {
            print_csv(&["run_id", "status"], [[run.to_string().as_str(), status.name()]])?;
        }
    }
    let cancelled = was_active && (status == RunStatus::Cancelled || !status.is_over());
    if cancelled { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

async fn queued_run(store: &Arc<dyn Store>, run: RunId) -> CliResult<QueuedRun> {
    let queued = store.run(run).await?;
    let missing = || StoreError::NotFound { what: "run", name: run.to_string() };
    Ok(queued.ok_or_else(missing)?)
}

/// Waits until the run is over. If no worker has claimed it, or its worker does not react, this
/// process claims it, which ends it; the store refuses the claim while the worker holds its lease.
async fn wait_for_end(store: &Arc<dyn Store>, run: RunId) -> CliResult<QueuedRun> {
    let started = Instant::now();
    let runner = runner(Arc::clone(store), process_name());
    loop {
        let queued = queued_run(store, run).await?;
        if queued.status.is_over() || started.elapsed() > WAIT_LIMIT {
            return Ok(queued);
        }
        let lease_over = queued.lease_expires_at.is_none_or(|end| end <= SystemClock.now());
        if queued.worker.is_none() || lease_over || started.elapsed() > WORKER_TIMEOUT {
            let control = RunControl::default();
            let claimed = control.clone();
            // Another run may have come into the queue in the meantime: the next worker gets it.
            let only_this = move |progress: RunProgress<'_>| {
                if matches!(progress, RunProgress::Event(event) if event.run_id != run) {
                    claimed.hand_over();
                }
            };
            match runner.work(None, control, Arc::new(only_this)).await {
                Ok(_) | Err(AppError::HandedOver(_)) => {}
                Err(AppError::Store(StoreError::LeaseLost(_))) => {}
                Err(error) => return Err(error.into()),
            }
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
