//! The session of a browser (specification 4.3): who it is, begun with a token, and ended.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::Api;
use crate::caller::{TENANT, ensure_this_machine, unauthorized};
use crate::credentials::{Credentials, OpenSession, set_cookie};
use crate::extract::Body;
use crate::problem::{ApiResult, internal};
use crate::session_file::csrf_token;
use crate::tokens::{Token, TokenRole};

/// A tenant that the caller may open.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpenTenant {
    tenant_id: String,
    /// What the caller may do there.
    role: TokenRole,
    /// The actor of the changes that the caller makes there.
    actor: String,
    /// When the token expires; null without tokens.
    expires_at: Option<String>,
}

impl OpenTenant {
    fn of(token: &Token) -> Self {
        Self {
            tenant_id: token.tenant.clone(),
            role: token.role,
            actor: token.name.clone(),
            expires_at: Some(token.expires_at.to_string()),
        }
    }
}

/// Who the caller is.
#[derive(Serialize, ToSchema)]
#[schema(as = Session, example = json!({
    "required": true, "authenticated": true,
    "tenants": [{ "tenant_id": "ACME", "role": "operator", "actor": "ann",
        "expires_at": "2026-02-14T10:00:00.000000Z" }],
    "csrf": "5f1c…", "expires_at": "2026-01-15T22:00:00.000000Z"
}))]
pub(crate) struct SessionView {
    /// Whether the service needs a token.
    required: bool,
    /// Whether the caller may open at least one tenant.
    authenticated: bool,
    /// The tenants, ordered by id.
    tenants: Vec<OpenTenant>,
    /// What every change by cookie needs as `X-CSRF-Token`; null without a session.
    csrf: Option<String>,
    /// When the session ends; null without a session.
    expires_at: Option<String>,
}

impl SessionView {
    fn of(api: &Api, credentials: &Credentials) -> Self {
        let known =
            credentials.tokens.iter().filter(|token| api.tenants.contains_key(&token.tenant));
        let mut tenants: Vec<OpenTenant> = known.map(OpenTenant::of).collect();
        tenants.sort_by(|one, other| one.tenant_id.cmp(&other.tenant_id));
        // A session whose tokens are all revoked is none.
        let session = credentials.session.as_ref().filter(|_| !tenants.is_empty());
        Self {
            required: true,
            authenticated: !tenants.is_empty(),
            csrf: session.map(|session| csrf_token(&session.secret)),
            expires_at: session.map(|session| session.expires_at.to_string()),
            tenants,
        }
    }

    /// Without tokens, this machine may do everything.
    fn of_this_machine(api: &Api) -> Self {
        let tenant = |id: &String| OpenTenant {
            tenant_id: id.clone(),
            role: TokenRole::Admin,
            actor: "http".to_owned(),
            expires_at: None,
        };
        Self {
            required: false,
            authenticated: true,
            tenants: api.tenants.keys().map(tenant).collect(),
            csrf: None,
            expires_at: None,
        }
    }
}

/// Who the caller is: by a bearer token, by the cookie of a session, or without either.
///
/// Needs no token, and never answers 401.
#[utoipa::path(get, operation_id = "session", path = "/api/powerfill/session", tag = "session",
    responses((status = 200, body = SessionView), (status = 403), (status = 429),
        (status = 500)))]
pub(crate) async fn show(State(api): State<Arc<Api>>, headers: HeaderMap) -> ApiResult<Response> {
    if !api.asks_for_tokens()? {
        api.rates.take(None)?;
        ensure_this_machine(&headers)?;
        return Ok(answer(&SessionView::of_this_machine(&api), None));
    }
    let credentials = Credentials::read(&api, &headers)?;
    api.rates.take(credentials.tokens.first().map(|token| &*token.id))?;
    Ok(answer(&SessionView::of(&api, &credentials), None))
}

/// A token to begin a session with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionRequest {
    /// The text of the token, as `powerfill token create` printed it.
    token: String,
}

/// Begins a session, or adds the token of another tenant to the present one.
///
/// The cookie is `HttpOnly` and `SameSite=Strict`, and `Secure` over TLS. The session lasts 12
/// hours, at most as long as its tokens, and ends at once when they are revoked.
#[utoipa::path(post, operation_id = "begin_session", path = "/api/powerfill/session",
    tag = "session", request_body = SessionRequest,
    params(("X-CSRF-Token" = Option<String>, Header, description = "If there is a session")),
    responses((status = 200, body = SessionView, headers(("Set-Cookie" = String,
        description = "The cookie"))), (status = 400), (status = 401), (status = 403),
        (status = 429), (status = 500)))]
