//! Who is let in where: every operation of the OpenAPI document, so that none is forgotten, against
//! every kind of token.

use axum::body::Body;
use axum::http::Request;
use powerfill_events::values::Timestamp;
use powerfill_http::tokens::TokenRole;
use serde_json::Value;

use crate::desk::{Answer, HOUR, NOW, Service};

/// What changes something, or has the source read. Everything else is a viewer's.
const OPERATORS: &[&str] = &[
    "post /api/powerfill/candidates/preview",
    "post /api/powerfill/preflight",
    "post /api/powerfill/preprocess",
    "post /api/powerfill/run",
    "post /api/powerfill/runs/{run_id}/cancel",
];

/// What is an administrator's.
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

/// What anybody may ask.
const OPEN: &[&str] = &["get /healthz", "get /readyz"];

/// An operation, its path filled in.
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
            let names = ["investor_id", "instrument", "name", "rule_name", "pool_name"];
            let filled = names
                .iter()
                .fold(filled, |filled, name| filled.replace(&format!("{{{name}}}"), "N1"));
            assert!(!filled.contains('{'), "{path}: what stands there?");
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
    assert!(operations.len() >= 53, "{} operations", operations.len());
    operations
}

impl Operation {
    async fn ask(&self, service: &Service, token: Option<&str>, tenant: &str) -> Answer {
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
        // A stream of events does not end by itself.
        let request = request.body(body).unwrap();
        match self.path.ends_with("/stream") {
            false => service.send(request).await,
            true => head(service, request).await,
        }
    }
}

/// The head of an answer that goes on; the whole of one that is a problem.
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

/// A refusal without what differs from request to request.
fn said(answer: &Answer) -> Value {
    let mut body = answer.json();
    body.as_object_mut().unwrap().remove("request_id");
    body
}

#[tokio::test]
async fn without_a_valid_token_nobody_is_let_in() {
    let service = Service::new();
    let run = service.ran("12-kickout-reasons").await.to_string();
    let until = Timestamp::from_micros(NOW + 1);
    let tokens = service.tokens();
    let (_, expired) = tokens.create("one", TokenRole::Admin, "late", until, until).unwrap();
    let (gone, revoked) = tokens
        .create("one", TokenRole::Admin, "gone", until, Timestamp::from_micros(NOW + HOUR))
        .unwrap();
    tokens.revoke(&gone.id).unwrap();
    let longer = format!("{}0", service.viewer);
    let nobody = [None, Some(""), Some("pf_0"), Some(&*expired), Some(&*revoked), Some(&*longer)];
    for operation in operations(&run) {
        for token in nobody {
            let answer = operation.ask(&service, token, "one").await;
            if OPEN.contains(&&*operation.name) {
                answer.well();
                continue;
            }
            answer.is_problem(401, "unauthorized");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn another_tenants_token_learns_nothing() {
    let service = Service::new();
    let run = service.ran("12-kickout-reasons").await.to_string();
    let nowhere = operations("00000000-0000-7000-8000-000000000000");
    for (operation, nowhere) in operations(&run).iter().zip(nowhere) {
        if OPEN.contains(&&*operation.name) {
            continue;
        }
        let there = operation.ask(&service, Some(&service.stranger), "one").await;
        there.is_problem(403, "forbidden");
        let absent = nowhere.ask(&service, Some(&service.stranger), "one").await;
        let unknown = operation.ask(&service, Some(&service.stranger), "ghost").await;
        assert_eq!(said(&there), said(&absent), "{}", operation.name);
        assert_eq!(said(&there), said(&unknown), "{}", operation.name);
        // The other way round, and into its own store, where that run is not.
        let other = operation.ask(&service, Some(&service.viewer), "other").await;
        assert_eq!(other.status, 403, "{}", operation.name);
        if operation.path.contains(&run) && operation.method == "GET" {
            let own = operation.ask(&service, Some(&service.stranger), "other").await;
            own.is_problem(404, "not-found");
        }
    }
}

#[tokio::test]
async fn a_role_reaches_as_far_as_it_should() {
    let service = Service::new();
    let run = service.ran("12-kickout-reasons").await.to_string();
    let all = operations(&run);
    for name in OPERATORS.iter().chain(ADMINS).chain(OPEN) {
        assert!(all.iter().any(|operation| operation.name == *name), "{name} is gone");
    }
    for operation in &all {
        let answer = operation.ask(&service, Some(&service.viewer), "one").await;
        let role = &operation.role;
        let needed = match &*operation.name {
            name if OPERATORS.contains(&name) => Some("operator"),
            name if ADMINS.contains(&name) => Some("admin"),
            _ => None,
        };
        // The document says the same, where anybody needs a token at all.
        let open = OPEN.contains(&&*operation.name);
        assert_eq!(
            role.as_deref(),
            (!open).then_some(needed.unwrap_or("viewer")),
            "{}",
            operation.name
        );
        if let Some(needed) = needed {
            let refused = said(&answer);
            answer.is_problem(403, "forbidden");
            assert!(refused["detail"].as_str().unwrap().contains(needed), "{refused}");
        } else {
            assert!(![401, 403].contains(&answer.status), "{}: {}", operation.name, answer.text());
        }
        let status = answer.status.to_string();
        assert!(
            operation.answers.contains(&status),
            "{}: {status} is in no document",
            operation.name
        );
    }
    let administrator = service.token(TokenRole::Admin, "ada");
    for operation in &all {
        let answer = operation.ask(&service, Some(&service.operator), "one").await;
        if ADMINS.contains(&&*operation.name) {
            answer.is_problem(403, "forbidden");
        } else {
            assert!(
                ![401, 403, 500].contains(&answer.status),
                "{}: {}",
                operation.name,
                answer.text()
            );
        }
        let answer = operation.ask(&service, Some(&administrator), "one").await;
        assert!(![401, 403, 500].contains(&answer.status), "{}: {}", operation.name, answer.text());
    }
}

#[test]
fn tokens_that_are_made_at_once_are_all_there() {
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
async fn tokens_end_at_once_when_they_expire_or_are_revoked() {
    let service = Service::new();
    service.get("/status").await.well();
    let id = service.tokens().all().unwrap()[0].id.clone();
    service.tokens().revoke(&id).unwrap();
    service.get("/status").await.is_problem(401, "unauthorized");
    let as_operator = || service.request("GET", "/api/powerfill/status", &service.operator, None);
    service.send(as_operator()).await.well();
    service.pass(HOUR);
    service.send(as_operator()).await.is_problem(401, "unauthorized");
    // A service that began with tokens stays closed without any.
    for token in service.tokens().all().unwrap().iter() {
        service.tokens().revoke(&token.id).unwrap();
    }
    service.send(as_operator()).await.is_problem(401, "unauthorized");
}
