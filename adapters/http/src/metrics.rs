//! Metrics for Prometheus (specification 4.3 `/metrics`). Requests and steps are counted when they
//! happen; runs, queues, events, and lags are read from the stores for each scrape.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use powerfill_app::{RunObserver, RunProgress};
use powerfill_events::run::event::Step;
use powerfill_ports::runs::{QueuedRun, RunStatus};
use powerfill_ports::{Store, StoreResult};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::observer::AnsweredRequest;
use crate::tenant::TenantHandle;

/// Buckets in seconds, from a cached page to a run of a very large book.
const REQUEST_SECONDS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
const STEP_SECONDS: [f64; 10] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0];

/// The time in which a store must answer.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResponseLabels {
    method: String,
    /// The path of the OpenAPI document, because an id must not make a series of its own.
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: String,
    route: String,
}

type RequestSeconds = Family<RouteLabels, Histogram, fn() -> Histogram>;
type StepSeconds = BTreeMap<(String, Step), Histogram>;

/// The tenant and the position of a live event stream.
type LiveStream = (String, Weak<AtomicU64>);

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics {
    responses: Family<ResponseLabels, Counter>,
    request_seconds: RequestSeconds,
    step_seconds: Arc<Mutex<StepSeconds>>,
    streams: Arc<Mutex<Vec<LiveStream>>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            responses: Family::default(),
            request_seconds: Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS)),
            step_seconds: Arc::default(),
            streams: Arc::default(),
        }
    }
}

impl Metrics {
    pub(crate) fn count(&self, request: &AnsweredRequest<'_>) {
        let (method, route) = (request.method.to_owned(), request.route_or_none().to_owned());
        let labels = RouteLabels { method: method.clone(), route: route.clone() };
        self.request_seconds.get_or_create(&labels).observe(request.lasted.as_secs_f64());
        let status = request.status;
        self.responses.get_or_create(&ResponseLabels { method, route, status }).inc();
    }

    /// Adds a live event stream that begins after a position.
    pub(crate) fn add_stream(&self, tenant: &str, after: u64) -> StreamPosition {
        let position = Arc::new(AtomicU64::new(after));
        let mut streams = self.streams.lock();
        streams.retain(|(_, stream)| stream.strong_count() > 0);
        streams.push((tenant.to_owned(), Arc::downgrade(&position)));
        StreamPosition(position)
    }

    /// The positions of a tenant's live event streams.
    pub(crate) fn stream_positions(&self, tenant: &str) -> Vec<u64> {
        let streams = self.streams.lock();
        let own = streams.iter().filter(|(of, _)| of == tenant);
        own.filter_map(|(_, stream)| Some(stream.upgrade()?.load(Ordering::Relaxed))).collect()
    }

    /// Measures the steps of a tenant's run.
    pub fn step_timer(&self, tenant: &str) -> Arc<dyn RunObserver> {
        let steps = Arc::clone(&self.step_seconds);
        Arc::new(StepTimer { tenant: tenant.to_owned(), steps, current: Mutex::new(None) })
    }

    /// Reads the stores of these tenants.
    pub(crate) async fn read_stores(
        &self,
        tenants: impl Iterator<Item = &Arc<dyn TenantHandle>>,
    ) -> StoreReadings {
        let tenants = tenants.map(|tenant| async {
            let store = tokio::time::timeout(STORE_TIMEOUT, async {
                let store = tenant.store().await.ok()?;
                StoreMetrics::read(store.as_ref()).await.ok()
            });
            let store = store.await.ok().flatten();
            let id = tenant.id().to_owned();
            let streams = self.stream_positions(&id);
            (id, TenantMetrics { store, streams })
        });
        StoreReadings(futures::future::join_all(tenants).await.into_iter().collect())
    }

