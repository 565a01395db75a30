//! Jobs: verifications, replays, comparisons, and challenges that are answered at once, and worked
//! on afterwards (specification 4.3). Except for challenges, they write nothing to the store. They
//! are in the memory of the service: one is forgotten an hour after its end, and all when the
//! service stops.

pub(crate) mod challenge;
pub(crate) mod comparison;
mod registry;
pub(crate) mod replay;
pub(crate) mod verification;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use powerfill_events::run::RunId;
use serde::Serialize;
use tokio::select;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::Api;
use crate::blocking::spawn_blocking;
use crate::caller::{Caller, Viewer, unauthorized};
use crate::extract::Path;
use crate::permits::Permit;
use crate::problem::{ApiResult, Problem, ProblemKind};

pub(crate) use comparison::UPLOAD_BYTES;
pub(crate) use registry::Jobs;
use registry::{Job, JobEnd, JobKind, JobResult, JobStatus};

/// The longest wait of a job for its turn: until it is cancelled.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a job has no result.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobFailure {
    /// The kind of the problem, such as `refused` or `damaged`.
    code: &'static str,
    /// What happened, and what to do.
    message: String,
}

/// A verification, a replay, a comparison, or a challenge.
#[derive(Serialize, ToSchema)]
#[schema(as = Job, example = json!({
    "job_id": "01976c2e-2222-7b52-9f3e-5d0f6a1c2b34", "kind": "replay",
    "run_id": "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34", "status": "Complete",
    "requested_by": "ann", "requested_at": "2026-01-15T10:00:00.123456Z",
    "step": "invariants", "fraction": "1.00", "ended_at": "2026-01-15T10:00:04.123456Z",
    "expires_at": "2026-01-15T11:00:04.123456Z", "answer": "reproduced",
    "result": "/api/powerfill/jobs/01976c2e-2222-7b52-9f3e-5d0f6a1c2b34/result",
    "failure": null, "cancelled_by": null
}))]
pub(crate) struct JobView {
    job_id: Uuid,
    kind: JobKind,
    /// The run that it is about; null for the whole store.
    run_id: Option<Uuid>,
    status: JobStatus,
    /// The actor who requested it.
    requested_by: String,
    /// The time of the request.
    requested_at: String,
    /// What it does now, or did last.
    step: Option<String>,
    /// The fraction that is done, from "0.00" to "1.00".
    fraction: String,
    /// The time of its end.
    ended_at: Option<String>,
    /// The time at which the service forgets it; null until it has ended.
    expires_at: Option<String>,
    /// The answer in one word, if it is Complete: that of the operation that answers at once, such
    /// as `whole` or `damaged`, `reproduced` or `differs`, `same` or `different`; the name of a
    /// challenge.
    answer: Option<String>,
    /// The path of the result, if it is Complete.
    result: Option<String>,
    /// Why it failed, if it failed.
    failure: Option<JobFailure>,
    /// The actor who cancelled it, if it was cancelled.
    cancelled_by: Option<String>,
}

impl JobView {
    fn of(job: &Job) -> Self {
        job.look(|state| {
            let mut view = Self {
                job_id: job.id,
                kind: job.kind,
                run_id: job.run.map(|run| run.0),
                status: state.status(),
                requested_by: job.requested_by.clone(),
                requested_at: job.requested_at.to_string(),
                step: state.step.map(str::to_owned),
                fraction: format!("{}.{:02}", state.percent / 100, state.percent % 100),
                ended_at: None,
                expires_at: state.expires_at().map(|at| at.to_string()),
                answer: None,
                result: None,
                failure: None,
                cancelled_by: None,
            };
            let Some((at, end)) = &state.end else { return view };
            view.ended_at = Some(at.to_string());
            match end {
                JobEnd::Result(result) => {
                    view.answer = Some(result.answer.clone());
                    view.result = Some(format!("{}/result", path(job)));
                }
                JobEnd::Failure(problem) => {
                    let (code, message) = problem.words();
                    view.failure = Some(JobFailure { code, message: message.to_owned() });
                }
                JobEnd::CancelledBy(actor) => view.cancelled_by = Some(actor.clone()),
            }
            view
        })
    }
}

fn path(job: &Job) -> String {
    format!("/api/powerfill/jobs/{}", job.id)
}

/// 202 with the path of a job.
fn accepted(job: &Job) -> Response {
    let location = AppendHeaders([(header::LOCATION, path(job))]);
    (StatusCode::ACCEPTED, location, Json(JobView::of(job))).into_response()
}

/// Accepts a job. It is worked on when the caller's turn has come, as for the operations that are
/// answered at once.
fn start(
    api: &Arc<Api>,
    caller: Caller,
    about: (JobKind, Option<RunId>),
    work: impl AsyncFnOnce(Arc<Job>, Permit) -> ApiResult<JobResult> + Send + 'static,
) -> ApiResult<Response> {
    let tenant = caller.tenant.id().to_owned();
    let place = api.unfinished_jobs.try_acquire(&tenant, caller.token.as_deref())?;
    let now = api.clock.now();
    let (actor, token) = (caller.actor.clone(), caller.token.clone());
    let job = Arc::new(Job::new(about, actor, token, now, Some(place)));
    api.jobs.add(&tenant, Arc::clone(&job), now);
    let answer = accepted(&job);
    let api = Arc::clone(api);
    tokio::spawn(async move {
        let working = work_in_turn(&api, &caller, &job, work);
        let end = select! {
            () = job.stop.cancelled() => return,
            () = api.stop.cancelled() => {
                let detail = "The service stopped before the job had ended; request it again.";
                JobEnd::Failure(Problem::new(ProblemKind::Unavailable, detail))
            }
            worked = working => worked.map_or_else(JobEnd::Failure, JobEnd::Result),
        };
        job.end(api.clock.now(), end);
    });
    Ok(answer)
}

