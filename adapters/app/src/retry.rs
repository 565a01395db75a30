//! Retries of calls to a store that is away for a moment (specification 4.4).

use std::time::{Duration, Instant};

use powerfill_ports::retry::RetryPolicy;
use powerfill_ports::waiting::{SILENT, announce};
use powerfill_ports::{StoreError, StoreResult};

/// About eleven seconds in all: a server restarts and reads its log in that time, and it is well
/// within a lease.
const POLICY: RetryPolicy =
    RetryPolicy::attempts(10, Duration::from_millis(100), Duration::from_secs(2));

/// The pauses of the policy together.
const AT_MOST: &str = "11 s";

/// Makes a call again while the store is unavailable. That is safe for every call of the ports: a
/// call that failed as unavailable did nothing, or, for an append, the store recognizes the second
/// one.
pub(crate) async fn retry_with_backoff<T, F>(call: impl FnMut() -> F) -> StoreResult<T>
where
    F: Future<Output = StoreResult<T>>,
{
    let begun = Instant::now();
    let may_pass = |error: &StoreError| {
        if error.is_transient() && begun.elapsed() >= SILENT {
            announce(error, AT_MOST);
        }
        error.is_transient()
    };
    POLICY.retry(call, may_pass).await
}
