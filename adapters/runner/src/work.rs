//! Carrying a run through: claim, decide, record, publish; and ending it cleanly when something gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use powerfill_domain::run::event::{RunCancelled, RunRequested, Step};
use powerfill_domain::run::{RunEvent, RunId};
use powerfill_domain::snapshot::Snapshot;
use powerfill_domain::values::{TenantId, Timestamp};
use powerfill_ports::events::Append;
use powerfill_ports::runs::Lease;
use powerfill_ports::{Store, StoreError};
use powerfill_projections::RunTables;
use powerfill_projections::status::RunStatus;
use powerfill_projections::tables::run_history;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::ask::{append_id, meta};
use crate::decide::decide;
use crate::held::{Held, held};
use crate::patience::patiently;
use crate::record::{Piece, Recording, Stop};
use crate::stored::decoded;
use crate::watch::Watch;
use crate::{Runner, RunnerError};

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Which.
    pub run_id: RunId,
    /// Complete, Failed or Cancelled.
    pub status: RunStatus,
}

/// How long after a run was queued its request may still be on its way, and how often it is looked for.
const ON_ITS_WAY: Duration = Duration::from_secs(5);
const LOOKS: u32 = 100;

impl<S: Store + ?Sized + 'static> Runner<S> {
    /// Claims the queued or abandoned run, where there is one, and carries it through. A snapshot that the caller has
    /// in memory spares reading the captured one where it is the same.
    ///
    /// # Errors
    /// Where the run could not be carried through. If at all possible it is Failed then, with step and message.
    /// [`RunnerError::HandedOver`] where `watch` asked for that: the lease is over, and the run there for the next worker.
    pub async fn work(
        &self,
        in_memory: Option<(&str, Arc<Snapshot>)>,
        watch: Arc<dyn Watch>,
    ) -> Result<Option<Finished>, RunnerError> {
        let now = self.clock.now();
        let Some(lease) = self.store.claim(&self.worker, now, self.until(now)).await? else {
            return Ok(None);
        };
        let stop = Arc::new(AtomicBool::new(false));
        let cancelled = Arc::new(Cancellation { watch, asked: std::sync::OnceLock::new() });
        let renewing = self.keep_lease(lease, Arc::clone(&stop), Arc::clone(&cancelled));
        let carried = self.carry(lease, in_memory, &stop, Arc::clone(&cancelled)).await;
        renewing.abort();
        // Aborted is not yet gone: whoever watches must be free again when this returns.
        let _ = renewing.await;
        match carried {
            Ok(status) => Ok(Some(Finished { run_id: lease.run_id, status })),
            Err(RunnerError::HandedOver(run)) => {
                let long_ago = Timestamp::from_micros(0);
                patiently(|| self.store.renew(lease, long_ago)).await?;
                Err(RunnerError::HandedOver(run))
            }
            Err(RunnerError::Store(StoreError::LeaseLost(run))) => {
                Err(StoreError::LeaseLost(run).into())
            }
            Err(error) => {
                // Best effort: the error itself matters more than one that comes on top of it, and the lease will end.
                match self.fail(lease, &error).await {
                    // Everything was decided and recorded; what gave has been made good.
                    Ok(status) if status != RunStatus::Failed => {
                        Ok(Some(Finished { run_id: lease.run_id, status }))
                    }
                    _ => Err(error),
                }
            }
        }
    }

    fn until(&self, now: Timestamp) -> Timestamp {
        let micros = i64::try_from(self.lease.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(now.micros().saturating_add(micros))
    }

    /// Renews the lease, or says that it is lost.
    pub(crate) async fn still_holds(&self, lease: Lease) -> Result<(), StoreError> {
        let until = self.until(self.clock.now());
        patiently(|| self.store.renew(lease, until)).await.map(|_| ())
    }

    /// Renews the lease while the run goes on; stops the run where the lease is lost.
    fn keep_lease(
        &self,
        lease: Lease,
        stop: Arc<AtomicBool>,
        cancelled: Arc<Cancellation>,
    ) -> JoinHandle<()> {
        let (store, clock, every) = (Arc::clone(&self.store), Arc::clone(&self.clock), self.lease);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval((every / 4).min(Duration::from_millis(500)));
            loop {
                ticks.tick().await;
                let now = clock.now();
                let micros = i64::try_from(every.as_micros()).unwrap_or(i64::MAX);
                let until = Timestamp::from_micros(now.micros().saturating_add(micros));
                match store.renew(lease, until).await {
                    Ok(Some(by)) => {
                        let _ = cancelled.asked.set(by);
                    }
                    Err(StoreError::LeaseLost(_)) => {
                        stop.store(true, Ordering::Relaxed);
                        return;
                    }
                    // The store may come back before the lease is over.
                    Ok(None) | Err(_) => {}
                }
            }
        })
    }

    async fn carry(
        &self,
        lease: Lease,
        in_memory: Option<(&str, Arc<Snapshot>)>,
        stop: &Arc<AtomicBool>,
        watch: Arc<Cancellation>,
    ) -> Result<RunStatus, RunnerError> {
        let run = lease.run_id;
        let held = self.held(run).await?;
        let Some(first) = &held.first else {
            // Whoever asked died before the request was recorded: nothing was promised.
            return self.settle(lease, RunStatus::Failed).await;
        };
        let queued = patiently(|| self.store.run(run)).await?;
        if let (1, Some(by)) = (held.events.len(), queued.and_then(|run| run.cancel_requested_by)) {
            // Cancelled while it waited: nothing is begun for it.
            let cancelled = RunCancelled { cancelled_by: by, step: Step::Preflight };
            return self.end(lease, &RunEvent::RunCancelled(cancelled)).await;
        }
        if let Some(status) = held.ended {
            // Its former worker died after the last event.
            return self.settle(lease, status).await;
        }
        let RunEvent::RunRequested(requested) = decoded(first)? else {
            return Err(RunnerError::NotReproduced { run, version: 1 });
        };
        let snapshot = match in_memory {
            Some((digest, snapshot)) if digest == requested.snapshot_digest => snapshot,
            _ => self.captured(&requested.snapshot_digest).await?,
        };
        patiently(|| self.store.begin_staging(run, RunTables::specs())).await?;
        let (to_store, mut pieces) = mpsc::channel(2);
        let (worker, clock) = (self.worker.clone(), Arc::clone(&self.clock));
        let (tenant, stopping) = (requested.tenant_id.clone(), Arc::clone(stop));
        let to_watch = Arc::clone(&watch);
        let threads = spawn_blocking(move || {
            let watch: Arc<dyn Watch> = to_watch;
            let recording =
                Recording::new(run, worker, clock, Arc::clone(&watch), to_store, held.events);
            two_threads(recording, &requested, &snapshot, watch.as_ref(), &stopping)
        });
        let mut stored = Ok(RunStatus::Pending);
        while let Some(piece) = pieces.recv().await {
            if watch.hands_over() {
                stop.store(true, Ordering::Relaxed);
                stored = Err(RunnerError::HandedOver(run));
                break;
            }
            match self.store_piece(lease, &tenant, piece).await {
                Ok(status) => stored = Ok(status),
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    stored = Err(error);
                    break;
                }
            }
        }
        drop(pieces);
        let ended = threads.await.map_err(|panic| RunnerError::BrokenOff(panic.to_string()))?;
        match (stored, ended) {
            (Err(error), _) | (Ok(_), Err(Stop::Error(error))) => Err(error),
            (Ok(_), Err(Stop::Gone)) if watch.hands_over() => Err(RunnerError::HandedOver(run)),
            (Ok(_), Err(Stop::Gone)) => Err(StoreError::LeaseLost(run).into()),
            (Ok(_), Err(Stop::Cancelled(cancelled))) => {
                self.end(lease, &RunEvent::RunCancelled(cancelled)).await
            }
            (Ok(status), Ok(())) => Ok(status),
        }
    }

    /// What the stream holds. Whoever asked for the run queues it and then records the request: a worker that is faster
    /// waits for it.
    async fn held(&self, run: RunId) -> Result<Held, StoreError> {
        let queued = patiently(|| self.store.run(run)).await?;
        let asked_at = queued.map_or(0, |queued| queued.requested_at.micros());
        let mut looks = 0;
        loop {
            let held = patiently(|| held(self.store.as_ref(), run)).await?;
            let since = u64::try_from(self.clock.now().micros().saturating_sub(asked_at));
            let given_up = since.is_ok_and(|micros| Duration::from_micros(micros) > ON_ITS_WAY);
            if held.first.is_some() || given_up || looks == LOOKS {
                return Ok(held);
            }
            looks += 1;
            tokio::time::sleep(ON_ITS_WAY / LOOKS).await;
        }
    }

    async fn captured(&self, digest: &str) -> Result<Arc<Snapshot>, RunnerError> {
        let bytes = patiently(|| self.store.captured(digest)).await?;
        let read = spawn_blocking(move || Snapshot::from_canonical(&bytes).map(Arc::new)).await;
        Ok(read.map_err(|panic| RunnerError::BrokenOff(panic.to_string()))??)
    }

    async fn store_piece(
        &self,
        lease: Lease,
        tenant: &TenantId,
        piece: Piece,
    ) -> Result<RunStatus, RunnerError> {
        let run = lease.run_id;
        if !piece.events.is_empty() {
            let append = Append {
                append_id: append_id(run, piece.after),
                stream: run.stream(),
                expected_version: piece.after,
                meta: meta(run, tenant, &self.worker, piece.recorded_at),
                events: piece.events,
            };
            patiently(|| self.store.append(append.clone())).await?;
        }
        // A worker that stood still while its lease ran out must not touch what another one stages or shows.
        self.still_holds(lease).await?;
        if !piece.rows.is_empty()
            && !matches!(piece.status, RunStatus::Failed | RunStatus::Cancelled)
        {
            patiently(|| self.store.stage(run, piece.rows.clone(), piece.up_to)).await?;
        }
        if piece.status == RunStatus::Complete {
            patiently(|| self.store.publish(run)).await?;
        }
        if let Some(history) = piece.history {
            patiently(|| self.store.put_row(run, &run_history::TABLE, history.clone())).await?;
        }
        if let Some(index) = piece.index {
            patiently(|| self.store.put_index(run, Arc::clone(&index))).await?;
        }
        patiently(|| self.store.set_status(lease, piece.status)).await?;
        Ok(piece.status)
    }
}

