//! The rate of requests (specification 5.4). Each token has a limit of its own. All requests
//! without a valid token share one, so that guesses take nothing from callers with a token.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::problem::{ApiResult, Problem, ProblemKind};

/// The limits in memory. Beyond them, those that are not in use are dropped.
const MAX_LIMITS: usize = 10_000;

/// A request may come in a burst of this many seconds' requests.
const BURST: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// The headers of a limit (draft-ietf-httpapi-ratelimit-headers).
const POLICY: &str = "ratelimit-policy";
const STATE: &str = "ratelimit";

/// The limits of all tokens.
pub(crate) struct RateLimits {
    limiter:
        RateLimiter<String, HashMapStateStore<String>, DefaultClock, StateInformationMiddleware>,
    per_second: NonZeroU32,
}

impl RateLimits {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(per_second.saturating_mul(BURST));
        let limiter = RateLimiter::hashmap(quota).with_middleware();
        Self { limiter, per_second }
    }

    /// Counts a request of a token, by its id, or of a caller without one. Returns the requests
    /// that may still come now.
    ///
    /// # Errors
    /// If the rate is exceeded, with the seconds to wait.
    pub(crate) fn take(&self, token: Option<&str>) -> ApiResult<u32> {
        if self.limiter.len() > MAX_LIMITS {
            self.limiter.retain_recent();
        }
        // No token has an empty id.
        let until = match self.limiter.check_key(&token.unwrap_or_default().to_owned()) {
            Ok(state) => return Ok(state.remaining_burst_capacity()),
            Err(until) => until,
        };
        let wait = until.wait_time_from(DefaultClock::default().now());
        let seconds = wait.saturating_add(Duration::from_millis(999)).as_secs().max(1);
        let per_second = self.per_second;
        let detail = format!("More than {per_second} requests per second; wait {seconds} s.");
        Err(Problem::new(ProblemKind::TooMany, detail).retry_after(seconds))
    }

    /// Adds the limit, and how many requests may still come now, or in how many seconds the next
    /// one.
    pub(crate) fn add_headers(&self, headers: &mut HeaderMap, remaining: u32, wait: Option<u64>) {
        let (burst, seconds) = (self.per_second.saturating_mul(BURST), BURST);
        let wait = wait.map_or_else(String::new, |wait| format!(";t={wait}"));
        let policy = format!("\"requests\";q={burst};w={seconds}");
        append(headers, policy, format!("\"requests\";r={remaining}{wait}"));
    }
}

/// Adds a limit of what goes on at the same time, which is used up.
pub(crate) fn add_exhausted(headers: &mut HeaderMap, what: &str, permits: usize, wait: u64) {
    let policy = format!("\"{what}\";q={permits};qu=\"concurrent-requests\"");
    append(headers, policy, format!("\"{what}\";r=0;t={wait}"));
}

fn append(headers: &mut HeaderMap, policy: String, state: String) {
    for (name, value) in [(POLICY, policy), (STATE, state)] {
        let name = HeaderName::from_static(name);
        headers.extend(HeaderValue::from_str(&value).map(|value| (name, value)));
    }
}
