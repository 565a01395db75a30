//! Waiting in tests: always for a condition, never for an amount of time.
//!
//! A test must give the same verdict on a fast and on a heavily loaded machine. It therefore waits
//! until a condition holds, and the only time limit is [`WAIT_LIMIT`].

use std::fmt::Display;
use std::time::{Duration, Instant};

use powerfill_ports::StoreResult;

/// How long a test waits for one condition before it fails. A passing test never waits this long,
/// so the limit is far above what the slowest machine needs.
pub const WAIT_LIMIT: Duration = Duration::from_secs(600);

/// The pause between two checks of a condition.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Checks a condition until it holds.
///
/// # Panics
/// If the condition does not hold within [`WAIT_LIMIT`]. The message names `what`.
pub async fn eventually(what: impl Display, mut condition: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < WAIT_LIMIT, "waited {WAIT_LIMIT:?} in vain: {what}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// As [`eventually()`], for tests without an async runtime.
///
/// # Panics
/// If the condition does not hold within [`WAIT_LIMIT`]. The message names `what`.
pub fn eventually_blocking(what: impl Display, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < WAIT_LIMIT, "waited {WAIT_LIMIT:?} in vain: {what}");
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Awaits a future that must complete.
///
/// # Panics
/// If the future does not complete within [`WAIT_LIMIT`]. The message names `what`.
pub async fn completed<T>(what: impl Display, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(WAIT_LIMIT, future).await {
        Ok(output) => output,
        Err(_) => panic!("waited {WAIT_LIMIT:?} in vain: {what}"),
    }
}

/// Repeats a store call while the store is unavailable, as the application does.
///
/// # Panics
/// If the call fails with another error, or the store stays unavailable for [`WAIT_LIMIT`].
pub async fn retry_while_unavailable<T, F>(mut call: impl FnMut() -> F) -> T
where
    F: Future<Output = StoreResult<T>>,
{
    let started = Instant::now();
    loop {
        match call().await {
            Ok(output) => return output,
            Err(error) => {
                assert!(error.is_transient() && started.elapsed() < WAIT_LIMIT, "{error}");
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        }
    }
}
