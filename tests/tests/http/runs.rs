//! Runs are requested, cancelled, listed, and audited.

use serde_json::{Value, json};

use crate::service::{Answer, Service};

async fn request_with_key(service: &Service, key: &str, body: &str) -> Answer {
    service.post_with("/run", &[("idempotency-key", key)], Some(body)).await
}

fn accepted_run(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.text());
    let run = answer.json()["run_id"].as_str().unwrap().to_owned();
    assert_eq!(answer.headers["location"], format!("/api/powerfill/runs/{run}"));
    run
}

#[tokio::test]
async fn a_run_is_requested_worked_on_and_explained() {
    let service = Service::new();
    let run = accepted_run(&service.post("/run", Some("{}")).await);
    let status = service.get("/status").await.ok().json();
    assert_eq!((&status["queue_depth"], &status["active_run"]["run_id"]), (&json!(1), &json!(run)));
    // One run is active at a time (BR-8).
    let second = service.post("/run", Some("{}")).await;
    assert_eq!(second.expect_problem(409, "run-active")["run_id"], json!(run));
    service.work().await;
    let view = service.get(&format!("/runs/{run}")).await.ok().json();
    assert_eq!((&view["status"], &view["step"]), (&json!("Complete"), &json!("record")));
    assert_eq!(view["requested_by"], "otto", "the actor is the user of the token");
    let kickouts = service.get(&format!("/runs/{run}/kickouts")).await.ok().json();
    let rows = kickouts["rows"].as_array().unwrap();
    assert_eq!(view["counts"]["pfill_kickout_guide_01"], json!(rows.len()));
    let loan = rows[0]["loan_id"].as_str().unwrap();
    let story = service.get(&format!("/runs/{run}/loans/{loan}/explain")).await.ok().json();
    assert_eq!(story["loan_id"], rows[0]["loan_id"], "{story}");
    let verdict = story["verdict"].as_str().unwrap();
    assert!(verdict.starts_with(&format!("Loan {loan} is kicked out")), "{verdict}");
    let recap = service.get(&format!("/runs/{run}/recap?limit=1")).await.ok().json();
    let trade = recap["rows"][0]["trade_id"].as_str().unwrap();
    let story = service.get(&format!("/runs/{run}/trades/{trade}/explain")).await.ok().json();
    assert_eq!(story["trade_id"], trade, "{story}");
    assert!(story["verdict"].as_str().unwrap().starts_with(&format!("Trade {trade} ")), "{story}");
    let pair = service.get(&format!("/runs/{run}/loans/{loan}/explain?trade={trade}")).await;
    let pair = pair.ok().json();
    assert_eq!((&pair["loan_id"], &pair["trade_id"]), (&json!(loan), &json!(trade)), "{pair}");
    // An id with another number of zeros is near.
    let (letter, number) = trade.split_at(1);
    let padded = format!("{letter}0{number}");
    let unknown = service.get(&format!("/runs/{run}/loans/{loan}/explain?trade={padded}")).await;
    let detail = unknown.expect_problem(404, "not-found")["detail"].to_string();
    assert!(detail.contains(&format!("nearest id is {trade}")), "{detail}");
    let replayed = service.post(&format!("/runs/{run}/replay"), None).await.ok().json();
    assert_eq!(replayed["answer"], "reproduced");
    let verified = service.post(&format!("/runs/{run}/verify"), None).await.ok().json();
    assert_eq!((&verified["answer"], &verified["published_run"]), (&json!("whole"), &json!(run)));
    let over = service.post(&format!("/runs/{run}/cancel"), None).await;
    assert_eq!(over.expect_problem(409, "run-over")["run_status"], "Complete");
}

