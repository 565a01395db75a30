//! Carries a run from its claim to the published tables, and ends it cleanly if something fails.

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_engine::GivenPlacement;
use powerfill_events::run::event::{RunCancelled, RunRequested, Step};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::StoreError;
use powerfill_ports::events::Append;
use powerfill_ports::runs::{Lease, ProjectionWriter};
use powerfill_snapshot::Snapshot;
use powerfill_tables::status::RunStatus;
use powerfill_tables::tables::{ALL, run_history};
use tokio::select;

use super::Runner;
use super::control::{RunControl, StopReason};
use super::envelope::{append_id, append_meta};
use super::history::{HistoryEvent, StreamHistory, read_history};
use super::lease::silent_store;
use super::messages::DecisionInput;
use super::observer::{RunObserver, RunProgress};
use super::record::{Recorder, RecorderInput, RecordingStop, RunPart};
use super::threads::RunParts;
use crate::adopt::adopted_placements;
use crate::events::{DecodedEvent, read_versions};
use crate::retry::retry_with_backoff;
use crate::{AppError, AppResult};

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedRun {
    /// The run.
    pub run_id: RunId,
    /// Complete, Failed, or Cancelled.
    pub status: RunStatus,
}

impl Runner {
    /// Claims the queued or abandoned run, if there is one, and carries it to its end. A snapshot
    /// in memory, with its digest, saves reading the captured one if both are the same.
    ///
    /// # Errors
    /// Why the run did not reach its end; if the store allows it, the run is Failed then, with a
    /// step and a message. [`AppError::HandedOver`] if `control` says so: the lease has ended, and
    /// the next worker can claim the run at once.
    pub async fn work(
        &self,
        in_memory: Option<(&str, Arc<Snapshot>)>,
        control: RunControl,
        observer: Arc<dyn RunObserver>,
    ) -> AppResult<Option<FinishedRun>> {
        let Some(lease) = self.claim().await? else { return Ok(None) };
        let renewal = self.keep_lease(lease, control.clone());
        let worked = select! {
            biased;
            worked = self.carry_on(lease, in_memory, &control, observer) => worked,
            () = renewal.store_silent() => {
                // Calls that hang are dropped; the store refuses them if they arrive later.
                control.stop(StopReason::LeaseLost);
                return Err(silent_store(lease.run_id).into());
            }
        };
        let status = match worked {
            Err(AppError::HandedOver(run)) => {
                renewal.end().await;
                let long_ago = Timestamp::from_micros(0);
                retry_with_backoff(|| self.store.renew(lease, long_ago)).await?;
                return Err(AppError::HandedOver(run));
            }
            Ok(_) | Err(AppError::Store(StoreError::LeaseLost(_))) => worked,
            // An error while failing the run is ignored: the first error matters more, and the
            // lease ends anyway. If everything was recorded already, the run is whole in spite of
            // it.
            Err(error) => match self.fail(lease, &error).await {
                Ok(status) if status != RunStatus::Failed => Ok(status),
                _ => Err(error),
            },
        };
        renewal.end().await;
        status.map(|status| Some(FinishedRun { run_id: lease.run_id, status }))
    }

    async fn carry_on(
        &self,
        lease: Lease,
        in_memory: Option<(&str, Arc<Snapshot>)>,
        control: &RunControl,
        observer: Arc<dyn RunObserver>,
    ) -> AppResult<RunStatus> {
        let run = lease.run_id;
        let queued = retry_with_backoff(|| self.store.run(run)).await?;
        if let Some(by) = queued.and_then(|queued| queued.cancel_requested_by) {
            control.cancel(by);
        }
        let prepared = select! {
            biased;
            prepared = self.prepare(run, in_memory) => Some(prepared?),
            () = control.stopped() => None,
        };
        let cancelled_by = control.cancelled_by();
        // A run that was cancelled while it waited is not begun.
        let prepared = prepared.filter(|run| run.is_begun() || cancelled_by.is_none());
        let Some(prepared) = prepared else {
            let Some(cancelled_by) = cancelled_by else { return Err(stopped(run, control)) };
            let cancelled = RunCancelled { cancelled_by, step: Step::Preflight };
            return self.end_early(lease, cancelled, 0, observer.as_ref()).await;
        };
        let (history, requested, given, snapshot) = match prepared {
            PreparedRun::Ended(status) => return self.settle(lease, status).await,
            PreparedRun::ToDecide { history, requested, given, snapshot } => {
                (history, requested, given, snapshot)
            }
        };
        let writer = ProjectionWriter::Worker(lease);
        let (staged, _) = self.large_tables.split(ALL);
        retry_with_backoff(|| self.store.begin_staging(writer, &staged)).await?;
        let work = WorkedRun {
            lease,
            tenant: requested.tenant_id.clone(),
            is_scenario: requested.origin.scenario.is_some(),
        };
        let input = DecisionInput {
            run,
            requested: *requested,
            given,
            snapshot,
            observer: Arc::clone(&observer),
            control: control.clone(),
            certifier: self.certifier.clone(),
        };
        let parts = RunParts::begin(self.thread_mode, self.recorder(run, &input, history), input);
        match self.store_parts(&work, parts, control, observer.as_ref()).await? {
            (status, Ok(())) => Ok(status),
            (_, Err(RecordingStop::Failed(error))) => Err(error),
            (_, Err(RecordingStop::Stopped)) => Err(stopped(run, control)),
            (_, Err(RecordingStop::Cancelled { cancelled, observed })) => {
                self.end_early(lease, cancelled, observed, observer.as_ref()).await
            }
        }
    }

