//! The overview of a run: the same from the shown tables and from events.

use powerfill_http::tokens::TokenRole;
use serde_json::Value;

use crate::service::Service;

#[tokio::test]
async fn the_overview_of_a_shown_run_stays_when_another_one_is_shown() {
    let (service, run) = Service::with_run("41-mixed-400-price").await;
    let path = format!("/runs/{run}/overview");
    let shown = service.get(&path).await.ok();
    let from_events = {
        // Another service of the same kind has nothing of the first in memory.
        let other = Service::new();
        let run = other.run_case("41-mixed-400-price").await;
        other.run_case("12-kickout-reasons").await;
        other.get(&format!("/runs/{run}/overview")).await.ok().json()
    };
    let (mut one, mut other) = (shown.json(), from_events);
    for overview in [&mut one, &mut other] {
        for field in ["run_id", "requested_at", "started_at", "ended_at"] {
            overview["run"][field] = Value::Null;
        }
    }
    assert_eq!(one, other);
    assert_eq!(one["version"], 1);
    assert_eq!(one["value"]["all"]["value_amount"], one["waterfall"][6]["amount"]);
    assert!(!one["trades"].as_array().unwrap().is_empty());

    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/reference/overview.schema.json")).unwrap();
    jsonschema::validate(&schema, &shown.json()).unwrap();
}

#[tokio::test]
async fn an_overview_that_the_caller_has_is_not_sent_again() {
    let (service, run) = Service::with_run("12-kickout-reasons").await;
    let path = format!("/runs/{run}/overview");
    let tag = service.get(&path).await.ok().headers["etag"].clone();
    let token = service.token(TokenRole::Viewer, "once");
    let tag = [("if-none-match", tag.to_str().unwrap())];
    let again = service.send_with(("GET", &path, &token), &tag, None).await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn a_run_that_failed_has_no_overview() {
    let (service, run) = Service::with_run("39-preflight-errors").await;
    let answer = service.get(&format!("/runs/{run}/overview")).await;
    answer.expect_problem(409, "run-not-complete");
}
