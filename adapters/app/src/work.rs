//! Carrying a run through: claim, decide, record, publish; and ending it cleanly when something gives.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::TryStreamExt;
use powerfill_events::run::event::{RunCancelled, RunRequested, Step};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::events::Append;
use powerfill_ports::runs::{Lease, ProjectionWriter};
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::Snapshot;
use powerfill_tables::RunTables;
use powerfill_tables::status::RunStatus;
use powerfill_tables::tables::run_history;
use tokio::time::timeout;

use crate::ask::{append_id, meta};
use crate::held::{Held, held};
use crate::patience::patiently;
use crate::record::{Piece, Recording, Stop};
use crate::stored::{decoded, read_versions, recorded};
use crate::threads::{Input, Pieces};
use crate::watch::Watch;
use crate::{Runner, RunnerError, lease};

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Which.
    pub run_id: RunId,
    /// Complete, Failed or Cancelled.
    pub status: RunStatus,
}

/// How often one who waits for what a run begins with looks whether it is cancelled.
const LOOK: Duration = Duration::from_millis(100);

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
        let Some(lease) = self.claim().await? else { return Ok(None) };
        let stop = Arc::new(AtomicBool::new(false));
        let cancelled =
            Arc::new(Cancellation { watch, asked: OnceLock::new(), told: AtomicU64::new(0) });
        let renewing = self.keep_lease(lease, Arc::clone(&stop), Arc::clone(&cancelled));
        let carried = tokio::select! {
            biased;
            carried = self.carry(lease, in_memory, &stop, Arc::clone(&cancelled)) => carried,
            () = renewing.silence() => {
                // Nothing more is said to a store that does not answer; what hangs there is refused if it comes yet.
                stop.store(true, Ordering::Relaxed);
                return Err(lease::silent(lease.run_id).into());
            }
        };
        let carried = match carried {
            Ok(status) => Ok(status),
            Err(RunnerError::HandedOver(run)) => {
                renewing.end().await;
                let long_ago = Timestamp::from_micros(0);
                patiently(|| self.store.renew(lease, long_ago)).await?;
                return Err(RunnerError::HandedOver(run));
            }
            Err(RunnerError::Store(StoreError::LeaseLost(run))) => {
                Err(StoreError::LeaseLost(run).into())
            }
            // Best effort: the error itself matters more than one that comes on top of it, and the lease will end. Where
            // everything was decided and recorded, what gave has been made good.
            Err(error) => match self.fail(lease, &error).await {
                Ok(status) if status != RunStatus::Failed => Ok(status),
                _ => Err(error),
            },
        };
        renewing.end().await;
        carried.map(|status| Some(Finished { run_id: lease.run_id, status }))
    }

    async fn carry(
        &self,
        lease: Lease,
        in_memory: Option<(&str, Arc<Snapshot>)>,
        stop: &Arc<AtomicBool>,
        watch: Arc<Cancellation>,
    ) -> Result<RunStatus, RunnerError> {
        let run = lease.run_id;
        let queued = patiently(|| self.store.run(run)).await?;
        if let Some(by) = queued.and_then(|queued| queued.cancel_requested_by) {
            let _ = watch.asked.set(by);
        }
        let found = unless_cancelled(watch.as_ref(), self.found(run, in_memory)).await?;
        // Cancelled while it waited: nothing is begun for it.
        let found = found.filter(|found| found.is_begun() || watch.cancelled_by().is_none());
        let Some(found) = found else {
            let cancelled_by = watch.cancelled_by().unwrap_or_default();
            let cancelled = RunCancelled { cancelled_by, step: Step::Preflight };
            return self.end_early(lease, cancelled, watch.as_ref()).await;
        };
        let (held, requested, snapshot) = match found {
            Found::Over(status) => return self.settle(lease, status).await,
            Found::ToDo { held, requested, snapshot } => (held, requested, snapshot),
        };
        let writer = ProjectionWriter::Worker(lease);
        patiently(|| self.store.begin_staging(writer, RunTables::specs())).await?;
        let tenant = requested.tenant_id.clone();
        let mut pieces = self.begin(run, *held, *requested, snapshot, stop, Arc::clone(&watch));
        let mut stored = Ok(RunStatus::Pending);
        while let Some(piece) = pieces.next().await {
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
        match (stored, pieces.end().await?) {
            (Err(error), _) | (Ok(_), Err(Stop::Error(error))) => Err(error),
            (Ok(_), Err(Stop::Gone)) if watch.hands_over() => Err(RunnerError::HandedOver(run)),
            (Ok(_), Err(Stop::Gone)) => Err(StoreError::LeaseLost(run).into()),
            (Ok(_), Err(Stop::Cancelled(cancelled))) => {
                self.end_early(lease, cancelled, watch.as_ref()).await
            }
            (Ok(status), Ok(())) => Ok(status),
        }
    }

    /// Ends a run that is cancelled before it has caught up with its stream, and tells whoever watches what they have not
    /// seen of it.
    async fn end_early(
        &self,
        lease: Lease,
        cancelled: RunCancelled,
        watch: &Cancellation,
    ) -> Result<RunStatus, RunnerError> {
        let status = self.end(lease, &RunEvent::RunCancelled(cancelled)).await?;
        let (run, from) = (lease.run_id, watch.told.load(Ordering::Relaxed) + 1);
        let mut rest = read_versions(self.store.as_ref(), run, from, u64::MAX);
        while let Some(batch) = rest.try_next().await? {
            for read in &batch {
                watch.event(&recorded(run, read));
            }
        }
        Ok(status)
    }

    /// What there is to do, with all that it takes.
    async fn found(
        &self,
        run: RunId,
        in_memory: Option<(&str, Arc<Snapshot>)>,
    ) -> Result<Found, RunnerError> {
        let held = patiently(|| held(self.store.as_ref(), run)).await?;
        let Some(first) = &held.first else {
            // A store from before requests came with the queue: whoever asked died in between, and was promised nothing.
            return Ok(Found::Over(RunStatus::Failed));
        };
        if let Some(status) = held.ended {
            // Its former worker died after the last event.
            return Ok(Found::Over(status));
        }
        let RunEvent::RunRequested(requested) = decoded(first)? else {
            return Err(RunnerError::NotReproduced { run, version: 1 });
        };
        let snapshot = match in_memory {
            Some((digest, snapshot)) if digest == requested.snapshot_digest => snapshot,
            _ => self.captured(&requested.snapshot_digest).await?,
        };
        Ok(Found::ToDo { held: Box::new(held), requested, snapshot })
    }

    /// Begins to decide and to record.
    fn begin(
        &self,
        run: RunId,
        held: Held,
        requested: RunRequested,
        snapshot: Arc<Snapshot>,
        stop: &Arc<AtomicBool>,
        watch: Arc<Cancellation>,
    ) -> Pieces {
        let (worker, clock) = (self.worker.clone(), Arc::clone(&self.clock));
        let watch: Arc<dyn Watch> = watch;
        let watched = (Arc::clone(&watch), Arc::clone(stop));
        let recording =
            Recording::new(run, worker, clock, watched, held.events, self.events_per_append);
        let input = Input { requested, snapshot, watch, stop: Arc::clone(stop) };
        Pieces::begin(self.threads, recording, input)
    }

    async fn captured(&self, digest: &str) -> Result<Arc<Snapshot>, RunnerError> {
        let bytes = patiently(|| self.store.captured(digest)).await?;
        Ok(self.threads.blocking(move || Snapshot::from_canonical(&bytes)).await?.map(Arc::new)?)
    }

    async fn store_piece(
        &self,
        lease: Lease,
        tenant: &TenantId,
        piece: Piece,
    ) -> Result<RunStatus, RunnerError> {
        let (run, writer) = (lease.run_id, ProjectionWriter::Worker(lease));
        if !piece.events.is_empty() {
            let append = Append {
                append_id: append_id(run, piece.after),
                stream: run.stream(),
                expected_version: piece.after,
                meta: meta(run, tenant, &self.worker, piece.recorded_at),
                events: piece.events,
                lease: Some(lease),
            };
            patiently(|| self.store.append(append.clone())).await?;
        }
        if !piece.rows.is_empty()
            && !matches!(piece.status, RunStatus::Failed | RunStatus::Cancelled)
        {
            let rows: Arc<[_]> = piece.rows.into();
            patiently(|| self.store.stage(writer, Arc::clone(&rows), piece.up_to)).await?;
        }
        if piece.status == RunStatus::Complete {
            patiently(|| self.store.publish(writer)).await?;
        }
        if let Some(history) = piece.history {
            patiently(|| self.store.put_row(writer, &run_history::TABLE, history.clone())).await?;
        }
        if let Some(index) = piece.index {
            patiently(|| self.store.put_index(writer, Arc::clone(&index))).await?;
        }
        patiently(|| self.store.set_status(lease, piece.status)).await?;
        Ok(piece.status)
    }
}

