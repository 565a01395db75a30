//! Runs, from the request to the published tables.
//!
//! * [`request`]: captures a snapshot and queues a run
//! * [`work`]: claims a run and carries it to its end
//! * [`history`]: what the stream has when a worker takes a run up
//! * [`threads`]: the threads below a worker: [`decide`] runs the engine, [`record`] encodes its
//!   events for the store; they exchange [`messages`]
//! * [`lease`]: keeps the claim while the run goes on
//! * [`finish`]: ends a run by what its stream says
//! * [`control`], [`observer`]: stop a run from outside, and see its progress

pub(crate) mod control;
pub(crate) mod decide;
pub(crate) mod envelope;
pub(crate) mod finish;
pub(crate) mod history;
mod lease;
pub(crate) mod messages;
pub(crate) mod observer;
mod record;
pub(crate) mod request;
mod threads;
pub(crate) mod work;

use std::sync::Arc;
use std::time::Duration;

use powerfill_events::challenge::RunCertificate;
use powerfill_events::run::RunId;
use powerfill_ports::Store;
use powerfill_tables::table::LargeTables;

use crate::AppResult;
use crate::certificate::{Certifier, record_bound};
use crate::clock::Clock;
use threads::ThreadMode;
pub(crate) use threads::panicked;

/// Events per append of a run, except for the last append.
const EVENTS_PER_APPEND: u64 = 16_384;

/// Requests runs and carries them to their end, on one store.
pub struct Runner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// The name of this worker, for the queue and the envelopes.
    worker: String,
    /// How long a claim is valid without being renewed.
    lease: Duration,
    events_per_append: u64,
    large_tables: LargeTables,
    thread_mode: ThreadMode,
    /// `None` if runs get no certificates.
    certifier: Option<Arc<Certifier>>,
}

impl Runner {
    /// A runner that claims runs under the name `worker`, for `lease` at a time.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        worker: String,
        lease: Duration,
    ) -> Self {
        let (events_per_append, thread_mode) = (EVENTS_PER_APPEND, ThreadMode::Own);
        let large_tables = LargeTables::default();
        let certifier = None;
        Self {
            store,
            clock,
            worker,
            lease,
            events_per_append,
            large_tables,
            thread_mode,
            certifier,
        }
    }

    /// Appends this many events at a time. The events themselves stay the same.
    #[must_use]
    pub fn with_events_per_append(self, events: u64) -> Self {
        Self { events_per_append: events.max(1), ..self }
    }

    /// Whether the store gets rows of the large tables.
    #[must_use]
    pub fn with_large_tables(self, large_tables: LargeTables) -> Self {
        Self { large_tables, ..self }
    }

    /// Whether the bound of each run is computed (10.2) while the run is recorded; then
    /// [`certify`](Self::certify) records it.
    #[must_use]
    pub fn with_certificates(self, certificates: bool) -> Self {
        Self { certifier: certificates.then(Arc::default), ..self }
    }

    /// Waits for the bound of a Complete run on which this runner has worked, and records it in a
    /// stream of its own. `None` if there is none to record. The runner can work on the next run
    /// meanwhile.
    ///
    /// # Errors
    /// The checks find a fault; the store fails.
    pub fn certify(
        &self,
        run: RunId,
    ) -> impl Future<Output = AppResult<Option<RunCertificate>>> + Send + use<> {
        let pending = self.certifier.as_ref().and_then(|certifier| certifier.take(run));
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        async move {
            match pending {
                Some(pending) => {
                    record_bound(store.as_ref(), clock.as_ref(), pending).await.map(Some)
                }
                None => Ok(None),
            }
        }
    }

    /// Starts no threads, for a simulation: nothing happens outside the caller's runtime.
    #[must_use]
    pub fn in_place(self) -> Self {
        Self { thread_mode: ThreadMode::InPlace, ..self }
    }
}