    /// Stores the parts as they come. Returns the status that the run has reached, and how
    /// recording ended.
    async fn store_parts(
        &self,
        work: &WorkedRun,
        mut parts: RunParts,
        control: &RunControl,
        observer: &dyn RunObserver,
    ) -> AppResult<(RunStatus, Result<(), RecordingStop>)> {
        let (mut stored, mut cut_off) = (Ok(RunStatus::Pending), None);
        while let Some(part) = parts.next().await {
            let step = part.step;
            stored = match (control.is_handed_over(), stored) {
                (false, Ok(before)) => match self.store_part(work, part, before, control).await {
                    Ok(PartEnd::Stored(status)) => Ok(status),
                    Ok(PartEnd::CutOff { cancelled_by, version }) => {
                        let cancelled = RunCancelled { cancelled_by, step };
                        let ended = self.end_early(work.lease, cancelled, version, observer).await;
                        cut_off = Some(ended);
                        Ok(before)
                    }
                    Err(error) => Err(error),
                },
                _ => Err(AppError::HandedOver(work.lease.run_id)),
            };
            if stored.is_err() || cut_off.is_some() {
                control.stop(StopReason::Over);
                break;
            }
        }
        // The threads have ended before the lease is given back.
        let recorded = parts.end().await?;
        match cut_off {
            Some(ended) => Ok((ended?, Ok(()))),
            None => Ok((stored?, recorded)),
        }
    }

    /// Ends a run that was cancelled before it reached the end of its stream, and shows the
    /// observer the events that it has not seen.
    async fn end_early(
        &self,
        lease: Lease,
        cancelled: RunCancelled,
        observed: u64,
        observer: &dyn RunObserver,
    ) -> AppResult<RunStatus> {
        let status = self.end(lease, &RunEvent::RunCancelled(cancelled)).await?;
        let run = lease.run_id;
        let mut rest = read_versions(self.store.as_ref(), run, observed + 1, u64::MAX);
        while let Some(batch) = rest.try_next().await? {
            for event in &batch {
                observer.observe(RunProgress::Event(&event.recorded(run)));
            }
        }
        Ok(status)
    }

    /// Reads everything that the run begins with.
    async fn prepare(
        &self,
        run: RunId,
        in_memory: Option<(&str, Arc<Snapshot>)>,
    ) -> AppResult<PreparedRun> {
        let history = retry_with_backoff(|| read_history(self.store.as_ref(), run)).await?;
        let StreamHistory { first, events, ended } = history;
        let Some(first) = first else {
            // An older version queued the run and ended before it recorded the request.
            return Ok(PreparedRun::Ended(RunStatus::Failed));
        };
        if let Some(status) = ended {
            // The last worker ended after it appended the last event.
            return Ok(PreparedRun::Ended(status));
        }
        let RunEvent::RunRequested(requested) = DecodedEvent::try_from(first)?.event else {
            return Err(AppError::NotReproduced { run, version: 1 });
        };
        let read_given = || async {
            match adopted_placements(self.store.as_ref(), &requested).await {
                Err(AppError::Store(error)) => Err(error),
                read => Ok(read),
            }
        };
        let given = retry_with_backoff(read_given).await??;
        let snapshot = match in_memory {
            Some((digest, snapshot)) if digest == requested.snapshot_digest => snapshot,
            _ => self.captured(&requested.snapshot_digest).await?,
        };
        Ok(PreparedRun::ToDecide { history: events, requested, given, snapshot })
    }

