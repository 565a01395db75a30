//! Who asks: the token, the tenant that it opens, the role that it has (specification 4.3). Looked
//! at before anything else of a request, so that a refusal says nothing about whether the thing
//! exists.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use powerfill_ports::Store;

use crate::access::{Asking, Who};
use crate::api::{Api, Tenant};
use crate::problem::{Answer, Problem, ProblemKind, internal};
use crate::tokens::Role;

/// The header that names the tenant.
pub(crate) const TENANT: &str = "x-tenant-id";

/// Who asks, for whom.
pub(crate) struct Caller {
    pub(crate) tenant: Arc<dyn Tenant>,
    /// Who changes are recorded by.
    pub(crate) actor: String,
    /// The id of the token; none where the service has no tokens.
    token: Option<String>,
}

impl Caller {
    /// The tenant's store.
    pub(crate) async fn store(&self) -> Answer<Arc<dyn Store>> {
        self.tenant.store().await.map_err(|error| {
            tracing::error!(tenant = self.tenant.id(), error, "the store cannot be opened");
            Problem::new(
                ProblemKind::Unavailable,
                "The tenant's store cannot be opened; try again later.",
            )
        })
    }
}

/// A caller who may read.
pub(crate) struct Viewer(pub(crate) Caller);

/// A caller who may ask for runs and cancel them.
pub(crate) struct Operator(pub(crate) Caller);

/// A caller who may whatever the service offers.
pub(crate) struct Admin(pub(crate) Caller);

impl FromRequestParts<Arc<Api>> for Viewer {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Answer<Self> {
        admit(api, parts, Role::Viewer).map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for Operator {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Answer<Self> {
        admit(api, parts, Role::Operator).map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for Admin {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Answer<Self> {
        admit(api, parts, Role::Admin).map(Self)
    }
}

/// Whoever asks is known, has a role that reaches, asks for his own tenant, and not too often; and
/// is written down.
fn admit(api: &Api, parts: &Parts, needed: Role) -> Answer<Caller> {
    let caller = known(api, &parts.headers, needed);
    let token = caller.as_ref().map_or(None, |caller| caller.token.as_deref());
    api.rates.take(token)?;
    if let (Ok(caller), Some(asking)) = (&caller, parts.extensions.get::<Asking>()) {
        asking.is(Who {
            tenant: caller.tenant.id().to_owned(),
            actor: caller.actor.clone(),
            token: caller.token.clone(),
        });
    }
    caller
}

fn known(api: &Api, headers: &HeaderMap, needed: Role) -> Answer<Caller> {
    let tokens = api.tokens.all().map_err(|error| internal(&error))?;
    if !api.closed && tokens.is_empty() {
        return without_tokens(api, headers);
    }
    let nobody = || {
        let detail = "Send `Authorization: Bearer TOKEN` with a token that is neither revoked nor expired; \
                      `powerfill token create` makes one.";
        Problem::new(ProblemKind::Unauthorized, detail)
    };
    let text = bearer(headers).ok_or_else(nobody)?;
    let found = api.tokens.find(text, api.clock.now()).map_err(|error| internal(&error))?;
    let token = found.ok_or_else(nobody)?;
    let named = tenant_of(headers)?;
    let not_yours = || {
        let detail = format!(
            "It takes a token of the tenant that X-Tenant-Id names, with the role {} or a higher one.",
            needed.name()
        );
        Problem::new(ProblemKind::Forbidden, detail)
    };
    if token.tenant != named || token.role < needed {
        return Err(not_yours());
    }
    let tenant = api.tenants.get(named).ok_or_else(not_yours)?;
    Ok(Caller { tenant: Arc::clone(tenant), actor: token.name, token: Some(token.id) })
}

/// On this machine alone, and by a name of this machine: a page of the web that has its own name
/// resolve to here is a stranger.
fn without_tokens(api: &Api, headers: &HeaderMap) -> Answer<Caller> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_loopback(host) {
        let detail = "Without tokens the service answers on this machine only; make one with `powerfill token create`.";
        return Err(Problem::new(ProblemKind::Forbidden, detail));
    }
    let tenant = api.tenants.get(tenant_of(headers)?).ok_or_else(|| {
        Problem::new(ProblemKind::Forbidden, "X-Tenant-Id names no tenant of powerfill.toml.")
    })?;
    Ok(Caller { tenant: Arc::clone(tenant), actor: "http".to_owned(), token: None })
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

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn tenant_of(headers: &HeaderMap) -> Answer<&str> {
    let missing = || Problem::bad("Name the tenant with the header X-Tenant-Id.");
    let mut named = headers.get_all(TENANT).iter();
    let one = named.next().and_then(|name| name.to_str().ok()).filter(|name| !name.is_empty());
    match named.next() {
        None => one.ok_or_else(missing),
        Some(_) => Err(Problem::bad("X-Tenant-Id is there more than once.")),
    }
}