#[tokio::test]
async fn two_runs_are_compared() {
    let (service, one) = Service::with_run("41-mixed-400-price").await;
    let same = service.run_case("41-mixed-400-price").await;
    let options = Some("{\"options\":{\"price_mode\":\"pc\"}}");
    let other = accepted_run(&service.post("/run", options).await);
    service.work().await;
    for (against, answer) in [(same.to_string(), "same"), (other, "different")] {
        let body = format!("{{\"against\":\"{against}\"}}");
        let found = service.post(&format!("/runs/{one}/diff"), Some(&body)).await.ok().json();
        assert_eq!(found["answer"], answer, "{found}");
    }
    let nowhere = "{\"against\":\"00000000-0000-7000-8000-000000000000\"}";
    let absent = service.post(&format!("/runs/{one}/diff"), Some(nowhere)).await;
    absent.expect_problem(404, "not-found");
}

#[tokio::test]
async fn runs_are_found_named_and_briefed() {
    let (service, one) = Service::with_run("41-mixed-400-price").await;
    service.get("/brief").await.expect_problem(409, "run-not-complete");
    let options = Some("{\"options\":{\"price_mode\":\"pc\"}}");
    let other = accepted_run(&service.post("/run", options).await);
    service.work().await;
    let found = async |query: &str| -> Vec<Value> {
        let page = service.get(&format!("/runs?{query}")).await.ok().json();
        let runs = page["runs"].as_array().unwrap().iter();
        runs.map(|run| run["run_id"].clone()).collect()
    };
    assert_eq!(found("options=price_mode%3Dpc").await, [json!(other)]);
    assert_eq!(found("options=price_mode%3Dpo,max_fill_iterations%3D20").await.len(), 1);
    assert_eq!(found("status=Complete&requested_by=OTTO").await.len(), 1);
    assert_eq!(found("status=Failed").await.len(), 0);
    assert_eq!(found("scenarios=true").await.len(), 0);
    let refused = service.get("/runs?options=colour%3Dred").await;
    refused.expect_problem(400, "bad-request");
    let first = &service.get("/runs?limit=1").await.ok().json();
    assert_eq!((&first["runs"][0]["number"], &first["next"]), (&json!(2), &json!(other)));
    let summary = service.get(&format!("/runs/{other}/value?grouping=run")).await.ok().json();
    assert_eq!(first["runs"][0]["value_amount"], summary["rows"][0]["value_amount"]);

    let path = format!("/runs/{one}/annotations");
    let note = "{\"name\":\"Month end\",\"note\":\"signed off\"}";
    let annotated = service.post(&path, Some(note)).await.ok().json();
    assert_eq!(
        (&annotated["name"], &annotated["notes"][0]["by"]),
        (&json!("Month end"), &json!("otto"))
    );
    assert_eq!(service.get(&path).await.ok().json(), annotated);
    service.post(&path, Some("{}")).await.expect_problem(400, "bad-request");
    service.post(&path, Some("{\"name\":\"latest\"}")).await.expect_problem(400, "bad-request");
    let other_path = format!("/runs/{other}/annotations");
    let taken = service.post(&other_path, Some("{\"name\":\"month end\"}")).await;
    taken.expect_problem(409, "already-there");

    let brief = service.get("/brief").await.ok().json();
    assert_eq!(
        (&brief["then"]["run_id"], &brief["now"]["run_id"]),
        (&json!(one.to_string()), &json!(other))
    );
    let options = brief["given"]["options"].as_array().unwrap();
    assert!(options.iter().any(|option| option["option"] == "price_mode"), "{brief}");
    let back = service.get(&format!("/brief?then={other}&now={one}")).await.ok().json();
    assert_eq!(back, brief);
}

#[tokio::test]
async fn a_queued_run_is_cancelled_by_the_user_of_the_token() {
    let service = Service::new();
    let run = accepted_run(&service.post("/run", Some("{}")).await);
    assert_eq!(accepted_run(&service.post(&format!("/runs/{run}/cancel"), None).await), run);
    service.work().await;
    let view = service.get(&format!("/runs/{run}")).await.ok().json();
    assert_eq!((&view["status"], &view["cancelled_by"]), (&json!("Cancelled"), &json!("otto")));
    let none = service.get(&format!("/runs/{run}/guide")).await;
    assert_eq!(none.expect_problem(409, "run-not-complete")["run_status"], "Cancelled");
    // The tenant can request a run again.
    accepted_run(&service.post("/run", Some("{}")).await);
}

