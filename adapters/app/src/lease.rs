//! Holding a run while it is worked on (specification 4.4): claimed for a while, renewed, and given up where the store does
//! not answer any more.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::runs::Lease;
use powerfill_ports::{Store, StoreError};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, sleep_until, timeout};

use crate::Runner;
use crate::control::{RunControl, StopReason};
use crate::retry::retry_with_backoff;

/// A store that has not answered for so many leases is given up: another worker has long been free to take the run.
const SILENT_LEASES: u32 = 4;

/// The end of a lease that begins now.
fn until(now: Timestamp, lease: Duration) -> Timestamp {
    let micros = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.micros().saturating_add(micros))
}

impl<S: Store + ?Sized + 'static> Runner<S> {
    /// Takes a run for as long as a lease is. Where the answer does not come, whatever it was is over with that lease.
    pub(crate) async fn claim(&self) -> Result<Option<Lease>, StoreError> {
        let claim = || async {
            let now = self.clock.now();
            self.store.claim(&self.worker, now, until(now, self.lease)).await
        };
        let claimed = timeout(self.lease * SILENT_LEASES, retry_with_backoff(claim)).await;
        claimed.unwrap_or_else(|_| Err(StoreError::Unavailable("it does not answer".to_owned())))
    }

    /// Renews the lease while the run goes on; stops the run where the lease is lost.
    pub(crate) fn keep_lease(&self, lease: Lease, control: RunControl) -> Renewing {
        let (store, clock, every) = (Arc::clone(&self.store), Arc::clone(&self.clock), self.lease);
        let heard = Arc::new(Mutex::new(Instant::now()));
        let hears = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval((every / 4).min(Duration::from_millis(500)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let renewed = store.renew(lease, until(clock.now(), every));
                // One that hangs is given up, and the next one tried.
                let Ok(answer) = timeout(every, renewed).await else { continue };
                *hears.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                match answer {
                    Ok(Some(by)) => control.cancel(by),
                    Err(StoreError::LeaseLost(_)) => {
                        control.stop(StopReason::LeaseLost);
                        return;
                    }
                    // The store may come back before the lease is over.
                    Ok(None) | Err(_) => {}
                }
            }
        });
        Renewing { task, heard, long: self.lease * SILENT_LEASES }
    }
}

/// What renews a lease. Dropped, it renews no more: whoever gives up a run half-way leaves it to others.
pub(crate) struct Renewing {
    task: JoinHandle<()>,
    /// When the store answered last, whatever it said.
    heard: Arc<Mutex<Instant>>,
    long: Duration,
}

impl Renewing {
    /// Waits until the store has not answered for a long time.
    pub(crate) async fn silence(&self) {
        loop {
            let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            let over = heard + self.long;
            if over <= Instant::now() {
                return;
            }
            sleep_until(over).await;
        }
    }

    pub(crate) async fn end(mut self) {
        self.task.abort();
        // Aborted is not yet gone: whoever watches must be free again when this returns.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Renewing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What to say of that.
pub(crate) fn silent(run: RunId) -> StoreError {
    StoreError::Unavailable(format!(
        "it has not answered for a long time; run {run} is there for whoever takes it up"
    ))
}