/// Waits for the turn of a job, and does its work on a thread that answers no requests.
async fn work_in_turn(
    api: &Api,
    caller: &Caller,
    job: &Arc<Job>,
    work: impl AsyncFnOnce(Arc<Job>, Permit) -> ApiResult<JobResult> + Send + 'static,
) -> ApiResult<JobResult> {
    let (tenant, token) = (caller.tenant.id(), caller.token.as_deref());
    let permit = api.audits.acquire(tenant, token, PATIENCE).await?;
    if !caller.is_admitted_still(api) {
        return Err(unauthorized());
    }
    job.begin();
    let job = Arc::clone(job);
    // The work keeps the permit until it has ended, also after a cancel.
    spawn_blocking(async move || work(job, permit).await).await
}

/// The jobs of the tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobList {
    /// Newest first.
    jobs: Vec<JobView>,
}

/// The jobs of the tenant, newest first: those that go on, and at most 50 that ended within the
/// last hour. The service has them in memory, and forgets them when it stops.
#[utoipa::path(get, operation_id = "jobs", path = "/api/powerfill/jobs", tag = "audit",
    responses((status = 200, body = JobList)))]
pub(crate) async fn list(Viewer { caller, api }: Viewer) -> ApiResult<Json<JobList>> {
    let jobs = api.jobs.of_tenant(caller.tenant.id(), api.clock.now());
    Ok(Json(JobList { jobs: jobs.iter().map(|job| JobView::of(job)).collect() }))
}

fn find(api: &Api, caller: &Caller, id: Uuid) -> ApiResult<Arc<Job>> {
    api.jobs.find(caller.tenant.id(), id, api.clock.now()).ok_or_else(|| {
        let detail = format!(
            "No job {id}; GET /api/powerfill/jobs lists them. A job is forgotten an hour after \
             its end, and when the service stops."
        );
        Problem::new(ProblemKind::NotFound, detail)
    })
}

/// A job with its status, its progress, and its answer.
#[utoipa::path(get, operation_id = "job", path = "/api/powerfill/jobs/{job_id}", tag = "audit",
    params(("job_id" = Uuid, Path, description = "The job")),
    responses((status = 200, body = JobView)))]
pub(crate) async fn show(
    Viewer { caller, api }: Viewer,
    Path(id): Path<Uuid>,
) -> ApiResult<Json<JobView>> {
    let job = find(&api, &caller, id)?;
    Ok(Json(JobView::of(&job)))
}

/// The result of a Complete job, as the operation that answers at once has it: a verification, a
/// replay, a comparison, or a challenge.
#[utoipa::path(get, operation_id = "job_result", path = "/api/powerfill/jobs/{job_id}/result",
    tag = "audit", params(("job_id" = Uuid, Path, description = "The job")),
    responses((status = 200, description = "The result", body = Object), (status = 409)))]
pub(crate) async fn result(
    Viewer { caller, api }: Viewer,
    Path(id): Path<Uuid>,
) -> ApiResult<Response> {
    let job = find(&api, &caller, id)?;
    job.look(|state| match &state.end {
        Some((_, JobEnd::Result(result))) => {
            let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(([json], result.json.clone()).into_response())
        }
        Some((_, JobEnd::Failure(problem))) => {
            let detail = format!("Job {id} failed: {}", problem.words().1);
            Err(Problem::new(ProblemKind::JobNotComplete, detail))
        }
        Some((_, JobEnd::CancelledBy(actor))) => {
            let detail = format!("Job {id} was cancelled by {actor}.");
            Err(Problem::new(ProblemKind::JobNotComplete, detail))
        }
        None => {
            let detail = format!("Job {id} goes on; it has a result once it is Complete.");
            Err(Problem::new(ProblemKind::JobNotComplete, detail).retry_after(1))
        }
    })
}

/// Cancels a job that the same token requested. It is over at once; its work ends soon afterwards.
#[utoipa::path(post, operation_id = "cancel_job", path = "/api/powerfill/jobs/{job_id}/cancel",
    tag = "audit", params(("job_id" = Uuid, Path, description = "The job")),
    responses((status = 202, body = JobView,
        headers(("Location" = String, description = "The job"))), (status = 409)))]
pub(crate) async fn cancel(
    Viewer { caller, api }: Viewer,
    Path(id): Path<Uuid>,
) -> ApiResult<Response> {
    let job = find(&api, &caller, id)?;
    if job.token != caller.token {
        let detail = format!("Job {id} was requested with another token; that one cancels it.");
        return Err(Problem::new(ProblemKind::Forbidden, detail));
    }
    if job.end(api.clock.now(), JobEnd::CancelledBy(caller.actor)) {
        return Ok(accepted(&job));
    }
    Err(Problem::new(ProblemKind::JobOver, format!("Job {id} is over. Nothing has changed.")))
}
