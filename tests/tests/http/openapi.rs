//! The OpenAPI document and its page, which loads nothing from elsewhere.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn the_served_document_is_the_generated_one() {
    let service = Service::new();
    let request = Request::builder().uri("/api/powerfill/openapi.json");
    let answer = service.send(request.body(Body::empty()).unwrap()).await.ok();
    assert_eq!(answer.json(), *DOCUMENT);
    // It is compressed once, and not sent to those who have it.
    let get = |name: &'static str, value: &HeaderValue| {
        let request = Request::builder().uri("/api/powerfill/openapi.json").header(name, value);
        service.send(request.body(Body::empty()).unwrap())
    };
    let compressed = get("accept-encoding", &HeaderValue::from_static("gzip")).await.ok();
    assert_eq!(compressed.decompressed(), answer.text());
    let known = get("if-none-match", &answer.headers["etag"]).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
}

#[tokio::test]
async fn the_page_loads_only_files_of_the_service() {
    let service = Service::new();
    let get =
        |path: String| service.send(Request::builder().uri(path).body(Body::empty()).unwrap());
    let page = get("/api/powerfill/docs/".to_owned()).await.ok();
    let text = page.text();
    let loaded: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|of| text.split(of).skip(1).filter_map(|rest| rest.split('"').next()))
        .collect();
    assert!(loaded.len() >= 3, "{text}");
    for path in loaded {
        let file = path.strip_prefix("./").unwrap_or(path);
        assert!(!file.contains("//"), "{path} is not on the service");
        let found = get(format!("/api/powerfill/docs/{file}")).await.ok();
        assert!(!found.body.is_empty(), "{path}");
    }
    let other = get("/api/powerfill/docs/swagger-ui.js".to_owned()).await;
    other.expect_problem(404, "no-such-path");
}

/// The document, which takes long to make.
static DOCUMENT: LazyLock<Value> = LazyLock::new(powerfill_http::openapi);

/// Panics unless an answer has this schema of the document.
pub(crate) fn ensure_schema(name: &str, answer: &Value) {
    check(&json!({ "$ref": format!("#/components/schemas/{name}") }), answer)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// The schema that a client takes for the result of a job: the first one that fits.
pub(crate) fn schema_of_job_result(result: &Value) -> String {
    let path = &DOCUMENT["paths"]["/api/powerfill/jobs/{job_id}/result"];
    let content = &path["get"]["responses"]["200"]["content"]["application/json"];
    let schemas = content["schema"]["anyOf"].as_array().unwrap();
    let first = schemas.iter().find(|schema| check(schema, result).is_ok());
    let link = first.unwrap_or_else(|| panic!("no schema fits {result}"))["$ref"].as_str();
    link.unwrap().rsplit('/').next().unwrap().to_owned()
}

fn check(schema: &Value, answer: &Value) -> Result<(), String> {
    let mut schema = schema.clone();
    schema["components"] = DOCUMENT["components"].clone();
    jsonschema::validate(&schema, answer).map_err(|error| error.to_string())
}

/// Stories, replays, and comparisons have the schemas that the document says, in every case.
#[tokio::test]
async fn typed_answers_are_as_the_document_says() {
    let service = Service::new();
    let mut earlier = None;
    let mut what_ifs = 0;
    for case in ["11-make-room", "12-kickout-reasons", "13-pool-actions", "35-ue-synthetic"] {
        let run = service.run_case(case).await;
        let ids = async |report: &str, id: &str| -> Vec<String> {
            let page = service.get(&format!("/runs/{run}/{report}")).await.ok().json();
            let rows = page["rows"].as_array().unwrap().iter();
            rows.map(|row| row[id].as_str().unwrap().to_owned()).collect()
        };
        let mut loans = ids("guide", "loan_id").await;
        loans.extend(ids("kickouts", "loan_id").await);
        let trades = ids("trade-base", "trade_id").await;
        assert!(!loans.is_empty() && !trades.is_empty(), "{case}");
        for loan in &loans {
            let path = format!("/runs/{run}/loans/{loan}/explain");
            ensure_schema("LoanAccount", &service.get(&path).await.ok().json());
            for trade in &trades {
                let pair = service.get(&format!("{path}?trade={trade}")).await.ok();
                ensure_schema("PairAccount", &pair.json());
            }
            let what_if = service.post(&format!("/runs/{run}/loans/{loan}/what-if"), None).await;
            if what_if.status == 200 {
                what_ifs += 1;
                ensure_schema("WhatIf", &what_if.json());
            }
        }
        for trade in &trades {
            let story = service.get(&format!("/runs/{run}/trades/{trade}/explain")).await.ok();
            ensure_schema("TradeAccount", &story.json());
        }
        ensure_schema(
            "ReplayReport",
            &service.post(&format!("/runs/{run}/replay"), None).await.ok().json(),
        );
        let against = format!(r#"{{"against": "{}"}}"#, earlier.unwrap_or(run));
        let compared = service.post(&format!("/runs/{run}/diff"), Some(&against)).await.ok();
        ensure_schema("RunComparison", &compared.json());
        earlier = Some(run);
    }
    assert!(what_ifs > 0);
}
