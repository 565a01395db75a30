//! Events as they are recorded, as Server-Sent Events (specification 4.3, 4.5).
//!
//! The id of each is its global position, which `Last-Event-ID` resumes after: dense, and in the
//! order of commits, so that nothing is lost and nothing comes twice. The store's subscription is
//! pulled: a client that reads slowly costs one batch of memory and holds nobody back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
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
use crate::events::{Types, cloud_event};
use crate::extract::Query;
use crate::figures::Place;
use crate::position::Position;
use crate::problem::{Answer, Problem, ProblemKind};

/// How often a silent stream shows that it lives.
const HEART_BEAT: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamAsked {
    /// Only events after this global position, where there is no `Last-Event-ID`; 0 from the first.
    /// Without either: those that are recorded from now on.
    #[param(value_type = Option<u64>)]
    after: Option<Position>,
    /// Only these types, separated by commas.
    #[serde(rename = "type")]
    types: Option<String>,
    /// Only this run's.
    run_id: Option<Uuid>,
}

/// Events as they are recorded: `id` is the global position, `event` the type, `data` the
/// CloudEvent.
///
/// An `id` alone says that everything up to there was left out by a filter.
#[utoipa::path(get, path = "/api/powerfill/events/stream", tag = "events",
    params(StreamAsked, ("Last-Event-ID" = Option<u64>, Header, description = "The id of the last event that arrived")),
    responses((status = 200, description = "Events, until the client goes or the service stops",
        content_type = "text/event-stream", body = String)))]
pub(crate) async fn stream(
    Viewer(caller): Viewer,
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(asked): Query<StreamAsked>,
) -> Answer<Sse<impl Stream<Item = Result<Event, StoreError>>>> {
    let types = Types::read(asked.types.as_deref())?;
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
    let after = match last.or(asked.after) {
        Some(Position(after)) => after,
        None => store.head().await?.position,
    };
    let place = api.figures.stream(caller.tenant.id(), after);
    let coming = Coming {
        place,
        batches: store.subscribe(after),
        ready: VecDeque::new(),
        types,
        stream: asked.run_id.map(|run| RunId(run).stream()),
        _permit: permit,
    };
    let events = unfold(coming, Coming::next).take_until(api.stop.clone().cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEART_BEAT)))
}

/// What comes: the rest of one batch, and the subscription behind it.
struct Coming {
    place: Place,
    batches: BoxStream<'static, Result<Vec<StoredEvent>, StoreError>>,
    ready: VecDeque<StoredEvent>,
    types: Types,
    stream: Option<String>,
    _permit: OwnedSemaphorePermit,
}

impl Coming {
    fn admits(&self, event: &StoredEvent) -> bool {
        self.types.admit(event) && self.stream.as_ref().is_none_or(|only| *only == event.stream)
    }

    /// The next event; after an error, which ends the connection, the client resumes where it was.
    async fn next(mut self) -> Option<(Result<Event, StoreError>, Self)> {
        loop {
            let mut passed = None;
            while let Some(event) = self.ready.pop_front() {
                self.place.reached(event.global_position);
                if self.admits(&event) {
                    return Some((sent(&event), self));
                }
                passed = Some(event.global_position);
            }
            if let Some(position) = passed {
                return Some((Ok(Event::default().id(position.to_string())), self));
            }
            match self.batches.next().await? {
                Ok(batch) => self.ready = batch.into(),
                Err(error) => return Some((Err(error), self)),
            }
        }
    }
}

fn sent(event: &StoredEvent) -> Result<Event, StoreError> {
    let data = cloud_event(event).map_err(|_| {
        let position = event.global_position;
        StoreError::Corrupt(format!("event {position} has no CloudEvent").into())
    })?;
    let id = event.global_position.to_string();
    Ok(Event::default().id(id).event(&event.event_type).data(data))
}
