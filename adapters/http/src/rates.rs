//! How many requests are answered for whom (specification 5.4). Each token has an allowance of its
//! own; all requests without a valid one share another, so that guessing takes nothing from those
//! who may ask.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::problem::{Problem, ProblemKind};

/// How many tokens' allowances are held before full ones are forgotten.
const HELD: usize = 10_000;

/// The allowances.
pub(crate) struct Rates {
    limiter: RateLimiter<String, HashMapStateStore<String>, DefaultClock>,
    each: NonZeroU32,
}

impl Rates {
    /// So many requests a second for each token, and twice as many at once.
    pub(crate) fn new(each: NonZeroU32) -> Self {
        let quota = Quota::per_second(each).allow_burst(each.saturating_mul(TWICE));
        Self { limiter: RateLimiter::hashmap(quota), each }
    }

    /// Takes one request from an allowance: of a token by its id, or of those who have none.
    ///
    /// # Errors
    /// With the seconds after which to ask again.
    pub(crate) fn take(&self, token: Option<&str>) -> Result<(), Problem> {
        if self.limiter.len() > HELD {
            self.limiter.retain_recent();
        }
        // No id of a token is empty.
        let Err(until) = self.limiter.check_key(&token.unwrap_or_default().to_owned()) else {
            return Ok(());
        };
        let wait = until.wait_time_from(DefaultClock::default().now());
        let seconds = wait.saturating_add(Duration::from_millis(999)).as_secs().max(1);
        let each = self.each;
        let detail = format!("More than {each} requests a second; ask again in {seconds} s.");
        Err(Problem::new(ProblemKind::TooMany, detail).after(seconds))
    }
}

const TWICE: NonZeroU32 = NonZeroU32::new(2).unwrap();
