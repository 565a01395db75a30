//! Authentication and authorization: the token of a request, its tenant, and its role
//! (specification 4.3). They come before anything else, so that a refusal never says whether
//! something exists.

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Version, header};
use powerfill_ports::copying::CopyStore;

use crate::api::Api;
use crate::credentials::Credentials;
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::stream::STREAM_PATH;
use crate::tenant::TenantHandle;
use crate::tokens::TokenRole;

/// The header that names the tenant.
pub(crate) const TENANT: &str = "x-tenant-id";

/// Headers that a request has at most once, because two of them could be read in two ways.
static SINGLE_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::HOST,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static(TENANT),
];

/// Headers that only a proxy adds, besides those that begin with `x-forwarded`.
const PROXY_HEADERS: [&str; 5] = ["forwarded", "via", "x-real-ip", "x-original-url", "x-client-ip"];

/// The caller of a request.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) tenant: Arc<dyn TenantHandle>,
    /// The actor of the changes that the caller makes.
    pub(crate) actor: String,
    /// The id of the token; `None` if the service has no tokens.
    pub(crate) token: Option<String>,
}

/// The caller of a request, for the access log. Authentication fills it in.
#[derive(Clone, Default)]
pub(crate) struct CallerSlot(pub(crate) Arc<OnceLock<Caller>>);

/// The requests that the caller may still send now. Authentication fills it in.
#[derive(Clone, Default)]
pub(crate) struct RateSlot(pub(crate) Arc<OnceLock<u32>>);

impl Caller {
    /// Whether the caller may still go on with what it began: its token is not revoked, and not
    /// expired.
    pub(crate) fn is_admitted_still(&self, api: &Api) -> bool {
        let Some(id) = &self.token else { return matches!(api.asks_for_tokens(), Ok(false)) };
        let valid = api.tokens.valid(std::slice::from_ref(id), api.clock.now());
        valid.is_ok_and(|valid| !valid.is_empty())
    }

    /// The store of the tenant.
    pub(crate) async fn store(&self) -> ApiResult<Arc<dyn CopyStore>> {
        self.tenant.store().await.map_err(|error| {
            tracing::error!(tenant = self.tenant.id(), %error, "the store cannot be opened");
            let detail = "The tenant's store cannot be opened; try again later.";
            Problem::new(ProblemKind::Unavailable, detail)
        })
    }
}

