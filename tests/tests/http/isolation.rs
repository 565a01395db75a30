//! A tenant whose source, store, or clients misbehave delays no other tenant (specification 4.3).

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{join, join_all};
use powerfill_http::Limits;
use powerfill_http::tokens::TokenRole;
use powerfill_tests::sqlite_file::open_unguarded;
use powerfill_tests::waiting::{completed, eventually};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::limits::{listen, read_to_end, send_request};
use crate::service::{Answer, HOUR, Service};
use crate::stalled_streams::Http2Client;

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_silent_source_holds_only_its_own_tenant() {
    let service = Service::with(Limits {
        queue_timeout: SHORT,
        work_timeout: 10 * SHORT,
        ..Limits::default()
    });
    service.tenant.is_source_silent.store(true, Ordering::Relaxed);
    let mut readings = service.tenant.readings.subscribe();
    let hanging = service.post("/preflight", Some("{}"));
    let others = async {
        readings.wait_for(|readings| *readings > 0).await.unwrap();
        // Another request of the tenant waits in vain.
        let second = service.post("/run", Some("{}")).await;
        second.expect_problem(503, "unavailable");
        assert!(second.headers.contains_key("retry-after"));
        // Neither reads of this tenant nor work of another one wait.
        service.get("/runs").await.ok();
        service.send_of_other("POST", "/preflight", Some("{}")).await.ok();
        service.send_of_other("POST", "/run", Some("{}")).await.ok();
    };
    let (hanging, ()) = completed("all are answered", join(hanging, others)).await;
    hanging.expect_problem(503, "unavailable");
    // The source answers again, and so does the service.
    service.tenant.is_source_silent.store(false, Ordering::Relaxed);
    service.post("/preflight", Some("{}")).await.ok();
}

#[tokio::test]
async fn a_silent_store_is_reported_and_holds_nothing() {
    let service = Service::with(Limits { answer_timeout: 30 * SHORT, ..Limits::default() });
    let idle = service.get("/status").await.ok().json();
    assert_eq!((&idle["queue"], &idle["queue_depth"]), (&json!("idle"), &json!(0)));
    service.tenant.is_store_silent.store(true, Ordering::Relaxed);
    let silent = service.get("/runs").await;
    silent.expect_problem(503, "unavailable");
    assert!(silent.headers.contains_key("retry-after"));
    let status = service.get("/status").await.ok().json();
    assert_eq!((&status["queue"], &status["queue_depth"]), (&json!("unknown"), &json!(null)));
    assert_eq!(status["store"]["reachable"], false);
    // The service is ready for the other tenant, and says how many stores are away.
    let ready = service.send(request("/readyz")).await.ok().json();
    assert_eq!(ready, json!({ "status": "degraded", "unavailable_stores": 1 }));
    service.send_of_other("GET", "/runs", None).await.ok();
}

#[tokio::test]
async fn an_answer_that_is_work_has_the_time_of_work() {
    let service = Service::with(Limits { answer_timeout: Duration::ZERO, ..Limits::default() });
    let run = service.run_case("12-kickout-reasons").await;
    for file in ["guide?format=xlsx", "guide?loan_amount.ge=1&format=xlsx", "evidence"] {
        service.get(&format!("/runs/{run}/{file}")).await.ok();
    }
    service.tenant.is_store_silent.store(true, Ordering::Relaxed);
    let page = service.get(&format!("/runs/{run}/guide?format=csv")).await;
    page.expect_problem(503, "unavailable");
}

/// The source, the store, and the clients of one tenant misbehave at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_answered_while_one_tenant_misbehaves() {
    let service = Service::new();
    service.run_case("12-kickout-reasons").await;
    let address = listen(&service).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET /healthz HTTP/1.1\r\nhost: he").await.unwrap();
        silent.push(client);
    }
    // Streams of events, and large answers, that are requested and never read.
    let mut stalled = Http2Client::connect(address).await;
    for stream in (1..160).step_by(2) {
        let path = match stream % 4 {
            1 => "/api/powerfill/events/stream?after=0",
            _ => "/api/powerfill/openapi.json",
        };
        stalled.get(stream, path, &service.viewer).await;
    }
    service.tenant.is_source_silent.store(true, Ordering::Relaxed);
    let mut readings = service.tenant.readings.subscribe();
    let working = join_all((0..4).map(|_| service.post("/preflight", Some("{}"))));
    let reading = async {
        readings.wait_for(|readings| *readings > 1).await.unwrap();
        service.tenant.is_store_silent.store(true, Ordering::Relaxed);
        join_all((0..8).map(|_| service.get("/runs"))).await
    };
    let others = async {
        for _ in 0..20 {
            service.send_of_other("GET", "/runs", None).await.ok();
            service.send_of_other("POST", "/preflight", Some("{}")).await.ok();
            let health = read_to_end(send_request(address).await).await;
            assert!(health.starts_with("HTTP/1.1 200"), "{health}");
        }
    };
    tokio::select! {
        _ = join(working, reading) => panic!("the tenant does not misbehave"),
        () = completed("the others are answered", others) => {}
    }
}

fn request(path: &str) -> axum::http::Request<axum::body::Body> {
    axum::http::Request::builder().uri(path).body(axum::body::Body::empty()).unwrap()
}

/// The head of the answer to the request of a stream, and its body.
pub(crate) async fn open_stream(
    service: &Service,
    token: &str,
) -> (Answer, axum::body::BodyDataStream) {
    let request = service.request("GET", "/events/stream?after=0", token, None);
    let (head, body) = service.router.clone().oneshot(request).await.unwrap().into_parts();
    let answer = Answer { status: head.status.as_u16(), headers: head.headers, body: Vec::new() };
    (answer, body.into_data_stream())
}

