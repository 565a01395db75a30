//! Runs: the list, one of them, asking for one, cancelling one (specification 4.3, 4.4).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, response::AppendHeaders};
use futures::TryStreamExt;
use powerfill_app::DecodedEvent;
use powerfill_events::run::event::Step;
use powerfill_events::run::{RunEvent, RunId};
use powerfill_ports::Store;
use powerfill_ports::runs::{QueuedRun, RunCursor, RunStatus};
use powerfill_tables::tables::powerfill_log::step_of;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::caller::{Operator, Viewer};
use crate::extract::{Path, Query};
use crate::position::page_size;
use crate::problem::{Answer, Problem, ProblemKind};

/// The most runs on a page.
const MOST: usize = 500;

/// A run in the list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "run_id": "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34", "status": "Complete",
    "requested_at": "2026-01-15T10:00:00.123456Z", "worker": null, "cancel_requested_by": null
}))]
pub(crate) struct RunHead {
    /// The run.
    run_id: Uuid,
    /// Pending, PreProcessing, Allocating, PostProcessing, Complete, Failed or Cancelled.
    status: String,
    /// When it was asked for.
    requested_at: String,
    /// Who has it, while it goes on.
    worker: Option<String>,
    /// Who asked to cancel it.
    cancel_requested_by: Option<String>,
}

impl From<&QueuedRun> for RunHead {
    fn from(run: &QueuedRun) -> Self {
        let worker = run.worker.clone().filter(|_| !run.status.is_over());
        Self {
            run_id: run.run_id.0,
            status: run.status.name().to_owned(),
            requested_at: run.requested_at.to_string(),
            worker,
            cancel_requested_by: run.cancel_requested_by.clone(),
        }
    }
}

/// A page of runs, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunPage {
    runs: Vec<RunHead>,
    /// The `cursor` of the next page; null on the last one.
    next: Option<Uuid>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsAsked {
    /// `next` of the page before.
    cursor: Option<Uuid>,
    /// Runs on the page, 1 to 500; 50 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// The runs of the tenant, the latest first.
#[utoipa::path(get, path = "/api/powerfill/runs", tag = "runs", params(RunsAsked),
    responses((status = 200, body = RunPage)))]
pub(crate) async fn list(
    Viewer(caller): Viewer,
    Query(asked): Query<RunsAsked>,
) -> Answer<Json<RunPage>> {
    let size = page_size(asked.limit, 50, MOST)?;
    let store = caller.store().await?;
    let cursor = match asked.cursor {
        None => RunCursor::START,
        Some(after) => {
            let last = store.run(RunId(after)).await?;
            let unknown = || Problem::bad("cursor is no `next` of this list.");
            last.as_ref().map(QueuedRun::cursor).ok_or_else(unknown)?
        }
    };
    let runs = store.runs_after(cursor, size + 1).await?;
    let page: Vec<RunHead> = runs.iter().take(size).map(RunHead::from).collect();
    let next = page.last().filter(|_| runs.len() > size).map(|run| run.run_id);
    Ok(Json(RunPage { runs: page, next }))
}

/// Where and why a run failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunFailure {
    /// The step.
    pub(crate) step: String,
    /// What kind of failure.
    pub(crate) code: String,
    /// What happened and what to do.
    pub(crate) message: String,
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunView {
    #[serde(flatten)]
    pub(crate) head: RunHead,
    /// Who asked for it.
    requested_by: Option<String>,
    /// The options as resolved (specification 1.3); decimals are strings.
    #[schema(value_type = Option<Object>)]
    options: Option<serde_json::Value>,
    /// BLAKE3 of the captured snapshot.
    input_digest: Option<String>,
    /// The furthest step that its events show; where it ended, once it is over.
    pub(crate) step: Option<String>,
    /// How much of its steps is behind it, from "0.00" to "1.00".
    pub(crate) fraction: String,
    /// How many events it has so far.
    pub(crate) events: u64,
    /// When it was over.
    ended_at: Option<String>,
    /// Rows by output table, once Complete.
    #[schema(value_type = Option<Object>)]
    counts: Option<serde_json::Value>,
    /// BLAKE3 of the output tables, once Complete.
    pub(crate) output_digest: Option<String>,
    /// Where and why it failed.
    pub(crate) failure: Option<RunFailure>,
    /// Who ended it.
    pub(crate) cancelled_by: Option<String>,
}

