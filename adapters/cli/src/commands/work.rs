//! `work`: queued and abandoned runs, one at a time, until there is nothing to do or the process is
//! told to stop.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use powerfill_app::publish::Publisher;
use powerfill_app::{
    AppError, FinishedRun, NoObserver, RunControl, RunObserver, Runner, StopReason,
};
use powerfill_events::values::TenantId;
use powerfill_ports::retry::{Pauses, RetryPolicy};
use powerfill_ports::{Store, StoreError};
use powerfill_sqlserver::SqlServerTarget;
use powerfill_tables::status::RunStatus;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::publish::{follow_one, log_told};
use super::run::{process_name, runner};
use crate::args::WorkArgs;
use crate::failure::Failure;
use crate::output::say;
use crate::settings::Settings;
use crate::tenancy::Place;
use crate::{log, shutdown};

/// How soon a run is seen whose worker died, which tells nobody.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The attempts at a store that is away.
const BACKOFF: RetryPolicy = RetryPolicy::endless(Duration::from_secs(1), Duration::from_secs(30));
/// The pause after publishing failed for another reason than a database that is away.
const PUBLISH_AGAIN: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: WorkArgs, settings: &Settings) -> Result<(), Failure> {
    let places = Place::chosen(args.all_tenants, &args.place, settings)?;
    let shutdown = shutdown::on_signal()?;
    let name = args.name.unwrap_or_else(process_name);
    log::begin(args.log_format);
    let observers: Observers = Arc::new(|_| Arc::new(NoObserver));
    let places = with_targets(places, settings)?;
    work_for(places, &name, &shutdown, args.once, observers).await
}

/// A store that is worked for, and where its outputs are published.
pub(super) type Published = (Option<SqlServerTarget>, Place);

/// Each with where its outputs are published, by the file.
pub(super) fn with_targets(
    places: Vec<Place>,
    settings: &Settings,
) -> Result<Vec<Published>, Failure> {
    let target = |place: Place| {
        let url = place.publishes_to(settings)?;
        Ok((url.map(SqlServerTarget::new), place))
    };
    places.into_iter().map(target).collect()
}

/// Makes the observer of a run of a tenant.
pub(super) type Observers = Arc<dyn Fn(Option<&TenantId>) -> Arc<dyn RunObserver> + Send + Sync>;

/// Works for all these stores until `shutdown`, or once, and publishes the runs that complete where
/// that is wanted.
pub(super) async fn work_for(
    places: Vec<Published>,
    name: &str,
    shutdown: &CancellationToken,
    once: bool,
    observers: Observers,
) -> Result<(), Failure> {
    let one_run = Arc::new(Semaphore::new(1));
    let mut desks = JoinSet::new();
    for (target, place) in places {
        let label = place.tenant().map_or_else(|| place.url().to_string(), ToString::to_string);
        let (shutdown, one_run, name) = (shutdown.clone(), Arc::clone(&one_run), name.to_owned());
        let observers = Arc::clone(&observers);
        desks.spawn(Desk { place, target, label, name, shutdown, one_run, once, observers }.work());
    }
    let mut ended = Ok(());
    while let Some(desk) = desks.join_next().await {
        let desk = desk.map_err(|panic| Failure::Environment(format!("a worker: {panic}")))?;
        ended = ended.and(desk);
    }
    ended
}

/// One store that is worked for.
struct Desk {
    place: Place,
    target: Option<SqlServerTarget>,
    label: String,
    name: String,
    shutdown: CancellationToken,
    /// A run has both cores; those of other stores wait for it in their order.
    one_run: Arc<Semaphore>,
    once: bool,
    observers: Observers,
}

