//! Challenges over HTTP: requested as jobs, listed, and read.

use powerfill_http::tokens::TokenRole;
use powerfill_tests::waiting::eventually;
use serde_json::{Value, json};

use crate::jobs::{accepted, ended};
use crate::service::Service;

const CASE: &str = "41-mixed-400-price";
/// With the options of the case.
const GAP: &str = "45.1";

#[tokio::test]
async fn a_challenge_is_requested_listed_and_read() {
    let service = Service::new();
    let run = service.run_case(CASE).await;
    let path = format!("/runs/{run}/challenges");
    let none = service.get(&path).await.ok().json();
    assert_eq!(none, json!({ "challenges": [] }));
    let before = service.get(&format!("/runs/{run}/overview")).await.ok();
    assert_eq!(before.json()["certificate"], Value::Null);

    let job = accepted(&service.post(&path, Some(r#"{"steps": 20000}"#)).await);
    let view = ended(&service, &job).await;
    assert_eq!((&view["status"], &view["kind"]), (&json!("Complete"), &json!("challenge")));
    let name = format!("challenge-{run}-1");
    assert_eq!(view["answer"], name.as_str());

    let listed = service.get(&path).await.ok().json();
    let first = &listed["challenges"][0];
    assert_eq!((&first["challenge"], &first["steps"]), (&json!(name), &json!(20000)));
    assert_eq!(first["certificate"]["gap_bp"], GAP);
    assert!(first["challenger_gap_bp"].is_string());
    let read = service.get(&format!("/challenges/{name}")).await.ok().json();
    assert_eq!(read, service.get(&format!("{job}/result")).await.ok().json());
    assert_eq!(read["certified"]["gap"], first["certificate"]["gap"]);
    assert!(!read["prices"].as_array().unwrap().is_empty());
    assert!(!read["placed"].as_array().unwrap().is_empty());

    // The list of runs and the overview have it, although the overview was asked for before.
    let runs = service.get("/runs").await.ok().json();
    assert_eq!(runs["runs"][0]["certificate"]["gap_bp"], GAP);
    let after = service.get(&format!("/runs/{run}/overview")).await.ok();
    assert_eq!(after.json()["certificate"]["gap_bp"], GAP);
    assert_ne!(before.headers["etag"], after.headers["etag"]);
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/reference/overview.schema.json")).unwrap();
    jsonschema::validate(&schema, &after.json()).unwrap();
}

#[tokio::test]
async fn what_cannot_be_challenged_is_refused() {
    let service = Service::new();
    let failed = service.run_case("39-preflight-errors").await;
    let path = format!("/runs/{failed}/challenges");
    service.post(&path, Some("{}")).await.expect_problem(409, "run-not-complete");
    let run = service.run_case(CASE).await;
    let path = format!("/runs/{run}/challenges");
    for body in [r#"{"steps": 100000001}"#, r#"{"seconds": 0}"#, r#"{"stay": "-1"}"#] {
        service.post(&path, Some(body)).await.expect_problem(400, "bad-request");
    }
    let token = service.token(TokenRole::Viewer, "vera");
    let request = service.request("POST", &format!("/api/powerfill{path}"), &token, Some("{}"));
    assert_eq!(service.send(request).await.status, 403);
    for name in ["challenge-1".to_owned(), format!("challenge-{run}-1")] {
        service.get(&format!("/challenges/{name}")).await.expect_problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_cancelled_challenge_records_the_best_so_far() {
    let service = Service::new();
    let run = service.run_case(CASE).await;
    let path = format!("/runs/{run}/challenges");
    let job = accepted(&service.post(&path, Some(r#"{"steps": 100000000}"#)).await);
    eventually("the search begins", async || {
        service.get(&job).await.ok().json()["step"] == "search"
    })
    .await;
    assert_eq!(service.post(&format!("{job}/cancel"), None).await.status, 202);
    let mut listed = Value::Null;
    eventually("the challenge is recorded", async || {
        listed = service.get(&path).await.ok().json();
        !listed["challenges"].as_array().unwrap().is_empty()
    })
    .await;
    assert!(listed["challenges"][0]["steps"].as_u64().unwrap() < 100_000_000);
}
