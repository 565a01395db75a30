//! `work`: works on queued and abandoned runs, one at a time, until there is none or the process is
//! stopped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt};
use powerfill_app::publish::Publisher;
use powerfill_app::{
    AppError, FinishedRun, NoObserver, RunControl, RunObserver, Runner, StopReason,
};
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use powerfill_ports::retry::{Pauses, RetryPolicy};
use powerfill_ports::{Store, StoreError};
use powerfill_sqlserver::SqlServerTarget;
use powerfill_tables::status::RunStatus;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::publish::{follow_store, log_publish_event};
use super::retention::carry_out_policy;
use super::run::{process_name, tenant_runner};
use crate::args::WorkArgs;
use crate::error::{CliError, CliResult};
use crate::output::print_text;
use crate::settings::ProgramSettings;
use crate::telemetry::ProcessTelemetry;
use crate::tenancy::TenantStore;
use crate::{log, shutdown};

/// How often the queue is polled: a worker that dies does not notify the others.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// The time in which a store must say whether there is a run.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The pauses between attempts while a store is unavailable.
const BACKOFF: RetryPolicy = RetryPolicy::endless(Duration::from_secs(1), Duration::from_secs(30));
/// The pause after publishing failed for another reason than an unavailable database.
const PUBLISH_PAUSE: Duration = Duration::from_secs(30);
/// How often the policy of retention is carried out.
const ARCHIVE_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) async fn run(args: WorkArgs, settings: &ProgramSettings) -> CliResult<()> {
    let stores = TenantStore::resolve_all(args.all_tenants, &args.store, settings)?;
    let (large_tables, certificate) = (args.large_tables.value(), args.certificate.value());
    let stores = stores
        .into_iter()
        .map(|store| store.with_large_tables(large_tables).with_certificate(certificate));
    let stores = match args.archive {
        true => with_archiving(stores, settings)?,
        false => stores.collect(),
    };
    let shutdown = shutdown::on_signal()?;
    let name = args.name.unwrap_or_else(process_name);
    log::start(args.log.log_format);
    let telemetry = ProcessTelemetry::start()?;
    let observing = telemetry.clone();
    let observers: Observers = Arc::new(move |tenant| {
        let tenant = tenant.map_or("", |tenant| tenant.as_str());
        observing.run_observer(tenant, Arc::new(NoObserver))
    });
    let stores = with_targets(stores)?;
    let working = async {
        let worked = work_on(stores, &name, &shutdown, args.once, observers).await;
        telemetry.shut_down().await;
        worked
    };
    shutdown::bounded(&shutdown, working).await
}

/// Adds the policy of `powerfill.toml` to each store.
fn with_archiving(
    stores: impl Iterator<Item = TenantStore>,
    settings: &ProgramSettings,
) -> CliResult<Vec<TenantStore>> {
    let stores: Result<Vec<_>, _> = stores.map(|store| store.with_archiving(settings)).collect();
    let stores = stores?;
    if stores.iter().all(|store| store.archiving().is_none()) {
        return Err(CliError::environment(
            "--archive: powerfill.toml does not say how long runs stay; set keep_years or \
             keep_scenario_days, and archive = \"FOLDER\"",
        ));
    }
    Ok(stores)
}

/// A store, and the database to which its outputs are published.
pub(super) type StoreAndTarget = (TenantStore, Option<SqlServerTarget>);

/// Adds to each store the publishing target of its tenant.
pub(super) fn with_targets(stores: Vec<TenantStore>) -> CliResult<Vec<StoreAndTarget>> {
    let with_target = |store: TenantStore| {
        let target = store.publish_url()?.map(SqlServerTarget::new);
        Ok((store, target))
    };
    stores.into_iter().map(with_target).collect()
}

/// Creates the observer of a run of a tenant.
pub(super) type Observers = Arc<dyn Fn(Option<&TenantId>) -> Arc<dyn RunObserver> + Send + Sync>;