/// The event of a run with this version.
async fn event_at(store: &dyn Store, run: RunId, version: u64) -> Answer<Option<DecodedEvent>> {
    let mut batches = store.read_between(&run.stream(), version, version);
    let stored = batches.try_next().await?.and_then(|batch| batch.into_iter().next());
    Ok(stored.map(DecodedEvent::try_from).transpose()?)
}

/// How many of the steps are behind a run that has reached this one.
fn fraction(run: &QueuedRun, reached: Option<Step>) -> String {
    let done = match (run.status, reached) {
        (RunStatus::Complete, _) => Step::ALL.len(),
        (_, Some(step)) => Step::ALL.iter().position(|other| *other == step).unwrap_or(0),
        (_, None) => 0,
    };
    let mut fraction = Decimal::from(done) / Decimal::from(Step::ALL.len());
    fraction.rescale(2);
    fraction.to_string()
}

/// A run from its place in the queue and the two ends of its stream, which is not read for it.
pub(crate) async fn look(store: &dyn Store, run: RunId) -> Answer<RunView> {
    let queued = store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    let events = store.stream_version(&run.stream()).await?;
    let mut view = RunView {
        head: RunHead::from(&queued),
        requested_by: None,
        options: None,
        input_digest: None,
        step: None,
        fraction: fraction(&queued, None),
        events,
        ended_at: None,
        counts: None,
        output_digest: None,
        failure: None,
        cancelled_by: None,
    };
    let first = event_at(store, run, 1).await?.map(|first| first.event);
    if let Some(RunEvent::RunRequested(requested)) = first {
        view.requested_by = Some(requested.requested_by.clone());
        view.options = serde_json::to_value(&requested.options).ok();
        view.input_digest = Some(requested.snapshot_digest.clone());
    }
    let Some(last) = event_at(store, run, events.max(1)).await? else { return Ok(view) };
    let DecodedEvent { stored, event: last } = last;
    let step = step_of(&last);
    view.step = step.map(|step| step.as_str().to_owned());
    view.fraction = fraction(&queued, step);
    if last.is_terminal() {
        view.ended_at = Some(stored.recorded_at.to_string());
    }
    match last {
        RunEvent::RunCompleted(completed) => {
            view.counts = serde_json::to_value(&completed.counts).ok();
            view.output_digest = Some(completed.output_digest.clone());
        }
        RunEvent::RunFailed(failed) => {
            let step = failed.step.as_str().to_owned();
            view.failure = Some(RunFailure { step, code: failed.code, message: failed.message });
        }
        RunEvent::RunCancelled(cancelled) => view.cancelled_by = Some(cancelled.cancelled_by),
        other => debug_assert!(!other.is_terminal(), "{other:?} is an end that is not told"),
    }
    Ok(view)
}

/// A run: its status, its step, its counts, why it failed.
#[utoipa::path(get, path = "/api/powerfill/runs/{run_id}", tag = "runs",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = RunView)))]
pub(crate) async fn show(Viewer(caller): Viewer, Path(run): Path<Uuid>) -> Answer<Json<RunView>> {
    Ok(Json(look(caller.store().await?.as_ref(), RunId(run)).await?))
}

/// What was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "run_id": "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34", "status": "Pending" }))]
pub(crate) struct RunAccepted {
    /// The run.
    run_id: Uuid,
    /// Where it stands.
    status: String,
}

/// 202 with the place of the run.
pub(crate) fn accepted(run: RunId, status: &str) -> Response {
    let place = format!("/api/powerfill/runs/{run}");
    let body = RunAccepted { run_id: run.0, status: status.to_owned() };
    (StatusCode::ACCEPTED, AppendHeaders([(header::LOCATION, place)]), Json(body)).into_response()
}

/// Asks for a run to be cancelled; its worker ends it within a second.
#[utoipa::path(post, security(("token" = ["operator"])),
    path = "/api/powerfill/runs/{run_id}/cancel", tag = "runs",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 202, body = RunAccepted,
        headers(("Location" = String, description = "The run"))), (status = 409)))]
pub(crate) async fn cancel(Operator(caller): Operator, Path(run): Path<Uuid>) -> Answer<Response> {
    let (run, store) = (RunId(run), caller.store().await?);
    let found = store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    if !store.request_cancel(run, &caller.actor).await? {
        let now = store.run(run).await?.map_or(found.status, |run| run.status).name();
        let detail = format!("Run {run} is over: {now}. Nothing was done.");
        return Err(Problem::new(ProblemKind::RunOver, detail).with("run_status", now));
    }
    Ok(accepted(run, found.status.name()))
}

impl RunHead {
    /// Where it stands.
    pub(crate) fn status(&self) -> &str {
        &self.status
    }
}
