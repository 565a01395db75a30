//! Growing pauses between attempts, for calls to a store, a broker, or a database that may be
//! unavailable for a short time (specification 4.4).

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};

/// Pauses that double from attempt to attempt, up to the longest one.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy(ExponentialBuilder);

impl RetryPolicy {
    /// A policy that makes this many attempts and then returns the last error.
    pub const fn attempts(attempts: usize, first: Duration, longest: Duration) -> Self {
        let builder = ExponentialBuilder::new().with_factor(2.0);
        let builder = builder.with_min_delay(first).with_max_delay(longest);
        Self(builder.with_max_times(attempts - 1))
    }

    /// A policy without a last attempt.
    pub const fn endless(first: Duration, longest: Duration) -> Self {
        let Self(builder) = Self::attempts(1, first, longest);
        Self(builder.without_max_times())
    }

    /// Adds up to its own length to each pause at random, so that clients that were refused
    /// together do not return together.
    #[must_use]
    pub const fn with_jitter(self) -> Self {
        Self(self.0.with_jitter())
    }

    /// Makes a call again after each error that may pass.
    ///
    /// # Errors
    /// The first error that does not pass, or that of the last attempt.
    pub async fn retry<T, E, F>(
        self,
        call: impl FnMut() -> F,
        may_pass: impl FnMut(&E) -> bool,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        call.retry(self.0).when(may_pass).await
    }

    /// The pauses, for a loop that does more than one call per attempt.
    pub fn pauses(self) -> Pauses {
        Pauses { policy: self.0, next: self.0.build() }
    }
}

/// The pauses of a loop.
#[derive(Debug)]
pub struct Pauses {
    policy: ExponentialBuilder,
    next: <ExponentialBuilder as BackoffBuilder>::Backoff,
}

impl Pauses {
    /// Begins with the first pause again, after a success.
    pub fn reset(&mut self) {
        self.next = self.policy.build();
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.next.next()
    }
}
