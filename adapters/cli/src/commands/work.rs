//! `work`: queued and abandoned runs, one at a time, until there is nothing to do or the process is told to stop.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use powerfill_app::publish::Publisher;
use powerfill_app::{Finished, Runner, RunnerError, Watch};
use powerfill_events::values::TenantId;
use powerfill_ports::{Store, StoreError};
use powerfill_sqlserver::SqlServerTarget;
use powerfill_tables::status::RunStatus;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::publish::{follow_one, log_told};
use super::run::{process_name, runner};
use crate::args::WorkArgs;
use crate::failure::Failure;
use crate::log;
use crate::output::say;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::tenancy::Place;

/// How soon a run is seen whose worker died, which tells nobody.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How soon a store that is away is asked again, the first time and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: WorkArgs, settings: &Settings) -> Result<(), Failure> {
    let places = Place::chosen(args.all_tenants, &args.place, settings)?;
    let stop = Stop::listen()?;
    let name = args.name.unwrap_or_else(process_name);
    log::begin(args.log_format);
    let heard = stop.clone();
    let watching: Watching = Arc::new(move |_| Arc::new(heard.clone()));
    let places = with_targets(places, settings)?;
    work_for(places, &name, &stop, args.once, watching).await
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

/// Makes whoever watches a run of a tenant; by [`Stop`] it is told to hand the run over.
pub(super) type Watching = Arc<dyn Fn(Option<&TenantId>) -> Arc<dyn Watch> + Send + Sync>;

/// Works for all these stores until `stop`, or once, and publishes the runs that complete where that is wanted.
pub(super) async fn work_for(
    places: Vec<Published>,
    name: &str,
    stop: &Stop,
    once: bool,
    watching: Watching,
) -> Result<(), Failure> {
    let one_run = Arc::new(Semaphore::new(1));
    let mut desks = JoinSet::new();
    for (target, place) in places {
        let label = place.tenant().map_or_else(|| place.url().to_string(), ToString::to_string);
        let (stop, one_run, name) = (stop.clone(), Arc::clone(&one_run), name.to_owned());
        let watching = Arc::clone(&watching);
        desks.spawn(Desk { place, target, label, name, stop, one_run, once, watching }.work());
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
    stop: Stop,
    /// A run has both cores; those of other stores wait for it in their order.
    one_run: Arc<Semaphore>,
    once: bool,
    watching: Watching,
}

impl Desk {
    /// Works until it is told to stop, or once, also where the store is away for long.
    async fn work(self) -> Result<(), Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            let failure = match self.serve(&mut pause).await {
                Err(failure @ Failure::Environment(_)) if !self.once => failure,
                ended => return ended,
            };
            let (label, seconds) = (&self.label, pause.as_secs());
            if let Failure::Environment(message) = failure {
                tracing::warn!("{label}: {message}; trying again in {seconds} s");
            }
            if self.stop.within(pause).await {
                return Ok(());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn serve(&self, pause: &mut Duration) -> Result<(), Failure> {
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
                    *pause = FIRST_PAUSE;
                    failed |= finished.status == RunStatus::Failed;
                    let Finished { run_id, status } = finished;
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
                    *pause = FIRST_PAUSE;
                    if self.stop.within(LOOK_EVERY).await {
                        return Ok(());
                    }
                }
                Next::Nothing => {
                    *pause = FIRST_PAUSE;
                    let Some(news) = &mut news else { continue };
                    tokio::select! {
                        () = self.stop.heard() => return Ok(()),
                        () = tokio::time::sleep(LOOK_EVERY) => {}
                        event = news.next() => woken = event.transpose()?.is_some(),
                    }
                }
            }
        }
    }

    /// Publishes each run that completes, beside the work. What is wrong with the place keeps no run from being worked.
    fn publishing(&self, store: &Arc<dyn Store>) -> Option<AbortOnDropHandle<()>> {
        let target = self.target.clone().filter(|_| !self.once)?;
        let (store, stop, label) = (Arc::clone(store), self.stop.clone(), self.label.clone());
        Some(AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                match follow_one(store.as_ref(), &target, &stop).await {
                    Ok(()) => return,
                    Err(Failure::Environment(message)) => tracing::error!("{label}: {message}"),
                    Err(_) => tracing::error!("{label}: publishing failed"),
                }
                if stop.within(LONGEST_PAUSE).await {
                    return;
                }
            }
        })))
    }

    /// Publishes what completed, where that is wanted.
    async fn publish_once(&self, store: &dyn Store) -> Result<(), Failure> {
        let Some(target) = &self.target else { return Ok(()) };
        let publisher = Publisher::new(store, target, self.stop.watched());
        Ok(publisher.catch_up(&mut |told| log_told(target, &told)).await?)
    }

    /// Claims a run, where there is one, and carries it through.
    async fn work_one(&self, runner: &Runner<dyn Store>) -> Result<Next, Failure> {
        let permit = tokio::select! {
            () = self.stop.heard() => return Ok(Next::Stopped),
            permit = self.one_run.acquire() => permit,
        };
        let worked = runner.work(None, (self.watching)(self.place.tenant())).await;
        drop(permit);
        match worked {
            Ok(Some(finished)) => Ok(Next::Done(finished)),
            Ok(None) => Ok(Next::Nothing),
            Err(error @ RunnerError::HandedOver(_)) => {
                say(format!("{}: {error}\n", self.label))?;
                Ok(Next::Stopped)
            }
            Err(error @ RunnerError::Store(StoreError::LeaseLost(_))) => {
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
    Done(Finished),
    /// There is none to be had.
    Nothing,
    /// The process is to end.
    Stopped,
}
