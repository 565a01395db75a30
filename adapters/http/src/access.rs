//! Around every request: its id, its line in the access log, and its metrics.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::api::Api;
use crate::caller::CallerSlot;
use crate::problem::Problem;

const REQUEST_ID: &str = "x-request-id";

/// Gives the request an id, unless it has one, and returns the id with the answer. Logs the request
/// when it is answered, without its query, which can have anything.
pub(crate) async fn log_request(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let id = request_id(request.headers());
    let slot = CallerSlot::default();
    request.extensions_mut().insert(slot.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let body = problem.body(Some(&id));
        if response.status().is_server_error() {
            let problem = String::from_utf8_lossy(&body);
            tracing::error!(request_id = id, %problem, "a request failed");
        }
        response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
        *response.body_mut() = body.into();
    }
    let (duration, status) = (start.elapsed(), response.status().as_u16());
    let caller = slot.0.get();
    tracing::info!(
        target: "powerfill::access",
        request_id = id,
        tenant = caller.map(|caller| caller.tenant.id()),
        actor = caller.map(|caller| caller.actor.as_str()),
        token = caller.and_then(|caller| caller.token.as_deref()),
        %method,
        path,
        status,
        micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    api.metrics.count_request(method.as_str(), route.as_deref(), status, duration);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The id of the request if it is fit for a log, or else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let fits = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(fits);
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}
