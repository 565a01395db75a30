//! The OpenAPI document as the service serves it, and the page to try it: Swagger's, with the files
//! that it needs.
//!
//! The document is `docs/reference/openapi.json`. A test keeps it equal to what the feature
//! `document` makes, so that the program does not need the code that makes it.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;

use crate::api::Api;
use crate::routes::no_such_path;
use crate::static_file::{StaticFile, compressed_file};

const DOCUMENT: StaticFile = compressed_file!("openapi.json", "application/json");
const SCRIPT: StaticFile =
    compressed_file!("swagger-ui-bundle.js", "text/javascript; charset=utf-8");
const STYLE: StaticFile = compressed_file!("swagger-ui.css", "text/css; charset=utf-8");

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>PowerFill API</title>
<link rel="stylesheet" href="./swagger-ui.css">
<div id="page"></div>
<script src="./swagger-ui-bundle.js"></script>
<script src="./start.js"></script>
</html>
"#;

const START: &str = r##"SwaggerUIBundle({
  url: "/api/powerfill/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: "none",
});
"##;

/// Adds the document and its page.
pub(crate) fn add_routes(router: Router<Arc<Api>>) -> Router<Arc<Api>> {
    router
        .route(
            "/api/powerfill/openapi.json",
            get(|headers: HeaderMap| async move { DOCUMENT.answer(&headers) }),
        )
        .route("/api/powerfill/docs", get(async || Redirect::to("/api/powerfill/docs/")))
        .route("/api/powerfill/docs/", get(async || Html(PAGE)))
        .route("/api/powerfill/docs/{file}", get(file))
}

async fn file(uri: Uri, headers: HeaderMap) -> Response {
    match uri.path().rsplit('/').next() {
        Some("swagger-ui-bundle.js") => SCRIPT.answer(&headers),
        Some("swagger-ui.css") => STYLE.answer(&headers),
        Some("start.js") => {
            ([("content-type", "text/javascript; charset=utf-8")], START).into_response()
        }
        _ => no_such_path(uri).await.into_response(),
    }
}
