//! Runs that are asked for, cancelled, listed, audited.

use serde_json::{Value, json};

use crate::desk::{Answer, Service};

async fn keyed(service: &Service, key: &str, body: &str) -> Answer {
    let path = "/api/powerfill/run";
    let mut request = service.request("POST", path, &service.operator, Some(body));
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    service.send(request).await
}

fn run_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let run = answer.json()["run_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.headers["location"], format!("/api/powerfill/runs/{run}"));
    run
}

#[tokio::test]
async fn a_run_is_asked_for_worked_and_told() {
    let service = Service::new();
    let run = run_of(&service.post("/run", Some("{}")).await);
    let status = service.get("/status").await.well().json();
    assert_eq!((&status["queue_depth"], &status["active_run"]["run_id"]), (&json!(1), &json!(run)));
    // One at a time (BR-8), by whomever it is asked for.
    let second = service.post("/run", Some("{}")).await;
    assert_eq!(second.is_problem(409, "run-active")["run_id"], json!(run));
    service.worked().await;
    let view = service.get(&format!("/runs/{run}")).await.well().json();
    assert_eq!((&view["status"], &view["step"]), (&json!("Complete"), &json!("record")));
    assert_eq!(view["requested_by"], "otto", "the actor is whose token it is");
    let kickouts = service.get(&format!("/runs/{run}/kickouts")).await.well().json();
    let rows = kickouts["rows"].as_array().unwrap();
    assert_eq!(view["counts"]["pfill_kickout_guide_01"], json!(rows.len()));
    let loan = rows[0]["loan_id"].as_str().unwrap();
    let story = service.get(&format!("/runs/{run}/loans/{loan}/explain")).await.well().json();
    assert_eq!(story["loan_id"], rows[0]["loan_id"], "{story}");
    let recap = service.get(&format!("/runs/{run}/recap?limit=1")).await.well().json();
    let trade = recap["rows"][0]["trade_id"].as_str().unwrap();
    let story = service.get(&format!("/runs/{run}/trades/{trade}/explain")).await.well().json();
    assert_eq!(story["trade_id"], trade, "{story}");
    let replayed = service.post(&format!("/runs/{run}/replay"), None).await.well().json();
    assert_eq!(replayed["answer"], "reproduced");
    let verified = service.post(&format!("/runs/{run}/verify"), None).await.well().json();
    assert_eq!((&verified["answer"], &verified["published_run"]), (&json!("whole"), &json!(run)));
    let over = service.post(&format!("/runs/{run}/cancel"), None).await;
    assert_eq!(over.is_problem(409, "run-over")["run_status"], "Complete");
}

#[tokio::test]
async fn two_runs_are_compared() {
    let service = Service::new();
    let one = service.ran("41-mixed-400-price").await;
    let same = service.ran("41-mixed-400-price").await;
    let options = Some("{\"options\":{\"price_mode\":\"pc\"}}");
    let other = run_of(&service.post("/run", options).await);
    service.worked().await;
    for (against, answer) in [(same.to_string(), "same"), (other, "different")] {
        let body = format!("{{\"against\":\"{against}\"}}");
        let found = service.post(&format!("/runs/{one}/diff"), Some(&body)).await.well().json();
        assert_eq!(found["answer"], answer, "{found}");
    }
    let nowhere = "{\"against\":\"00000000-0000-7000-8000-000000000000\"}";
    let absent = service.post(&format!("/runs/{one}/diff"), Some(nowhere)).await;
    absent.is_problem(404, "not-found");
}

#[tokio::test]
async fn a_queued_run_is_cancelled_by_whom_the_token_says() {
    let service = Service::new();
    let run = run_of(&service.post("/run", Some("{}")).await);
    assert_eq!(run_of(&service.post(&format!("/runs/{run}/cancel"), None).await), run);
    service.worked().await;
    let view = service.get(&format!("/runs/{run}")).await.well().json();
    assert_eq!((&view["status"], &view["cancelled_by"]), (&json!("Cancelled"), &json!("otto")));
    let none = service.get(&format!("/runs/{run}/guide")).await;
    assert_eq!(none.is_problem(409, "run-not-complete")["run_status"], "Cancelled");
    // The tenant is free again.
    run_of(&service.post("/run", Some("{}")).await);
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_run() {
    let service = Service::new();
    let run = run_of(&keyed(&service, "morning", "{}").await);
    assert_eq!(run_of(&keyed(&service, "morning", "{}").await), run, "while it is queued");
    let other = keyed(&service, "noon", "{}").await;
    assert_eq!(other.is_problem(409, "run-active")["run_id"], json!(run));
    service.worked().await;
    // Also when it is over, and the source is another one by now.
    service.take("41-mixed-400-price");
    let again = keyed(&service, "morning", "{\"options\":{\"switch_threshold\":\"1\"}}").await;
    again.is_problem(422, "idempotency-key-reused");
    service.take("12-kickout-reasons");
    let again = keyed(&service, "morning", "{}").await;
    assert_eq!((run_of(&again), again.json()["status"].clone()), (run.clone(), "Complete".into()));
    let noon = run_of(&keyed(&service, "noon", "{}").await);
    assert_ne!(noon, run);
    let listed = service.get("/runs").await.well().json();
    assert_eq!(listed["runs"].as_array().unwrap().len(), 2);
    keyed(&service, "", "{}").await.is_problem(400, "bad-request");
    keyed(&service, &"k".repeat(201), "{}").await.is_problem(400, "bad-request");
}

/// Many at once with one key: one run, and nobody is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_at_the_same_time_are_one_run() {
    let service = Service::new();
    let asked = (0..8).map(|_| keyed(&service, "rush", "{}"));
    let answers = futures::future::join_all(asked).await;
    let runs: std::collections::BTreeSet<String> = answers.iter().map(run_of).collect();
    assert_eq!(runs.len(), 1);
}

#[tokio::test]
async fn the_list_goes_on_page_by_page() {
    let service = Service::new();
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.insert(0, service.ran("03-best-fit").await.to_string());
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service.get(&format!("/runs?limit=2{cursor}")).await.well().json();
        let ids = page["runs"].as_array().unwrap().iter();
        found.extend(ids.map(|run| run["run_id"].as_str().unwrap().to_owned()));
        match &page["next"] {
            Value::Null => break,
            next => cursor = format!("&cursor={}", next.as_str().unwrap()),
        }
    }
    assert_eq!(found, runs);
}

#[tokio::test]
async fn preflight_and_preprocess_show_and_change_nothing() {
    let service = Service::new();
    service.take("39-preflight-errors");
    let found = service.post("/preflight", Some("{}")).await.well().json();
    assert_eq!(found["refused"], true, "{found}");
    assert!(!found["findings"].as_array().unwrap().is_empty());
    service.take("31-closed-pools-locked");
    let made = service.post("/preprocess", Some("{}")).await.well().json();
    assert!(!made["trade_params"].as_array().unwrap().is_empty(), "{made}");
    assert_eq!(service.store().head().await.unwrap().position, 0);
}
