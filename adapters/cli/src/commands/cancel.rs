//! `cancel`: ends a run that is queued or goes on.

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
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_csv, print_json, say};
use crate::settings::Settings;
use crate::tenancy::Place;

/// A worker that lives answers within this.
const ANSWERS: Duration = Duration::from_secs(1);
const WAIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(crate) async fn run(args: CancelArgs, settings: &Settings) -> Result<(), Failure> {
    let store = Place::resolve(&args.store.place, settings)?.open_existing().await?;
    let run = find_run(store.as_ref(), &args.run).await?;
    let by = settings.requested_by(args.requested_by.as_deref());
    let asked = store.request_cancel(run, &by).await?;
    let queued = if asked { ended(&store, run).await? } else { look(&store, run).await? };
    let status = queued.status;
    match args.store.print.format {
        Format::Text if !asked => say(format!("Run {run} was over: {}\n", status.name()))?,
        Format::Text if status.is_over() => say(format!("Run {run} is {}\n", status.name()))?,
        Format::Text => say(format!(
            "Run {run} is still {}; its worker does not answer. Whoever takes it up cancels it\n",
            status.name()
        ))?,
        Format::Json => {
            print_json(&json!({ "run_id": run, "status": status.name(), "was_over": !asked }))?;
        }
        Format::Csv => {
            print_csv(&["run_id", "status"], [[run.to_string().as_str(), status.name()]])?;
        }
    }
    let cancelled = asked && (status == RunStatus::Cancelled || !status.is_over());
    if cancelled { Ok(()) } else { Err(Failure::Answered) }
}

async fn look(store: &Arc<dyn Store>, run: RunId) -> Result<QueuedRun, Failure> {
    let found = store.run(run).await?;
    let missing = || StoreError::NotFound { what: "run", name: run.to_string() };
    Ok(found.ok_or_else(missing)?)
}

/// Waits until the run is over. Where no worker has it, or the one that has it is dead, this
/// process takes it up, which ends it; one that lives keeps it.
async fn ended(store: &Arc<dyn Store>, run: RunId) -> Result<QueuedRun, Failure> {
    let begun = Instant::now();
    let runner = runner(Arc::clone(store), process_name());
    loop {
        let queued = look(store, run).await?;
        if queued.status.is_over() || begun.elapsed() > WAIT {
            return Ok(queued);
        }
        let lease_over = queued.lease_expires_at.is_none_or(|end| end <= SystemClock.now());
        if queued.worker.is_none() || lease_over || begun.elapsed() > ANSWERS {
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
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
