//! What a run decided and is worth, as one document (specification 4.3).

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use powerfill_app::overview::overview;
use powerfill_events::run::RunId;

use crate::accepted::tagged;
use crate::blocking::spawn_blocking;
use crate::caller::Viewer;
use crate::extract::Path;
use crate::problem::{ApiResult, Problem, internal};
use crate::reports::result_version;

/// The overview of a Complete run: head, value, waterfall, certificate, trades, flow, kickouts,
/// pool moves, log.
///
/// Its schema is also `docs/reference/overview.schema.json`. Flows have the 300 largest links,
/// and moves the 500 largest, with the sum of the others.
#[utoipa::path(get, operation_id = "overview", tag = "reports",
    path = "/api/powerfill/runs/{run_id}/overview",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses(
        (status = 200, description = "The overview", body = Object,
            headers(("ETag" = String, description = "For If-None-Match"))),
        (status = 304, description = "The overview has not changed since If-None-Match"),
        (status = 409)))]
pub(crate) async fn show(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let store = caller.store().await?;
    let tenant = caller.tenant.id();
    let result = result_version(&api, &caller, store.as_ref(), run).await?;
    let tag = format!("W/\"overview-{result}\"");
    let answer = async {
        let make = async || {
            spawn_blocking(async move || {
                let overview = overview(store.as_ref(), run).await?;
                let overview = overview.ok_or_else(|| Problem::no_run(run))?;
                serde_json::to_string(&overview).map_err(|error| internal(&error))
            })
            .await
        };
        let json = api.report_cache.overview(tenant, run, &tag, make).await?;
        let media_type = HeaderValue::from_static("application/json");
        Ok(([(header::CONTENT_TYPE, media_type)], json.to_string()).into_response())
    };
    tagged(&headers, &tag, answer).await
}
