//! Adopted challenges (specification 10.7): the allocation of a challenger as an official run.

use axum::http::HeaderMap;
use axum::response::Response;
use powerfill_app::active_run_settled;
use powerfill_app::adopt::Adoption;

use crate::audit::audit;
use crate::caller::Operator;
use crate::challenges::challenge_id;
use crate::extract::Path;
use crate::input::{AskedRun, FoundRequest, RequestedRun, enqueue, find_request};
use crate::problem::{ApiResult, Problem, ProblemKind};

/// Requests an official run of the allocation that a challenge found, with the input and the
/// options of the challenged run. Each statement of the challenge is checked again first. A worker
/// runs it.
///
/// The settings of the tenant must allow it: `allow_adoption = true`. A repeated request with the
/// same `Idempotency-Key` is answered with the same run, in any status.
#[utoipa::path(post, operation_id = "adopt", security(("token" = ["operator"])),
    tag = "challenges", path = "/api/powerfill/challenges/{challenge}/adoption",
    params(("challenge" = String, Path, description = "challenge-RUN_ID-NUMBER"),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,200}$",
        description = "1 to 200 characters; makes a retry safe")),
    responses((status = 202, body = crate::runs::RunAccepted,
        headers(("Location" = String, description = "The run"))), (status = 409)))]
pub(crate) async fn adopt(
    Operator { caller, api }: Operator,
    Path(challenge): Path<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let id = challenge_id(&challenge)?;
    if !caller.tenant.allows_adoption() {
        let detail = format!(
            "The run would follow a search instead of the passes. If that is intended, write \
             allow_adoption = true under [tenants.{}] of the settings of the service.",
            caller.tenant.id()
        );
        return Err(Problem::new(ProblemKind::AdoptionForbidden, detail));
    }
    let store = caller.store().await?;
    let asked = AskedRun::Adoption(id);
    let new = match find_request(store.as_ref(), &caller, &headers, asked).await? {
        FoundRequest::New(new) => new,
        FoundRequest::Earlier(answer) => return Ok(answer),
    };
    // The checks can take long. The store looks for an active run again when it queues this one.
    if let Some(active) = active_run_settled(store.as_ref()).await? {
        return Err(Problem::run_active(active));
    }
    let adoption = audit(&api, &caller, &[id.run], async move |store| {
        Ok(Adoption::read(store.as_ref(), id).await?)
    })
    .await?;
    let Adoption { snapshot, requested, origin } = adoption;
    let input = RequestedRun {
        snapshot: &snapshot,
        options: &requested.options,
        source_warnings: &requested.source_warnings,
        mapping: requested.mapping.as_ref(),
        origin,
    };
    enqueue(&api, &caller, store, new, input).await
}
