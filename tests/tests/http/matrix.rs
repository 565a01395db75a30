//! Authorization: every operation of the OpenAPI document, so that none is forgotten, against every
//! kind of token.

use axum::body::Body;
use axum::http::Request;
use powerfill_events::values::Timestamp;
use powerfill_http::tokens::TokenRole;
use serde_json::Value;

use crate::service::{Answer, HOUR, NOW, Service};

/// Operations of an operator: they change runs or read the source. Others need a viewer.
const OPERATORS: &[&str] = &[
    "post /api/powerfill/candidates/preview",
    "post /api/powerfill/challenges/{challenge}/adoption",
    "post /api/powerfill/preflight",
    "post /api/powerfill/preprocess",
    "post /api/powerfill/run",
    "post /api/powerfill/runs/{run_id}/annotations",
    "post /api/powerfill/runs/{run_id}/cancel",
    "post /api/powerfill/runs/{run_id}/challenges",
    "post /api/powerfill/scenarios",
    "post /api/powerfill/tries",
];

/// Operations of an administrator.
const ADMINS: &[&str] = &[
    "delete /api/powerfill/carry-cost/{instrument}/{on_day}",
    "delete /api/powerfill/constraints/{investor_id}/{instrument}/{name}",
    "delete /api/powerfill/constraints/{investor_id}/{instrument}/{name}/sec-rules/{rule_name}",
    "delete /api/powerfill/lockdown/{pool_name}",
    "delete /api/powerfill/sec-rules/{rule_name}",
    "get /metrics",
    "post /api/powerfill/constraints",
    "post /api/powerfill/constraints/reprioritize",
    "post /api/powerfill/lockdown/bulk",
    "put /api/powerfill/carry-cost/{instrument}/{on_day}",
    "put /api/powerfill/constraints/{investor_id}/{instrument}/{name}",
    "put /api/powerfill/constraints/{investor_id}/{instrument}/{name}/sec-rules/{rule_name}",
    "put /api/powerfill/lockdown/{pool_name}",
    "put /api/powerfill/sec-rules/{rule_name}",
    "put /api/powerfill/settings/preflight",
];

/// Operations without a token.
const OPEN: &[&str] = &[
    "delete /api/powerfill/session",
    "get /api/powerfill/session",
    "get /healthz",
    "get /readyz",
    "post /api/powerfill/session",
];

/// An operation with a filled-in path.
struct Operation {
    name: String,
    method: String,
    path: String,
    has_body: bool,
    role: Option<String>,
    answers: Vec<String>,
}

fn operations(run: &str) -> Vec<Operation> {
    let document = powerfill_http::openapi();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let filled = path.replace("{run_id}", run).replace("{loan_id}", "L1");
            let filled = filled.replace("{trade_id}", "T1").replace("{on_day}", "0");
            let filled = filled.replace("{job_id}", "01976c2e-2222-7b52-9f3e-5d0f6a1c2b34");
            let names =
                ["investor_id", "instrument", "name", "rule_name", "pool_name", "challenge"];
            let filled = names
                .iter()
                .fold(filled, |filled, name| filled.replace(&format!("{{{name}}}"), "N1"));
            assert!(!filled.contains('{'), "{path} has an unknown parameter");
            operations.push(Operation {
                name: format!("{method} {path}"),
                method: method.to_uppercase(),
                path: filled,
                has_body: operation["requestBody"].is_object(),
                role: operation["security"][0]["token"][0].as_str().map(str::to_owned),
                answers: operation["responses"].as_object().unwrap().keys().cloned().collect(),
            });
        }
    }
    assert!(operations.len() >= 66, "{} operations", operations.len());
    operations
}

impl Operation {
    async fn send(&self, service: &Service, token: Option<&str>, tenant: &str) -> Answer {
        let mut request = Request::builder().method(&*self.method).uri(&self.path);
        request = request.header("x-tenant-id", tenant);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match self.has_body {
            true => {
                request = request.header("content-type", "application/json");
                Body::from("{}")
            }
            false => Body::empty(),
        };
        // A stream of events does not end.
        let request = request.body(body).unwrap();
        match self.path.ends_with("/stream") {
            false => service.send(request).await,
            true => head(service, request).await,
        }
    }
}

