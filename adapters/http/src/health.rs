//! Liveness, readiness, metrics, and the status of a tenant's store and queue (specification 4.3).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use powerfill_engine::{ENGINE_VERSION, SPEC_VERSION};
use powerfill_ports::runs::RunStatus;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Api;
use crate::caller::{Admin, Viewer};
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::run_view::RunOverview;

/// The time in which a store must answer.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

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

/// The stores of all tenants answer. The answer never names a tenant.
#[utoipa::path(get, path = "/readyz", tag = "service", responses((status = 200, body = Liveness)))]
pub(crate) async fn readyz(State(api): State<Arc<Api>>) -> ApiResult<Json<Liveness>> {
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
    let missing = states.iter().filter(|is_ready| !**is_ready).count();
    if missing == 0 {
        return Ok(Json(Liveness { status: "ok" }));
    }
    let detail = format!("{missing} of {} stores do not answer.", api.tenants.len());
    Err(Problem::new(ProblemKind::Unavailable, detail))
}

/// Metrics as text.
type MetricsText = ([(HeaderName, &'static str); 1], String);

const OPEN_METRICS: [(HeaderName, &str); 1] =
    [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];

/// The metrics of the service and of the tenant, in the format of OpenMetrics, which Prometheus
/// reads.
///
/// The metrics of all tenants are at the address of `serve --metrics`.
#[utoipa::path(get, security(("token" = ["admin"])), path = "/metrics", tag = "service",
    responses((status = 200, content_type = "application/openmetrics-text", body = String)))]
pub(crate) async fn metrics(Admin(caller): Admin, State(api): State<Arc<Api>>) -> MetricsText {
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
    store: StoreStatus,
    /// The workers with a run.
    workers: Vec<String>,
    /// Runs that wait for a worker.
    queue_depth: usize,
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
pub(crate) async fn status(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
) -> ApiResult<Json<ServiceStatus>> {
    let answer = tokio::time::timeout(STORE_TIMEOUT, async {
        let store = caller.store().await.ok()?;
        Some((store.head().await.ok()?.position, store.active_run().await.ok()?))
    });
    let (events, active) = answer.await.ok().flatten().unzip();
    let active = active.flatten();
    Ok(Json(ServiceStatus {
        version: env!("CARGO_PKG_VERSION"),
        engine_version: ENGINE_VERSION,
        spec_version: SPEC_VERSION,
        tenant_id: caller.tenant.id().to_owned(),
        actor: caller.actor,
        works: api.has_workers,
        store: StoreStatus { reachable: events.is_some(), events },
        workers: active.iter().filter_map(|run| run.worker.clone()).collect(),
        queue_depth: active.iter().filter(|run| run.status == RunStatus::Pending).count(),
        active_run: active.as_ref().map(RunOverview::from),
    }))
}