#[tokio::test]
async fn an_idempotency_key_identifies_one_run() {
    let service = Service::new();
    let run = accepted_run(&request_with_key(&service, "morning", "{}").await);
    assert_eq!(
        accepted_run(&request_with_key(&service, "morning", "{}").await),
        run,
        "while it is queued"
    );
    let other = request_with_key(&service, "noon", "{}").await;
    assert_eq!(other.expect_problem(409, "run-active")["run_id"], json!(run));
    service.work().await;
    // Also when it is over, and the source has changed.
    service.set_source("41-mixed-400-price");
    let again =
        request_with_key(&service, "morning", "{\"options\":{\"switch_threshold\":\"1\"}}").await;
    again.expect_problem(422, "idempotency-key-reused");
    service.set_source("12-kickout-reasons");
    let again = request_with_key(&service, "morning", "{}").await;
    assert_eq!(
        (accepted_run(&again), again.json()["status"].clone()),
        (run.clone(), "Complete".into())
    );
    let noon = accepted_run(&request_with_key(&service, "noon", "{}").await);
    assert_ne!(noon, run);
    let listed = service.get("/runs").await.ok().json();
    assert_eq!(listed["runs"].as_array().unwrap().len(), 2);
    request_with_key(&service, "", "{}").await.expect_problem(400, "bad-request");
    request_with_key(&service, &"k".repeat(201), "{}").await.expect_problem(400, "bad-request");
}

/// Many concurrent requests with one key: one run, and no request is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_with_one_key_are_one_run() {
    let service = Service::new();
    let requests = (0..8).map(|_| request_with_key(&service, "rush", "{}"));
    let answers = futures::future::join_all(requests).await;
    let runs: std::collections::BTreeSet<String> = answers.iter().map(accepted_run).collect();
    assert_eq!(runs.len(), 1);
}

/// Concurrent first requests with one key that differ: the first one counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_that_differ_under_one_key_are_refused() {
    let service = Service::new();
    let requests = (0..8).map(|number| {
        let body = format!("{{\"options\":{{\"max_trade_settle_days\":{}}}}}", 30 + number % 2);
        let service = &service;
        async move { request_with_key(service, "rush", &body).await }
    });
    let answers = futures::future::join_all(requests).await;
    let (accepted, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 202);
    let runs: std::collections::BTreeSet<String> = accepted.into_iter().map(accepted_run).collect();
    assert_eq!((runs.len(), refused.len()), (1, 4));
    for answer in refused {
        let problem = answer.expect_problem(422, "idempotency-key-reused");
        assert_eq!(Some(problem["run_id"].as_str().unwrap()), runs.first().map(String::as_str));
    }
}

#[tokio::test]
async fn the_list_continues_page_by_page() {
    let service = Service::new();
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.insert(0, service.run_case("03-best-fit").await.to_string());
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service.get(&format!("/runs?limit=2{cursor}")).await.ok().json();
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
async fn preflight_and_preprocess_change_nothing() {
    let service = Service::new();
    service.set_source("39-preflight-errors");
    let found = service.post("/preflight", Some("{}")).await.ok().json();
    assert_eq!(found["refused"], true, "{found}");
    assert!(!found["findings"].as_array().unwrap().is_empty());
    service.set_source("38-reference-warnings");
    let warned = service.post("/preflight", Some("{}")).await.ok().json();
    let warning = &warned["warnings"][0];
    assert!(warning["table"].is_string() && warning["reason"].is_string(), "{warned}");
    service.set_source("31-closed-pools-locked");
    let preview = service.post("/preprocess", Some("{}")).await.ok().json();
    assert!(!preview["trade_params"].as_array().unwrap().is_empty(), "{preview}");
    assert_eq!(service.store().head().await.unwrap().position, 0);
}