    /// The metrics of these tenants as text, in the format of OpenMetrics.
    pub(crate) async fn text(
        &self,
        tenants: impl Iterator<Item = &Arc<dyn TenantHandle>>,
    ) -> String {
        let stores = self.read_stores(tenants).await;
        let steps = self.step_seconds.lock().clone();
        let mut registry = Registry::with_prefix("powerfill");
        let (responses, seconds) = (self.responses.clone(), self.request_seconds.clone());
        registry.register("http_requests", "Requests that were answered", responses);
        let help = "Time from the head of a request to the head of its answer";
        registry.register("http_request_seconds", help, seconds);
        registry.register_collector(Box::new(TenantCollector { stores, steps }));
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a text does not fail");
        text
    }
}

/// The position of a live event stream. When it is dropped, the stream is no longer counted.
#[derive(Debug)]
pub(crate) struct StreamPosition(Arc<AtomicU64>);

impl StreamPosition {
    pub(crate) fn advance(&self, position: u64) {
        self.0.store(position, Ordering::Relaxed);
    }
}

/// Measures each step of a run.
struct StepTimer {
    tenant: String,
    steps: Arc<Mutex<StepSeconds>>,
    current: Mutex<Option<(Step, Instant)>>,
}

impl StepTimer {
    /// Ends the current step, and begins the next one.
    fn begin(&self, next: Option<Step>) {
        let next = next.map(|step| (step, Instant::now()));
        let ended = std::mem::replace(&mut *self.current.lock(), next);
        if let Some((step, start)) = ended {
            let key = (self.tenant.clone(), step);
            let mut steps = self.steps.lock();
            let seconds = steps.entry(key).or_insert_with(|| Histogram::new(STEP_SECONDS));
            seconds.observe(start.elapsed().as_secs_f64());
        }
    }
}

impl RunObserver for StepTimer {
    fn observe(&self, progress: RunProgress<'_>) {
        if let RunProgress::Step(step) = progress {
            self.begin(Some(step));
        }
    }
}

impl Drop for StepTimer {
    fn drop(&mut self) {
        self.begin(None);
    }
}

#[derive(Debug)]
struct StoreMetrics {
    events: u64,
    runs: BTreeMap<&'static str, u64>,
    queued: u64,
    /// The events of the latest Complete run that the shown tables do not have yet.
    projection_lag: u64,
    /// The subscribers whose positions the store has, and these positions.
    subscribers: Vec<(String, u64)>,
}

impl StoreMetrics {
    async fn read(store: &dyn Store) -> StoreResult<Self> {
        let mut runs: BTreeMap<_, _> = RunStatus::ALL.map(|status| (status.name(), 0)).into();
        runs.extend(store.run_counts().await?.iter().map(|(status, runs)| (status.name(), *runs)));
        let projection_lag = match store.latest_run(RunStatus::Complete).await? {
            None => 0,
            Some(QueuedRun { run_id: latest, .. }) => {
                let events = store.stream_version(&latest.stream()).await?;
                let shown = store.published().await?.filter(|(run, _)| *run == latest);
                events.saturating_sub(shown.map_or(0, |(_, up_to)| up_to))
            }
        };
        let queued = runs[RunStatus::Pending.name()];
        let subscribers = store.subscribers().await?;
        let events = store.head().await?.position;
        Ok(Self { events, runs, queued, projection_lag, subscribers })
    }
}

#[derive(Debug)]
struct TenantMetrics {
    /// `None` if the store does not answer.
    store: Option<StoreMetrics>,
    /// The positions of the live event streams.
    streams: Vec<u64>,
}

impl TenantMetrics {
    /// A value of a store that answers, without more labels.
    fn one(&self, value: impl Fn(&StoreMetrics) -> u64) -> Vec<LabeledValue> {
        self.store.iter().map(|store| (vec![], value(store))).collect()
    }

    fn subscriber_lags(&self) -> Vec<LabeledValue> {
        let Some(store) = &self.store else { return Vec::new() };
        let lag = |position: u64| store.events.saturating_sub(position);
        let slowest = self.streams.iter().min().map_or(0, |position| lag(*position));
        let subscribers = store.subscribers.iter().map(|(name, at)| (name.clone(), lag(*at)));
        let lags = subscribers.chain([("slowest_event_stream".to_owned(), slowest)]);
        lags.map(|(name, lag)| (vec![("subscriber", name)], lag)).collect()
    }
}

