//! The OpenAPI document and its page, which loads nothing from elsewhere.

use axum::body::Body;
use axum::http::{HeaderValue, Request};

use crate::service::Service;

#[tokio::test]
async fn the_served_document_is_the_generated_one() {
    let service = Service::new();
    let request = Request::builder().uri("/api/powerfill/openapi.json");
    let answer = service.send(request.body(Body::empty()).unwrap()).await.ok();
    assert_eq!(answer.json(), powerfill_http::openapi());
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
