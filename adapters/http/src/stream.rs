//! Events as they are recorded, as Server-Sent Events (specification 4.3, 4.5).
//!
//! The id of an event is its global position, and `Last-Event-ID` resumes after it. Positions are
//! dense and in the order of commits, so no event is lost or repeated. The service pulls from the
//! subscription of the store, so a slow client costs one batch of memory and delays no other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::events::StoredEvent;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::api::Api;
use crate::caller::Viewer;
use crate::events::{TypeFilter, cloud_event};
use crate::extract::Query;
use crate::metrics::StreamPosition;
use crate::position::{Position, ensure_reached, ensure_same_event};
use crate::problem::{ApiResult, Problem, ProblemKind};

/// The interval of comments that keep an idle stream alive.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What a proxy needs so that it neither holds events back nor compresses them.
const PROXY_HEADERS: [(HeaderName, &str); 2] = [
    (CACHE_CONTROL, "no-cache, no-transform"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

type EventResult = Result<Event, StoreError>;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// Only events after this global position; 0 from the first. `Last-Event-ID` comes before it.
    /// Without either, only events that are recorded from now on.
    #[param(value_type = Option<u64>)]
    after: Option<Position>,
    /// The `hash` of the event at that position, as it was received: the answer is 409
    /// `another-log` if this log has another event there.
    after_hash: Option<String>,
    /// Only these types, separated by commas.
    #[serde(rename = "type")]
    types: Option<String>,
    /// Only events of this run.
    run_id: Option<Uuid>,
}

/// Events as they are recorded: `id` is the global position, `event` the type, `data` the
/// CloudEvent.
///
/// An `id` alone says that a filter left out all events up to it.
#[utoipa::path(get, path = "/api/powerfill/events/stream", tag = "events",
    params(StreamQuery, ("Last-Event-ID" = Option<u64>, Header,
        description = "The id of the last received event")),
    responses((status = 200,
        description = "Events, until the client disconnects or the service stops",
        content_type = "text/event-stream", body = String), (status = 409)))]
pub(crate) async fn stream(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(query): Query<StreamQuery>,
) -> ApiResult<([(HeaderName, &'static str); 2], Sse<impl Stream<Item = EventResult>>)> {
    let types = TypeFilter::read(query.types.as_deref())?;
    let last = match headers.get("last-event-id") {
        None => None,
        Some(last) => {
            let position = last.to_str().ok().and_then(|last| last.parse::<u64>().ok());
            let position = position.and_then(|position| Position::try_from(position).ok());
            let wrong =
                || Problem::bad("Last-Event-ID is the id of an event of this stream, a number.");
            Some(position.ok_or_else(wrong)?)
        }
    };
    let full = |_| {
        Problem::new(ProblemKind::Unavailable, "There are too many event streams; try again later.")
    };
    let permit = Arc::clone(&api.streams).try_acquire_owned().map_err(full)?;
    let store = caller.store().await?;
    let head = store.head().await?.position;
    let after = last.or(query.after);
    ensure_reached(after.unwrap_or_default(), head)?;
    let hash = query.after_hash.as_deref();
    ensure_same_event(|before| store.read_all(before), after.unwrap_or_default(), hash).await?;
    let Position(after) = after.unwrap_or(Position(head));
    let position = api.metrics.add_stream(caller.tenant.id(), after);
    let source = EventSource {
        position,
        batches: store.subscribe(after),
        ready: VecDeque::new(),
        types,
        stream: query.run_id.map(|run| RunId(run).stream()),
        _permit: permit,
    };
    let events = unfold(source, EventSource::next).take_until(api.stop.clone().cancelled_owned());
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok((PROXY_HEADERS, sse))
}

/// The rest of one batch, and the subscription behind it.
struct EventSource {
    position: StreamPosition,
    batches: BoxStream<'static, Result<Vec<StoredEvent>, StoreError>>,
    ready: VecDeque<StoredEvent>,
    types: TypeFilter,
    stream: Option<String>,
    _permit: OwnedSemaphorePermit,
}

impl EventSource {
    fn admits(&self, event: &StoredEvent) -> bool {
        self.types.admits(event) && self.stream.as_ref().is_none_or(|only| *only == event.stream)
    }

    /// The next event. An error ends the connection, and the client resumes after its last event.
    async fn next(mut self) -> Option<(Result<Event, StoreError>, Self)> {
        loop {
            let mut skipped = None;
            while let Some(event) = self.ready.pop_front() {
                self.position.advance(event.global_position);
                if self.admits(&event) {
                    return Some((encode(&event), self));
                }
                skipped = Some(event.global_position);
            }
            if let Some(position) = skipped {
                return Some((Ok(Event::default().id(position.to_string())), self));
            }
            match self.batches.next().await? {
                Ok(batch) => self.ready = batch.into(),
                Err(error) => return Some((Err(error), self)),
            }
        }
    }
}

fn encode(event: &StoredEvent) -> Result<Event, StoreError> {
    let data = cloud_event(event).map_err(|_| {
        let position = event.global_position;
        StoreError::Corrupt(format!("event {position} has no CloudEvent").into())
    })?;
    let id = event.global_position.to_string();
    Ok(Event::default().id(id).event(&event.event_type).data(data))
}
