//! Replay, verification, and comparison (specification 3.4). They write nothing. A caller has one
//! audit at a time, because it needs a processor for long.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use powerfill_app::NoObserver;
use powerfill_app::compare::{StoredRun, compare_runs};
use powerfill_app::replay::replay;
use powerfill_app::verify::{VerifyReport, verify};
use powerfill_diff::Comparison;
use powerfill_diff::mapping::ComparisonMapping;
use powerfill_diff::report::json;
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_ports::copying::CopyStore;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer::answer_object;
use crate::api::Api;
use crate::blocking::spawn_blocking;
use crate::caller::{Caller, Viewer};
use crate::extract::{Body, Path};
use crate::problem::{ApiResult, Problem, internal};

/// The store, if it has all of these runs.
pub(crate) async fn find_runs(caller: &Caller, runs: &[RunId]) -> ApiResult<Arc<dyn CopyStore>> {
    let store = caller.store().await?;
    for run in runs {
        store.run(*run).await?.ok_or_else(|| Problem::no_run(run))?;
    }
    Ok(store)
}

/// Runs an audit of existing runs.
pub(crate) async fn audit<T: Send + 'static>(
    api: &Api,
    caller: &Caller,
    runs: &[RunId],
    work: impl AsyncFnOnce(Arc<dyn CopyStore>) -> ApiResult<T> + Send + 'static,
) -> ApiResult<T> {
    let store = find_runs(caller, runs).await?;
    when_permitted(api, caller, async move || work(store).await).await
}

/// Does work that needs a processor for long, once the caller has a permit for it: each tenant has
/// its own, so that none waits for another one.
pub(crate) async fn when_permitted<T: Send + 'static>(
    api: &Api,
    caller: &Caller,
    work: impl AsyncFnOnce() -> ApiResult<T> + Send + 'static,
) -> ApiResult<T> {
    let (tenant, token) = (caller.tenant.id(), caller.token.as_deref());
    let permit = api.audits.acquire(tenant, token, api.limits.queue_timeout).await?;
    spawn_blocking(async move || {
        let _permit = permit;
        work().await
    })
    .await
}

/// Runs the engine again on the captured snapshot and compares event by event. `answer` is
/// reproduced, reproduced_so_far, differs, damaged (the hashes do not match, and nothing was
/// compared), or unreadable. A difference is no error.
#[utoipa::path(post, path = "/api/powerfill/runs/{run_id}/replay", tag = "audit",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, description = "The comparison", body = Object)))]
pub(crate) async fn replay_run(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
) -> ApiResult<Json<Value>> {
    audit(&api, &caller, &[run], async move |store| {
        let report = replay(store.as_ref(), run, Arc::new(NoObserver)).await?;
        serde_json::to_value(&report).map(Json).map_err(|error| internal(&error))
    })
    .await
}

answer_object! {
    /// The result of a verification.
    #[schema(as = VerdictView)]
    VerificationView(report: VerifyReport) {
        /// `whole` or `damaged`.
        answer: &'static str = if report.is_clean() { "whole" } else { "damaged" },
        /// The first fault.
        found: Option<String> = report
            .damage()
            .map(|damage| damage.what.clone())
            .or_else(|| report.difference.clone()),
        /// The stream, the event, and the append of the damage, as far as it has them.
        stream: Option<String> = report.damage().and_then(|damage| damage.stream.clone()),
        stream_version: Option<u64> = report.damage().and_then(|damage| damage.stream_version),
        append: Option<u64> = report.damage().and_then(|damage| damage.seq),
        /// The number of streams: runs, and those of the configuration, of annotations, and others.
        streams: u64 = report.log.streams,
        /// The number of events whose hash was checked.
        events: u64 = report.log.events,
        /// The number of appends whose seal was checked.
        appends: u64 = report.log.appends,
        /// The number of snapshots whose digest was checked.
        snapshots: u64 = report.log.snapshots,
        /// The number of archived runs, whose hashes and seals were checked.
        archived_runs: usize = report.log.archived.len(),
        /// The run, if its tables are shown and were compared with its events.
        published_run: Option<Uuid> = report.published.map(|run| run.0),
        /// The number of compared rows.
        rows: u64 = report.rows,
        /// The number of compared entries of the index.
        index_entries: u64 = report.index_entries,
    }
}

/// Checks the hash chain and the snapshot of a run, and compares its tables and its index with its
/// events. Damage is no error.
#[utoipa::path(post, path = "/api/powerfill/runs/{run_id}/verify", tag = "audit",
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = VerificationView)))]
pub(crate) async fn verify_run(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
) -> ApiResult<Json<VerificationView>> {
    let work = async move |store: Arc<dyn CopyStore>| Ok(verify(store.as_ref(), Some(run)).await?);
    Ok(Json(audit(&api, &caller, &[run], work).await?.into()))
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
    /// Also compares candidates and ranked synthetic options: what loans could do, and not what
    /// became of them.
    #[serde(default)]
    candidates: bool,
    /// The most differing rows of each table in the answer. Absent: all.
    rows: Option<usize>,
}

/// Two runs to compare.
pub(crate) struct RunPair {
    pub(crate) runs: [RunId; 2],
    mapping: ComparisonMapping,
    explain: usize,
    rows: usize,
}

impl DiffRequest {
    /// The comparison of a run that is asked for.
    pub(crate) fn checked(&self, run: RunId) -> ApiResult<RunPair> {
        let explain = match self.explain.unwrap_or(1_000) {
            most @ 0..=10_000 => most,
            most => return Err(Problem::bad(format!("explain is {most}; it may be 0 to 10000."))),
        };
        let mapping = match self.candidates {
            true => ComparisonMapping::default(),
            false => ComparisonMapping::default().without_options(),
        };
        let rows = self.rows.unwrap_or(usize::MAX);
        Ok(RunPair { runs: [run, RunId(self.against)], mapping, explain, rows })
    }
}

impl RunPair {
    pub(crate) async fn compare(&self, store: &dyn Store) -> ApiResult<Comparison> {
        let [here, there] = self.runs.map(|run| StoredRun { store, run });
        let mut comparison = compare_runs(here, there, &self.mapping, self.explain).await?;
        comparison.keep_rows(self.rows);
        Ok(comparison)
    }
}

/// Compares the output tables of a run with those of another run: `here` is the earlier one, and
/// `there` the later one. A difference is no error.
#[utoipa::path(post, path = "/api/powerfill/runs/{run_id}/diff", tag = "audit",
    request_body = DiffRequest,
    params(("run_id" = Uuid, Path, description = "The run")),
    responses((status = 200, body = Object,
        description = "The comparison, as `powerfill diff --format json` has it")))]
pub(crate) async fn diff_runs(
    Viewer { caller, api }: Viewer,
    Path(run): Path<RunId>,
    Body(request): Body<DiffRequest>,
) -> ApiResult<Response> {
    let pair = request.checked(run)?;
    let runs = pair.runs;
    let text = audit(&api, &caller, &runs, async move |store| {
        let comparison = pair.compare(store.as_ref()).await?;
        let mut text = Vec::new();
        json(&comparison, &mut text).map_err(|error| internal(&error))?;
        Ok(text)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text)
        .into_response())
}
