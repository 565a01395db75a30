//! Verifications as jobs, and the seal from which one can begin.

use std::sync::Arc;

use axum::Json;
use axum::response::Response;
use powerfill_app::verify::{VerifyProgress, Workers, verify_observed, verify_since};
use powerfill_events::log::{Hash, LogHead};
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Job, JobKind, JobResult, JobView, start};
use crate::audit::{VerificationView, find_runs};
use crate::caller::Viewer;
use crate::extract::Body;
use crate::problem::{ApiResult, Problem, internal};

/// The seal of the last append, as `powerfill seal export` writes it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Seal, example = json!({
    "tenant": "ACME", "exported_at": "2026-01-15T10:00:00.123456Z", "seq": 4, "position": 37,
    "seal": "4a5f6f4ff4c96b1ab2a4a8d50b9d3b6c7a7d1c0d4bb6a4e9a1f0b6b8d8f7a6c5"
}))]
pub(crate) struct SealView {
    /// The tenant of the log; null for an empty log.
    tenant: Option<String>,
    /// The moment at which it was taken.
    exported_at: Option<String>,
    /// The number of the last append.
    seq: u64,
    /// The position of the last event.
    position: u64,
    /// The seal of the last append: 64 hexadecimal digits.
    seal: String,
}

/// The present seal of the log. A copy that is kept elsewhere reveals a log that was truncated or
/// rewritten: see `since` of a verification.
#[utoipa::path(get, operation_id = "seal", path = "/api/powerfill/seal", tag = "audit",
    responses((status = 200, body = SealView)))]
pub(crate) async fn seal(Viewer { caller, api }: Viewer) -> ApiResult<Json<SealView>> {
    let store = caller.store().await?;
    let LogHead { seq, position, seal } = store.head().await?;
    Ok(Json(SealView {
        tenant: store.tenant().await?.map(|tenant| tenant.to_string()),
        exported_at: Some(api.clock.now().to_string()),
        seq,
        position,
        seal: seal.to_hex().to_string(),
    }))
}

/// What is verified.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "run_id": "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34" }))]
pub(crate) struct VerificationRequest {
    /// Only this run. Absent: the whole store.
    run_id: Option<Uuid>,
    /// Only what was recorded after this seal of GET /seal, and that the log contains it.
    since: Option<SealView>,
}

/// Checks hashes, seals, and snapshots, and compares tables and indexes with the events, as a job:
/// of the whole store, of what was recorded since a seal, or of one run. Damage is no error.
#[utoipa::path(post, operation_id = "verify_in_job", path = "/api/powerfill/verifications",
    tag = "audit", request_body = VerificationRequest,
    responses((status = 202, body = JobView,
        headers(("Location" = String, description = "The job"))), (status = 404)))]
pub(crate) async fn request(
    Viewer { caller, api }: Viewer,
    Body(request): Body<VerificationRequest>,
) -> ApiResult<Response> {
    let run = request.run_id.map(RunId);
    let store = find_runs(&caller, run.as_slice()).await?;
    let since = match (&request.since, run) {
        (Some(_), Some(_)) => return Err(Problem::bad("Send run_id or since, not both.")),
        (Some(seal), None) => {
            let tenant = store.tenant().await?;
            Some(head_of(seal, tenant.as_ref().map(TenantId::as_str))?)
        }
        (None, _) => None,
    };
    start(&api, caller, (JobKind::Verification, run), async move |job: Arc<Job>, _permit| {
        let observer = |progress| match progress {
            VerifyProgress::LogVerified => job.note_progress("runs", 1, 2),
            VerifyProgress::Runs { done, of } => job.note_progress("runs", of + done, 2 * of),
        };
        job.note_progress("log", 0, 1);
        let report = match since {
            Some(sealed) => verify_since(&store, sealed, Workers::One, &observer).await?,
            None => verify_observed(store.as_ref(), run, &observer).await?,
        };
        let view = VerificationView::from(report);
        let json = serde_json::to_vec(&view).map_err(|error| internal(&error))?;
        Ok(JobResult { answer: view.answer.to_owned(), json: json.into() })
    })
}

/// The end of the log that a seal names, which must be of this tenant.
fn head_of(seal: &SealView, tenant: Option<&str>) -> ApiResult<LogHead> {
    if let (Some(sealed), Some(found)) = (&seal.tenant, tenant)
        && sealed != found
    {
        return Err(Problem::bad(format!("since is a seal of tenant {sealed}, not of {found}.")));
    }
    let hash = Hash::from_hex(&seal.seal)
        .map_err(|error| Problem::bad(format!("since: seal is no seal of GET /seal: {error}.")))?;
    Ok(LogHead { seq: seal.seq, position: seal.position, seal: hash })
}
