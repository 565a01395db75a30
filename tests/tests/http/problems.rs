//! Refusals and failures as problems, of every kind that a request can cause.

use axum::body::Body;
use axum::http::{HeaderName, Request};

use crate::service::Service;

#[tokio::test]
async fn an_unreadable_request_is_a_problem() {
    let (service, run) = Service::with_run("12-kickout-reasons").await;
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
        service.get(path).await.expect_problem(400, "bad-request");
    }
    for body in ["", "{", "[]", "{\"option\":{}}", "{\"options\":{},\"options\":{}}"] {
        service.post("/run", Some(body)).await.expect_problem(400, "bad-request");
    }
    let mut request = service.request("GET", "/runs", &service.viewer, None);
    request.headers_mut().remove("x-tenant-id");
    service.send(request).await.expect_problem(400, "bad-request");
    for name in ["authorization", "x-tenant-id", "last-event-id", "idempotency-key"] {
        let mut request = service.request("GET", "/runs", &service.viewer, None);
        let value = request.headers().get(name).cloned().unwrap_or("5".parse().unwrap());
        request.headers_mut().insert(name.parse::<HeaderName>().unwrap(), value.clone());
        request.headers_mut().append(name.parse::<HeaderName>().unwrap(), value);
        let problem = service.send(request).await.expect_problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap().contains(name), "{problem}");
    }
    service.post("/run", None).await.expect_problem(415, "media-type");
    let long = format!("{{\"options\":{{\"scope\":\"{}\"}}}}", "x".repeat(70_000));
    service.post("/run", Some(&long)).await.expect_problem(413, "too-large");
}

#[tokio::test]
async fn a_missing_resource_is_a_problem() {
    let (service, run) = Service::with_run("12-kickout-reasons").await;
    let nowhere = "00000000-0000-7000-8000-000000000000";
    for path in ["/nothing", "/runs/x/y", "/../secret"] {
        service.get(path).await.expect_problem(404, "no-such-path");
    }
    for path in [
        format!("/runs/{nowhere}"),
        format!("/runs/{nowhere}/guide"),
        format!("/runs/{nowhere}/events"),
        format!("/runs/{nowhere}/loans/L1/explain"),
        format!("/runs/{nowhere}/trades/T1/explain"),
        format!("/runs/{run}/loans/missing/explain"),
        format!("/runs/{run}/trades/missing/explain"),
    ] {
        service.get(&path).await.expect_problem(404, "not-found");
    }
    for path in ["cancel", "replay", "verify"] {
        let answer = service.post(&format!("/runs/{nowhere}/{path}"), None).await;
        answer.expect_problem(404, "not-found");
    }
    let answer = service.post("/runs", None).await;
    answer.expect_problem(405, "method-not-allowed");
    assert_eq!(answer.headers["allow"], "GET,HEAD");
}

#[tokio::test]
async fn a_request_keeps_its_id_if_it_is_fit_for_the_log() {
    let service = Service::new();
    for (given, kept) in [("client-7.1", true), ("a\"b", false), (&*"x".repeat(65), false)] {
        let request = Request::builder().uri("/healthz").header("x-request-id", given);
        let answer = service.send(request.body(Body::empty()).unwrap()).await.ok();
        assert_eq!(answer.headers["x-request-id"] == given, kept, "{given}");
    }
}

/// A browser takes an answer for nothing but what it says.
#[tokio::test]
async fn every_answer_restricts_browsers() {
    let service = Service::new();
    let [page, missing] = ["/api/powerfill/docs/", "/nothing"]
        .map(|path| Request::builder().uri(path).body(Body::empty()).unwrap());
    let answers = [service.get("/runs").await, service.send(missing).await];
    for answer in answers {
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert_eq!(policy, "default-src 'none'; frame-ancestors 'none'");
    }
    let page = service.send(page).await.ok();
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
}

#[tokio::test]
async fn a_problem_with_the_source_never_names_its_location() {
    let service = Service::new();
    service.set_source("43-invalid-values");
    let refused = service.post("/run", Some("{\"options\":{}}")).await;
    let body = refused.expect_problem(422, "refused");
    assert!(!body["faults"].as_array().unwrap().is_empty(), "{body}");
    let body = service.post("/preflight", Some("{\"options\":{\"scope\":\"all\"}}")).await;
    assert_eq!(body.expect_problem(422, "refused")["faults"][0]["column"], "scope");
    service.set_source("03-best-fit");
    for path in ["/run", "/preflight", "/preprocess"] {
        let body = service.post(path, Some("{\"options\":{\"min_status\":\"Closd\"}}")).await;
        let body = body.expect_problem(422, "refused");
        assert_eq!(body["faults"][0]["code"], "unknown_reference", "{path}: {body}");
    }
    service.set_source("no-such-case");
    let unavailable = service.post("/run", Some("{\"options\":{}}")).await;
    let body = unavailable.expect_problem(503, "unavailable").to_string();
    assert!(!body.contains("no-such-case"), "{body}");
    assert_eq!(service.get("/runs").await.ok().json()["runs"], serde_json::json!([]));
}