#[tokio::test]
async fn one_token_cannot_hold_all_streams() {
    let limits = Limits { streams: 3, streams_per_token: 2, ..Limits::default() };
    let service = Service::with(limits);
    let mut open = Vec::new();
    for (token, status) in [
        (&service.viewer, 200),
        (&service.viewer, 200),
        (&service.viewer, 503),
        (&service.operator, 200),
        (&service.operator, 503),
        (&service.viewer, 503),
    ] {
        let (answer, stream) = open_stream(&service, token).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
        open.push(stream);
    }
    // A client that left frees its place.
    drop(open.remove(0));
    let (answer, _stream) = open_stream(&service, &service.viewer).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_stream_of_a_token_that_is_not_valid_any_more_ends() {
    let heartbeat = Duration::from_millis(10);
    let service = Service::with(Limits { heartbeat, ..Limits::default() });
    let revoked = service.token(TokenRole::Viewer, "rita");
    let (_, mut of_revoked) = open_stream(&service, &revoked).await;
    let (_, mut of_expired) = open_stream(&service, &service.viewer).await;
    // Both receive heartbeats.
    for stream in [&mut of_revoked, &mut of_expired] {
        let mut text = String::new();
        while !text.contains("\n:") {
            let part = completed("a heartbeat", stream.next()).await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&part).unwrap());
        }
        assert!(text.starts_with("retry: 2000\n\n"), "{text}");
    }
    let token = service.tokens().all().unwrap().iter().find(|t| t.name == "rita").unwrap().clone();
    service.tokens().revoke(&token.id).unwrap();
    completed("the stream ends", async { while of_revoked.next().await.is_some() {} }).await;
    assert!(of_expired.next().await.is_some());
    service.advance_clock(HOUR);
    completed("the stream ends", async { while of_expired.next().await.is_some() {} }).await;
}

#[tokio::test]
async fn a_ticket_opens_streams_for_a_minute_and_nothing_else() {
    let service =
        Service::with(Limits { heartbeat: Duration::from_millis(10), ..Limits::default() });
    service.run_case("12-kickout-reasons").await;
    let made = service.post("/events/ticket", None).await.ok();
    assert_eq!(made.headers["cache-control"], "no-store");
    let ticket = made.json()["ticket"].as_str().unwrap().to_owned();
    let open = async |path: &str| {
        let uri = format!("/api/powerfill{path}ticket={ticket}");
        service.router.clone().oneshot(request(&uri)).await.unwrap()
    };
    let stream = open("/events/stream?after=0&named=false&").await;
    assert_eq!(stream.status(), 200);
    let mut stream = stream.into_body().into_data_stream();
    let mut text = String::new();
    while !text.contains("data: ") {
        let part = completed("an event", stream.next()).await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&part).unwrap());
    }
    // A browser gives events without a name to `onmessage`.
    assert!(!text.contains("event:"), "{text}");
    for path in ["/events?", "/runs?", "/status?"] {
        assert_eq!(open(path).await.status(), 401, "{path}");
    }
    service.advance_clock(60_000_000);
    assert_eq!(open("/events/stream?").await.status(), 401);
    // The open stream ends with the token only.
    assert!(stream.next().await.is_some());
    let id = service.tokens().all().unwrap().iter().find(|t| t.name == "otto").unwrap().id.clone();
    service.tokens().revoke(&id).unwrap();
    completed("the stream ends", async { while stream.next().await.is_some() {} }).await;
}

/// A run whose last event is in the log, and whose worker has not said so to the queue yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_a_run_follows_the_log() {
    let (service, run) = Service::with_run("12-kickout-reasons").await;
    let set = |status: &str| {
        let sql = "UPDATE runs SET status = ?1, worker = 'w' WHERE run_id = ?2";
        let changed =
            open_unguarded(&service.file("one.db")).execute(sql, (status, run.to_string()));
        assert_eq!(changed.unwrap(), 1);
    };
    set("PostProcessing");
    let view = service.get(&format!("/runs/{run}")).await.ok().json();
    assert_eq!((&view["status"], &view["fraction"]), (&json!("Complete"), &json!("1.00")));
    let listed = service.get("/runs").await.ok().json();
    assert_eq!(listed["runs"][0]["status"], "Complete");
    let status = service.get("/status").await.ok().json();
    assert_eq!((&status["queue"], &status["active_run"]), (&json!("idle"), &json!(null)));
    service.get(&format!("/runs/{run}/guide")).await.ok();
    let late = service.post(&format!("/runs/{run}/cancel"), None).await;
    assert_eq!(late.expect_problem(409, "run-over")["run_status"], "Complete");
    // The next request waits until the queue knows it.
    let request = service.post("/run", Some("{}"));
    let settle = async {
        eventually("the request waits", async || {
            let read = service.get("/status").await.ok().json();
            read["store"]["reachable"] == json!(true)
        })
        .await;
        set("Complete");
    };
    let (answer, ()) = join(request, settle).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

#[tokio::test]
async fn a_configuration_of_the_source_is_not_changed() {
    let service = Service::new();
    service.tenant.manages_configuration.store(false, Ordering::Relaxed);
    assert_eq!(service.get("/status").await.ok().json()["configuration"], "source");
    let admin = service.token(TokenRole::Admin, "ada");
    let rule = Some("{\"rule_syntax\":\"fico >= 700\"}");
    let change = || service.send_with(("PUT", "/sec-rules/R1", &admin), &[], rule);
    change().await.expect_problem(409, "configuration-of-source");
    assert_eq!(service.store().head().await.unwrap().position, 0);
    service.tenant.manages_configuration.store(true, Ordering::Relaxed);
    change().await.ok();
    assert_eq!(service.get("/status").await.ok().json()["configuration"], "managed");
}
