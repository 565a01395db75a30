//! The list of runs, one run, and its cancel (specification 4.3, 4.4).

use std::pin::pin;
use std::time::Duration;

use axum::extract::OriginalUri;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, response::AppendHeaders};
use futures::{StreamExt, TryStreamExt};
use powerfill_app::run_list::{ListedRun, RunListFilter, list_runs};
use powerfill_events::run::RunId;
use powerfill_events::values::Day;
use powerfill_ports::Store;
use powerfill_ports::runs::{QueuedRun, RunCursor, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::answer::text;
use crate::caller::{Operator, Viewer};
use crate::challenges::CertificateView;
use crate::extract::{Path, Query};
use crate::paging::page_headers;
use crate::position::page_size;
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::run_view::{RunOverview, RunView, logged_run, read_run};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;

/// A run in a list: what its events say, its name, and its notes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunListItem {
    #[serde(flatten)]
    run: RunOverview,
    /// Its number in the store, from 1 in the order of requests; null on pages after the first one.
    number: Option<u64>,
    /// The actor who requested it.
    requested_by: String,
    /// The day from which it counts.
    as_of: Option<String>,
    /// The options that differ from their defaults; decimals are strings.
    #[schema(value_type = Object)]
    options: Map<String, Value>,
    /// The name of the scenario; null for an official run.
    scenario: Option<String>,
    /// The loans that a pass placed, if it is Complete.
    placed: Option<i64>,
    /// The kicked-out loans, if it is Complete.
    kicked_out: Option<u64>,
    /// Its value in dollars, if it is Complete.
    value_amount: Option<String>,
    /// How far it is from the best possible; null without a recorded bound.
    certificate: Option<CertificateView>,
    /// BLAKE3 of its output tables, if it is Complete.
    output_digest: Option<String>,
    /// Its name.
    name: Option<String>,
    /// The number of its notes.
    notes: u64,
    /// The last note.
    last_note: Option<String>,
}

impl From<ListedRun> for RunListItem {
    fn from(listed: ListedRun) -> Self {
        let ListedRun { number, queued, headline, annotations } = listed;
        Self {
            run: RunOverview::from(&queued),
            number,
            requested_by: headline.requested_by,
            as_of: text(headline.as_of),
            options: headline.options,
            scenario: headline.scenario,
            placed: headline.placed,
            kicked_out: headline.kicked_out,
            value_amount: text(headline.value_amount),
            certificate: headline.certificate.map(Into::into),
            output_digest: headline.output_digest,
            name: annotations.name,
            notes: annotations.notes,
            last_note: annotations.last_note,
        }
    }
}

/// A page of runs, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunPage {
    runs: Vec<RunListItem>,
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
    /// Only runs that were requested on this day (UTC) or later.
    #[param(value_type = Option<String>, format = Date)]
    since: Option<Day>,
    /// Only runs that were requested on this day (UTC) or earlier.
    #[param(value_type = Option<String>, format = Date)]
    until: Option<Day>,
    /// Only runs that count from this day.
    #[param(value_type = Option<String>, format = Date)]
    as_of: Option<Day>,
    /// Only runs with this status.
    #[param(value_type = Option<String>)]
    status: Option<RunStatus>,
    /// Only runs that this actor requested.
    requested_by: Option<String>,
    /// Only runs with these values of options, also if they are defaults: `NAME=VALUE`, separated
    /// by commas.
    options: Option<String>,
    /// The scenarios instead of the official runs.
    #[serde(default)]
    scenarios: bool,
}

impl RunsQuery {
    fn filter(&self) -> ApiResult<RunListFilter> {
        let mut filter = RunListFilter {
            since: self.since,
            until: self.until,
            as_of: self.as_of,
            status: self.status,
            requested_by: self.requested_by.clone(),
            options: Vec::new(),
            scenarios: self.scenarios,
        };
        for option in self.options.iter().flat_map(|options| options.split(',')) {
            filter.add_option(option).map_err(|why| Problem::bad(format!("options: {why}.")))?;
        }
        Ok(filter)
    }
}

/// The runs of the tenant, newest first.
#[utoipa::path(get, path = "/api/powerfill/runs", tag = "runs", params(RunsQuery),
    responses((status = 200, body = RunPage)))]
pub(crate) async fn list(
    Viewer { caller, .. }: Viewer,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<RunsQuery>,
) -> ApiResult<(HeaderMap, Json<RunPage>)> {
    let size = page_size(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let filter = query.filter()?;
    let store = caller.store().await?;
    let cursor = match query.cursor {
        None => RunCursor::START,
        Some(after) => cursor_of(store.as_ref(), RunId(after)).await?,
    };
    let runs = pin!(list_runs(store.as_ref(), filter, cursor));
    let mut runs: Vec<ListedRun> = runs.take(size + 1).try_collect().await?;
    let has_more = runs.len() > size;
    runs.truncate(size);
    let next = runs.last().filter(|_| has_more).map(|run| run.queued.run_id.0);
    let total = match query.cursor.is_none() && next.is_none() {
        true => Some(runs.len() as u64),
        false => None,
    };
    let next_text = next.map(|next| next.to_string());
    let headers = page_headers(&uri, "cursor", next_text.as_deref(), total);
    let runs = runs.into_iter().map(RunListItem::from).collect();
    Ok((headers, Json(RunPage { runs, next })))
}

/// The place of a run in the list, which the run's page gave as `next`.
pub(crate) async fn cursor_of(store: &dyn Store, run: RunId) -> ApiResult<RunCursor> {
    let last = store.run(run).await?;
    let unknown = || Problem::bad("cursor is no `next` of this list.");
    last.as_ref().map(QueuedRun::cursor).ok_or_else(unknown)
}

/// A run with its status, its step, its counts, and its failure.
#[utoipa::path(get, path = "/api/powerfill/runs/{run_id}", tag = "runs",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = RunView)))]
pub(crate) async fn show(
    Viewer { caller, .. }: Viewer,
    Path(run): Path<RunId>,
) -> ApiResult<Json<RunView>> {
    Ok(Json(read_run(caller.store().await?.as_ref(), run).await?))
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

/// The time in which the worker of a run follows a cancel.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// Cancels a run. The answer comes when its worker has ended it, within a second, or at once for a
/// run that waits for a worker. A run that could not be cancelled any more is a 409.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/runs/{run_id}/cancel", tag = "runs",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 202, body = RunAccepted,
        headers(("Location" = String, description = "The run"))), (status = 409)))]
pub(crate) async fn cancel(
    Operator { caller, .. }: Operator,
    Path(run): Path<RunId>,
) -> ApiResult<Response> {
    let store = caller.store().await?;
    let current = async || logged_run(store.as_ref(), run).await;
    let mut now = current().await?;
    if !now.status.is_over() && store.request_cancel(run, &caller.actor).await? {
        let until = Instant::now() + CANCEL_TIMEOUT;
        loop {
            now = current().await?;
            let is_cancelled = now.status == RunStatus::Cancelled;
            let waits = now.worker.is_none() || Instant::now() >= until;
            if is_cancelled || (waits && !now.status.is_over()) {
                return Ok(accepted(run, now.status.name()));
            }
            if now.status.is_over() {
                break;
            }
            sleep(POLL_INTERVAL).await;
        }
    }
    let now = current().await?.status.name();
    let detail = format!("Run {run} is over: {now}. Nothing has changed.");
    Err(Problem::new(ProblemKind::RunOver, detail).with("run_status", now))
}
