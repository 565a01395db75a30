//! Events over HTTP: pages without gaps, and a live stream that resumes without loss or repetition.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures::{StreamExt, TryStreamExt};
use powerfill_app::Clock;
use powerfill_evidence::archive::{ArchiveOutcome, ArchiveRequest, Archiver, RetentionActor};
use powerfill_http::{Limits, TenantHandle};
use serde_json::Value;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::service::{Answer, Service};

/// Longer than any wait in these tests.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A message of a stream: the position, and the type of the event. Without a type, a filter left
/// out all events up to the position.
type Message = (u64, Option<String>);

/// A client that reads a stream.
struct Client {
    body: BodyDataStream,
    text: String,
    /// The position after which it would resume.
    last: Option<u64>,
}

impl Client {
    async fn connect(service: &Service, query: &str, last: Option<u64>) -> Self {
        let path = format!("/events/stream{query}");
        let mut request = service.request("GET", &path, &service.viewer, None);
        if let Some(last) = last {
            let last = last.to_string().parse().unwrap();
            request.headers_mut().insert("last-event-id", last);
        }
        let response = service.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers["content-type"], "text/event-stream");
        // A proxy passes events on at once and as they are.
        assert_eq!(headers["x-accel-buffering"], "no");
        let cache_control: Vec<_> = headers.get_all("cache-control").iter().collect();
        assert_eq!(cache_control, ["no-cache, no-transform"]);
        let body = response.into_body().into_data_stream();
        Self { body, text: String::new(), last }
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let prefix = format!("{name}: ");
                    block.lines().find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
                };
                let Some(id) = field("id") else { continue };
                self.last = id.parse().ok();
                if let Some(data) = field("data") {
                    let event: Value = serde_json::from_str(&data).unwrap();
                    assert_eq!(event["globalposition"], id);
                }
                return Some((self.last.unwrap(), field("event")));
            }
            let more = timeout(TIMEOUT, self.body.next()).await.expect("the stream continues");
            self.text.push_str(std::str::from_utf8(&more?.unwrap()).unwrap());
        }
    }
}

async fn recorded_events(service: &Service) -> Vec<Message> {
    let store = service.store();
    let events: Vec<_> = store.read_all(0).try_concat().await.unwrap();
    events.into_iter().map(|event| (event.global_position, Some(event.event_type))).collect()
}

#[tokio::test]
async fn a_broken_stream_resumes_without_loss_or_repetition() {
    let service = Service::new();
    service.run_case("12-kickout-reasons").await;
    service.run_case("03-best-fit").await;
    let all = recorded_events(&service).await;
    // Connections of 1, 2, 3 … events.
    let (mut received, mut last) = (Vec::new(), Some(0));
    for length in 1.. {
        let mut client = Client::connect(&service, "", last).await;
        for _ in 0..length {
            if received.len() < all.len() {
                received.push(client.next().await.unwrap());
            }
        }
        last = client.last;
        if received.len() == all.len() {
            break;
        }
    }
    assert_eq!(received, all);
    // The header has precedence over the query.
    let end = all.last().unwrap().0;
    let mut client = Client::connect(&service, "?after=0", Some(end - 1)).await;
    assert_eq!(client.next().await.as_ref(), all.last());
}

#[tokio::test]
async fn a_stream_without_a_start_has_later_events_only() {
    let service = Service::new();
    service.run_case("03-best-fit").await;
    let before = recorded_events(&service).await.len();
    let mut client = Client::connect(&service, "", None).await;
    service.run_case("12-kickout-reasons").await;
    let all = recorded_events(&service).await;
    for expected in &all[before..] {
        assert_eq!(client.next().await.as_ref(), Some(expected));
    }
}

