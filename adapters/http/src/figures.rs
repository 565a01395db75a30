//! The figures of the service for Prometheus (specification 4.3 `/metrics`): requests and steps as
//! they happen, runs, queue, events and lags from the stores when they are asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use powerfill_app::{RunObserver, RunProgress};
use powerfill_events::run::event::Step;
use powerfill_ports::runs::{QueuedRun, RunStatus};
use powerfill_ports::{Store, StoreError};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::api::Tenant;

/// Seconds, from a page in memory to a run of a very large book.
const REQUEST_SECONDS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
const STEP_SECONDS: [f64; 10] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0];

/// How long a store may take to give its figures.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    /// As the OpenAPI document has it, so that ids make no series of their own.
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

type SecondsByRoute = Family<Route, Histogram, fn() -> Histogram>;
type SecondsByStep = BTreeMap<(String, Step), Histogram>;

/// A live stream: whose, and where it is.
type Live = (String, Weak<AtomicU64>);

/// What is counted in this process.
#[derive(Clone)]
pub struct Figures {
    answers: Family<Answered, Counter>,
    seconds: SecondsByRoute,
    steps: Arc<Mutex<SecondsByStep>>,
    streams: Arc<Mutex<Vec<Live>>>,
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            answers: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            steps: Arc::default(),
            streams: Arc::default(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Figures {
    pub(crate) fn answered(&self, method: &str, route: Option<&str>, status: u16, took: Duration) {
        // A method that HTTP does not know would be a series for each word that anybody sends.
        let known = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];
        let method = if known.contains(&method) { method } else { "other" }.to_owned();
        let route = route.unwrap_or("none").to_owned();
        let of = Route { method: method.clone(), route: route.clone() };
        self.seconds.get_or_create(&of).observe(took.as_secs_f64());
        self.answers.get_or_create(&Answered { method, route, status }).inc();
    }

    /// A live stream of events that begins after a position; it says by [`Place::reached`] how far
    /// it is.
    pub(crate) fn stream(&self, tenant: &str, after: u64) -> Place {
        let position = Arc::new(AtomicU64::new(after));
        let mut streams = lock(&self.streams);
        streams.retain(|(_, stream)| stream.strong_count() > 0);
        streams.push((tenant.to_owned(), Arc::downgrade(&position)));
        Place(position)
    }

    /// Where each live stream of a tenant is.
    fn streams_of(&self, tenant: &str) -> Vec<u64> {
        let streams = lock(&self.streams);
        let own = streams.iter().filter(|(of, _)| of == tenant);
        own.filter_map(|(_, stream)| Some(stream.upgrade()?.load(Ordering::Relaxed))).collect()
    }

    /// Measures how long the steps of a tenant's run take.
    pub fn step_timer(&self, tenant: &str) -> Arc<dyn RunObserver> {
        let steps = Arc::clone(&self.steps);
        Arc::new(StepTimer { tenant: tenant.to_owned(), steps, now: Mutex::new(None) })
    }

    /// The figures of these tenants as text, in the format of OpenMetrics.
    pub async fn text(&self, tenants: impl Iterator<Item = &Arc<dyn Tenant>>) -> String {
        let looks = tenants.map(|tenant| async {
            let looked = tokio::time::timeout(PATIENCE, async {
                let store = tenant.store().await.ok()?;
                Stored::look(store.as_ref()).await.ok()
            });
            let stored = looked.await.ok().flatten();
            let tenant = tenant.id().to_owned();
            let streams = self.streams_of(&tenant);
            (tenant, Desk { stored, streams })
        });
        let desks: BTreeMap<_, _> = futures::future::join_all(looks).await.into_iter().collect();
        let steps = lock(&self.steps).clone();
        let mut registry = Registry::with_prefix("powerfill");
        let (answers, seconds) = (self.answers.clone(), self.seconds.clone());
        registry.register("http_requests", "Requests that were answered", answers);
        registry.register("http_request_seconds", "From a request's head to its answer's", seconds);
        registry.register_collector(Box::new(Desks { desks, steps }));
        let mut text = String::new();
        // A string takes every write.
        let _ = encode(&mut text, &registry);
        text
    }
}

/// How far a live stream is.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicU64>);

impl Place {
    pub(crate) fn reached(&self, position: u64) {
        self.0.store(position, Ordering::Relaxed);
    }
}

/// Measures how long each step of a run takes.
struct StepTimer {
    tenant: String,
    steps: Arc<Mutex<SecondsByStep>>,
    now: Mutex<Option<(Step, Instant)>>,
}

impl StepTimer {
    fn turn_to(&self, next: Option<Step>) {
        let next = next.map(|step| (step, Instant::now()));
        let before = std::mem::replace(&mut *lock(&self.now), next);
        if let Some((step, begun)) = before {
            let key = (self.tenant.clone(), step);
            let mut steps = lock(&self.steps);
            let seconds = steps.entry(key).or_insert_with(|| Histogram::new(STEP_SECONDS));
            seconds.observe(begun.elapsed().as_secs_f64());
        }
    }
}

impl RunObserver for StepTimer {
    fn observe(&self, progress: RunProgress<'_>) {
        if let RunProgress::Step(step) = progress {
            self.turn_to(Some(step));
        }
    }
}

impl Drop for StepTimer {
    fn drop(&mut self) {
        self.turn_to(None);
    }
}

/// What a tenant's store says of itself.
#[derive(Debug)]
struct Stored {
    events: u64,
    runs: BTreeMap<&'static str, u64>,
    queued: u64,
    /// Events of the latest Complete run that its shown tables do not have yet.
    behind: u64,
    /// Where each subscriber is that keeps its position in the store.
    subscribers: Vec<(String, u64)>,
}

impl Stored {
    async fn look(store: &dyn Store) -> Result<Self, StoreError> {
        let mut runs: BTreeMap<_, _> = RunStatus::ALL.map(|status| (status.name(), 0)).into();
        runs.extend(store.run_counts().await?.iter().map(|(status, runs)| (status.name(), *runs)));
        let behind = match store.latest_run(RunStatus::Complete).await? {
            None => 0,
            Some(QueuedRun { run_id: latest, .. }) => {
                let there = store.stream_version(&latest.stream()).await?;
                let shown = store.published().await?.filter(|(run, _)| *run == latest);
                there - shown.map_or(0, |(_, up_to)| up_to).min(there)
            }
        };
        let queued = runs[RunStatus::Pending.name()];
        let subscribers = store.subscribers().await?;
        Ok(Self { events: store.head().await?.position, runs, queued, behind, subscribers })
    }
}

#[derive(Debug)]
struct Desk {
    stored: Option<Stored>,
    streams: Vec<u64>,
}

#[derive(Debug)]
struct Desks {
    desks: BTreeMap<String, Desk>,
    steps: SecondsByStep,
}

/// Labels, as they stand in a series.
type Labels<'a> = Vec<(&'static str, &'a str)>;

impl Desks {
    /// A figure of each desk whose store answers: none, one, or one for each value of another
    /// label.
    fn each<'a>(
        &'a self,
        of: impl Fn(&'a Stored, &'a Desk) -> Vec<(Labels<'a>, u64)> + 'a,
    ) -> impl Iterator<Item = (Labels<'a>, u64)> {
        self.desks.iter().flat_map(move |(tenant, desk)| {
            let found = desk.stored.as_ref().map_or_else(Vec::new, |stored| of(stored, desk));
            found.into_iter().map(move |(mut labels, value)| {
                labels.insert(0, ("tenant", tenant));
                (labels, value)
            })
        })
    }
}

fn figures<'a, M: EncodeMetric>(
    encoder: &mut DescriptorEncoder,
    (name, help, kind): (&str, &str, MetricType),
    values: impl Iterator<Item = (Labels<'a>, M)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in values {
        value.encode(family.encode_family(&labels.as_slice())?)?;
    }
    Ok(())
}

