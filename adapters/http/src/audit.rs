//! Replay and verification (specification 3.4). They write nothing, take the processor for long, and go one at a time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use powerfill_domain::run::RunId;
use powerfill_runner::Silent;
use powerfill_runner::replay::replay;
use powerfill_runner::verify::verify;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::Api;
use crate::caller::Viewer;
use crate::extract::Path;
use crate::problem::{Answer, Problem, internal};
use crate::reports::aside;

/// Decides a run again from its captured snapshot and compares event by event. `answer` is reproduced,
/// reproduced_so_far, differs or unreadable; a difference is an answer, not an error.
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
        let replayed = replay(store.as_ref(), run, Arc::new(Silent)).await?;
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

/// Checks the hash chain of a run, its snapshot, and its tables and index against its events. Damage is an answer, not
/// an error.
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
