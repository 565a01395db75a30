//! `latest` in place of the id of a run.

use axum::extract::OriginalUri;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use powerfill_ports::runs::{RunCursor, RunFilter};

use crate::caller::Viewer;
use crate::problem::{ApiResult, Problem};

/// The path that is redirected.
pub(crate) const LATEST: &str = "/api/powerfill/runs/latest";

/// Redirects to the official run that was requested last, whatever its status.
///
/// `latest` also stands for the id of a run at the beginning of longer paths, such as
/// `/runs/latest/guide`, with any method.
#[utoipa::path(get, operation_id = "latest_run", tag = "runs",
    path = "/api/powerfill/runs/latest",
    responses((status = 307, description = "The path with the id of the run",
        headers(("Location" = String, description = "The same path of the run"))),
        (status = 404, description = "There is no run")))]
pub(crate) async fn show(
    Viewer { caller, .. }: Viewer,
    OriginalUri(uri): OriginalUri,
) -> ApiResult<Response> {
    let store = caller.store().await?;
    let latest = store.runs_after(RunCursor::START, 1, RunFilter::Official).await?;
    let run = latest.first().ok_or_else(|| Problem::no_run("latest"))?.run_id;
    let rest = uri.path().strip_prefix(LATEST).unwrap_or_default();
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let location = format!("/api/powerfill/runs/{run}{rest}{query}");
    let headers = [(header::LOCATION, &*location), (header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::TEMPORARY_REDIRECT, AppendHeaders(headers)).into_response())
}