impl Desk {
    /// Works until it is told to stop, or once, also where the store is away for long.
    async fn work(self) -> Result<(), Failure> {
        let mut pauses = BACKOFF.pauses();
        loop {
            let failure = match self.serve(&mut pauses).await {
                Err(failure @ Failure::Environment(_)) if !self.once => failure,
                ended => return ended,
            };
            let pause = pauses.next().unwrap_or_default();
            let (label, seconds) = (&self.label, pause.as_secs());
            if let Failure::Environment(message) = failure {
                tracing::warn!("{label}: {message}; trying again in {seconds} s");
            }
            if self.shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
                return Ok(());
            }
        }
    }

    async fn serve(&self, pauses: &mut Pauses) -> Result<(), Failure> {
        let store = self.place.open().await?;
        // Ends with this.
        let _publishing = self.publishing(&store);
        let runner = runner(Arc::clone(&store), self.name.clone());
        let mut failed = false;
        let (mut news, mut woken) = (None, false);
        loop {
            // From before the claim on, so that nothing is missed that is asked for in between.
            if news.is_none() {
                news = Some(store.subscribe(store.head().await?.position));
            }
            match self.work_one(&runner).await? {
                Next::Stopped => return Ok(()),
                Next::Done(finished) => {
                    pauses.reset();
                    failed |= finished.status == RunStatus::Failed;
                    let FinishedRun { run_id, status } = finished;
                    say(format!("{}: run {run_id} is {}\n", self.label, status.name()))?;
                    (news, woken) = (None, false);
                }
                Next::Nothing if self.once => {
                    self.publish_once(store.as_ref()).await?;
                    return if failed { Err(Failure::Answered) } else { Ok(()) };
                }
                Next::Nothing if woken => {
                    // What woke it is another worker's: its events are not to be read here.
                    (news, woken) = (None, false);
                    pauses.reset();
                    if self.shutdown.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none() {
                        return Ok(());
                    }
                }
                Next::Nothing => {
                    pauses.reset();
                    let Some(news) = &mut news else { continue };
                    let event = timeout(LOOK_EVERY, news.next());
                    match self.shutdown.run_until_cancelled(event).await {
                        None => return Ok(()),
                        Some(event) => woken = event.ok().flatten().transpose()?.is_some(),
                    }
                }
            }
        }
    }

    /// Publishes each run that completes, beside the work. What is wrong with the place keeps no
    /// run from being worked.
    fn publishing(&self, store: &Arc<dyn Store>) -> Option<AbortOnDropHandle<()>> {
        let target = self.target.clone().filter(|_| !self.once)?;
        let (store, label) = (Arc::clone(store), self.label.clone());
        let shutdown = self.shutdown.clone();
        Some(AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                match follow_one(store.as_ref(), &target, &shutdown).await {
                    Ok(()) => return,
                    Err(Failure::Environment(message)) => tracing::error!("{label}: {message}"),
                    Err(_) => tracing::error!("{label}: publishing failed"),
                }
                if shutdown.run_until_cancelled(sleep(PUBLISH_AGAIN)).await.is_none() {
                    return;
                }
            }
        })))
    }

    /// Publishes what completed, where that is wanted.
    async fn publish_once(&self, store: &dyn Store) -> Result<(), Failure> {
        let Some(target) = &self.target else { return Ok(()) };
        let publisher = Publisher::new(store, target, self.shutdown.clone());
        Ok(publisher.catch_up(&mut |told| log_told(target, &told)).await?)
    }

    /// Claims a run, where there is one, and carries it through.
    async fn work_one(&self, runner: &Runner) -> Result<Next, Failure> {
        let permit = self.shutdown.run_until_cancelled(self.one_run.acquire()).await;
        let Some(permit) = permit else { return Ok(Next::Stopped) };
        let control = RunControl::stopped_by(&self.shutdown, StopReason::HandOver);
        let observer = (self.observers)(self.place.tenant());
        let worked = runner.work(None, control, observer).await;
        drop(permit);
        match worked {
            Ok(Some(finished)) => Ok(Next::Done(finished)),
            Ok(None) => Ok(Next::Nothing),
            Err(error @ AppError::HandedOver(_)) => {
                say(format!("{}: {error}\n", self.label))?;
                Ok(Next::Stopped)
            }
            Err(error @ AppError::Store(StoreError::LeaseLost(_))) => {
                tracing::warn!("{}: {error}", self.label);
                Ok(Next::Nothing)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What came of a look for work.
enum Next {
    /// A run is over.
    Done(FinishedRun),
    /// There is none to be had.
    Nothing,
    /// The process is to end.
    Stopped,
}
