//! Around every request: its id, its line in the access log, and its metrics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;
use uuid::Uuid;

use crate::api::Api;
use crate::caller::{Caller, CallerSlot, RateSlot};
use crate::observer::{AnsweredRequest, method_label};
use crate::problem::{Problem, ProblemKind};

const REQUEST_ID: &str = "x-request-id";

/// What a browser may do with an answer: nothing but show it. The page of the API has scripts and
/// styles of its own.
const NO_CONTENT_SOURCES: &str = "default-src 'none'; frame-ancestors 'none'";
const DOCUMENTATION: &str = "/api/powerfill/docs";
const OWN_CONTENT_SOURCES: &str = concat!(
    "default-src 'self'; style-src 'self' 'un",
    "safe-inline'; img-src 'self' data:; frame-ancestors 'none'"
);

/// Gives the request an id, unless it has one, and returns the id with the answer. Logs the request
/// when it is answered, without its query, which can have anything. Ends it if it is not answered
/// in time.
pub(crate) async fn log_request(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    let start = Instant::now();
    let id = request_id(request.headers());
    let traceparent = traceparent(request.headers());
    let slot = CallerSlot::default();
    request.extensions_mut().insert(slot.clone());
    let rate = RateSlot::default();
    request.extensions_mut().insert(rate.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let is_documentation = path.starts_with(DOCUMENTATION);
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let limit = match is_long(&method, route.as_deref(), request.uri().query()) {
        true => api.limits.work_timeout,
        false => api.limits.answer_timeout,
    };
    let answered = timeout(limit, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| late(limit).into_response());
    let problem = response.extensions_mut().remove::<Problem>();
    let wait = problem.as_ref().and_then(Problem::rate_wait);
    if let Some(remaining) = wait.map_or_else(|| rate.0.get().copied(), |_| Some(0)) {
        api.rates.add_headers(response.headers_mut(), remaining, wait);
    }
    if let Some(problem) = problem {
        problem.add_exhausted(response.headers_mut());
        let body = problem.body(Some(&id));
        if response.status().is_server_error() {
            let problem = String::from_utf8_lossy(&body);
            tracing::error!(request_id = id, %problem, "a request failed");
        }
        response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
        *response.body_mut() = body.into();
    }
    let caller = slot.0.get();
    let answered = AnsweredRequest {
        id: &id,
        method: method_label(&method),
        route: route.as_deref(),
        status: response.status().as_u16(),
        tenant: caller.map(|caller| caller.tenant.id()),
        traceparent: traceparent.as_deref(),
        lasted: start.elapsed(),
    };
    log_answer(&answered, caller, &method, &path);
    api.metrics.count(&answered);
    api.observer.iter().for_each(|observer| observer.answered(&answered));
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    restrict(response.headers_mut(), is_documentation);
    response
}

/// Writes the line of a request.
fn log_answer(request: &AnsweredRequest<'_>, caller: Option<&Caller>, method: &Method, path: &str) {
    tracing::info!(
        target: "powerfill::access",
        request_id = request.id,
        trace_id = request.traceparent.map(|parent| &parent[3..35]),
        tenant = request.tenant,
        actor = caller.map(|caller| caller.actor.as_str()),
        token = caller.and_then(|caller| caller.token.as_deref()),
        %method,
        path,
        status = request.status,
        micros = u64::try_from(request.lasted.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
}

/// Whether the answer is work, or a file that is made when it is requested.
fn is_long(method: &Method, route: Option<&str>, query: Option<&str>) -> bool {
    let is_file = |route: &str| route.ends_with("/evidence") || route.ends_with("/workbook");
    let mut parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    method == Method::POST
        || route.is_some_and(is_file)
        || parameters.any(|(name, value)| name == "format" && value == "xlsx")
}

/// The problem of a request that was not answered in time.
fn late(limit: Duration) -> Problem {
    let detail = format!(
        "The tenant's store or source did not answer within {} s; try again later.",
        limit.as_secs()
    );
    Problem::new(ProblemKind::Unavailable, detail).retry_after(10)
}

/// Tells browsers to take the answer for nothing but what it says, unless it has a rule of its own.
fn restrict(headers: &mut HeaderMap, is_documentation: bool) {
    let sources = if is_documentation { OWN_CONTENT_SOURCES } else { NO_CONTENT_SOURCES };
    let rules: [(HeaderName, &'static str); 3] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, sources),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in rules {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// The header with the trace of the caller (W3C Trace Context), if it is valid.
fn traceparent(headers: &HeaderMap) -> Option<String> {
    let parent = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = parent.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_trace = trace.len() == 32 && is_hex(trace) && trace.bytes().any(|byte| byte != b'0');
    (version.len() == 2 && is_hex(version) && is_trace).then(|| parent.to_owned())
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
