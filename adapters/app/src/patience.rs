//! A store that is away for a moment is asked again (specification 4.4).

use std::time::Duration;

use powerfill_ports::StoreError;

/// How often a store that is away is asked, with growing pauses: some eleven seconds in all, in which a server restarts
/// and reads its log again, and which are well within a lease.
const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Makes a call, again with growing pauses while the store is away. That is safe for every call of the ports: one that
/// is answered as unavailable has done nothing, or, as an append, is recognised.
pub(crate) async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..ATTEMPTS {
        match call().await {
            Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
            done => return done,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    call().await
}