pub(crate) async fn begin(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Body(request): Body<SessionRequest>,
) -> ApiResult<Response> {
    // All callers without a token share the rate, so that guesses take nothing from the others.
    api.rates.take(None)?;
    if !api.asks_for_tokens()? {
        ensure_this_machine(&headers)?;
        return Ok(answer(&SessionView::of_this_machine(&api), None));
    }
    let now = api.clock.now();
    let found = api.tokens.find(request.token.trim(), now).map_err(|error| internal(&error))?;
    let token = found.filter(|token| api.tenants.contains_key(&token.tenant));
    let token = token.ok_or_else(unauthorized)?;
    let mut former = Credentials::read(&api, &headers)?;
    let former_session = former.session.take();
    let mut tokens = match &former_session {
        None => Vec::new(),
        Some(_) => former.tokens,
    };
    if let Some(session) = former_session.as_ref().filter(|_| !tokens.is_empty()) {
        session.ensure_own_page(&Method::POST, &headers)?;
    }
    tokens.retain(|other| other.tenant != token.tenant);
    tokens.push(token);
    let secret = former_session.as_ref().map(|session| &*session.secret);
    let (secret, session) =
        api.sessions.begin(&tokens, secret, now).map_err(|error| internal(&error))?;
    let seconds = (session.expires_at.micros() - now.micros()) / 1_000_000;
    let cookie = set_cookie(&headers, &secret, seconds);
    let open = OpenSession { secret, expires_at: session.expires_at };
    let credentials = Credentials { tokens, session: Some(open) };
    Ok(answer(&SessionView::of(&api, &credentials), Some(cookie)))
}

/// Ends the session of the cookie.
#[utoipa::path(delete, operation_id = "end_session", path = "/api/powerfill/session",
    tag = "session",
    params(("X-CSRF-Token" = Option<String>, Header, description = "If there is a session")),
    responses((status = 204, headers(("Set-Cookie" = String, description = "Removes the cookie"))),
        (status = 403), (status = 429), (status = 500)))]
pub(crate) async fn end(State(api): State<Arc<Api>>, headers: HeaderMap) -> ApiResult<Response> {
    api.rates.take(None)?;
    if let Some(session) = Credentials::read(&api, &headers)?.session {
        session.ensure_own_page(&Method::DELETE, &headers)?;
        api.sessions.end(&session.secret).map_err(|error| internal(&error))?;
    }
    let cookie = set_cookie(&headers, "", 0);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

fn answer(view: &SessionView, cookie: Option<String>) -> Response {
    let mut answer = ([(CACHE_CONTROL, "no-store")], Json(view)).into_response();
    let cookie = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok());
    answer.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    answer
}

/// Takes the tenant of a GET from the query where a browser can send no header: an EventSource, a
/// link to a file. A change needs the header, which a page of another service cannot send.
pub(crate) async fn tenant_from_query(mut request: Request, next: Next) -> Response {
    let (Some(query), true) = (request.uri().query(), request.method().is_safe()) else {
        return next.run(request).await;
    };
    let is_tenant = |pair: &&str| {
        pair.split_once('=').is_some_and(|(name, _)| name.eq_ignore_ascii_case(TENANT))
    };
    let (tenants, others): (Vec<&str>, Vec<&str>) = query.split('&').partition(is_tenant);
    if tenants.is_empty() {
        return next.run(request).await;
    }
    let path = request.uri().path();
    let uri = match others.is_empty() {
        true => path.to_owned(),
        false => format!("{path}?{}", others.join("&")),
    };
    let names = tenants.iter().filter_map(|pair| pair.split_once('='));
    let names: Vec<HeaderValue> = names
        .filter_map(|(_, name)| {
            let name: Vec<u8> = percent_decode_str(&name.replace('+', " ")).collect();
            HeaderValue::from_bytes(&name).ok()
        })
        .collect();
    if let Ok(uri) = uri.parse() {
        *request.uri_mut() = uri;
    }
    for name in names {
        request.headers_mut().append(HeaderName::from_static(TENANT), name);
    }
    next.run(request).await
}
