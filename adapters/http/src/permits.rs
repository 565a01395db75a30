//! Permits for work that needs much memory or a processor for long, and for event streams
//! (specification 4.3). Each tenant has its own, and each caller a share of those of the tenant: a
//! request never waits for another tenant, and one caller cannot take all permits of a tenant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::problem::{ApiResult, Problem, ProblemKind, internal};

/// The seconds after which a refused caller may try again.
const RETRY_AFTER: u64 = 5;

/// A tenant, and a caller of it by the id of the token; `None` stands for the tenant as a whole.
type Holder = (String, Option<String>);

/// The permits of all tenants for one kind of work.
pub(crate) struct Permits {
    /// What a permit is for, for the refusal.
    what: &'static str,
    per_caller: usize,
    per_tenant: usize,
    semaphores: Mutex<BTreeMap<Holder, Arc<Semaphore>>>,
}

/// A permit, until it is dropped.
pub(crate) struct Permit {
    _of_caller: OwnedSemaphorePermit,
    _of_tenant: OwnedSemaphorePermit,
}

impl Permits {
    pub(crate) fn new(what: &'static str, per_caller: usize, per_tenant: usize) -> Self {
        Self { what, per_caller, per_tenant, semaphores: Mutex::default() }
    }

    /// Waits for a permit, at most this long. A caller waits with one request for the permits of
    /// the tenant and with the others for its own, so that callers take turns.
    pub(crate) async fn acquire(
        &self,
        tenant: &str,
        token: Option<&str>,
        at_most: Duration,
    ) -> ApiResult<Permit> {
        let [own, shared] = self.semaphores(tenant, token);
        let waiting = async {
            // The semaphores are never closed.
            let of_caller = own.acquire_owned().await.map_err(|error| internal(&error))?;
            let of_tenant = shared.acquire_owned().await.map_err(|error| internal(&error))?;
            Ok(Permit { _of_caller: of_caller, _of_tenant: of_tenant })
        };
        timeout(at_most, waiting).await.unwrap_or_else(|_| Err(self.refusal()))
    }

    /// A permit, if one is free now.
    pub(crate) fn try_acquire(&self, tenant: &str, token: Option<&str>) -> ApiResult<Permit> {
        let [own, shared] = self.semaphores(tenant, token);
        let taken = own.try_acquire_owned().and_then(|of_caller| {
            let of_tenant = shared.try_acquire_owned()?;
            Ok(Permit { _of_caller: of_caller, _of_tenant: of_tenant })
        });
        taken.map_err(|_| self.refusal())
    }

    fn refusal(&self) -> Problem {
        let Self { what, per_caller, per_tenant, .. } = self;
        let detail = format!(
            "A token has at most {per_caller} {what} at a time, and a tenant {per_tenant}; try \
             again when one of them has ended."
        );
        let problem = Problem::new(ProblemKind::Unavailable, detail).retry_after(RETRY_AFTER);
        problem.exhausted(self.what, self.per_caller)
    }

    /// The permits of the caller, and those of the tenant.
    fn semaphores(&self, tenant: &str, token: Option<&str>) -> [Arc<Semaphore>; 2] {
        // Without tokens, the callers on this machine share the permits of the tenant. No token
        // has an empty id.
        let per_caller = if token.is_some() { self.per_caller } else { self.per_tenant };
        let token = token.unwrap_or_default().to_owned();
        let mut semaphores = self.semaphores.lock();
        [(Some(token), per_caller), (None, self.per_tenant)].map(|(of, permits)| {
            let semaphore = semaphores.entry((tenant.to_owned(), of));
            Arc::clone(semaphore.or_insert_with(|| Arc::new(Semaphore::new(permits))))
        })
    }
}
