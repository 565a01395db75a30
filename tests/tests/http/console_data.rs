//! What the console needs beside reports: a run step by step, the use of constraints, rules before
//! they are saved, options for a form, and what an operator watches.

use powerfill_events::run::RunId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::service::Service;

const CASE: &str = "12-kickout-reasons";

async fn get(service: &Service, path: &str) -> Value {
    service.get(path).await.ok().json()
}

fn ids<'v>(list: &'v Value, name: &str) -> Vec<&'v str> {
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_run_is_shown_after_any_of_its_events() {
    let (service, run) = Service::with_run(CASE).await;
    let timeline = get(&service, &format!("/runs/{run}/timeline")).await;
    let last = timeline["last_version"].as_u64().unwrap();
    assert_eq!(timeline["is_over"], true);
    let marks = timeline["marks"].as_array().unwrap();
    for kind in ["step", "turn", "pass"] {
        assert!(marks.iter().any(|mark| mark["kind"] == kind), "{marks:?}");
    }
    let versions: Vec<u64> = marks.iter().map(|mark| mark["version"].as_u64().unwrap()).collect();
    assert!(versions.is_sorted(), "{versions:?}");
    let recap = get(&service, &format!("/runs/{run}/recap")).await;
    let end = get(&service, &format!("/runs/{run}/state")).await;
    assert_eq!([&end["version"], &end["last_version"]], [last, last]);
    assert_eq!([&end["status"], &end["step"]], ["Complete", "record"]);
    assert_eq!(end["event"]["type"], "powerfill.run.RunCompleted.v2");
    for row in recap["rows"].as_array().unwrap() {
        let trades = end["trades"].as_array().unwrap();
        let trade = trades.iter().find(|trade| trade["trade_id"] == row["trade_id"]).unwrap();
        assert_eq!(trade["filled_amount"], row["filled_amount"]);
        assert_eq!(trade["loan_count"], row["loan_count"]);
    }
    let kickouts = get(&service, &format!("/runs/{run}/kickouts")).await;
    let kicked_out = kickouts["rows"].as_array().unwrap().len();
    assert_eq!(end["counts"]["kicked_out"], kicked_out);
    // Forward, event by event, with what changed only: together that is the state at the end.
    let mut fills = serde_json::Map::new();
    for version in 1..=last {
        let since = if version == 1 { String::new() } else { format!("&since={}", version - 1) };
        let path = format!("/runs/{run}/state?version={version}{since}");
        let state = get(&service, &path).await;
        assert_eq!(state["event"]["streamversion"], version.to_string());
        for trade in state["trades"].as_array().unwrap() {
            let id = trade["trade_id"].as_str().unwrap().to_owned();
            fills.insert(id, trade.clone());
        }
        let changes = state["changes"].as_array().unwrap();
        assert!(changes.len() <= 20);
        let kind = state["event"]["type"].as_str().unwrap();
        let own = changes.iter().find(|change| change["version"] == version);
        assert_eq!(own.is_some(), kind.contains("Loan"), "{kind}");
        if let Some(own) = own {
            assert_eq!(own["loan_id"], state["event"]["data"]["loan_id"]);
            assert_eq!(own["pass"], state["pass"]);
        }
    }
    let all: Vec<Value> = end["trades"].as_array().unwrap().clone();
    assert_eq!(fills.len(), all.len());
    for trade in all {
        assert_eq!(fills[trade["trade_id"].as_str().unwrap()], trade);
    }
    let back = get(&service, &format!("/runs/{run}/state?version=1&since={last}")).await;
    assert_eq!(back["trades"], json!([]), "no trade is assessed at the first event");
    for version in [0, last + 1] {
        let path = format!("/runs/{run}/state?version={version}");
        service.get(&path).await.expect_problem(404, "not-found");
    }
}

