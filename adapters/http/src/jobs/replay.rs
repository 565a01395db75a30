//! Replays as jobs.

use std::sync::Arc;

use axum::response::Response;
use powerfill_app::RunProgress;
use powerfill_app::replay::replay;
use powerfill_events::run::RunId;
use powerfill_events::run::event::Step;

use super::{Job, JobKind, JobResult, JobView, start};
use crate::audit::find_runs;
use crate::caller::Viewer;
use crate::extract::Path;
use crate::problem::{ApiResult, internal};

/// Notes the steps of an engine.
pub(super) fn note_step(job: &Job, progress: RunProgress<'_>) {
    if let RunProgress::Step(step) = progress {
        let done = Step::ALL.iter().position(|other| *other == step).unwrap_or(0);
        job.note_progress(step.as_str(), done as u64, Step::ALL.len() as u64);
    }
}

/// Runs the engine again on the captured snapshot of a run and compares event by event, as a job.
#[utoipa::path(post, operation_id = "replay_in_job", tag = "audit",
    path = "/api/powerfill/runs/{run_id}/replays",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 202, body = JobView,
        headers(("Location" = String, description = "The job")))))]
pub(crate) async fn request(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
) -> ApiResult<Response> {
    let store = find_runs(&caller, &[run]).await?;
    start(&api, caller, (JobKind::Replay, Some(run)), async move |job: Arc<Job>, _permit| {
        let observer = Arc::new(move |progress: RunProgress<'_>| note_step(&job, progress));
        let report = replay(store.as_ref(), run, observer).await?;
        let report = serde_json::to_value(&report).map_err(|error| internal(&error))?;
        let answer = report["answer"].as_str().unwrap_or_default().to_owned();
        Ok(JobResult { answer, json: report.to_string().into() })
    })
}
