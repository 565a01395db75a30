//! Challenges over HTTP: requested as jobs, listed, and read.

use std::sync::atomic::Ordering;

use powerfill_tests::waiting::eventually;
use serde_json::{Value, json};

use crate::jobs::{accepted, ended};
use crate::openapi::schema_of_job_result;
use crate::service::{Answer, Service};

const CASE: &str = "41-mixed-400-price";
/// With the options of the case.
const GAP: &str = "45.3";

#[tokio::test]
async fn a_challenge_is_requested_listed_and_read() {
    let (service, run) = Service::with_run(CASE).await;
    let path = format!("/runs/{run}/challenges");
    let none = service.get(&path).await.ok().json();
    assert_eq!(none, json!({ "challenges": [] }));
    let before = service.get(&format!("/runs/{run}/overview")).await.ok();
    let report_before = service.get(&format!("/runs/{run}/report")).await.ok();
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
    assert_eq!(schema_of_job_result(&read), "Challenge");
    assert_eq!(read["certified"]["gap"], first["certificate"]["gap"]);
    assert!(!read["prices"].as_array().unwrap().is_empty());
    assert!(!read["placed"].as_array().unwrap().is_empty());

    // The list of runs and the overview have it, although the overview was asked for before.
    let runs = service.get("/runs").await.ok().json();
    assert_eq!(runs["runs"][0]["certificate"]["gap_bp"], GAP);
    let after = service.get(&format!("/runs/{run}/overview")).await.ok();
    assert_eq!(after.json()["certificate"]["gap_bp"], GAP);
    assert_ne!(before.headers["etag"], after.headers["etag"]);
    // So does the report, which is made of the overview.
    let report = service.get(&format!("/runs/{run}/report")).await.ok();
    assert_ne!(report_before.headers["etag"], report.headers["etag"]);
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/reference/overview.schema.json")).unwrap();
    jsonschema::validate(&schema, &after.json()).unwrap();
}

#[tokio::test]
async fn what_cannot_be_challenged_is_refused() {
    let (service, failed) = Service::with_run("39-preflight-errors").await;
    let path = format!("/runs/{failed}/challenges");
    service.post(&path, Some("{}")).await.expect_problem(409, "run-not-complete");
    let run = service.run_case(CASE).await;
    let path = format!("/runs/{run}/challenges");
    for body in [r#"{"steps": 100000001}"#, r#"{"seconds": 0}"#, r#"{"stay": "-1"}"#] {
        service.post(&path, Some(body)).await.expect_problem(400, "bad-request");
    }
    let by_viewer = ("POST", &*path, &*service.viewer);
    assert_eq!(service.send_with(by_viewer, &[], Some("{}")).await.status, 403);
    for name in ["challenge-1".to_owned(), format!("challenge-{run}-1")] {
        service.get(&format!("/challenges/{name}")).await.expect_problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_cancelled_challenge_records_the_best_so_far() {
    let (service, run) = Service::with_run(CASE).await;
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

/// Challenges the run of the case; returns the name of the challenge.
async fn challenge(service: &Service, path: &str, steps: &str) -> String {
    let job = accepted(&service.post(path, Some(steps)).await);
    ended(service, &job).await["answer"].as_str().unwrap().to_owned()
}

async fn adopt(service: &Service, challenge: &str, key: Option<&str>) -> Answer {
    let key: Vec<_> = key.into_iter().map(|key| ("idempotency-key", key)).collect();
    service.post_with(&format!("/challenges/{challenge}/adoption"), &key, None).await
}

#[tokio::test]
async fn an_adopted_challenge_is_an_official_run_of_its_allocation() {
    let (service, run) = Service::with_run(CASE).await;
    let path = format!("/runs/{run}/challenges");
    let name = challenge(&service, &path, r#"{"steps": 20000}"#).await;
    let challenged = service.get(&format!("/challenges/{name}")).await.ok().json();

    let requested = adopt(&service, &name, Some("agreed")).await;
    assert_eq!(requested.status, 202, "{}", requested.text());
    let adopted = requested.json()["run_id"].as_str().unwrap().to_owned();
    assert_eq!(requested.headers["location"], format!("/api/powerfill/runs/{adopted}"));
    // The key stands for this run, and a tenant has one active run (BR-8).
    assert_eq!(adopt(&service, &name, Some("agreed")).await.json()["run_id"], adopted.as_str());
    adopt(&service, &name, None).await.expect_problem(409, "run-active");
    service.work().await;
    assert_eq!(adopt(&service, &name, Some("agreed")).await.json()["status"], "Complete");

    let listed = service.get("/runs").await.ok().json();
    assert_eq!(listed["runs"][0]["run_id"], adopted.as_str());
    let kicked_out = |run: &Value| run["kicked_out"].as_u64().unwrap();
    let found = &challenged["completed"]["challenger"]["kicked_out"];
    assert_eq!(&listed["runs"][0]["kicked_out"], found);
    assert!(kicked_out(&listed["runs"][0]) < kicked_out(&listed["runs"][1]));
    let events = service.get(&format!("/runs/{adopted}/events?limit=1")).await.ok().json();
    assert_eq!(events["events"][0]["data"]["origin"]["challenge"], name.as_str());
    // With another challenge, the key was for something else.
    let other = challenge(&service, &path, r#"{"steps": 1000}"#).await;
    adopt(&service, &other, Some("agreed")).await.expect_problem(422, "idempotency-key-reused");
}

#[tokio::test]
async fn what_cannot_be_adopted_is_refused() {
    let (service, run) = Service::with_run(CASE).await;
    let path = format!("/runs/{run}/challenges");
    let certificate = challenge(&service, &path, r#"{"steps": 0}"#).await;
    adopt(&service, &certificate, None).await.expect_problem(409, "not-adoptable");
    let name = challenge(&service, &path, r#"{"steps": 1000}"#).await;
    for unknown in ["challenge-1".to_owned(), format!("challenge-{run}-9")] {
        adopt(&service, &unknown, None).await.expect_problem(404, "not-found");
    }
    service.tenant.allows_adoption.store(false, Ordering::Relaxed);
    let refused = adopt(&service, &name, None).await.expect_problem(403, "adoption-forbidden");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("allow_adoption = true under [tenants.one]"), "{detail}");
    let runs = service.get("/runs").await.ok().json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
}
