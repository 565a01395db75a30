//! Events as they are recorded, as Server-Sent Events (specification 4.3, 4.5).
//!
//! The id of an event is its global position, and `Last-Event-ID` resumes after it. Positions are
//! dense and in the order of commits, so no event is lost or repeated. The service pulls from the
//! subscription of the store, so a slow client costs one batch of memory and delays no other. A
//! token is checked again at each heartbeat, and the stream of one that was revoked ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName};
use axum::response::Sse;
use axum::response::sse::Event;
use futures::future::ready;
use futures::stream::{BoxStream, Stream, StreamExt, once, unfold};
use powerfill_events::run::RunId;
use powerfill_ports::events::StoredEvent;
use powerfill_ports::{StoreError, StoreResult};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::Api;
use crate::caller::{Caller, Viewer};
use crate::events::{TypeFilter, cloud_event};
use crate::extract::Query;
use crate::metrics::StreamPosition;
use crate::permits::Permit;
use crate::position::{Position, ensure_reached, ensure_same_event};
use crate::problem::{ApiResult, Problem};

/// The path of event streams.
pub(crate) const STREAM_PATH: &str = "/api/powerfill/events/stream";

/// The pause after which a browser connects again.
const RETRY: Duration = Duration::from_secs(2);

/// What a proxy needs so that it neither holds events back nor compresses them.
const PROXY_HEADERS: [(HeaderName, &str); 2] = [
    (CACHE_CONTROL, "no-cache, no-transform"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

type EventResult = StoreResult<Event>;

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
    /// false: without `event`, so that `onmessage` of a browser receives events of every type.
    #[serde(default = "is_named")]
    #[param(default = true)]
    named: bool,
    /// A ticket, in place of the headers `Authorization` and `X-Tenant-Id`.
    #[serde(rename = "ticket")]
    _ticket: Option<String>,
}

const fn is_named() -> bool {
    true
}

/// The name of the message before a stream ends at events whose payloads are archived.
const ARCHIVED: &str = "archived";

/// A ticket for event streams.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamTicket {
    /// For the parameter `ticket` of the stream.
    ticket: String,
    /// The time from which it opens no stream. One that is open goes on.
    expires_at: String,
}

/// Makes a ticket that opens event streams for a minute, for the EventSource of a browser, which
/// can send no headers.
#[utoipa::path(post, path = "/api/powerfill/events/ticket", tag = "events",
    responses((status = 200, body = StreamTicket)))]
pub(crate) async fn ticket(
    Viewer { caller, api }: Viewer,
) -> ApiResult<([(HeaderName, &'static str); 1], Json<StreamTicket>)> {
    let (ticket, expires_at) = api.tickets.create(caller, api.clock.now())?;
    let view = StreamTicket { ticket, expires_at: expires_at.to_string() };
    Ok(([(CACHE_CONTROL, "no-store")], Json(view)))
}

/// Events as they are recorded: `id` is the global position, `event` the type, `data` the
/// CloudEvent.
///
/// An `id` alone says that a filter left out all events up to it. A comment says that the stream is
/// alive. A stream ends when its token is revoked or expires. It also ends where the payloads of a
/// run are archived; a last message `archived`, without `id`, says which run, and what to do.
#[utoipa::path(get, path = "/api/powerfill/events/stream", tag = "events",
    params(StreamQuery, ("Last-Event-ID" = Option<u64>, Header,
        description = "The id of the last received event")),
    responses((status = 200,
        description = "Events, until the client disconnects or the service stops",
        content_type = "text/event-stream", body = String), (status = 409)))]
pub(crate) async fn stream(
    Viewer { caller, api }: Viewer,
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
    let permit = api.streams.try_acquire(caller.tenant.id(), caller.token.as_deref())?;
    let store = caller.store().await?;
    let head = store.head().await?.position;
    let after = last.or(query.after);
    ensure_reached(after.unwrap_or_default(), head)?;
    let hash = query.after_hash.as_deref();
    ensure_same_event(|before| store.read_all(before), after.unwrap_or_default(), hash).await?;
    let Position(after) = after.unwrap_or(Position(head));
    let position = api.metrics.add_stream(caller.tenant.id(), after);
    let heartbeat = api.limits.heartbeat;
    let mut ticks = interval_at(Instant::now() + heartbeat, heartbeat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let source = EventSource {
        stop: api.stop.clone(),
        api,
        caller,
        last_check: Instant::now(),
        ticks,
        is_named: query.named,
        position,
        batches: store.subscribe(after),
        ready: VecDeque::new(),
        types,
        stream: query.run_id.map(|run| RunId(run).stream()),
        _permit: permit,
    };
    let stopped = source.stop.clone().cancelled_owned();
    let begin = once(ready(Ok(Event::default().retry(RETRY))));
    let events = begin.chain(unfold(source, EventSource::next)).take_until(stopped);
    Ok((PROXY_HEADERS, Sse::new(events)))
}

/// The rest of one batch, and the subscription behind it.
struct EventSource {
    stop: CancellationToken,
    api: Arc<Api>,
    caller: Caller,
    /// When the token was last found valid.
    last_check: Instant,
    ticks: Interval,
    is_named: bool,
    position: StreamPosition,
    batches: BoxStream<'static, StoreResult<Vec<StoredEvent>>>,
    ready: VecDeque<StoredEvent>,
    types: TypeFilter,
    stream: Option<String>,
    _permit: Permit,
}

impl EventSource {
    fn admits(&self, event: &StoredEvent) -> bool {
        self.types.admits(event) && self.stream.as_ref().is_none_or(|only| *only == event.stream)
    }

    /// Checks the token if the last check was a heartbeat ago. Returns whether the caller may go
    /// on.
    fn is_admitted(&mut self) -> bool {
        if self.last_check.elapsed() < self.api.limits.heartbeat {
            return true;
        }
        self.last_check = Instant::now();
        self.caller.is_admitted_still(&self.api)
    }

    /// The next event. An error ends the connection, and the client resumes after its last event.
    async fn next(mut self) -> Option<(EventResult, Self)> {
        loop {
            if !self.is_admitted() {
                return None;
            }
            let mut skipped = None;
            while let Some(event) = self.ready.pop_front() {
                self.position.advance(event.global_position);
                if self.admits(&event) {
                    return Some((self.encode(&event), self));
                }
                skipped = Some(event.global_position);
            }
            if let Some(position) = skipped {
                return Some((Ok(Event::default().id(position.to_string())), self));
            }
            // The memory of the last batch is free while the stream waits.
            self.ready = VecDeque::new();
            tokio::select! {
                biased;
                batch = self.batches.next() => match batch? {
                    Ok(batch) => self.ready = batch.into(),
                    Err(error @ StoreError::Archived(_)) => {
                        let message = Event::default().event(ARCHIVED).data(error.to_string());
                        return Some((Ok(message), self));
                    }
                    Err(error) => return Some((Err(error), self)),
                },
                _ = self.ticks.tick() => {
                    let is_admitted = self.is_admitted();
                    return is_admitted.then(|| (Ok(Event::default().comment("")), self));
                }
            }
        }
    }

    fn encode(&self, event: &StoredEvent) -> EventResult {
        let data = cloud_event(event).map_err(|_| {
            let position = event.global_position;
            StoreError::Corrupt(format!("event {position} has no CloudEvent").into())
        })?;
        let message = Event::default().id(event.global_position.to_string());
        let message = if self.is_named { message.event(&event.event_type) } else { message };
        Ok(message.data(data))
    }
}