#[tokio::test]
async fn a_filtered_stream_still_reports_its_position() {
    let (service, first) = Service::with_run("12-kickout-reasons").await;
    service.run_case("03-best-fit").await;
    let all = recorded_events(&service).await;
    let end = all.last().unwrap().0;
    let of_first = service.store().stream_version(&first.stream()).await.unwrap();
    let wanted =
        |(_, name): &&Message| ["RunCompleted", "RunStarted"].contains(&name.as_deref().unwrap());
    for (query, expected) in [
        ("?after=0&type=RunStarted,RunCompleted".to_owned(), all.iter().filter(wanted).count()),
        (format!("?after=0&run_id={first}"), usize::try_from(of_first).unwrap()),
    ] {
        let mut client = Client::connect(&service, &query, None).await;
        let mut found = 0;
        while client.last != Some(end) {
            found += usize::from(client.next().await.unwrap().1.is_some());
        }
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn a_service_that_stops_ends_its_streams() {
    let service = Service::with(Limits { streams: 1, ..Limits::default() });
    service.run_case("03-best-fit").await;
    let mut client = Client::connect(&service, "?after=0", None).await;
    assert!(client.next().await.is_some());
    // One stream is the limit.
    service.get("/events/stream").await.expect_problem(503, "unavailable");
    service.stop.cancel();
    while client.next().await.is_some() {}
    drop(client);
    let again = service.get("/events/stream").await;
    assert_eq!((again.status, again.body.len()), (200, 0), "it ends immediately");
}

/// The events of an archived run are not there: the stream says so, after all before them.
#[tokio::test]
async fn a_stream_ends_at_an_archived_run_and_says_which() {
    let (service, first) = Service::with_run("12-kickout-reasons").await;
    let archived = service.run_case("03-best-fit").await;
    service.run_case("12-kickout-reasons").await;
    let before = service.store().stream_version(&first.stream()).await.unwrap();
    let folder = service.file("archive");
    std::fs::create_dir(&folder).unwrap();
    let actor = RetentionActor { name: "records", now: service.clock.now() };
    let request = ArchiveRequest { actor, folder: &folder, program: "powerfill test" };
    let store = service.tenant.store().await.unwrap();
    let mut archiver = Archiver::open(store.as_ref(), request).await.unwrap();
    let outcome = archiver.archive(archived, None).await.unwrap();
    assert!(matches!(outcome, ArchiveOutcome::Archived(_)), "{outcome:?}");

    let text = service.get("/events/stream?after=0").await.ok().text();
    let mut messages: Vec<&str> = text.split("\n\n").filter(|text| !text.is_empty()).collect();
    let last = messages.pop().unwrap();
    assert!(last.starts_with("event: archived\n"), "{last}");
    assert!(last.contains(&archived.to_string()) && !last.contains("id: "), "{last}");
    let delivered = messages.iter().filter(|message| message.contains("id: ")).count();
    assert_eq!(delivered as u64, before);
}

/// After a restore, or at another store, a remembered position leads nowhere or to other events.
#[tokio::test]
async fn a_position_of_another_log_is_refused() {
    let (service, run) = Service::with_run("12-kickout-reasons").await;
    service.run_case("03-best-fit").await;
    let events: Vec<_> = service.store().read_all(0).try_concat().await.unwrap();
    let end = events.len() as u64;
    let of_run = service.store().stream_version(&run.stream()).await.unwrap();
    let hash = |at: u64| events[at as usize - 1].hash.to_string();

    for (path, head) in
        [("/events", end), ("/events/stream", end), (&*format!("/runs/{run}/events"), of_run)]
    {
        for after in [head + 1, 99_999] {
            let ahead = service.get(&format!("{path}?after={after}")).await;
            let problem = ahead.expect_problem(409, "position-ahead");
            assert_eq!(problem["head"], head, "{path}");
        }
    }
    let page = service.get(&format!("/events?after={end}")).await.ok();
    assert_eq!(
        (page.json()["next_after"].as_u64(), page.json()["end"].as_bool()),
        (Some(end), Some(true))
    );
    let mut request = service.request("GET", "/events/stream", &service.viewer, None);
    request.headers_mut().insert("last-event-id", (end + 1).into());
    assert_eq!(service.router.clone().oneshot(request).await.unwrap().status(), 409);

    // Within the log, only the hash tells.
    for path in ["/events", "/events/stream", &format!("/runs/{run}/events")] {
        let wrong = service.get(&format!("{path}?after=5&after_hash={}", hash(6))).await;
        wrong.expect_problem(409, "another-log");
        service
            .get(&format!("{path}?after_hash={}", hash(6)))
            .await
            .expect_problem(400, "bad-request");
    }
    for path in ["/events".to_owned(), format!("/runs/{run}/events")] {
        let page =
            service.get(&format!("{path}?after=5&limit=1&after_hash={}", hash(5))).await.ok();
        assert_eq!(page.json()["next_after"], 6);
    }
    let query = format!("?after=5&after_hash={}", hash(5));
    let mut client = Client::connect(&service, &query, None).await;
    assert_eq!(client.next().await.unwrap().0, 6);
}

fn events(page: &Answer) -> (Vec<Value>, u64, bool) {
    let page = page.json();
    let (next, end) = (page["next_after"].as_u64().unwrap(), page["end"].as_bool().unwrap());
    (page["events"].as_array().unwrap().clone(), next, end)
}

#[tokio::test]
async fn pages_of_events_have_no_gaps() {
    let (service, run) = Service::with_run("12-kickout-reasons").await;
    service.run_case("03-best-fit").await;
    let all = recorded_events(&service).await;
    for (path, member, expected) in [
        ("/events".to_owned(), "globalposition", all.len() as u64),
        (
            format!("/runs/{run}/events"),
            "streamversion",
            service.store().stream_version(&run.stream()).await.unwrap(),
        ),
    ] {
        let (mut after, mut found) = (0, Vec::new());
        loop {
            let page = service.get(&format!("{path}?limit=17&after={after}")).await.ok();
            let (page, next, end) = events(&page);
            found.extend(page.iter().map(|event| event[member].as_str().unwrap().to_owned()));
            after = next;
            if end {
                break;
            }
        }
        let numbers: Vec<String> = (1..=expected).map(|number| number.to_string()).collect();
        assert_eq!(found, numbers, "{path}");
    }
    let page = service.get(&format!("/runs/{run}/events?type=RunRequested,RunCompleted")).await;
    let types: Vec<Value> = events(&page.ok()).0.iter().map(|e| e["type"].clone()).collect();
    assert_eq!(types, ["powerfill.run.RunRequested.v3", "powerfill.run.RunCompleted.v2"]);
}