/// The head of a stream, or the whole answer if it is a problem.
async fn head(service: &Service, request: Request<Body>) -> Answer {
    use tower::ServiceExt;
    let response = service.router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = match parts.status.is_success() {
        true => Vec::new(),
        false => axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec(),
    };
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// The body of a refusal without the id of the request.
fn refusal(answer: &Answer) -> Value {
    let mut body = answer.json();
    body.as_object_mut().unwrap().remove("request_id");
    body
}

#[tokio::test]
async fn a_request_without_a_valid_token_is_refused() {
    let service = Service::new();
    let run = service.run_case("12-kickout-reasons").await.to_string();
    let until = Timestamp::from_micros(NOW + 1);
    let tokens = service.tokens();
    let (_, expired) = tokens.create("one", TokenRole::Admin, "late", until, until).unwrap();
    let (gone, revoked) = tokens
        .create("one", TokenRole::Admin, "gone", until, Timestamp::from_micros(NOW + HOUR))
        .unwrap();
    tokens.revoke(&gone.id).unwrap();
    let longer = format!("{}0", service.viewer);
    let invalid = [None, Some(""), Some("pf_0"), Some(&*expired), Some(&*revoked), Some(&*longer)];
    for operation in operations(&run) {
        for token in invalid {
            let answer = operation.send(&service, token, "one").await;
            if operation.name == "post /api/powerfill/session" {
                // Its body has the token; `tests/tests/http/sessions.rs` sends right ones.
                answer.expect_problem(400, "bad-request");
                continue;
            }
            if OPEN.contains(&&*operation.name) {
                answer.ok();
                continue;
            }
            answer.expect_problem(401, "unauthorized");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn the_token_of_another_tenant_learns_nothing() {
    let service = Service::new();
    let run = service.run_case("12-kickout-reasons").await.to_string();
    let nowhere = operations("00000000-0000-7000-8000-000000000000");
    for (operation, nowhere) in operations(&run).iter().zip(nowhere) {
        if OPEN.contains(&&*operation.name) {
            continue;
        }
        let there = operation.send(&service, Some(&service.other_tenant), "one").await;
        there.expect_problem(403, "forbidden");
        let absent = nowhere.send(&service, Some(&service.other_tenant), "one").await;
        let unknown = operation.send(&service, Some(&service.other_tenant), "ghost").await;
        assert_eq!(refusal(&there), refusal(&absent), "{}", operation.name);
        assert_eq!(refusal(&there), refusal(&unknown), "{}", operation.name);
        // The other direction, and the caller's own store, which does not have the run.
        let other = operation.send(&service, Some(&service.viewer), "other").await;
        assert_eq!(other.status, 403, "{}", operation.name);
        if operation.path.contains(&run) && operation.method == "GET" {
            let own = operation.send(&service, Some(&service.other_tenant), "other").await;
            own.expect_problem(404, "not-found");
        }
    }
}

#[tokio::test]
async fn a_role_allows_its_operations_and_no_others() {
    let service = Service::new();
    let run = service.run_case("12-kickout-reasons").await.to_string();
    let all = operations(&run);
    for name in OPERATORS.iter().chain(ADMINS).chain(OPEN) {
        assert!(all.iter().any(|operation| operation.name == *name), "{name} is gone");
    }
    for operation in &all {
        let answer = operation.send(&service, Some(&service.viewer), "one").await;
        let role = &operation.role;
        let needed = match &*operation.name {
            name if OPERATORS.contains(&name) => Some("operator"),
            name if ADMINS.contains(&name) => Some("admin"),
            _ => None,
        };
        // The document has the same role, if the operation needs a token.
        let open = OPEN.contains(&&*operation.name);
        assert_eq!(
            role.as_deref(),
            (!open).then_some(needed.unwrap_or("viewer")),
            "{}",
            operation.name
        );
        if let Some(needed) = needed {
            let refused = refusal(&answer);
            answer.expect_problem(403, "forbidden");
            assert!(refused["detail"].as_str().unwrap().contains(needed), "{refused}");
        } else {
            assert!(![401, 403].contains(&answer.status), "{}: {}", operation.name, answer.text());
        }
        let status = answer.status.to_string();
        assert!(
            operation.answers.contains(&status),
            "{}: {status} is not in the document",
            operation.name
        );
    }
    let administrator = service.token(TokenRole::Admin, "ada");
    for operation in &all {
        let answer = operation.send(&service, Some(&service.operator), "one").await;
        if ADMINS.contains(&&*operation.name) {
            answer.expect_problem(403, "forbidden");
        } else {
            assert!(
                ![401, 403, 500].contains(&answer.status),
                "{}: {}",
                operation.name,
                answer.text()
            );
        }
        let answer = operation.send(&service, Some(&administrator), "one").await;
        assert!(![401, 403, 500].contains(&answer.status), "{}: {}", operation.name, answer.text());
    }
}

#[test]
fn tokens_that_are_created_concurrently_are_all_kept() {
    let service = Service::new();
    let before = service.tokens().all().unwrap().len();
    std::thread::scope(|scope| {
        for at in 0..16 {
            let service = &service;
            scope.spawn(move || service.token(TokenRole::Viewer, &format!("v{at}")));
        }
    });
    assert_eq!(service.tokens().all().unwrap().len(), before + 16);
}

#[tokio::test]
async fn expired_and_revoked_tokens_are_refused_at_once() {
    let service = Service::new();
    service.get("/status").await.ok();
    let id = service.tokens().all().unwrap()[0].id.clone();
    service.tokens().revoke(&id).unwrap();
    service.get("/status").await.expect_problem(401, "unauthorized");
    let as_operator = || service.send_with(("GET", "/status", &service.operator), &[], None);
    as_operator().await.ok();
    service.advance_clock(HOUR);
    as_operator().await.expect_problem(401, "unauthorized");
    // A service that started with tokens still refuses requests when the file is empty.
    for token in service.tokens().all().unwrap().iter() {
        service.tokens().revoke(&token.id).unwrap();
    }
    as_operator().await.expect_problem(401, "unauthorized");
}
