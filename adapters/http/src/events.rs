//! Pages of events as CloudEvents: of one run, and of a tenant's whole log (specification 4.3,
//! 4.5).

use axum::extract::OriginalUri;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::TryStreamExt;
use futures::stream::BoxStream;
use powerfill_events::annotation::AnnotationEventType;
use powerfill_events::challenge::ChallengeEventType;
use powerfill_events::cloud_event::CloudEvent;
use powerfill_events::retention::RetentionEventType;
use powerfill_events::run::{EventType, RunId};
use powerfill_events::stream::event_name;
use powerfill_ports::StoreResult;
use powerfill_ports::events::StoredEvent;
use powerfill_snapshot::config::ConfigEventType;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::caller::Viewer;
use crate::extract::{Path, Query};
use crate::paging::page_headers;
use crate::position::{Position, ensure_reached, ensure_same_event, page_size};
use crate::problem::{ApiResult, Problem, ProblemKind};

const DEFAULT_LIMIT: usize = 500;
const MAX_LIMIT: usize = 5_000;

/// The events that one request reads at most, so that a rare type does not occupy it for long.
const MAX_SCANNED: usize = 100_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only events after this one: `next_after` of the previous page; 0 from the first.
    #[serde(default)]
    #[param(default = 0, value_type = u64)]
    after: Position,
    /// The `hash` of the event at `after`, as it was received: the answer is 409 `another-log` if
    /// this log has another event there.
    after_hash: Option<String>,
    /// Events on the page, 1 to 5000. Absent: 500.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
    /// Only these types, separated by commas.
    #[serde(rename = "type")]
    types: Option<String>,
}

/// Selects events by type; all of them if it is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypeFilter(Vec<&'static str>);

impl TypeFilter {
    /// Reads names separated by commas.
    pub(crate) fn read(names: Option<&str>) -> ApiResult<Self> {
        let known_name = |name: &str| {
            event_name(name.trim()).map_err(|_| {
                let of_runs = EventType::ALL.iter().map(|known| known.name());
                let of_configuration = ConfigEventType::ALL.iter().map(|known| known.name());
                let of_retention = RetentionEventType::ALL.iter().map(|known| known.name());
                let of_annotations = AnnotationEventType::ALL.iter().map(|known| known.name());
                let of_challenges = ChallengeEventType::ALL.iter().map(|known| known.name());
                let known = of_runs.chain(of_configuration).chain(of_retention);
                let known = known.chain(of_annotations).chain(of_challenges);
                let known: Vec<&str> = known.collect();
                Problem::bad(format!("No event type {name:?}; there are {}.", known.join(", ")))
            })
        };
        names
            .into_iter()
            .flat_map(|names| names.split(','))
            .map(known_name)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(crate) fn admits(&self, event: &StoredEvent) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| *name == event.event_type)
    }
}

/// An event as JSON of CloudEvents 1.0.
pub(crate) fn cloud_event(event: &StoredEvent) -> ApiResult<String> {
    let damaged =
        |error: &dyn std::fmt::Display| Problem::new(ProblemKind::Damaged, error.to_string());
    let cloud_event = CloudEvent::try_from(event).map_err(|error| damaged(&error))?;
    serde_json::to_string(&cloud_event).map_err(|error| damaged(&error))
}

/// A page while it is built.
struct EventPage {
    types: TypeFilter,
    size: usize,
    body: String,
    events: usize,
    scanned: usize,
    /// The position of the last scanned event.
    after: u64,
}

impl EventPage {
    fn new(query: &EventsQuery) -> ApiResult<Self> {
        let types = TypeFilter::read(query.types.as_deref())?;
        let size = page_size(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
        let body = String::from("{\"events\":[");
        Ok(Self { types, size, body, events: 0, scanned: 0, after: query.after.0 })
    }

    /// Fills the page from batches of events, and returns it.
    async fn fill(
        mut self,
        mut batches: BoxStream<'_, StoreResult<Vec<StoredEvent>>>,
        position: fn(&StoredEvent) -> u64,
        (uri, head): (&Uri, u64),
    ) -> ApiResult<Response> {
        while let Some(batch) = batches.try_next().await? {
            for event in &batch {
                (self.after, self.scanned) = (position(event), self.scanned + 1);
                if self.types.admits(event) {
                    if self.events > 0 {
                        self.body.push(',');
                    }
                    self.body.push_str(&cloud_event(event)?);
                    self.events += 1;
                }
                if self.events == self.size || self.scanned == MAX_SCANNED {
                    return Ok(self.answer(uri, head, false));
                }
            }
        }
        Ok(self.answer(uri, head, true))
    }

    /// Without a filter, the total is the number of events; with one, it is unknown.
    fn answer(mut self, uri: &Uri, head: u64, is_end: bool) -> Response {
        self.body.push_str(&format!("],\"next_after\":{},\"end\":{is_end}}}", self.after));
        let next = (!is_end).then(|| self.after.to_string());
        let total = self.types.0.is_empty().then_some(head);
        let mut headers = page_headers(uri, "after", next.as_deref(), total);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        (headers, self.body).into_response()
    }
}

/// The events of a run in order, as CloudEvents. `next_after` is the version of the last event that
/// was read.
#[utoipa::path(get, operation_id = "of_run",
    path = "/api/powerfill/runs/{run_id}/events", tag = "events",
    params(("run_id" = Uuid, Path, description = "The run"), EventsQuery),
    responses((status = 200, description = "A page of events"), (status = 409)))]
pub(crate) async fn list_of_run(
    Viewer { caller, .. }: Viewer,
    Path(run): Path<RunId>,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<EventsQuery>,
) -> ApiResult<Response> {
    let page = EventPage::new(&query)?;
    let store = caller.store().await?;
    let head = store.stream_version(&run.stream()).await?;
    match head {
        0 => return Err(Problem::no_run(run)),
        version => ensure_reached(query.after, version)?,
    }
    let from = |before| store.read(&run.stream(), before + 1);
    ensure_same_event(from, query.after, query.after_hash.as_deref()).await?;
    let batches = store.read(&run.stream(), query.after.0.saturating_add(1));
    page.fill(batches, |event| event.stream_version, (&uri, head)).await
}

/// The events of all runs and of the configuration in the order of their positions, as CloudEvents.
/// `next_after` is the position of the last event that was read. After the `end`, the same request
/// with this position returns later events.
#[utoipa::path(get, operation_id = "of_all",
    path = "/api/powerfill/events", tag = "events", params(EventsQuery),
    responses((status = 200, description = "A page of events"), (status = 409)))]
pub(crate) async fn list_all(
    Viewer { caller, .. }: Viewer,
    OriginalUri(uri): OriginalUri,
    Query(query): Query<EventsQuery>,
) -> ApiResult<Response> {
    let page = EventPage::new(&query)?;
    let store = caller.store().await?;
    let head = store.head().await?.position;
    ensure_reached(query.after, head)?;
    let from = |before| store.read_all(before);
    ensure_same_event(from, query.after, query.after_hash.as_deref()).await?;
    let events = store.read_all(query.after.0);
    page.fill(events, |event| event.global_position, (&uri, head)).await
}
