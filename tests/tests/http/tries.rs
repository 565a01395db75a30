//! Tries answer at once and record nothing; a scenario is a run that no list of official runs has.

use serde_json::{Value, json};

use crate::service::{Answer, Service};

async fn post(service: &Service, path: &str, body: Value) -> Answer {
    service.post(path, Some(&body.to_string())).await
}

#[tokio::test]
async fn tries_stand_beside_their_base_and_record_nothing() {
    let (service, run) = Service::with_run("41-mixed-400-price").await;
    let body = json!({
        "base_run": run,
        "tries": [{ "edits": ["price_mode=pc"] }, { "name": "none", "edits": [] }],
    });
    let report = post(&service, "/tries", body).await.ok().json();
    let (base, tries) = (&report["base"], &report["tries"]);
    assert_eq!(tries[0]["name"], "price_mode=pc");
    assert!(tries[0]["moved"].as_u64() > Some(0), "{report}");
    assert!(tries[0]["movers"].as_array().is_some_and(|movers| movers.len() <= 10));
    assert_eq!((&tries[1]["name"], &tries[1]["outcome"]), (&json!("none"), base));
    assert!(
        base["value"].as_str().is_some_and(|value| value.ends_with(|c: char| c.is_ascii_digit()))
    );
    // The source of the tenant, too.
    let source = post(&service, "/tries", json!({ "tries": [{ "edits": [] }] })).await.ok().json();
    assert_eq!(source["base"]["placed"], base["placed"]);
    let listed = service.get("/runs").await.ok().json();
    assert_eq!(listed["runs"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_scenario_is_worked_on_and_listed_apart() {
    let (service, official) = Service::with_run("41-mixed-400-price").await;
    let body = json!({ "name": "carry", "base_run": official, "edits": ["price_mode=pc"] });
    let accepted = post(&service, "/scenarios", body).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    let scenario = accepted.json()["run_id"].clone();
    service.work().await;
    let ids = |page: Value| -> Vec<Value> {
        let runs = page["runs"].as_array().cloned().unwrap_or_default();
        runs.iter().map(|run| run["run_id"].clone()).collect()
    };
    assert_eq!(ids(service.get("/runs").await.ok().json()), [json!(official)]);
    let scenarios = service.get("/runs?scenarios=true").await.ok().json();
    assert_eq!(scenarios["runs"][0]["name"], "carry");
    assert_eq!(ids(scenarios), std::slice::from_ref(&scenario));
    let again = json!({ "name": "carry", "base_run": official, "edits": ["price_mode=po"] });
    post(&service, "/scenarios", again).await.expect_problem(409, "already-there");
    let unfit = json!({ "name": "b3", "base_run": official, "edits": ["price_mode=po"] });
    post(&service, "/scenarios", unfit).await.expect_problem(400, "bad-request");
    let scenario = scenario.as_str().expect("an id");
    let view = service.get(&format!("/runs/{scenario}")).await.ok().json();
    assert_eq!(view["status"], "Complete");
    assert_eq!(
        view["scenario"],
        json!({ "name": "carry", "note": null, "base_run": official, "edits": ["price_mode=pc"] })
    );
    let base = service.get(&format!("/runs/{official}")).await.ok().json();
    assert_eq!(base["scenario"], Value::Null);
    assert_eq!(base["provenance"], view["provenance"], "the edit changes no table");
    let replayed = service.post(&format!("/runs/{scenario}/replay"), None).await.ok().json();
    assert_eq!(replayed["answer"], "reproduced");
}

#[tokio::test]
async fn studies_follow_from_the_base() {
    let (service, run) = Service::with_run("41-mixed-400-price").await;
    let study = async |name: &str| {
        let body = json!({ "base_run": run, "study": name });
        post(&service, "/tries", body).await.ok().json()
    };
    let stability = study("stability").await;
    let names = |report: &Value| -> Vec<String> {
        let tries = report["tries"].as_array().cloned().unwrap_or_default();
        tries.iter().filter_map(|tried| tried["name"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(names(&stability).len(), 9);
    assert_eq!(names(&stability)[1], "0.125");
    assert_eq!(stability["tries"][0]["edits"], json!(["switch_threshold=0"]));
    let priorities = study("cost_of_priorities").await;
    let pairs = names(&priorities);
    assert!(!pairs.is_empty() && pairs.iter().all(|pair| pair.contains(" with ")), "{pairs:?}");
    assert_eq!(priorities["base"], stability["base"]);
    for body in
        [json!({ "study": "stability", "tries": [{ "edits": [] }] }), json!({ "study": "weather" })]
    {
        post(&service, "/tries", body).await.expect_problem(400, "bad-request");
    }
}

#[tokio::test]
async fn a_repeated_scenario_has_the_same_body() {
    let (service, official) = Service::with_run("41-mixed-400-price").await;
    let body = json!({ "name": "carry", "note": "why", "base_run": official,
        "edits": ["price_mode=pc"] });
    let send = async |path: &str, body: &Value| {
        service.post_with(path, &[("idempotency-key", "k1")], Some(&body.to_string())).await
    };
    let first = send("/scenarios", &body).await;
    assert_eq!(first.status, 202, "{}", first.text());
    service.work().await;
    // A short name of an option is the same edit.
    let mut same = body.clone();
    same["edits"] = json!(["price-mode=pc"]);
    for body in [&body, &same] {
        let again = send("/scenarios", body).await;
        assert_eq!((again.status, &again.json()["run_id"]), (202, &first.json()["run_id"]));
    }
    for (field, value) in [
        ("name", json!("other")),
        ("note", json!(null)),
        ("base_run", json!(null)),
        ("edits", json!(["price_mode=pc", "buffer=3"])),
    ] {
        let mut other = body.clone();
        other[field] = value;
        let problem =
            send("/scenarios", &other).await.expect_problem(422, "idempotency-key-reused");
        assert_eq!(problem["run_id"], first.json()["run_id"], "{field}");
    }
    // An official run with the options of the scenario is another request.
    let options = json!({ "options": { "price_mode": "pc" } });
    send("/run", &options).await.expect_problem(422, "idempotency-key-reused");
}

#[tokio::test]
async fn faulty_edits_are_refused_with_their_faults() {
    let service = Service::new();
    service.set_source("41-mixed-400-price");
    for (path, body) in [
        ("/tries", json!({ "tries": [{ "edits": ["trade:NONE=out"] }] })),
        ("/scenarios", json!({ "name": "x", "edits": ["trade:NONE=out"] })),
    ] {
        let refused = post(&service, path, body).await.expect_problem(422, "refused");
        assert_eq!(refused["faults"][0]["code"], "unknown_reference", "{refused}");
    }
    let many: Vec<Value> = (0..17).map(|_| json!({ "edits": [] })).collect();
    for body in [json!({}), json!({ "tries": many })] {
        post(&service, "/tries", body).await.expect_problem(400, "bad-request");
    }
    let unnamed = json!({ "name": " ", "edits": ["price_mode=pc"] });
    post(&service, "/scenarios", unnamed).await.expect_problem(400, "bad-request");
    let absent = json!({ "base_run": "00000000-0000-7000-8000-000000000000",
        "tries": [{ "edits": [] }] });
    post(&service, "/tries", absent).await.expect_problem(404, "not-found");
}
