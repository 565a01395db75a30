//! What an operator watches: the queue with its lease, what lags behind the log, and the space of
//! each run (specification 4.4, 5.4).

use axum::Json;
use axum::extract::OriginalUri;
use axum::http::HeaderMap;
use powerfill_events::run::RunId;
use powerfill_ports::runs::{QueuedRun, RunCursor, RunFilter, RunStatus};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::answer::{answer_object, text};
use crate::caller::Viewer;
use crate::extract::Query;
use crate::paging::page_headers;
use crate::position::page_size;
use crate::problem::ApiResult;
use crate::run_view::RunOverview;

answer_object! {
    /// The active run in the queue.
    QueueEntry(run: &QueuedRun) {
        #[serde(flatten)]
        run: RunOverview = RunOverview::from(run),
        /// When the lease of its worker expires. Another worker may claim the run then.
        lease_expires_at: Option<String> = text(run.lease_expires_at),
    }
}

/// Runs by status.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunCount {
    status: &'static str,
    runs: u64,
}

/// What is behind the log, and by how many events.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lag {
    /// `output_tables` of the latest Complete run, `stream` of this process, or the name of a
    /// subscriber with a position in the store.
    name: String,
    /// The position that it has reached; of the tables, the version in the run.
    position: u64,
    /// Events that it does not have yet.
    events: u64,
}

/// The queue, the workers, and the lags of a tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct Operations {
    tenant_id: String,
    /// The clock of the service.
    now: String,
    /// Whether workers run in this process.
    works: bool,
    /// The number of events in the log.
    events: u64,
    /// The run that waits or is worked on. A tenant has at most one.
    active: Option<QueueEntry>,
    /// Whether the worker of the active run is overdue: its lease has expired.
    lease_expired: bool,
    runs: Vec<RunCount>,
    lags: Vec<Lag>,
}

/// The queue, the workers, and what lags behind the log.
#[utoipa::path(get, operation_id = "operations", path = "/api/powerfill/operate", tag = "service",
    responses((status = 200, body = Operations)))]
pub(crate) async fn show(Viewer { caller, api }: Viewer) -> ApiResult<Json<Operations>> {
    let store = caller.store().await?;
    let (now, events) = (api.clock.now(), store.head().await?.position);
    let active = store.active_run().await?;
    let mut lags = Vec::new();
    if let Some(latest) = store.latest_run(RunStatus::Complete).await? {
        let all = store.stream_version(&latest.run_id.stream()).await?;
        let shown = store.published().await?.filter(|(run, _)| *run == latest.run_id);
        let position = shown.map_or(0, |(_, up_to)| up_to);
        lags.push(Lag {
            name: "output_tables".to_owned(),
            position,
            events: all.saturating_sub(position),
        });
    }
    let behind = |name: String, position: u64| Lag {
        name,
        position,
        events: events.saturating_sub(position),
    };
    let subscribers = store.subscribers().await?.into_iter();
    lags.extend(subscribers.map(|(name, position)| behind(name, position)));
    let streams = api.metrics.stream_positions(caller.tenant.id()).into_iter();
    lags.extend(streams.map(|position| behind("stream".to_owned(), position)));
    let counts = store.run_counts().await?.into_iter();
    let expires = active.as_ref().and_then(|run| run.lease_expires_at);
    Ok(Json(Operations {
        tenant_id: caller.tenant.id().to_owned(),
        now: now.to_string(),
        works: api.has_workers,
        events,
        lease_expired: expires.is_some_and(|expires| expires < now),
        active: active.as_ref().map(QueueEntry::from),
        runs: counts.map(|(status, runs)| RunCount { status: status.name(), runs }).collect(),
        lags,
    }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StorageQuery {
    /// `next` of the previous page.
    cursor: Option<Uuid>,
    /// Runs on the page, 1 to 500. Absent: 50.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// The space that the events of a run take.
#[derive(Serialize, ToSchema)]
pub(crate) struct RunStorage {
    run_id: Uuid,
    status: &'static str,
    requested_at: String,
    events: u64,
    /// Bytes of the compressed events; 0 if they are archived. Null if the store cannot say.
    bytes: Option<u64>,
}

/// The space of runs.
#[derive(Serialize, ToSchema)]
pub(crate) struct StoragePage {
    /// Newest first.
    runs: Vec<RunStorage>,
    /// The `cursor` of the next page; null on the last one.
    next: Option<Uuid>,
}

/// The space that the events of each run take, newest run first. Tables and captured snapshots are
/// not in it.
#[utoipa::path(get, operation_id = "storage", path = "/api/powerfill/storage", tag = "service",
    params(StorageQuery), responses((status = 200, body = StoragePage)))]
pub(crate) async fn storage(
    Viewer { caller, .. }: Viewer,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<StorageQuery>,
) -> ApiResult<(HeaderMap, Json<StoragePage>)> {
    let size = page_size(query.limit, 50, 500)?;
    let store = caller.store().await?;
    let cursor = match query.cursor {
        None => RunCursor::START,
        Some(after) => crate::runs::cursor_of(store.as_ref(), RunId(after)).await?,
    };
    let queued = store.runs_after(cursor, size + 1, RunFilter::All).await?;
    let mut runs = Vec::new();
    for run in queued.iter().take(size) {
        let stream = run.run_id.stream();
        runs.push(RunStorage {
            run_id: run.run_id.0,
            status: run.status.name(),
            requested_at: run.requested_at.to_string(),
            events: store.stream_version(&stream).await?,
            bytes: store.stored_bytes(&stream).await?,
        });
    }
    let next = runs.last().filter(|_| queued.len() > size).map(|run| run.run_id);
    let total = store.run_counts().await?.values().sum();
    let next_text = next.map(|next| next.to_string());
    let headers = page_headers(&uri, "cursor", next_text.as_deref(), Some(total));
    Ok((headers, Json(StoragePage { runs, next })))
}
