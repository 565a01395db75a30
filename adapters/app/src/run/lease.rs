//! The lease on a run while it is worked on (specification 4.4): claimed, renewed, and given up if
//! the store does not answer anymore.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::runs::Lease;
use powerfill_ports::{Store, StoreError, StoreResult};
use tokio::select;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};

use super::Runner;
use super::control::{RunControl, StopReason};
use crate::retry::retry_with_backoff;

/// How often the store is asked whether the run is to be cancelled. It answers while it writes.
const CANCEL_POLL: Duration = Duration::from_millis(100);

/// A store that was silent for so many leases is given up: other workers could take the run long
/// ago.
const SILENT_LEASES: u32 = 4;

/// The end of a lease that begins now.
fn lease_end(now: Timestamp, lease: Duration) -> Timestamp {
    let micros = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.micros().saturating_add(micros))
}

impl Runner {
    /// Claims the next run. If the answer does not come, a lease that the store may have granted
    /// has ended by then.
    pub(crate) async fn claim(&self) -> StoreResult<Option<Lease>> {
        let claim = || async {
            let now = self.clock.now();
            self.store.claim(&self.worker, now, lease_end(now, self.lease)).await
        };
        let claimed = timeout(self.lease * SILENT_LEASES, retry_with_backoff(claim)).await;
        claimed.unwrap_or_else(|_| Err(StoreError::Unavailable("it does not answer".into())))
    }

    /// Renews the lease while the run goes on, passes a requested cancel on, and stops the run if
    /// the lease is lost.
    pub(crate) fn keep_lease(&self, lease: Lease, control: RunControl) -> LeaseRenewal {
        let (store, clock, length) = (Arc::clone(&self.store), Arc::clone(&self.clock), self.lease);
        let last_answer = Arc::new(Mutex::new(Instant::now()));
        let answered = Arc::clone(&last_answer);
        let task = tokio::spawn(async move {
            let cancels = pass_cancels_on(store.as_ref(), lease.run_id, &control, length);
            let renewals = async {
                let mut ticks = ticks((length / 4).min(Duration::from_millis(500)));
                loop {
                    ticks.tick().await;
                    let renewed = store.renew(lease, lease_end(clock.now(), length));
                    // A renewal that hangs is dropped, and the next one tried.
                    let Ok(answer) = timeout(length, renewed).await else { continue };
                    *answered.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                    match answer {
                        Ok(Some(by)) => control.cancel(by),
                        Err(StoreError::LeaseLost(_)) => {
                            control.stop(StopReason::LeaseLost);
                            return;
                        }
                        // The store may be back before the lease ends.
                        Ok(None) | Err(_) => {}
                    }
                }
            };
            select! {
                // In this order, so that a simulated worker does the same each time.
                biased;
                () = renewals => {}
                () = cancels => {}
            }
        });
        LeaseRenewal { task, last_answer, silence: self.lease * SILENT_LEASES }
    }
}

/// Passes a requested cancel on. A renewal answers the same, but waits until the store has written
/// what it is given before.
async fn pass_cancels_on(store: &dyn Store, run: RunId, control: &RunControl, at_most: Duration) {
    let mut ticks = ticks(CANCEL_POLL);
    loop {
        ticks.tick().await;
        // What the renewals do about errors and silence is enough.
        let queued = timeout(at_most, store.run(run)).await;
        let requested = queued.ok().and_then(Result::ok).flatten();
        if let Some(by) = requested.and_then(|queued| queued.cancel_requested_by) {
            control.cancel(by);
        }
    }
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The renewals of a lease. They end when this is dropped, so that other workers can take the run.
pub(crate) struct LeaseRenewal {
    task: JoinHandle<()>,
    /// When the store answered last; errors count too.
    last_answer: Arc<Mutex<Instant>>,
    /// How long the store may be silent.
    silence: Duration,
}

impl LeaseRenewal {
    /// Waits until the store has been silent for too long.
    pub(crate) async fn store_silent(&self) {
        loop {
            let last = *self.last_answer.lock().unwrap_or_else(PoisonError::into_inner);
            let end = last + self.silence;
            if end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }

    /// Ends the renewals, and waits until the task has dropped what it borrowed.
    pub(crate) async fn end(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for LeaseRenewal {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn silent_store(run: RunId) -> StoreError {
    StoreError::Unavailable(
        format!("it has not answered for a long time; another worker can take run {run} up").into(),
    )
}
