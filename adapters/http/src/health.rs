//! Liveness, readiness, metrics, and the status of a tenant's store and queue (specification 4.3).

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use powerfill_app::with_logged_status;
use powerfill_engine::{ENGINE_VERSION, SPEC_VERSION};
use powerfill_ports::runs::{QueuedRun, RunStatus};
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::api::Api;
use crate::caller::{Admin, Viewer};
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::run_view::RunOverview;

/// The time in which a store must answer.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// The age of a check of the stores that still counts.
const READINESS_AGE: Duration = Duration::from_secs(1);

/// An answer without data.
#[derive(Serialize, ToSchema)]
#[schema(as = Word)]
pub(crate) struct Liveness {
    /// `ok`.
    status: &'static str,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "service", responses((status = 200, body = Liveness)))]
pub(crate) async fn healthz() -> Json<Liveness> {
    Json(Liveness { status: "ok" })
}

/// Whether the service can answer requests.
#[derive(Serialize, ToSchema)]
#[schema(as = Readiness)]
pub(crate) struct ReadinessView {
    /// `ok`, or `degraded` if some stores do not answer.
    status: &'static str,
    /// The number of stores that do not answer, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable_stores: Option<usize>,
}

/// The number of stores that did not answer, and when they were asked.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Option<(Instant, usize)>>);

impl Readiness {
    /// The number of stores that do not answer. Requests that come together share one check,
    /// because anyone can ask.
    async fn unavailable_stores(&self, api: &Api) -> usize {
        let mut last = self.0.lock().await;
        if let Some((at, unavailable)) = *last
            && at.elapsed() < READINESS_AGE
        {
            return unavailable;
        }
        let checks = api.tenants.values().map(|tenant| async {
            let checked = tokio::time::timeout(STORE_TIMEOUT, async {
                match tenant.store().await {
                    Ok(store) => store.head().await.is_ok(),
                    Err(_) => false,
                }
            });
            checked.await.unwrap_or(false)
        });
        let states = futures::future::join_all(checks).await;
        let unavailable = states.iter().filter(|is_ready| !**is_ready).count();
        *last = Some((Instant::now(), unavailable));
        unavailable
    }
}

/// The store of at least one tenant answers. The answer never names a tenant.
#[utoipa::path(get, path = "/readyz", tag = "service",
    responses((status = 200, body = ReadinessView)))]
pub(crate) async fn readyz(State(api): State<Arc<Api>>) -> ApiResult<Json<ReadinessView>> {
    let view = match api.readiness.unavailable_stores(&api).await {
        0 => ReadinessView { status: "ok", unavailable_stores: None },
        stores if stores == api.tenants.len() => {
            let detail = format!("{stores} of {stores} stores do not answer.");
            return Err(Problem::new(ProblemKind::Unavailable, detail));
        }
        stores => ReadinessView { status: "degraded", unavailable_stores: Some(stores) },
    };
    Ok(Json(view))
}

type MetricsText = ([(HeaderName, &'static str); 1], String);

const OPEN_METRICS: [(HeaderName, &str); 1] =
    [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];

/// The metrics of the service and of the tenant, in the format of OpenMetrics, which Prometheus
/// reads.
///
/// The metrics of all tenants are at the address of `serve --metrics`.
#[utoipa::path(get, security(("token" = ["admin"])), path = "/metrics", tag = "service",
    responses((status = 200, content_type = "application/openmetrics-text", body = String)))]
pub(crate) async fn metrics(Admin { caller, api }: Admin) -> MetricsText {
    (OPEN_METRICS, api.metrics.text(std::iter::once(&caller.tenant)).await)
}

/// The metrics of the service and of all its tenants.
pub(crate) async fn all_metrics(State(api): State<Arc<Api>>) -> MetricsText {
    (OPEN_METRICS, api.metrics.text(api.tenants.values()).await)
}

/// Versions, and the store and the queue of the tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Status)]
pub(crate) struct ServiceStatus {
    /// The version of this program.
    version: &'static str,
    /// The version of the engine.
    engine_version: &'static str,
    /// The version of the specification that the engine follows.
    spec_version: &'static str,
    tenant_id: String,
    /// The actor of the changes that this caller makes.
    actor: String,
    /// Whether workers run in this process.
    works: bool,
    /// Whose configuration runs have: `managed`, that of PowerFill, or `source`.
    configuration: &'static str,
    store: StoreStatus,
    /// `active`, `idle`, or `unknown` while the store does not answer.
    queue: &'static str,
    /// The workers with a run.
    workers: Vec<String>,
    /// Runs that wait for a worker; null while the store does not answer.
    queue_depth: Option<usize>,
    /// The active run, if there is one.
    active_run: Option<RunOverview>,
}

/// The state of the tenant's store.
#[derive(Serialize, ToSchema)]
pub(crate) struct StoreStatus {
    /// Whether it answers.
    reachable: bool,
    /// The number of events in its log.
    events: Option<u64>,
}

/// The state of the service, and of the store and the queue of the tenant.
#[utoipa::path(get, path = "/api/powerfill/status", tag = "service",
    responses((status = 200, body = ServiceStatus)))]
pub(crate) async fn status(Viewer { caller, api }: Viewer) -> ApiResult<Json<ServiceStatus>> {
    let answer = tokio::time::timeout(STORE_TIMEOUT, async {
        let store = caller.store().await.ok()?;
        let active = match store.active_run().await.ok()? {
            None => None,
            Some(run) => {
                let run = with_logged_status(store.as_ref(), run).await.ok()?;
                Some(run).filter(|run| !run.status.is_over())
            }
        };
        Some((store.head().await.ok()?.position, active))
    });
    let (events, active) = answer.await.ok().flatten().unzip();
    let waiting = |run: &QueuedRun| run.status == RunStatus::Pending;
    let queue_depth =
        active.as_ref().map(|active| usize::from(active.as_ref().is_some_and(waiting)));
    let queue = match &active {
        None => "unknown",
        Some(None) => "idle",
        Some(Some(_)) => "active",
    };
    let active = active.flatten();
    Ok(Json(ServiceStatus {
        version: env!("CARGO_PKG_VERSION"),
        engine_version: ENGINE_VERSION,
        spec_version: SPEC_VERSION,
        tenant_id: caller.tenant.id().to_owned(),
        actor: caller.actor,
        works: api.has_workers,
        configuration: match caller.tenant.manages_configuration() {
            true => "managed",
            false => "source",
        },
        queue,
        store: StoreStatus { reachable: events.is_some(), events },
        workers: active.iter().filter_map(|run| run.worker.clone()).collect(),
        queue_depth,
        active_run: active.as_ref().map(RunOverview::from),
    }))
}
