//! Carrying a run through: claim, decide, record, publish; and ending it cleanly when something gives.

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_events::run::event::{RunCancelled, RunRequested, Step};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::events::Append;
use powerfill_ports::runs::{Lease, ProjectionWriter};
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::Snapshot;
use powerfill_tables::status::RunStatus;
use powerfill_tables::tables::ALL;
use powerfill_tables::tables::run_history;
use tokio::select;

use crate::ask::{append_id, meta};
use crate::control::{RunControl, StopReason};
use crate::held::{Held, held};
use crate::observer::{RunObserver, RunProgress};
use crate::record::{Piece, Recording, Stop};
use crate::retry::retry_with_backoff;
use crate::stored::{decoded, read_versions, recorded};
use crate::threads::{Input, Pieces};
use crate::{Runner, RunnerError, lease};

/// A run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Which.
    pub run_id: RunId,
    /// Complete, Failed or Cancelled.
    pub status: RunStatus,
}

impl<S: Store + ?Sized + 'static> Runner<S> {
    /// Claims the queued or abandoned run, where there is one, and carries it through. A snapshot that the caller has
    /// in memory spares reading the captured one where it is the same.
    ///
    /// # Errors
    /// Where the run could not be carried through. If at all possible it is Failed then, with step and message.
    /// [`RunnerError::HandedOver`] where `control` says so: the lease is over, and the run is there for the next worker.
    pub async fn work(
        &self,
        in_memory: Option<(&str, Arc<Snapshot>)>,
        control: RunControl,
        observer: Arc<dyn RunObserver>,
    ) -> Result<Option<Finished>, RunnerError> {
        let Some(lease) = self.claim().await? else { return Ok(None) };
        let renewing = self.keep_lease(lease, control.clone());
        let carried = select! {
            biased;
            carried = self.carry(lease, in_memory, &control, observer) => carried,
            () = renewing.silence() => {
                // Nothing more is said to a store that does not answer; what hangs there is refused if it comes yet.
                control.stop(StopReason::LeaseLost);
                return Err(lease::silent(lease.run_id).into());
            }
        };
        let carried = match carried {
            Ok(status) => Ok(status),
            Err(RunnerError::HandedOver(run)) => {
                renewing.end().await;
                let long_ago = Timestamp::from_micros(0);
                retry_with_backoff(|| self.store.renew(lease, long_ago)).await?;
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
        control: &RunControl,
        observer: Arc<dyn RunObserver>,
    ) -> Result<RunStatus, RunnerError> {
        let run = lease.run_id;
        let queued = retry_with_backoff(|| self.store.run(run)).await?;
        if let Some(by) = queued.and_then(|queued| queued.cancel_requested_by) {
            control.cancel(by);
        }
        let found = select! {
            biased;
            found = self.found(run, in_memory) => Some(found?),
            () = control.stopped() => None,
        };
        // Cancelled while it waited: nothing is begun for it.
        let cancelled_by = control.cancelled_by();
        let found = found.filter(|found| found.is_begun() || cancelled_by.is_none());
        let Some(found) = found else {
            let Some(cancelled_by) = cancelled_by else { return Err(stopped(run, control)) };
            let cancelled = RunCancelled { cancelled_by, step: Step::Preflight };
            return self.end_early(lease, cancelled, 0, observer.as_ref()).await;
        };
        let (held, requested, snapshot) = match found {
            Found::Over(status) => return self.settle(lease, status).await,
            Found::ToDo { held, requested, snapshot } => (held, requested, snapshot),
        };
        let writer = ProjectionWriter::Worker(lease);
        retry_with_backoff(|| self.store.begin_staging(writer, ALL)).await?;
        let tenant = requested.tenant_id.clone();
        let mut pieces = self.begin(run, *held, *requested, snapshot, control, &observer);
        let mut stored = Ok(RunStatus::Pending);
        while let Some(piece) = pieces.next().await {
            if control.is_handed_over() {
                stored = Err(RunnerError::HandedOver(run));
                break;
            }
            match self.store_piece(lease, &tenant, piece).await {
                Ok(status) => stored = Ok(status),
                Err(error) => {
                    control.stop(StopReason::Over);
                    stored = Err(error);
                    break;
                }
            }
        }
        match (stored, pieces.end().await?) {
            (Err(error), _) | (Ok(_), Err(Stop::Error(error))) => Err(error),
            (Ok(_), Err(Stop::Gone)) => Err(stopped(run, control)),
            (Ok(_), Err(Stop::Cancelled { cancelled, observed })) => {
                self.end_early(lease, cancelled, observed, observer.as_ref()).await
            }
            (Ok(status), Ok(())) => Ok(status),
        }
    }

    /// Ends a run that is cancelled before it has caught up with its stream, and shows the observer the events after
    /// those that it has observed.
    async fn end_early(
        &self,
        lease: Lease,
        cancelled: RunCancelled,
        observed: u64,
        observer: &dyn RunObserver,
    ) -> Result<RunStatus, RunnerError> {
        let status = self.end(lease, &RunEvent::RunCancelled(cancelled)).await?;
        let run = lease.run_id;
        let mut rest = read_versions(self.store.as_ref(), run, observed + 1, u64::MAX);
        while let Some(batch) = rest.try_next().await? {
            for read in &batch {
                observer.observe(RunProgress::Event(&recorded(run, read)));
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
        let held = retry_with_backoff(|| held(self.store.as_ref(), run)).await?;
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
        control: &RunControl,
        observer: &Arc<dyn RunObserver>,
    ) -> Pieces {
        let (worker, clock) = (self.worker.clone(), Arc::clone(&self.clock));
        let (observer, control) = (Arc::clone(observer), control.clone());
        let watched = (Arc::clone(&observer), control.clone());
        let recording =
            Recording::new(run, worker, clock, watched, held.events, self.events_per_append);
        let input = Input { requested, snapshot, observer, control };
        Pieces::begin(self.threads, recording, input)
    }

    async fn captured(&self, digest: &str) -> Result<Arc<Snapshot>, RunnerError> {
        let bytes = retry_with_backoff(|| self.store.captured(digest)).await?;
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
            retry_with_backoff(|| self.store.append(append.clone())).await?;
        }
        if !piece.rows.is_empty()
            && !matches!(piece.status, RunStatus::Failed | RunStatus::Cancelled)
        {
            let rows: Arc<[_]> = piece.rows.into();
            retry_with_backoff(|| self.store.stage(writer, Arc::clone(&rows), piece.up_to)).await?;
        }
        if piece.status == RunStatus::Complete {
            retry_with_backoff(|| self.store.publish(writer)).await?;
        }
        if let Some(history) = piece.history {
            retry_with_backoff(|| self.store.put_row(writer, &run_history::TABLE, history.clone()))
                .await?;
        }
        if let Some(index) = piece.index {
            retry_with_backoff(|| self.store.put_index(writer, Arc::clone(&index))).await?;
        }
        retry_with_backoff(|| self.store.set_status(lease, piece.status)).await?;
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

/// What becomes of the work on a run that stopped before its end, and was not cancelled.
fn stopped(run: RunId, control: &RunControl) -> RunnerError {
    match control.is_handed_over() {
        true => RunnerError::HandedOver(run),
        false => StoreError::LeaseLost(run).into(),
    }
}
