//! The rate of requests (specification 5.4). Each token has a limit of its own. All requests
//! without a valid token share one, so that guesses take nothing from callers with a token.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::problem::{ApiResult, Problem, ProblemKind};

/// The limits in memory. Beyond them, those that are not in use are dropped.
const MAX_LIMITS: usize = 10_000;

/// A request may come in a burst of this many seconds' requests.
const BURST: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// The limits of all tokens.
pub(crate) struct RateLimits {
    limiter: RateLimiter<String, HashMapStateStore<String>, DefaultClock>,
    per_second: NonZeroU32,
}

impl RateLimits {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(per_second.saturating_mul(BURST));
        Self { limiter: RateLimiter::hashmap(quota), per_second }
    }

    /// Counts a request of a token, by its id, or of a caller without one.
    ///
    /// # Errors
    /// If the rate is exceeded, with the seconds to wait.
    pub(crate) fn take(&self, token: Option<&str>) -> ApiResult<()> {
        if self.limiter.len() > MAX_LIMITS {
            self.limiter.retain_recent();
        }
        // No token has an empty id.
        let Err(until) = self.limiter.check_key(&token.unwrap_or_default().to_owned()) else {
            return Ok(());
        };
        let wait = until.wait_time_from(DefaultClock::default().now());
        let seconds = wait.saturating_add(Duration::from_millis(999)).as_secs().max(1);
        let per_second = self.per_second;
        let detail = format!("More than {per_second} requests per second; wait {seconds} s.");
        Err(Problem::new(ProblemKind::TooMany, detail).retry_after(seconds))
    }
}
