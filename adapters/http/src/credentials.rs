//! What a request brings to be let in: a bearer token, or the cookie of a session.

use axum::http::{HeaderMap, Method, header};
use cookie::{Cookie, SameSite};
use powerfill_events::values::Timestamp;

use crate::api::Api;
use crate::problem::{ApiResult, Problem, ProblemKind, internal};
use crate::session_file::is_csrf_token;
use crate::tokens::Token;

/// The cookie over TLS. Browsers accept the prefix only of this host, and only with `Secure`.
const SECURE_COOKIE: &str = "__Host-powerfill";
/// The cookie without TLS.
const PLAIN_COOKIE: &str = "powerfill";

/// The header with the CSRF token of the session.
const CSRF_HEADER: &str = "x-csrf-token";

/// The valid tokens of a request.
#[derive(Default)]
pub(crate) struct Credentials {
    /// One of a bearer, or those of a session, each of another tenant.
    pub(crate) tokens: Vec<Token>,
    /// The session, if there is no bearer.
    pub(crate) session: Option<OpenSession>,
}

/// The session of a request.
pub(crate) struct OpenSession {
    pub(crate) secret: String,
    pub(crate) expires_at: Timestamp,
}

impl Credentials {
    /// Reads the headers of a request. A bearer token comes before a cookie.
    ///
    /// # Errors
    /// If the file of the tokens or of the sessions cannot be read.
    pub(crate) fn read(api: &Api, headers: &HeaderMap) -> ApiResult<Self> {
        let now = api.clock.now();
        if let Some(text) = bearer(headers) {
            let token = api.tokens.find(text, now).map_err(|error| internal(&error))?;
            return Ok(Self { tokens: token.into_iter().collect(), session: None });
        }
        for secret in cookies(headers) {
            let session = api.sessions.find(&secret, now).map_err(|error| internal(&error))?;
            let Some(session) = session else { continue };
            let tokens = api.tokens.valid(&session.tokens, now);
            let tokens = tokens.map_err(|error| internal(&error))?;
            let expires_at = session.expires_at;
            return Ok(Self { tokens, session: Some(OpenSession { secret, expires_at }) });
        }
        Ok(Self::default())
    }
}

impl OpenSession {
    /// Refuses a change whose only credential is the cookie, which a browser also sends where a
    /// page of another service asks it to.
    ///
    /// # Errors
    /// [`ProblemKind::Csrf`] without the CSRF token of the session.
    pub(crate) fn ensure_own_page(&self, method: &Method, headers: &HeaderMap) -> ApiResult<()> {
        let given = headers.get(CSRF_HEADER).and_then(|given| given.to_str().ok());
        if method.is_safe() || given.is_some_and(|given| is_csrf_token(&self.secret, given)) {
            return Ok(());
        }
        let detail = "Send X-CSRF-Token with the `csrf` of GET /api/powerfill/session.";
        Err(Problem::new(ProblemKind::Csrf, detail))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The secrets of all cookies of ours; a browser can have one of each name.
fn cookies(headers: &HeaderMap) -> Vec<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|text| text.to_str().ok());
    let cookies = texts.flat_map(Cookie::split_parse).filter_map(Result::ok);
    let ours = cookies.filter(|cookie| [SECURE_COOKIE, PLAIN_COOKIE].contains(&cookie.name()));
    ours.map(|cookie| cookie.value().to_owned()).collect()
}

/// Whether the browser speaks TLS: it says so itself in `Origin`, and a proxy in
/// `X-Forwarded-Proto`. A caller who says something else changes only its own cookie.
fn is_secure(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|text| text.to_str().ok());
    text("origin").is_some_and(|origin| origin.starts_with("https://"))
        || text("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// The value of `Set-Cookie` for a session of so many seconds; 0 removes the cookie.
pub(crate) fn set_cookie(headers: &HeaderMap, secret: &str, seconds: i64) -> String {
    let is_secure = is_secure(headers);
    let name = if is_secure { SECURE_COOKIE } else { PLAIN_COOKIE };
    let cookie = Cookie::build((name, secret)).path("/").http_only(true);
    let cookie = cookie.same_site(SameSite::Strict).secure(is_secure);
    cookie.max_age(cookie::time::Duration::seconds(seconds)).to_string()
}