macro_rules! callers {
    ($($(#[doc = $doc:literal])* $role:ident;)*) => {$(
        $(#[doc = $doc])*
        pub(crate) struct $role {
            pub(crate) caller: Caller,
            /// The service that is asked.
            pub(crate) api: Arc<Api>,
        }

        impl FromRequestParts<Arc<Api>> for $role {
            type Rejection = Problem;
            async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> ApiResult<Self> {
                let caller = admit(api, parts, TokenRole::$role)?;
                Ok(Self { caller, api: Arc::clone(api) })
            }
        }
    )*};
}

callers! {
    /// A caller who may read.
    Viewer;
    /// A caller who may also request and cancel runs.
    Operator;
    /// A caller who may use every operation.
    Admin;
}

/// Admits a caller whose role suffices, and who keeps to the rate of requests; tells the access log
/// who it is.
fn admit(api: &Api, parts: &Parts, needed: TokenRole) -> ApiResult<Caller> {
    let caller = authenticate(api, parts, needed);
    let token = caller.as_ref().map_or(None, |caller| caller.token.as_deref());
    let remaining = api.rates.take(token)?;
    if let Some(slot) = parts.extensions.get::<RateSlot>() {
        let _ = slot.0.set(remaining);
    }
    if let (Ok(caller), Some(slot)) = (&caller, parts.extensions.get::<CallerSlot>()) {
        // A request has one caller, so the slot is empty.
        let _ = slot.0.set(caller.clone());
    }
    caller
}

/// What a caller without a valid token is told.
pub(crate) fn unauthorized() -> Problem {
    let detail = "Send `Authorization: Bearer TOKEN` with a token that is neither revoked nor \
                  expired; `powerfill token create` makes one.";
    Problem::new(ProblemKind::Unauthorized, detail)
}

fn authenticate(api: &Api, parts: &Parts, needed: TokenRole) -> ApiResult<Caller> {
    let headers = &parts.headers;
    let is_doubled = |name: &&HeaderName| headers.get_all(*name).iter().count() > 1;
    if let Some(name) = SINGLE_HEADERS.iter().find(is_doubled) {
        return Err(Problem::bad(format!("The header {name} is there more than once.")));
    }
    if let Some(ticket) = ticket(parts) {
        let caller = api.tickets.caller(ticket, api.clock.now());
        let caller = caller.filter(|caller| caller.is_admitted_still(api));
        return caller.ok_or_else(|| {
            let detail = "The ticket is too old, of another server, or its token is not valid any \
                          more; POST /api/powerfill/events/ticket makes one.";
            Problem::new(ProblemKind::Unauthorized, detail)
        });
    }
    if !api.asks_for_tokens()? {
        return local_caller(api, parts);
    }
    let credentials = Credentials::read(api, headers)?;
    if credentials.tokens.is_empty() {
        return Err(unauthorized());
    }
    if let Some(session) = &credentials.session {
        session.ensure_own_page(&parts.method, headers)?;
    }
    let named = tenant_name(headers)?;
    let forbidden = || {
        let detail = format!(
            "This needs a token of the tenant that X-Tenant-Id names, with the role {} or a \
             higher one.",
            needed.name()
        );
        Problem::new(ProblemKind::Forbidden, detail)
    };
    let mut tokens = credentials.tokens.into_iter();
    let token = tokens.find(|token| token.tenant == named && token.role >= needed);
    let token = token.ok_or_else(forbidden)?;
    let tenant = api.tenants.get(named).ok_or_else(forbidden)?;
    Ok(Caller { tenant: Arc::clone(tenant), actor: token.name, token: Some(token.id) })
}

/// The caller of a service without tokens: only this machine, under a name of this machine.
fn local_caller(api: &Api, parts: &Parts) -> ApiResult<Caller> {
    ensure_this_machine(&parts.headers)?;
    // A proxy that adds no header speaks HTTP/1.0, as nginx does by default.
    if parts.version < Version::HTTP_11 {
        return Err(elsewhere());
    }
    let tenant = api.tenants.get(tenant_name(&parts.headers)?).ok_or_else(|| {
        Problem::new(ProblemKind::Forbidden, "X-Tenant-Id names no tenant of powerfill.toml.")
    })?;
    Ok(Caller { tenant: Arc::clone(tenant), actor: "http".to_owned(), token: None })
}

/// Refuses a web page whose own name resolves to this machine, and a proxy, which would let others
/// in.
pub(crate) fn ensure_this_machine(headers: &HeaderMap) -> ApiResult<()> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let is_of_proxy = |name: &HeaderName| {
        PROXY_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded")
    };
    match is_loopback(host) && !headers.keys().any(is_of_proxy) {
        true => Ok(()),
        false => Err(elsewhere()),
    }
}

/// The problem of a request from elsewhere to a service without tokens.
fn elsewhere() -> Problem {
    let detail = "Without tokens the service answers on this machine only, and behind no proxy; \
                  make one with `powerfill token create`.";
    Problem::new(ProblemKind::Forbidden, detail)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The ticket of a request that opens an event stream. It opens nothing else.
fn ticket(parts: &Parts) -> Option<&str> {
    let query = parts.uri.query().filter(|_| parts.uri.path() == STREAM_PATH)?;
    query.split('&').find_map(|parameter| parameter.strip_prefix("ticket="))
}

fn tenant_name(headers: &HeaderMap) -> ApiResult<&str> {
    let named = headers.get(TENANT).and_then(|name| name.to_str().ok());
    let missing = || Problem::bad("Name the tenant with the header X-Tenant-Id.");
    named.filter(|name| !name.is_empty()).ok_or_else(missing)
}