/// One thread decides, this one records.
fn two_threads(
    recording: Recording,
    requested: &RunRequested,
    snapshot: &Snapshot,
    watch: &dyn Watch,
    stop: &AtomicBool,
) -> Result<(), Stop> {
    let (to_record, chunks) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let options = &requested.options;
        let deciding = scope.spawn(move || decide(snapshot, options, watch, stop, &to_record));
        let event = RunEvent::RunRequested(Box::new(requested.clone()));
        let recorded = recording.run(&event, &chunks, || match deciding.join() {
            Ok(decided) => decided,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        if recorded.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        recorded
    })
}

/// Cancelled by whoever watches, or by whoever asked the store.
struct Cancellation {
    watch: Arc<dyn Watch>,
    asked: std::sync::OnceLock<String>,
}

impl Watch for Cancellation {
    fn step(&self, step: Step) {
        self.watch.step(step);
    }

    fn event(&self, event: &powerfill_domain::run::Recorded<'_>) {
        self.watch.event(event);
    }

    fn rows(&self, rows: &[powerfill_projections::table::RowBatch]) {
        self.watch.rows(rows);
    }

    fn cancelled_by(&self) -> Option<String> {
        self.asked.get().cloned().or_else(|| self.watch.cancelled_by())
    }

    fn hands_over(&self) -> bool {
        self.watch.hands_over()
    }
}
