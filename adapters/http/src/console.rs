//! The console in the browser (specification 4.3): its files, and its page for every path that is
//! none of the API.
//!
//! The page asks for nothing that is not of this service: the policy below forbids scripts and
//! styles inside the page, other hosts, and frames.

use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::response::{IntoResponse, Response};
use powerfill_console::Asset;

use crate::accepted::lists;
use crate::routes::no_such_path;
use crate::static_file::StaticFile;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What each answer with a file of the console says to the browser, beside what every answer says.
const SAFETY: [(HeaderName, &str); 3] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The paths of programs, which never get the page.
const OF_PROGRAMS: [&str; 5] = ["/api/", "/assets/", "/healthz", "/readyz", "/metrics"];

/// Answers what no route answers: with a file of the console; with its page, if a browser asks for
/// a page; or else with a problem.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let asset = match method {
        Method::GET | Method::HEAD => powerfill_console::asset(path.trim_start_matches('/')),
        _ => return no_such_path(uri).await.into_response(),
    };
    let is_page = accepts_pages(&headers) && !OF_PROGRAMS.iter().any(|of| path.starts_with(of));
    match asset.or_else(|| is_page.then(powerfill_console::index).flatten()) {
        Some(asset) => file(asset, &headers),
        None => no_such_path(uri).await.into_response(),
    }
}

/// Whether the caller asks for pages by name, as browsers do and programs do not.
fn accepts_pages(headers: &HeaderMap) -> bool {
    lists(headers, ACCEPT, "text/html")
}

fn file(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let cache_control = match asset.is_immutable() {
        true => "public, max-age=31536000, immutable",
        // The browser asks each time whether it has changed.
        false => "no-cache",
    };
    let Asset { media_type, gzip, .. } = *asset;
    let file = StaticFile { media_type, gzip, cache_control, vary: "accept, accept-encoding" };
    let mut answer = file.answer(headers);
    for (name, value) in SAFETY {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
