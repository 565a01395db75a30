//! Challenges as jobs (specification part 10). Unlike other jobs, they record what they find.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::response::Response;
use powerfill_app::challenge::{
    ChallengePlan, DEFAULT_STEPS, SearchWatcher, challenge_run, document, record_challenge,
};
use powerfill_events::challenge::ChallengeWeights;
use powerfill_events::run::RunId;
use powerfill_events::values::Money;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::{Job, JobKind, JobResult, JobView, start};
use crate::audit::find_runs;
use crate::caller::Operator;
use crate::extract::{Body, Path};
use crate::problem::{ApiResult, Problem, internal};
use crate::reports::outputs_of;

/// The most steps of a search: about two minutes of a processor for a book of 10,000 loans.
const MAX_STEPS: u64 = 100_000_000;
/// The longest search, in seconds.
const MAX_SECONDS: u64 = 600;

/// What is asked of a challenge.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "steps": 5_000_000, "seconds": 30, "stay": "0.25" }))]
pub(crate) struct ChallengeRequest {
    /// Steps of the search for a better allocation, up to 100000000; 0 for the bound alone. Absent:
    /// 5000000.
    #[schema(minimum = 0, maximum = 100_000_000)]
    steps: Option<u64>,
    /// Ends the search after this many seconds, 1 to 600.
    #[schema(minimum = 1, maximum = 600)]
    seconds: Option<u64>,
    /// Points that a placement is worth beside its score. Absent: 2.
    placement: Option<String>,
    /// Points that a loan is worth more in the trade of its present pool. Absent: 0.125.
    stay: Option<String>,
    /// Dollars that each placed loan is worth beside that. Absent: 1000.
    per_loan: Option<String>,
}

impl ChallengeRequest {
    fn plan(&self, requested_by: String) -> ApiResult<ChallengePlan> {
        let steps = self.steps.unwrap_or(DEFAULT_STEPS);
        if steps > MAX_STEPS {
            return Err(Problem::bad(format!("steps is {steps}; it may be 0 to {MAX_STEPS}.")));
        }
        if let Some(seconds) = self.seconds.filter(|s| !(1..=MAX_SECONDS).contains(s)) {
            return Err(Problem::bad(format!(
                "seconds is {seconds}; it may be 1 to {MAX_SECONDS}."
            )));
        }
        let default = ChallengeWeights::default();
        let weights = ChallengeWeights {
            placement: weight("placement", self.placement.as_deref(), default.placement)?,
            stay: weight("stay", self.stay.as_deref(), default.stay)?,
            per_loan: weight::<Money>("per_loan", self.per_loan.as_deref(), default.per_loan)?,
        };
        Ok(ChallengePlan { weights, steps, requested_by })
    }
}

fn weight<T: FromStr<Err: std::fmt::Display> + Default + PartialOrd>(
    name: &str,
    text: Option<&str>,
    default: T,
) -> ApiResult<T> {
    let Some(text) = text else { return Ok(default) };
    let weight: T = text.parse().map_err(|why| Problem::bad(format!("{name}: {why}.")))?;
    if weight < T::default() {
        return Err(Problem::bad(format!("{name} is {text}; it must not be negative.")));
    }
    Ok(weight)
}

/// Ends a search with its job, with the service, or after a time.
struct JobWatcher {
    job: Arc<Job>,
    stop: CancellationToken,
    steps: u64,
    limit: Option<Duration>,
    /// When the search began.
    started: Option<Instant>,
}

impl SearchWatcher for JobWatcher {
    fn goes_on(&mut self, steps: u64, _best: i64) -> bool {
        let started = *self.started.get_or_insert_with(Instant::now);
        self.job.note_progress("search", steps, self.steps);
        let is_late = self.limit.is_some_and(|limit| started.elapsed() >= limit);
        !is_late && !self.job.stop.is_cancelled() && !self.stop.is_cancelled()
    }
}

/// Says how far a Complete run is from the best possible, and looks for a better allocation, as a
/// job. The answer of the job is the name of the challenge. What it finds is recorded beside the
/// run, which stays as it is; a job that is cancelled records the best that it has found so far.
#[utoipa::path(post, operation_id = "challenge", security(("token" = ["operator"])),
    tag = "challenges", path = "/api/powerfill/runs/{run_id}/challenges",
    request_body = ChallengeRequest,
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 202, body = JobView,
        headers(("Location" = String, description = "The job"))), (status = 409)))]
pub(crate) async fn request(
    Operator { caller, api }: Operator,
    Path(run): Path<RunId>,
    Body(request): Body<ChallengeRequest>,
) -> ApiResult<Response> {
    let plan = request.plan(caller.actor.clone())?;
    let store = find_runs(&caller, &[run]).await?;
    outputs_of(&api.report_cache, caller.tenant.id(), store.as_ref(), run).await?;
    let limit = request.seconds.map(Duration::from_secs);
    let (stop, clock) = (api.stop.clone(), Arc::clone(&api.clock));
    start(&api, caller, (JobKind::Challenge, Some(run)), async move |job: Arc<Job>, permit| {
        job.note_progress("bound", 0, 1);
        let steps = plan.steps;
        let watcher = Box::new(JobWatcher { job, stop, steps, limit, started: None });
        // A job that is cancelled is not waited for; its search ends, and is recorded all the same.
        let runtime = Handle::current();
        let recorded = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            runtime.block_on(async move {
                let result = challenge_run(store.as_ref(), run, plan, watcher).await?;
                let id = record_challenge(store.as_ref(), clock.as_ref(), &result).await?;
                let json = document(run, Some(id), &result.events);
                let json = json.map_err(|error| internal(&error))?.to_string();
                Ok::<_, Problem>(JobResult { answer: id.stream(), json: json.into() })
            })
        });
        recorded.await.map_err(|panic| internal(&panic))?
    })
}