    fn recorder(&self, run: RunId, input: &DecisionInput, history: Vec<HistoryEvent>) -> Recorder {
        Recorder::new(RecorderInput {
            run,
            actor: self.worker.clone(),
            clock: Arc::clone(&self.clock),
            observer: Arc::clone(&input.observer),
            control: input.control.clone(),
            history,
            events_per_append: self.events_per_append,
        })
    }

    async fn captured(&self, digest: &str) -> AppResult<Arc<Snapshot>> {
        let bytes = retry_with_backoff(|| self.store.captured(digest)).await?;
        let read = move || Snapshot::from_canonical(&bytes);
        Ok(Arc::new(self.thread_mode.run_blocking(read).await??))
    }

    async fn store_part(
        &self,
        work: &WorkedRun,
        mut part: RunPart,
        before: RunStatus,
        control: &RunControl,
    ) -> AppResult<PartEnd> {
        let WorkedRun { lease, ref tenant, is_scenario } = *work;
        let (store, run, status) = (&self.store, lease.run_id, part.status);
        let writer = ProjectionWriter::Worker(lease);
        // A full part is followed by others, which would keep a cancel waiting.
        let cut_off = |version| {
            let cancelled_by = control.cancelled_by().filter(|_| part.is_full)?;
            Some(PartEnd::CutOff { cancelled_by, version })
        };
        let is_new = !part.events.is_empty();
        if is_new && let Some(end) = cut_off(part.after) {
            return Ok(end);
        }
        if is_new {
            let append = Append {
                append_id: append_id(run, part.after),
                stream: run.stream(),
                expected_version: part.after,
                meta: append_meta(run, tenant, &self.worker, part.recorded_at),
                events: part.events,
                lease: Some(lease),
            };
            retry_with_backoff(|| store.append(append.clone())).await?;
            if let Some(end) = cut_off(part.up_to) {
                return Ok(end);
            }
        }
        // The tables of a scenario are never shown.
        part.rows.retain(|batch| !is_scenario && self.large_tables.stores(batch.table));
        if !part.rows.is_empty() && !matches!(status, RunStatus::Failed | RunStatus::Cancelled) {
            let rows: Arc<[_]> = part.rows.into();
            retry_with_backoff(|| store.stage(writer, Arc::clone(&rows), part.up_to)).await?;
        }
        if status == RunStatus::Complete && !is_scenario {
            let (_, left_out) = self.large_tables.split(ALL);
            retry_with_backoff(|| store.publish(writer, &left_out)).await?;
        }
        if let Some(row) = part.history {
            retry_with_backoff(|| store.put_row(writer, &run_history::TABLE, row.clone())).await?;
        }
        if let Some(headline) = part.headline {
            retry_with_backoff(|| store.put_headline(run, &headline)).await?;
        }
        if let Some(index) = part.index {
            retry_with_backoff(|| store.put_index(writer, Arc::clone(&index))).await?;
        }
        if status != before {
            retry_with_backoff(|| store.set_status(lease, status)).await?;
        }
        Ok(PartEnd::Stored(status))
    }
}

/// How storing a part ended.
enum PartEnd {
    Stored(RunStatus),
    /// This person cancelled the run, whose stream ends with this version.
    CutOff {
        cancelled_by: String,
        version: u64,
    },
}

/// A run that is being stored.
struct WorkedRun {
    lease: Lease,
    tenant: TenantId,
    is_scenario: bool,
}

/// A claimed run, with everything that it begins with.
enum PreparedRun {
    /// The stream has its end: only tables and queue may be behind.
    Ended(RunStatus),
    ToDecide {
        history: Vec<HistoryEvent>,
        requested: Box<RunRequested>,
        /// The allocation of an adopted challenge.
        given: Option<Vec<GivenPlacement>>,
        snapshot: Arc<Snapshot>,
    },
}

impl PreparedRun {
    /// Whether the stream has more than the request.
    fn is_begun(&self) -> bool {
        match self {
            Self::Ended(_) => true,
            Self::ToDecide { history, .. } => history.len() > 1,
        }
    }
}

/// The error of a run that stopped before its end and was not cancelled.
fn stopped(run: RunId, control: &RunControl) -> AppError {
    match control.is_handed_over() {
        true => AppError::HandedOver(run),
        false => StoreError::LeaseLost(run).into(),
    }
}
