//! Whether the service lives, is ready, and how a tenant's store and queue stand (specification
//! 4.3).

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
use crate::problem::{Answer, Problem, ProblemKind};
use crate::runs::RunHead;

/// How long a store may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// A word.
#[derive(Serialize, ToSchema)]
pub(crate) struct Word {
    /// `ok`.
    status: &'static str,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "service", responses((status = 200, body = Word)))]
pub(crate) async fn healthz() -> Json<Word> {
    Json(Word { status: "ok" })
}

/// The stores of all tenants answer. Says of none which it is.
#[utoipa::path(get, path = "/readyz", tag = "service", responses((status = 200, body = Word)))]
pub(crate) async fn readyz(State(api): State<Arc<Api>>) -> Answer<Json<Word>> {
    let looks = api.tenants.values().map(|tenant| async {
        let looked = tokio::time::timeout(PATIENCE, async {
            match tenant.store().await {
                Ok(store) => store.head().await.is_ok(),
                Err(_) => false,
            }
        });
        looked.await.unwrap_or(false)
    });
    let away = futures::future::join_all(looks).await.iter().filter(|there| !**there).count();
    if away == 0 {
        return Ok(Json(Word { status: "ok" }));
    }
    let detail = format!("{away} of {} stores do not answer.", api.tenants.len());
    Err(Problem::new(ProblemKind::Unavailable, detail))
}

/// What Prometheus reads.
type Text = ([(HeaderName, &'static str); 1], String);

const OPEN_METRICS: [(HeaderName, &str); 1] =
    [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];

/// The figures of the service and of the tenant, in the format of OpenMetrics, which Prometheus
/// reads.
///
/// Those of all tenants together are at the address of `serve --metrics`.
#[utoipa::path(get, security(("token" = ["admin"])), path = "/metrics", tag = "service",
    responses((status = 200, content_type = "application/openmetrics-text", body = String)))]
pub(crate) async fn metrics(Admin(caller): Admin, State(api): State<Arc<Api>>) -> Text {
    (OPEN_METRICS, api.figures.text(std::iter::once(&caller.tenant)).await)
}

/// The figures of the service and of all its tenants.
pub(crate) async fn all_metrics(State(api): State<Arc<Api>>) -> Text {
    (OPEN_METRICS, api.figures.text(api.tenants.values()).await)
}

/// Versions, the tenant's store, its queue.
#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    /// Of this program.
    version: &'static str,
    /// Of the engine.
    engine_version: &'static str,
    /// Of the specification that it follows.
    spec_version: &'static str,
    tenant_id: String,
    /// Who is asking, as changes are recorded.
    actor: String,
    /// Whether this process carries runs through.
    works: bool,
    store: StoreStatus,
    /// The workers that have a run.
    workers: Vec<String>,
    /// Runs that wait for a worker.
    queue_depth: usize,
    /// The run that is not over, where there is one.
    active_run: Option<RunHead>,
}

/// How the tenant's store stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct StoreStatus {
    /// Whether it answers.
    reachable: bool,
    /// Events in its log.
    events: Option<u64>,
}

/// How the service and the tenant's store stand.
#[utoipa::path(get, path = "/api/powerfill/status", tag = "service",
    responses((status = 200, body = Status)))]
pub(crate) async fn status(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
) -> Answer<Json<Status>> {
    let looked = tokio::time::timeout(PATIENCE, async {
        let store = caller.store().await.ok()?;
        Some((store.head().await.ok()?.position, store.active_run().await.ok()?))
    });
    let looked = looked.await.ok().flatten();
    let (events, active) = looked.unzip();
    let active = active.flatten();
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        engine_version: ENGINE_VERSION,
        spec_version: SPEC_VERSION,
        tenant_id: caller.tenant.id().to_owned(),
        actor: caller.actor,
        works: api.works,
        store: StoreStatus { reachable: events.is_some(), events },
        workers: active.iter().filter_map(|run| run.worker.clone()).collect(),
        queue_depth: active.iter().filter(|run| run.status == RunStatus::Pending).count(),
        active_run: active.as_ref().map(RunHead::from),
    }))
}