fn gauges<'a>(
    encoder: &mut DescriptorEncoder,
    (name, help): (&str, &str),
    values: impl Iterator<Item = (Labels<'a>, u64)>,
) -> fmt::Result {
    figures(
        encoder,
        (name, help, MetricType::Gauge),
        values.map(|(labels, value)| {
            (labels, ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)))
        }),
    )
}

impl Collector for Desks {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let out = &mut encoder;
        let up = self.desks.iter().map(|(tenant, desk)| {
            (vec![("tenant", tenant.as_str())], u64::from(desk.stored.is_some()))
        });
        gauges(out, ("store_up", "Whether the tenant's store answers"), up)?;
        let runs = self.each(|stored, _| {
            stored.runs.iter().map(|(status, runs)| (vec![("status", *status)], *runs)).collect()
        });
        gauges(out, ("runs", "Runs by status"), runs)?;
        let queued = self.each(|stored, _| vec![(vec![], stored.queued)]);
        gauges(out, ("queue_depth", "Runs that wait for a worker"), queued)?;
        let events = self.each(|stored, _| vec![(vec![], stored.events)]);
        let events = events.map(|(labels, value)| (labels, ConstCounter::new(value)));
        figures(out, ("events_appended", "Events in the log", MetricType::Counter), events)?;
        let behind =
            self.each(|stored, _| vec![(vec![("projection", "output_tables")], stored.behind)]);
        let help = "Events of the latest Complete run that the tables do not have yet";
        gauges(out, ("projection_lag_events", help), behind)?;
        let streams = self.each(|_, desk| vec![(vec![], desk.streams.len() as u64)]);
        gauges(out, ("event_streams", "Live event streams"), streams)?;
        let late = self.each(|stored, desk| {
            let slowest = desk.streams.iter().min();
            let lag = slowest.map_or(0, |at| stored.events - (*at).min(stored.events));
            let kept = stored.subscribers.iter().map(|(name, at)| {
                (vec![("subscriber", name.as_str())], stored.events - (*at).min(stored.events))
            });
            kept.chain([(vec![("subscriber", "slowest_event_stream")], lag)]).collect()
        });
        let help = "Events that a subscriber has not got yet";
        gauges(out, ("subscriber_lag_events", help), late)?;
        let kept = self.steps.iter().filter(|((tenant, _), _)| self.desks.contains_key(tenant));
        let steps = kept.map(|((tenant, step), seconds)| {
            (vec![("tenant", tenant.as_str()), ("step", step.as_str())], seconds.clone())
        });
        let help = "Time that the steps of runs took in this process";
        figures(out, ("step_seconds", help, MetricType::Histogram), steps)
    }
}
