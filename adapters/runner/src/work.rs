//! Carrying a run through: claim, decide, record, publish; and ending it cleanly when something gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::TryStreamExt;
use powerfill_domain::run::event::{RunFailed, RunRequested, Step};
use powerfill_domain::run::{EncodedBatch, RunEvent, RunId};
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
use crate::record::{Held, Piece, Recording, Stop};
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

/// How often a store that is away is asked again, with growing pauses.
const ATTEMPTS: u32 = 6;

impl<S: Store + ?Sized + 'static> Runner<S> {
    /// Claims the queued or abandoned run, where there is one, and carries it through. A snapshot that the caller has
    /// in memory spares reading the captured one where it is the same.
    ///
    /// # Errors
    /// Where the run could not be carried through. If at all possible it is Failed then, with step and message.
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
        let carried = self.carry(lease, in_memory, &stop, cancelled).await;
        renewing.abort();
        // Aborted is not yet gone: whoever watches must be free again when this returns.
        let _ = renewing.await;
        match carried {
            Ok(status) => Ok(Some(Finished { run_id: lease.run_id, status })),
            Err(RunnerError::Store(StoreError::LeaseLost(run))) => {
                Err(StoreError::LeaseLost(run).into())
            }
            Err(error) => {
                // Best effort: the error itself matters more than one that comes on top of it.
                let _ = self.fail(lease, &error).await;
                Err(error)
            }
        }
    }

    fn until(&self, now: Timestamp) -> Timestamp {
        let micros = i64::try_from(self.lease.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(now.micros().saturating_add(micros))
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
        let (requested, held) = self.held(run).await?;
        let Some(requested) = requested else {
            // Whoever asked died before the request was recorded: nothing was promised.
            self.store.set_status(lease, RunStatus::Failed).await?;
            return Ok(RunStatus::Failed);
        };
        let snapshot = match in_memory {
            Some((digest, snapshot)) if digest == requested.snapshot_digest => snapshot,
            _ => self.captured(&requested.snapshot_digest).await?,
        };
        self.store.begin_staging(run, RunTables::specs()).await?;
        let (to_store, mut pieces) = mpsc::channel(2);
        let (worker, clock) = (self.worker.clone(), Arc::clone(&self.clock));
        let (tenant, stopping) = (requested.tenant_id.clone(), Arc::clone(stop));
        let threads = spawn_blocking(move || {
            let watch: Arc<dyn Watch> = watch;
            let recording = Recording::new(run, worker, clock, Arc::clone(&watch), to_store, held);
            two_threads(recording, &requested, &snapshot, watch.as_ref(), &stopping)
        });
        let mut stored = Ok(RunStatus::Pending);
        while let Some(piece) = pieces.recv().await {
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
            (Ok(_), Err(Stop::Gone)) => Err(StoreError::LeaseLost(run).into()),
            (Ok(status), Ok(())) => Ok(status),
        }
    }

    /// The request and the envelopes of what the stream holds already.
    async fn held(
        &self,
        run: RunId,
    ) -> Result<(Option<Box<RunRequested>>, Vec<Held>), RunnerError> {
        let mut requested = None;
        let mut held = Vec::new();
        let stream = run.stream();
        let mut batches = self.store.read(&stream, 1);
        while let Some(batch) = batches.try_next().await? {
            for stored in batch {
                if stored.stream_version == 1
                    && let RunEvent::RunRequested(event) = decoded(&stored)?
                {
                    requested = Some(event);
                }
                let payload = blake3::hash(&stored.payload);
                let (recorded_at, actor) = (stored.recorded_at, stored.actor);
                held.push(Held { payload, recorded_at, actor });
            }
        }
        Ok((requested, held))
    }

    async fn captured(&self, digest: &str) -> Result<Arc<Snapshot>, RunnerError> {
        let bytes = self.store.captured(digest).await?;
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
            self.append(append).await?;
        }
        if !piece.rows.is_empty()
            && !matches!(piece.status, RunStatus::Failed | RunStatus::Cancelled)
        {
            self.store.stage(run, piece.rows, piece.up_to).await?;
        }
        if piece.status == RunStatus::Complete {
            self.store.publish(run).await?;
        }
        if let Some(history) = piece.history {
            self.store.put_row(run, &run_history::TABLE, history).await?;
        }
        self.store.set_status(lease, piece.status).await?;
        Ok(piece.status)
    }

    /// Appends, again with growing pauses while the store is away: the append id makes that safe.
    async fn append(&self, append: Append) -> Result<(), StoreError> {
        let mut pause = Duration::from_millis(100);
        for _ in 1..ATTEMPTS {
            match self.store.append(append.clone()).await {
                Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
                done => return done.map(|_| ()),
            }
            pause *= 2;
        }
        self.store.append(append).await.map(|_| ())
    }

    /// Ends a run that cannot be carried through: `RunFailed` at the end of its stream, and the tenant free again.
    async fn fail(&self, lease: Lease, error: &RunnerError) -> Result<(), RunnerError> {
        let run = lease.run_id;
        let (requested, held) = self.held(run).await?;
        if let Some(requested) = requested {
            let failed = RunEvent::RunFailed(RunFailed {
                step: Step::Record,
                code: "RUN_BROKEN_OFF".to_owned(),
                message: error.to_string(),
            });
            let expected_version = held.len() as u64;
            let tenant = &requested.tenant_id;
            self.append(Append {
                append_id: append_id(run, expected_version),
                stream: run.stream(),
                expected_version,
                meta: meta(run, tenant, &self.worker, self.clock.now()),
                events: EncodedBatch::encode([&failed]),
            })
            .await?;
            crate::rebuild::history(self.store.as_ref(), run).await?;
        }
        self.store.set_status(lease, RunStatus::Failed).await?;
        Ok(())
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
}
