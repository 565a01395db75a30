//! Replay, verification, and comparison (specification 3.4). They write nothing. One audit runs at
//! a time, because it needs a processor for long.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use powerfill_app::NoObserver;
use powerfill_app::compare::compare_runs;
use powerfill_app::replay::replay;
use powerfill_app::verify::verify;
use powerfill_diff::mapping::Mapping;
use powerfill_diff::report::json;
use powerfill_events::run::RunId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::Api;
use crate::blocking::spawn_blocking;
use crate::caller::Viewer;
use crate::extract::{Body, Path};
use crate::problem::{ApiResult, Problem, internal};

/// Runs the engine again on the captured snapshot and compares event by event. `answer` is
/// reproduced, reproduced_so_far, differs, or unreadable. A difference is no error.
#[utoipa::path(post, path = "/api/powerfill/runs/{run_id}/replay", tag = "audit",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "The comparison", body = Object)))]
pub(crate) async fn replay_run(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    Path(run): Path<Uuid>,
) -> ApiResult<Json<Value>> {
    let (run, store) = (RunId(run), caller.store().await?);
    store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    let permit = Arc::clone(&api.audits).acquire_owned().await.map_err(|error| internal(&error))?;
    spawn_blocking(async move || {
        let _permit = permit;
        let replayed = replay(store.as_ref(), run, Arc::new(NoObserver)).await?;
        serde_json::to_value(&replayed).map(Json).map_err(|error| internal(&error))
    })
    .await
}

/// The result of a verification.
#[derive(Serialize, ToSchema)]
#[schema(as = VerdictView)]
pub(crate) struct VerificationView {
    /// `whole` or `damaged`.
    answer: &'static str,
    /// The first fault.
    found: Option<String>,
    /// The stream, the event, and the append of the damage, as far as it has them.
    stream: Option<String>,
    stream_version: Option<u64>,
    append: Option<u64>,
    /// The number of events whose hash was checked.
    events: u64,
    /// The number of appends whose seal was checked.
    appends: u64,
    /// The number of snapshots whose digest was checked.
    snapshots: u64,
    /// The run, if its tables are shown and were compared with its events.
    published_run: Option<Uuid>,
    /// The number of compared rows.
    rows: u64,
    /// The number of compared entries of the index.
    index_entries: u64,
}

/// Checks the hash chain and the snapshot of a run, and compares its tables and its index with its
/// events. Damage is no error.
#[utoipa::path(post, path = "/api/powerfill/runs/{run_id}/verify", tag = "audit",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = VerificationView)))]
pub(crate) async fn verify_run(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    Path(run): Path<Uuid>,
) -> ApiResult<Json<VerificationView>> {
    let (run, store) = (RunId(run), caller.store().await?);
    store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    let permit = Arc::clone(&api.audits).acquire_owned().await.map_err(|error| internal(&error))?;
    let verdict = spawn_blocking(async move || {
        let _permit = permit;
        Ok(verify(store.as_ref(), Some(run)).await?)
    })
    .await?;
    let damage = verdict.damage();
    Ok(Json(VerificationView {
        answer: if verdict.is_clean() { "whole" } else { "damaged" },
        found: damage.map(|damage| damage.what.clone()).or_else(|| verdict.difference.clone()),
        stream: damage.and_then(|damage| damage.stream.clone()),
        stream_version: damage.and_then(|damage| damage.stream_version),
        append: damage.and_then(|damage| damage.seq),
        events: verdict.log.events,
        appends: verdict.log.appends,
        snapshots: verdict.log.snapshots,
        published_run: verdict.published.map(|run| run.0),
        rows: verdict.rows,
        index_entries: verdict.index_entries,
    }))
}

/// The other side of a comparison.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Against, example = json!({ "against": "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34" }))]
pub(crate) struct DiffRequest {
    /// Another run of the tenant.
    against: Uuid,
    /// The most loans with another decision to explain, up to 10000. Absent: 1000.
    #[schema(minimum = 0, maximum = 10000)]
    explain: Option<usize>,
}

/// Compares the output tables of a run with those of another run. A difference is no error.
#[utoipa::path(post, path = "/api/powerfill/runs/{run_id}/diff", tag = "audit", request_body = DiffRequest,
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "The comparison, as `powerfill diff --format json` has it", body = Object)))]
pub(crate) async fn diff_runs(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    Path(run): Path<Uuid>,
    Body(request): Body<DiffRequest>,
) -> ApiResult<Response> {
    let (run, other, store) = (RunId(run), RunId(request.against), caller.store().await?);
    let most = match request.explain.unwrap_or(1_000) {
        most @ 0..=10_000 => most,
        most => return Err(Problem::bad(format!("explain is {most}; it may be 0 to 10000."))),
    };
    for run in [run, other] {
        store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    }
    let permit = Arc::clone(&api.audits).acquire_owned().await.map_err(|error| internal(&error))?;
    let text = spawn_blocking(async move || {
        let _permit = permit;
        let mapping = Mapping::default();
        let comparison = compare_runs(store.as_ref(), run, other, &mapping, most).await?;
        let mut text = Vec::new();
        json(&comparison, &mut text).map_err(|error| internal(&error))?;
        Ok(text)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text)
        .into_response())
}
