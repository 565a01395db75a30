//! Around every request: its id, who asked for what in the log, how often and how long in the
//! figures.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::api::Api;
use crate::problem::Problem;

const REQUEST_ID: &str = "x-request-id";

/// Who turned out to be asking; filled in where the token is looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asking(Arc<OnceLock<Who>>);

/// A caller as the log has him. Nothing of the token's text is here.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) tenant: String,
    pub(crate) actor: String,
    /// The token's id; none where the service has no tokens.
    pub(crate) token: Option<String>,
}

impl Asking {
    /// Says who it is; the first word counts.
    pub(crate) fn is(&self, who: Who) {
        let _ = self.0.set(who);
    }
}

/// Gives the request an id, or keeps the one that it came with, says it in the answer, and writes
/// the request down once it is answered. The query is left out: it may be anything.
pub(crate) async fn accompany(
    State(api): State<Arc<Api>>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = id_of(request.headers());
    let asking = Asking::default();
    request.extensions_mut().insert(asking.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let body = problem.body(Some(&id));
        if response.status().is_server_error() {
            let problem = String::from_utf8_lossy(&body);
            tracing::error!(request_id = id, %problem, "a request could not be answered");
        }
        response.headers_mut().insert(header::CONTENT_LENGTH, body.len().into());
        *response.body_mut() = body.into();
    }
    let (took, status) = (begun.elapsed(), response.status().as_u16());
    let who = asking.0.get();
    tracing::info!(
        target: "powerfill::access",
        request_id = id,
        tenant = who.map(|who| who.tenant.as_str()),
        actor = who.map(|who| who.actor.as_str()),
        token = who.and_then(|who| who.token.as_deref()),
        %method,
        path,
        status,
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    api.figures.answered(method.as_str(), route.as_deref(), status, took);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The id that a request came with, where it fits into a log, or a new one.
fn id_of(headers: &HeaderMap) -> String {
    let fits = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(fits);
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}