#[tokio::test]
async fn the_steps_of_a_loan_and_a_trade_are_their_events() {
    let (service, run) = Service::with_run(CASE).await;
    let search = get(&service, &format!("/runs/{run}/search?q=k")).await;
    let loans = ids(&search["loans"], "loan_id");
    assert!(loans.len() > 2 && loans.is_sorted(), "{loans:?}");
    assert_eq!([&search["trades"], &search["more"]], [&json!([]), &json!(false)]);
    let first = get(&service, &format!("/runs/{run}/search?q=K&limit=1")).await;
    assert_eq!(ids(&first["loans"], "loan_id"), loans[..1]);
    assert_eq!(first["more"], true);
    let trades = get(&service, &format!("/runs/{run}/search?q=t")).await;
    let trade = ids(&trades["trades"], "trade_id")[0].to_owned();
    for (name, id) in [("loan_id", loans[0]), ("trade_id", &*trade)] {
        let id = id.to_lowercase();
        let steps = get(&service, &format!("/runs/{run}/steps?{name}={id}")).await;
        let versions: Vec<u64> =
            steps["versions"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        assert!(!versions.is_empty() && versions.is_sorted(), "{versions:?}");
        assert_eq!(steps["count"], versions.len());
        for version in &versions {
            let state = get(&service, &format!("/runs/{run}/state?version={version}")).await;
            let event = state["event"]["data"].to_string().to_lowercase();
            assert!(event.contains(&format!("\"{id}\"")), "{event}");
        }
        let after = versions[0];
        let path = format!("/runs/{run}/steps?{name}={id}&after={after}&limit=1");
        let next = get(&service, &path).await;
        assert_eq!(next["previous"], after);
        assert_eq!(next["versions"].as_array().unwrap().first(), steps["versions"].get(1));
    }
    for query in ["", "loan_id=L1&trade_id=T1", "loan_id=L1&limit=0"] {
        let path = format!("/runs/{run}/steps?{query}");
        service.get(&path).await.expect_problem(400, "bad-request");
    }
    let path = format!("/runs/{run}/steps?loan_id=nowhere");
    service.get(&path).await.expect_problem(404, "not-found");
    let nowhere = RunId(Uuid::nil());
    for path in ["timeline", "state", "steps?loan_id=L1", "search?q=L"] {
        let path = format!("/runs/{nowhere}/{path}");
        service.get(&path).await.expect_problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_run_that_is_not_over_is_followed_from_its_events() {
    let service = Service::new();
    let run = service.post("/run", Some("{}")).await.ok().json();
    let run = run["run_id"].as_str().unwrap();
    let timeline = get(&service, &format!("/runs/{run}/timeline")).await;
    assert_eq!([&timeline["last_version"], &timeline["is_over"]], [&json!(1), &json!(false)]);
    let state = get(&service, &format!("/runs/{run}/state")).await;
    assert_eq!([&state["status"], &state["trades"]], [&json!("Pending"), &json!([])]);
    service.work().await;
    let timeline = get(&service, &format!("/runs/{run}/timeline")).await;
    assert_eq!(timeline["is_over"], true, "a track of an active run is not kept");
}

#[tokio::test]
async fn the_use_of_constraints_is_that_of_the_latest_run() {
    let service = Service::new();
    assert_eq!(get(&service, "/constraints/use").await, json!({ "run_id": null, "nodes": [] }));
    let run = service.run_case(CASE).await;
    let used = get(&service, "/constraints/use").await;
    assert_eq!(used["run_id"], run.to_string());
    let nodes = used["nodes"].as_array().unwrap();
    let placed: u64 = nodes.iter().map(|node| node["placed_loans"].as_u64().unwrap()).sum();
    let end = get(&service, &format!("/runs/{run}/state")).await;
    assert_eq!(end["counts"]["placed"], placed);
    let blocks = get(&service, &format!("/runs/{run}/constraint-blocks")).await;
    let blocks = blocks["rows"].as_array().unwrap().len() as u64;
    let with_limits: u64 = nodes.iter().filter_map(|node| node["blocks"].as_u64()).sum();
    assert_eq!(with_limits, blocks);
}

#[tokio::test]
async fn a_rule_is_tried_on_the_loans_of_the_latest_run() {
    let service = Service::new();
    let preview = ("POST", "/rules/preview", &*service.viewer);
    let try_rule = async |rule: &str| {
        let body = json!({ "rule_syntax": rule, "examples": 2 }).to_string();
        service.send_with(preview, &[], Some(&body)).await
    };
    try_rule("fico > 1").await.expect_problem(404, "not-found");
    let run = service.run_case(CASE).await;
    let all = try_rule("loan_amount > 0").await.ok().json();
    assert_eq!([&all["valid"], &all["loans"]], [&json!(true), &all["of"]]);
    assert_eq!(all["run_id"], run.to_string());
    assert_eq!(all["examples"].as_array().unwrap().len(), 2);
    // A later run of the same snapshot has a day of its own.
    let options = json!({ "options": { "as_of": "2026-01-16" } }).to_string();
    service.post("/run", Some(&options)).await.ok();
    let later = service.work().await.run_id;
    let again = try_rule("loan_amount > 0").await.ok().json();
    let of_later = [json!(later.to_string()), json!("2026-01-16")];
    assert_eq!([&again["run_id"], &again["as_of"]], [&of_later[0], &of_later[1]]);
    assert_ne!(all["as_of"], again["as_of"]);
    let none = try_rule("loan_amount < 0").await.ok().json();
    assert_eq!([&none["loans"], &none["amount"]], [&json!(0), &json!("0.00")]);
    let unknown = try_rule("dti > 1").await.ok().json();
    let sum = unknown["loans"].as_u64().unwrap() + unknown["undecided"].as_u64().unwrap();
    assert!(sum <= unknown["of"].as_u64().unwrap());
    for (rule, code, at) in [
        ("fico >=", "rule_syntax", 8),
        ("colour = 1", "rule_column", 1),
        ("fico = 'a'", "rule_type", 8),
    ] {
        let faulty = try_rule(rule).await.ok().json();
        assert_eq!([&faulty["valid"], &faulty["code"]], [&json!(false), &json!(code)], "{faulty}");
        assert_eq!(faulty["at"], at, "{faulty}");
        assert!(!faulty["message"].as_str().unwrap().is_empty());
    }
    let many = json!({ "rule_syntax": "fico > 1", "examples": 101 }).to_string();
    service.send_with(preview, &[], Some(&many)).await.expect_problem(400, "bad-request");
}

#[tokio::test]
async fn the_options_fill_a_form() {
    let service = Service::new();
    let options = get(&service, "/options").await;
    let options = options["options"].as_array().unwrap();
    let document = powerfill_http::openapi();
    let declared = document["components"]["schemas"]["Options"]["properties"].as_object().unwrap();
    assert_eq!(options.len(), declared.len());
    let named = |name: &str| options.iter().find(|option| option["name"] == name).unwrap();
    assert_eq!(named("price_mode")["kind"], "one_of");
    assert_eq!(named("price_mode")["choices"], json!(["po", "pc"]));
    let days = named("max_eligible_days");
    assert_eq!(
        [&days["kind"], &days["default"], &days["max"]],
        [&json!("int"), &json!(30), &json!(9999)]
    );
    assert_eq!(
        [&named("as_of")["kind"], &named("as_of")["nullable"]],
        [&json!("date"), &json!(true)]
    );
    assert_eq!(named("bx_price_floor")["kind"], "decimal");
    for option in options {
        assert!(!option["help"].as_str().unwrap().is_empty(), "{option}");
        assert!(
            option["tenant_value"].is_null() <= option["nullable"].as_bool().unwrap(),
            "{option}"
        );
    }
}

#[tokio::test]
async fn an_operator_sees_the_queue_the_lags_and_the_space() {
    let service = Service::new();
    let idle = get(&service, "/operate").await;
    assert_eq!(
        [&idle["active"], &idle["events"], &idle["lags"]],
        [&Value::Null, &json!(0), &json!([])]
    );
    let run = service.run_case(CASE).await;
    let pending = service.post("/run", Some("{}")).await.ok().json();
    let busy = get(&service, "/operate").await;
    assert_eq!(busy["active"]["run_id"], pending["run_id"]);
    assert_eq!(
        [&busy["active"]["status"], &busy["lease_expired"]],
        [&json!("Pending"), &json!(false)]
    );
    assert_eq!(
        [&busy["lags"][0]["name"], &busy["lags"][0]["events"]],
        [&json!("output_tables"), &json!(0)]
    );
    let storage = get(&service, "/storage?limit=1").await;
    assert_eq!(storage["runs"][0]["run_id"], pending["run_id"]);
    let next = storage["next"].as_str().unwrap();
    let storage = get(&service, &format!("/storage?cursor={next}")).await;
    assert_eq!(storage["runs"][0]["run_id"], run.to_string());
    assert!(storage["runs"][0]["bytes"].as_u64().unwrap() > 1_000, "{storage}");
    assert_eq!(storage["next"], Value::Null);
    let wrong = format!("/storage?cursor={}", Uuid::nil());
    service.get(&wrong).await.expect_problem(400, "bad-request");
}
