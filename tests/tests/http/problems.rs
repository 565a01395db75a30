//! What goes wrong is a problem, of every kind that a request can bring about.

use axum::body::Body;
use axum::http::Request;

use crate::desk::Service;

#[tokio::test]
async fn what_cannot_be_read_is_a_problem() {
    let service = Service::new();
    let run = service.ran("12-kickout-reasons").await;
    for path in [
        "/runs/zz",
        "/runs?limit=0",
        "/runs?limit=501",
        "/runs?limit=many",
        "/runs?colour=red",
        "/runs?cursor=00000000-0000-7000-8000-000000000000",
        "/events?after=-1",
        "/events?type=Nothing",
        "/events/stream?after=x",
        &format!("/runs/{run}/guide?limit=5001"),
        &format!("/runs/{run}/guide?colour=red"),
        &format!("/runs/{run}/guide?sort=colour"),
        &format!("/runs/{run}/guide?format=xml"),
        &format!("/runs/{run}/guide?cursor=1.0"),
        &format!("/runs/{run}/guide?loan_amount=much"),
        &format!("/runs/{run}/guide?loan_amount.ge="),
        &format!("/runs/{run}/guide?settlement_date.le=2026-02-30"),
    ] {
        service.get(path).await.is_problem(400, "bad-request");
    }
    for body in ["", "{", "[]", "{\"option\":{}}", "{\"options\":{},\"options\":{}}"] {
        service.post("/run", Some(body)).await.is_problem(400, "bad-request");
    }
    let mut request = service.request("GET", "/api/powerfill/runs", &service.viewer, None);
    request.headers_mut().remove("x-tenant-id");
    service.send(request).await.is_problem(400, "bad-request");
    service.post("/run", None).await.is_problem(415, "media-type");
    let long = format!("{{\"options\":{{\"scope\":\"{}\"}}}}", "x".repeat(70_000));
    service.post("/run", Some(&long)).await.is_problem(413, "too-large");
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let service = Service::new();
    let run = service.ran("12-kickout-reasons").await;
    let nowhere = "00000000-0000-7000-8000-000000000000";
    for path in ["/nothing", "/runs/x/y", "/../secret"] {
        service.get(path).await.is_problem(404, "no-such-path");
    }
    for path in [
        format!("/runs/{nowhere}"),
        format!("/runs/{nowhere}/guide"),
        format!("/runs/{nowhere}/events"),
        format!("/runs/{nowhere}/loans/L1/explain"),
        format!("/runs/{nowhere}/trades/T1/explain"),
        format!("/runs/{run}/loans/nobody/explain"),
        format!("/runs/{run}/trades/nobody/explain"),
    ] {
        service.get(&path).await.is_problem(404, "not-found");
    }
    for path in ["cancel", "replay", "verify"] {
        let answer = service.post(&format!("/runs/{nowhere}/{path}"), None).await;
        answer.is_problem(404, "not-found");
    }
    let answer = service.post("/runs", None).await;
    answer.is_problem(405, "method-not-allowed");
    assert_eq!(answer.headers["allow"], "GET,HEAD");
}

#[tokio::test]
async fn a_request_keeps_its_id_where_it_has_a_sound_one() {
    let service = Service::new();
    for (given, kept) in [("desk-7.1", true), ("a\"b", false), (&*"x".repeat(65), false)] {
        let request = Request::builder().uri("/healthz").header("x-request-id", given);
        let answer = service.send(request.body(Body::empty()).unwrap()).await.well();
        assert_eq!(answer.headers["x-request-id"] == given, kept, "{given}");
    }
}

#[tokio::test]
async fn a_source_that_is_refused_or_away_is_said_without_its_place() {
    let service = Service::new();
    service.take("43-invalid-values");
    let refused = service.post("/run", Some("{\"options\":{}}")).await;
    let body = refused.is_problem(422, "refused");
    assert!(!body["faults"].as_array().unwrap().is_empty(), "{body}");
    let body = service.post("/preflight", Some("{\"options\":{\"scope\":\"all\"}}")).await;
    assert_eq!(body.is_problem(422, "refused")["faults"][0]["column"], "scope");
    service.take("no-such-case");
    let away = service.post("/run", Some("{\"options\":{}}")).await;
    let body = away.is_problem(503, "unavailable").to_string();
    assert!(!body.contains("no-such-case"), "{body}");
    assert_eq!(service.get("/runs").await.well().json()["runs"], serde_json::json!([]));
}
