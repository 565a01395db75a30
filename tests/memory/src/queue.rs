//! The queue of runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_ports::events::{Append, AppendReceipt};
use powerfill_ports::runs::{
    Lease, ProjectionWriter, QueuedRun, RunCursor, RunFilter, RunStatus, RunStore,
};
use powerfill_ports::{StoreError, StoreResult, check_tenant};

use crate::MemoryStore;

/// Every run, with the fencing token of its last lease.
#[derive(Default)]
pub(crate) struct Queue {
    runs: BTreeMap<RunId, (QueuedRun, u64)>,
}

impl Queue {
    /// Adds a run, unless the queue has it.
    pub(crate) fn put(&mut self, run: QueuedRun) {
        self.runs.entry(run.run_id).or_insert((run, 0));
    }

    fn active(&mut self) -> Option<&mut (QueuedRun, u64)> {
        self.runs.values_mut().find(|(run, _)| !run.status.is_over())
    }

    /// The run of a lease that holds.
    pub(crate) fn leased_run(&mut self, lease: Lease) -> StoreResult<&mut QueuedRun> {
        match self.runs.get_mut(&lease.run_id) {
            Some((run, token)) if *token == lease.token && !run.status.is_over() => Ok(run),
            _ => Err(StoreError::LeaseLost(lease.run_id)),
        }
    }

    /// Refuses a writer that may not write.
    pub(crate) fn ensure_may_write(&mut self, writer: ProjectionWriter) -> StoreResult<()> {
        match writer {
            ProjectionWriter::Worker(lease) => self.leased_run(lease).map(|_| ()),
            ProjectionWriter::Maintenance(_) => self.ensure_no_active_run(),
        }
    }

    fn ensure_no_active_run(&mut self) -> StoreResult<()> {
        self.active().map_or(Ok(()), |(active, _)| Err(StoreError::RunActive(active.run_id)))
    }
}

#[async_trait]
impl RunStore for MemoryStore {
    async fn enqueue(&self, request: Append, is_scenario: bool) -> StoreResult<AppendReceipt> {
        let run = request.run()?;
        let mut state = self.state();
        if let Some(appended) = state.log.find_repeated(&request)? {
            return Ok(appended);
        }
        check_tenant(state.log.tenant(), &request.meta.tenant_id)?;
        state.queue.ensure_no_active_run()?;
        if state.queue.runs.contains_key(&run) {
            return Err(StoreError::Failed(
                format!("run {run} was requested before, and is over").into(),
            ));
        }
        let appended = state.log.append(&request)?;
        let queued = QueuedRun {
            run_id: run,
            status: RunStatus::Pending,
            requested_at: request.meta.recorded_at,
            worker: None,
            lease_expires_at: None,
            cancel_requested_by: None,
            is_scenario,
        };
        state.queue.runs.insert(run, (queued, 0));
        self.notify(&state);
        Ok(appended)
    }

    async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> StoreResult<Option<Lease>> {
        let queue = &mut self.state().queue;
        let Some((run, token)) = queue.active() else { return Ok(None) };
        if run.worker.is_some() && run.lease_expires_at.is_some_and(|end| end > now) {
            return Ok(None);
        }
        *token += 1;
        run.worker = Some(worker.to_owned());
        run.lease_expires_at = Some(until);
        Ok(Some(Lease { run_id: run.run_id, token: *token }))
    }

    async fn renew(&self, lease: Lease, until: Timestamp) -> StoreResult<Option<String>> {
        let queue = &mut self.state().queue;
        let run = queue.leased_run(lease)?;
        run.lease_expires_at = Some(until);
        Ok(run.cancel_requested_by.clone())
    }

    async fn set_status(&self, lease: Lease, status: RunStatus) -> StoreResult<()> {
        let queue = &mut self.state().queue;
        let run = queue.leased_run(lease)?;
        run.status = status;
        if status.is_over() {
            run.worker = None;
            run.lease_expires_at = None;
        }
        Ok(())
    }

    async fn request_cancel(&self, run: RunId, by: &str) -> StoreResult<bool> {
        let queue = &mut self.state().queue;
        let Some((run, _)) = queue.runs.get_mut(&run) else {
            return Err(StoreError::NotFound { what: "run", name: run.to_string() });
        };
        if run.status.is_over() {
            return Ok(false);
        }
        run.cancel_requested_by.get_or_insert_with(|| by.to_owned());
        Ok(true)
    }

    async fn run(&self, run: RunId) -> StoreResult<Option<QueuedRun>> {
        Ok(self.state().queue.runs.get(&run).map(|(run, _)| run.clone()))
    }

    async fn active_run(&self) -> StoreResult<Option<QueuedRun>> {
        Ok(self.state().queue.active().map(|(run, _)| run.clone()))
    }

    async fn latest_run(&self, status: RunStatus) -> StoreResult<Option<QueuedRun>> {
        let state = self.state();
        let runs = state.queue.runs.values().map(|(run, _)| run);
        let is_wanted = |run: &&QueuedRun| run.status == status && !run.is_scenario;
        let latest = runs.filter(is_wanted).max_by_key(|run| run.cursor());
        Ok(latest.cloned())
    }

    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
        filter: RunFilter,
    ) -> StoreResult<Vec<QueuedRun>> {
        let state = self.state();
        let runs = state.queue.runs.values().map(|(run, _)| run);
        let is_wanted = |run: &&QueuedRun| run.cursor() < cursor && filter.admits(run);
        let mut older: Vec<QueuedRun> = runs.filter(is_wanted).cloned().collect();
        older.sort_by_key(|run| Reverse(run.cursor()));
        older.truncate(limit);
        Ok(older)
    }

    async fn runs_between(
        &self,
        first: RunId,
        last: RunId,
        limit: usize,
    ) -> StoreResult<Vec<QueuedRun>> {
        let state = self.state();
        let runs = state.queue.runs.range(first..=last).map(|(_, (run, _))| run.clone());
        Ok(runs.take(limit).collect())
    }

    async fn run_counts(&self) -> StoreResult<BTreeMap<RunStatus, u64>> {
        let mut counts = BTreeMap::new();
        for (run, _) in self.state().queue.runs.values() {
            *counts.entry(run.status).or_default() += 1;
        }
        Ok(counts)
    }
}
