//! The document and the page to try it are served by the service alone.

use axum::body::Body;
use axum::http::Request;

use crate::desk::Service;

#[tokio::test]
async fn the_document_is_served_as_it_is_generated() {
    let service = Service::new();
    let request = Request::builder().uri("/api/powerfill/openapi.json");
    let answer = service.send(request.body(Body::empty()).unwrap()).await.well();
    assert_eq!(answer.json(), powerfill_http::openapi());
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let service = Service::new();
    let get =
        |path: String| service.send(Request::builder().uri(path).body(Body::empty()).unwrap());
    let page = get("/api/powerfill/docs/".to_owned()).await.well();
    let text = page.text();
    let loaded: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|of| text.split(of).skip(1).filter_map(|rest| rest.split('"').next()))
        .collect();
    assert!(loaded.len() >= 3, "{text}");
    for place in loaded {
        let file = place.strip_prefix("./").unwrap_or(place);
        assert!(!file.contains("//"), "{place} is elsewhere");
        let found = get(format!("/api/powerfill/docs/{file}")).await.well();
        assert!(!found.body.is_empty(), "{place}");
    }
}
