//! ReplayReport, verification and comparison (specification 3.4). They write nothing, take the
//! processor for long, and go one at a time.

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
use crate::caller::Viewer;
use crate::extract::{Body, Path};
use crate::problem::{Answer, Problem, internal};
use crate::reports::aside;

/// Decides a run again from its captured snapshot and compares event by event. `answer` is
/// reproduced, reproduced_so_far, differs or unreadable; a difference is an answer, not an error.
#[utoipa::path(post, path = "/api/powerfill/runs/{run_id}/replay", tag = "audit",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "How both compare", body = Object)))]
pub(crate) async fn replay_run(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    Path(run): Path<Uuid>,
) -> Answer<Json<Value>> {
    let (run, store) = (RunId(run), caller.store().await?);
    store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    let one = Arc::clone(&api.audits).acquire_owned().await.map_err(|error| internal(&error))?;
    aside(async move || {
        let _one = one;
        let replayed = replay(store.as_ref(), run, Arc::new(NoObserver)).await?;
        serde_json::to_value(&replayed).map(Json).map_err(|error| internal(&error))
    })
    .await
}

/// What verification found.
#[derive(Serialize, ToSchema)]
pub(crate) struct VerdictView {
    /// `whole` or `damaged`.
    answer: &'static str,
    /// The first thing that is wrong.
    found: Option<String>,
    /// The stream of the damage, its event and its append, as far as it has them.
    stream: Option<String>,
    stream_version: Option<u64>,
    append: Option<u64>,
    /// Events that were hashed again.
    events: u64,
    /// Appends whose seal was computed again.
    appends: u64,
    /// Snapshots whose digest was computed again.
    snapshots: u64,
    /// The run, where its tables are shown and were compared with a rebuild.
    published_run: Option<Uuid>,
    /// Rows that were compared.
    rows: u64,
    /// Entries of the index that were compared.
    index_entries: u64,
}

/// Checks the hash chain of a run, its snapshot, and its tables and index against its events.
/// Damage is an answer, not an error.
#[utoipa::path(post, path = "/api/powerfill/runs/{run_id}/verify", tag = "audit",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = VerdictView)))]
pub(crate) async fn verify_run(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    Path(run): Path<Uuid>,
) -> Answer<Json<VerdictView>> {
    let (run, store) = (RunId(run), caller.store().await?);
    store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    let one = Arc::clone(&api.audits).acquire_owned().await.map_err(|error| internal(&error))?;
    let verdict = aside(async move || {
        let _one = one;
        Ok(verify(store.as_ref(), Some(run)).await?)
    })
    .await?;
    let damage = verdict.damage();
    Ok(Json(VerdictView {
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

/// What a run is compared with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "against": "01976c2e-0f6b-7b52-9f3e-5d0f6a1c2b34" }))]
pub(crate) struct Against {
    /// Another run of the tenant.
    against: Uuid,
    /// Loans with another decision that are explained, to 10000; 1000 where it is left out.
    #[schema(minimum = 0, maximum = 10000)]
    explain: Option<usize>,
}

/// Compares the output tables of a run with those of another one. A difference is an answer, not an
/// error.
#[utoipa::path(post, path = "/api/powerfill/runs/{run_id}/diff", tag = "audit", request_body = Against,
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "The comparison, as `powerfill diff --format json` has it", body = Object)))]
pub(crate) async fn diff_runs(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    Path(run): Path<Uuid>,
    Body(asked): Body<Against>,
) -> Answer<Response> {
    let (run, other, store) = (RunId(run), RunId(asked.against), caller.store().await?);
    let most = match asked.explain.unwrap_or(1_000) {
        most @ 0..=10_000 => most,
        most => return Err(Problem::bad(format!("explain is {most}; it may be 0 to 10000."))),
    };
    for run in [run, other] {
        store.run(run).await?.ok_or_else(|| Problem::no_run(run))?;
    }
    let one = Arc::clone(&api.audits).acquire_owned().await.map_err(|error| internal(&error))?;
    let text = aside(async move || {
        let _one = one;
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
