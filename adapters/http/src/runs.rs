//! The list of runs, one run, and its cancel (specification 4.3, 4.4).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, response::AppendHeaders};
use powerfill_events::run::RunId;
use powerfill_ports::runs::{QueuedRun, RunCursor};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::caller::{Operator, Viewer};
use crate::extract::{Path, Query};
use crate::position::page_size;
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::run_view::{RunOverview, RunView, read_run};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;

/// A page of runs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunPage {
    runs: Vec<RunOverview>,
    /// The `cursor` of the next page; null on the last one.
    next: Option<Uuid>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsQuery {
    /// `next` of the previous page.
    cursor: Option<Uuid>,
    /// Runs on the page, 1 to 500. Absent: 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// The runs of the tenant, newest first.
#[utoipa::path(get, path = "/api/powerfill/runs", tag = "runs", params(RunsQuery),
    responses((status = 200, body = RunPage)))]
pub(crate) async fn list(
    Viewer(caller): Viewer,
    Query(query): Query<RunsQuery>,
) -> ApiResult<Json<RunPage>> {
    let size = page_size(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let store = caller.store().await?;
    let cursor = match query.cursor {
        None => RunCursor::START,
        Some(after) => {
            let last = store.run(RunId(after)).await?;
            let unknown = || Problem::bad("cursor is no `next` of this list.");
            last.as_ref().map(QueuedRun::cursor).ok_or_else(unknown)?
        }
    };
    let runs = store.runs_after(cursor, size + 1).await?;
    let page: Vec<RunOverview> = runs.iter().take(size).map(RunOverview::from).collect();
    let next = page.last().filter(|_| runs.len() > size).map(|run| run.run_id);
    Ok(Json(RunPage { runs: page, next }))
}

/// A run with its status, its step, its counts, and its failure.
#[utoipa::path(get, path = "/api/powerfill/runs/{run_id}", tag = "runs",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = RunView)))]
pub(crate) async fn show(
    Viewer(caller): Viewer,
    Path(run): Path<Uuid>,
) -> ApiResult<Json<RunView>> {
    Ok(Json(read_run(caller.store().await?.as_ref(), RunId(run)).await?))
}

/// A request that was accepted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "run_id": "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34", "status": "Pending"
}))]
pub(crate) struct RunAccepted {
    /// The id of the run.
    run_id: Uuid,
    /// Its status.
    status: String,
}

/// 202 with the path of the run.
pub(crate) fn accepted(run: RunId, status: &str) -> Response {
    let path = format!("/api/powerfill/runs/{run}");
    let body = RunAccepted { run_id: run.0, status: status.to_owned() };
    (StatusCode::ACCEPTED, AppendHeaders([(header::LOCATION, path)]), Json(body)).into_response()
}

/// Requests the cancel of a run. Its worker ends it within a second.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/runs/{run_id}/cancel", tag = "runs",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 202, body = RunAccepted,
        headers(("Location" = String, description = "The run"))), (status = 409)))]
pub(crate) async fn cancel(
    Operator(caller): Operator,
    Path(run): Path<Uuid>,
) -> ApiResult<Response> {
    let (run, store) = (RunId(run), caller.store().await?);
    let found = store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    if !store.request_cancel(run, &caller.actor).await? {
        let now = store.run(run).await?.map_or(found.status, |run| run.status).name();
        let detail = format!("Run {run} is over: {now}. Nothing has changed.");
        return Err(Problem::new(ProblemKind::RunOver, detail).with("run_status", now));
    }
    Ok(accepted(run, found.status.name()))
}