/// Works on the runs of all these stores, until `shutdown` or, with `once`, until the queues are
/// empty. Publishes completed runs of stores with a target.
pub(super) async fn work_on(
    stores: Vec<StoreAndTarget>,
    name: &str,
    shutdown: &CancellationToken,
    once: bool,
    observers: Observers,
) -> CliResult<()> {
    let one_run = Arc::new(Semaphore::new(1));
    let mut workers = JoinSet::new();
    for (store, target) in stores {
        let label = store.tenant_id().map_or_else(|| store.url().to_string(), ToString::to_string);
        let worker = StoreWorker {
            store,
            target,
            label,
            name: name.to_owned(),
            shutdown: shutdown.clone(),
            one_run: Arc::clone(&one_run),
            once,
            observers: Arc::clone(&observers),
        };
        workers.spawn(worker.work());
    }
    let mut result = Ok(());
    while let Some(joined) = workers.join_next().await {
        result = result.and(joined.map_err(|panic| CliError::context("a worker", panic))?);
    }
    result
}

struct StoreWorker {
    store: TenantStore,
    target: Option<SqlServerTarget>,
    /// The tenant or the store, for messages.
    label: String,
    name: String,
    shutdown: CancellationToken,
    /// One run uses all cores, so the workers of this process take turns.
    one_run: Arc<Semaphore>,
    once: bool,
    observers: Observers,
}

/// The result of a look into the queue.
enum WorkResult {
    /// A run has ended.
    Finished(FinishedRun),
    /// No run waits.
    QueueEmpty,
    /// Another worker has the run.
    Claimed,
    /// The process is to stop.
    Stopped,
}