/// A run that a worker has claimed.
enum Found {
    /// Nothing but to say so.
    Over(RunStatus),
    ToDo {
        held: Box<Held>,
        requested: Box<RunRequested>,
        snapshot: Arc<Snapshot>,
    },
}

impl Found {
    /// Whether more was recorded than that somebody asked for it.
    fn is_begun(&self) -> bool {
        match self {
            Self::Over(_) => true,
            Self::ToDo { held, .. } => held.events.len() > 1,
        }
    }
}

/// Does something that may take long, and gives it up where the run is cancelled meanwhile.
async fn unless_cancelled<T>(
    watch: &Cancellation,
    work: impl Future<Output = Result<T, RunnerError>>,
) -> Result<Option<T>, RunnerError> {
    let mut work = std::pin::pin!(work);
    loop {
        match timeout(LOOK, &mut work).await {
            Ok(done) => return done.map(Some),
            Err(_) if watch.cancelled_by().is_some() => return Ok(None),
            Err(_) => {}
        }
    }
}

/// Cancelled by whoever watches, or by whoever asked the store.
pub(crate) struct Cancellation {
    watch: Arc<dyn Watch>,
    pub(crate) asked: OnceLock<String>,
    /// The version of the last event that the one who watches was told of.
    told: AtomicU64,
}

impl Watch for Cancellation {
    fn step(&self, step: Step) {
        self.watch.step(step);
    }

    fn event(&self, event: &powerfill_events::run::RecordedEvent<'_>) {
        self.told.store(event.stream_version, Ordering::Relaxed);
        self.watch.event(event);
    }

    fn rows(&self, rows: &[powerfill_tables::table::RowBatch]) {
        self.watch.rows(rows);
    }

    fn cancelled_by(&self) -> Option<String> {
        self.asked.get().cloned().or_else(|| self.watch.cancelled_by())
    }

    fn hands_over(&self) -> bool {
        self.watch.hands_over()
    }
}
