//! Events as pages of CloudEvents: of one run, and of all of a tenant's (specification 4.3, 4.5).

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::TryStreamExt;
use powerfill_events::cloud_event::CloudEvent;
use powerfill_events::run::{EventType, RunId};
use powerfill_events::stream::event_name;
use powerfill_ports::events::StoredEvent;
use powerfill_snapshot::config::ConfigEventType;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::caller::Viewer;
use crate::extract::{Path, Query};
use crate::position::{Position, page_size};
use crate::problem::{Answer, Problem, ProblemKind};

/// Events on a page where nothing is said, and at most.
const USUAL: usize = 500;
const MOST: usize = 5_000;

/// Events that are looked at for one page: a rare type does not hold a request for ever.
const LOOKED_AT: usize = 100_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsAsked {
    /// Only events after this one: `next_after` of the page before; 0 from the first.
    #[serde(default)]
    #[param(default = 0, value_type = u64)]
    after: Position,
    /// Events on the page, 1 to 5000; 500 where it is left out.
    #[param(minimum = 1, maximum = 5000)]
    limit: Option<usize>,
    /// Only these types, separated by commas.
    #[serde(rename = "type")]
    types: Option<String>,
}

/// Which types are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Types(Vec<&'static str>);

impl Types {
    /// Names separated by commas; every type where there are none.
    pub(crate) fn read(names: Option<&str>) -> Answer<Self> {
        let named = |name: &str| {
            event_name(name.trim()).map_err(|_| {
                let of_runs = EventType::ALL.iter().map(|known| known.name());
                let of_configuration = ConfigEventType::ALL.iter().map(|known| known.name());
                let known: Vec<&str> = of_runs.chain(of_configuration).collect();
                Problem::bad(format!("No event type {name:?}; there are {}.", known.join(", ")))
            })
        };
        Ok(Self(
            names
                .into_iter()
                .flat_map(|names| names.split(','))
                .map(named)
                .collect::<Answer<_>>()?,
        ))
    }

    /// Whether an event is wanted.
    pub(crate) fn admit(&self, event: &StoredEvent) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| *wanted == event.event_type)
    }
}

/// An event as JSON of CloudEvents 1.0.
pub(crate) fn cloud_event(event: &StoredEvent) -> Answer<String> {
    let damaged =
        |error: &dyn std::fmt::Display| Problem::new(ProblemKind::Damaged, error.to_string());
    let cloud_event = CloudEvent::try_from(event).map_err(|error| damaged(&error))?;
    serde_json::to_string(&cloud_event).map_err(|error| damaged(&error))
}

/// A page as it grows.
struct Page {
    types: Types,
    size: usize,
    body: String,
    events: usize,
    looked_at: usize,
    /// The place of the event that was looked at last.
    after: u64,
}

impl Page {
    fn new(asked: &EventsAsked) -> Answer<Self> {
        let types = Types::read(asked.types.as_deref())?;
        let size = page_size(asked.limit, USUAL, MOST)?;
        let body = String::from("{\"events\":[");
        Ok(Self { types, size, body, events: 0, looked_at: 0, after: asked.after.0 })
    }

    /// Takes an event with its place; whether the page is full.
    fn take(&mut self, place: u64, event: &StoredEvent) -> Answer<bool> {
        (self.after, self.looked_at) = (place, self.looked_at + 1);
        if self.types.admit(event) {
            if self.events > 0 {
                self.body.push(',');
            }
            self.body.push_str(&cloud_event(event)?);
            self.events += 1;
        }
        Ok(self.events == self.size || self.looked_at == LOOKED_AT)
    }

    fn answer(mut self, is_end: bool) -> Response {
        self.body.push_str(&format!("],\"next_after\":{},\"end\":{is_end}}}", self.after));
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], self.body).into_response()
    }
}

/// The events of a run in order, as CloudEvents. `next_after` is the version of the last one that
/// was looked at.
#[utoipa::path(get, path = "/api/powerfill/runs/{run_id}/events", tag = "events",
    params(("run_id" = Uuid, Path, description = "The run"), EventsAsked),
    responses((status = 200, description = "A page of events")))]
pub(crate) async fn of_run(
    Viewer(caller): Viewer,
    Path(run): Path<Uuid>,
    Query(asked): Query<EventsAsked>,
) -> Answer<Response> {
    let run = RunId(run);
    let mut page = Page::new(&asked)?;
    let store = caller.store().await?;
    if store.stream_version(&run.stream()).await? == 0 {
        return Err(Problem::no_run(run));
    }
    let mut batches = store.read(&run.stream(), asked.after.0.saturating_add(1));
    while let Some(batch) = batches.try_next().await? {
        for event in &batch {
            if page.take(event.stream_version, event)? {
                return Ok(page.answer(false));
            }
        }
    }
    Ok(page.answer(true))
}

/// The events of all runs and of the configuration in the order in which they were recorded, as
/// CloudEvents. `next_after` is the global position of the last one that was looked at; after `end`
/// there were none yet: ask again with it later.
#[utoipa::path(get, path = "/api/powerfill/events", tag = "events", params(EventsAsked),
    responses((status = 200, description = "A page of events")))]
pub(crate) async fn of_all(
    Viewer(caller): Viewer,
    Query(asked): Query<EventsAsked>,
) -> Answer<Response> {
    let mut page = Page::new(&asked)?;
    let store = caller.store().await?;
    let mut batches = store.read_all(asked.after.0);
    while let Some(batch) = batches.try_next().await? {
        for event in &batch {
            if page.take(event.global_position, event)? {
                return Ok(page.answer(false));
            }
        }
    }
    Ok(page.answer(true))
}