impl StoreWorker {
    /// Works until `shutdown` or, with `once`, until the queue is empty. Reconnects while the store
    /// is unavailable, except with `once`.
    async fn work(self) -> CliResult<()> {
        let mut pauses = BACKOFF.pauses();
        loop {
            let error = match self.work_while_available(&mut pauses).await {
                Err(error @ CliError::Environment(_)) if !self.once => error,
                ended => return ended,
            };
            let pause = pauses.next().unwrap_or_default();
            let (label, seconds) = (&self.label, pause.as_secs());
            tracing::warn!("{label}: {error}; trying again in {seconds} s");
            if self.shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
                return Ok(());
            }
        }
    }

    async fn work_while_available(&self, pauses: &mut Pauses) -> CliResult<()> {
        let store = self.store.open().await?;
        // Stops at the end of this function.
        let _publishing = self.publish_in_background(&store);
        let runner = tenant_runner(&self.store, Arc::clone(&store), self.name.clone());
        let mut any_failed = false;
        let mut archive_at = Instant::now();
        let (mut events, mut woken) = (None, false);
        let mut certificate: Option<JoinHandle<()>> = None;
        loop {
            // Subscribes before the claim, so that no request in between is missed.
            if events.is_none() {
                events = Some(store.subscribe(store.head().await?.position));
            }
            match self.work_on_next(&runner, store.as_ref()).await? {
                WorkResult::Stopped => return Ok(()),
                WorkResult::Finished(FinishedRun { run_id, status }) => {
                    pauses.reset();
                    any_failed |= status == RunStatus::Failed;
                    print_text(format!("{}: run {run_id} is {}\n", self.label, status.name()))?;
                    if status == RunStatus::Complete {
                        Self::finish(&mut certificate).await;
                        certificate = Some(self.certify(&runner, run_id));
                    }
                    (events, woken) = (None, false);
                }
                WorkResult::QueueEmpty | WorkResult::Claimed if self.once => {
                    Self::finish(&mut certificate).await;
                    self.publish_completed(store.as_ref()).await?;
                    self.archive().await?;
                    return if any_failed { Err(CliError::NegativeAnswer) } else { Ok(()) };
                }
                WorkResult::Claimed if woken => {
                    // The event was of another worker's run, whose events need not be read here.
                    (events, woken) = (None, false);
                    pauses.reset();
                    if self.shutdown.run_until_cancelled(sleep(POLL_INTERVAL)).await.is_none() {
                        return Ok(());
                    }
                }
                WorkResult::QueueEmpty | WorkResult::Claimed => {
                    pauses.reset();
                    if Instant::now() >= archive_at && self.archive_or_log().await {
                        archive_at = Instant::now() + ARCHIVE_INTERVAL;
                    }
                    let Some(events) = &mut events else { continue };
                    let event = timeout(POLL_INTERVAL, events.next());
                    match self.shutdown.run_until_cancelled(event).await {
                        None => return Ok(()),
                        Some(event) => woken = event.ok().flatten().transpose()?.is_some(),
                    }
                }
            }
        }
    }

    /// Publishes each completed run in a task of its own. Its errors are logged and do not stop the
    /// work on runs.
    fn publish_in_background(&self, store: &Arc<dyn Store>) -> Option<AbortOnDropHandle<()>> {
        let target = self.target.clone().filter(|_| !self.once)?;
        let (store, label) = (Arc::clone(store), self.label.clone());
        let shutdown = self.shutdown.clone();
        Some(AbortOnDropHandle::new(tokio::spawn(async move {
            while let Err(error) = follow_store(store.as_ref(), &target, &shutdown).await {
                tracing::error!("{label}: {error}");
                if shutdown.run_until_cancelled(sleep(PUBLISH_PAUSE)).await.is_none() {
                    return;
                }
            }
        })))
    }

    /// Publishes the completed runs, if the store has a target.
    async fn publish_completed(&self, store: &dyn Store) -> CliResult<()> {
        let Some(target) = &self.target else { return Ok(()) };
        let publisher = Publisher::new(store, target, self.shutdown.clone());
        Ok(publisher.catch_up(&mut |event| log_publish_event(target, &event)).await?)
    }

    /// Records the certificate of a run that is Complete, so that the next run does not wait for
    /// it. A worker that is to stop leaves it out.
    fn certify(&self, runner: &Runner, run: RunId) -> JoinHandle<()> {
        let (certified, label) = (runner.certify(run), self.label.clone());
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            if let Some(Err(error)) = shutdown.run_until_cancelled(certified).await {
                tracing::warn!("{label}: run {run} has no certificate: {error}");
            }
        })
    }

    /// Waits until a certificate is recorded: each takes the memory of a run, so that at most one
    /// is computed beside the run that is worked on.
    async fn finish(certificate: &mut Option<JoinHandle<()>>) {
        if let Some(recorded) = certificate.take() {
            // It ends with the process, too; a panic was printed.
            let _ = recorded.await;
        }
    }

    /// Carries out the policy of retention, if the worker is to. Returns whether it came to the
    /// end.
    async fn archive(&self) -> CliResult<bool> {
        carry_out_policy(&self.store, &self.label, &self.name, &self.shutdown).boxed().await
    }

    /// As [`Self::archive`]. An error is logged, and the next attempt is that of the next day.
    async fn archive_or_log(&self) -> bool {
        self.archive().await.unwrap_or_else(|error| {
            tracing::error!("{}: nothing more is archived today: {error}", self.label);
            true
        })
    }

    /// Claims the next run, if there is one, and works on it until it ends.
    async fn work_on_next(&self, runner: &Runner, store: &dyn Store) -> CliResult<WorkResult> {
        // A store that is silent must not keep the other workers from their turn.
        let silent = |_| StoreError::Unavailable("it does not answer".into());
        let asked = self.shutdown.run_until_cancelled(timeout(ANSWER_TIMEOUT, store.active_run()));
        let Some(answer) = asked.await else { return Ok(WorkResult::Stopped) };
        if answer.map_err(silent)??.is_none() {
            return Ok(WorkResult::QueueEmpty);
        }
        let permit = self.shutdown.run_until_cancelled(self.one_run.acquire()).await;
        let Some(permit) = permit else { return Ok(WorkResult::Stopped) };
        let control = RunControl::stopped_by(&self.shutdown, StopReason::HandOver);
        let observer = (self.observers)(self.store.tenant_id());
        let worked = runner.work(None, control, observer).await;
        drop(permit);
        match worked {
            Ok(Some(finished)) => Ok(WorkResult::Finished(finished)),
            Ok(None) => Ok(WorkResult::Claimed),
            Err(error @ AppError::HandedOver(_)) => {
                print_text(format!("{}: {error}\n", self.label))?;
                Ok(WorkResult::Stopped)
            }
            Err(error @ AppError::Store(StoreError::LeaseLost(_))) => {
                tracing::warn!("{}: {error}", self.label);
                Ok(WorkResult::Claimed)
            }
            Err(error) => Err(error.into()),
        }
    }
}