/// What the stores of some tenants said.
#[derive(Debug)]
pub struct StoreReadings(BTreeMap<String, TenantMetrics>);

/// A value with its labels.
pub type LabeledValue = (Vec<(&'static str, String)>, u64);

/// A metric that is read from stores.
#[derive(Debug)]
pub struct StoreMetric {
    /// Its name, without a prefix.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    /// Whether it only grows.
    pub is_counter: bool,
    values: fn(&TenantMetrics) -> Vec<LabeledValue>,
}

impl StoreMetric {
    const fn gauge(
        (name, help): (&'static str, &'static str),
        values: fn(&TenantMetrics) -> Vec<LabeledValue>,
    ) -> Self {
        Self { name, help, is_counter: false, values }
    }

    /// Its values, each with the label `tenant` first.
    pub fn values(&self, stores: &StoreReadings) -> Vec<LabeledValue> {
        let of_tenant = |(id, tenant): (&String, &TenantMetrics)| {
            let mut values = (self.values)(tenant);
            values.iter_mut().for_each(|(labels, _)| labels.insert(0, ("tenant", id.clone())));
            values
        };
        stores.0.iter().flat_map(of_tenant).collect()
    }
}

/// The metrics that are read from stores.
pub static STORE_METRICS: [StoreMetric; 7] = [
    StoreMetric::gauge(("store_up", "Whether the tenant's store answers"), |tenant| {
        vec![(vec![], u64::from(tenant.store.is_some()))]
    }),
    StoreMetric::gauge(("runs", "Runs by status"), |tenant| {
        let runs = tenant.store.iter().flat_map(|store| &store.runs);
        runs.map(|(status, runs)| (vec![("status", (*status).to_owned())], *runs)).collect()
    }),
    StoreMetric::gauge(("queue_depth", "Runs that wait for a worker"), |tenant| {
        tenant.one(|store| store.queued)
    }),
    StoreMetric {
        is_counter: true,
        ..StoreMetric::gauge(("events_appended", "Events in the log"), |tenant| {
            tenant.one(|store| store.events)
        })
    },
    StoreMetric::gauge(
        (
            "projection_lag_events",
            "Events of the latest Complete run that the tables do not have yet",
        ),
        |tenant| {
            let lag = tenant.store.iter().map(|store| store.projection_lag);
            lag.map(|lag| (vec![("projection", "output_tables".to_owned())], lag)).collect()
        },
    ),
    StoreMetric::gauge(("event_streams", "Live event streams"), |tenant| {
        tenant.one(|_| tenant.streams.len() as u64)
    }),
    StoreMetric::gauge(
        ("subscriber_lag_events", "Events that a subscriber has not received yet"),
        TenantMetrics::subscriber_lags,
    ),
];

#[derive(Debug)]
struct TenantCollector {
    stores: StoreReadings,
    steps: StepSeconds,
}

fn encode_family<M: EncodeMetric>(
    encoder: &mut DescriptorEncoder,
    (name, help, metric_type): (&str, &str, MetricType),
    values: impl Iterator<Item = (Vec<(&'static str, String)>, M)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, metric_type)?;
    for (labels, value) in values {
        value.encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

impl Collector for TenantCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let out = &mut encoder;
        for metric in &STORE_METRICS {
            let values = metric.values(&self.stores).into_iter();
            if metric.is_counter {
                let values = values.map(|(labels, value)| (labels, ConstCounter::new(value)));
                encode_family(out, (metric.name, metric.help, MetricType::Counter), values)?;
            } else {
                let gauge = |value| ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
                let values = values.map(|(labels, value)| (labels, gauge(value)));
                encode_family(out, (metric.name, metric.help, MetricType::Gauge), values)?;
            }
        }
        let steps = self.steps.iter().filter(|((tenant, _), _)| self.stores.0.contains_key(tenant));
        let steps = steps.map(|((tenant, step), seconds)| {
            let labels = vec![("tenant", tenant.clone()), ("step", step.as_str().to_owned())];
            (labels, seconds.clone())
        });
        let help = "Time that the steps of runs took in this process";
        encode_family(out, ("step_seconds", help, MetricType::Histogram), steps)
    }
}
