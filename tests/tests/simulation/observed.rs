//! The store itself, behind all faults, with checks: what must always hold is checked after each
//! call that can break it. A [`Mutant`] changes a call between the check and the store.

use std::sync::Arc;

use futures::stream::{self, StreamExt};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_memory::MemoryStore;
use powerfill_ports::events::{Append, AppendReceipt, EventBatches, EventStore};
use powerfill_ports::index::IndexStore;
use powerfill_ports::projections::ProjectionStore;
use powerfill_ports::runs::{Lease, ProjectionWriter, QueuedRun, RunStatus, RunStore};
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::event_index::RunIndex;
use powerfill_tables::table::{Cell, RowBatch, TableRef};
use powerfill_tests::all_runs::AllRuns;
use uuid::Uuid;

use crate::checks;
use crate::mutants::Mutant;
use crate::trace::ProcessName;
use crate::world::World;

/// The store with checks after each call.
#[derive(Clone)]
pub(crate) struct ObservedStore {
    world: Arc<World>,
    name: ProcessName,
}

impl ObservedStore {
    pub(crate) fn new(world: &Arc<World>, name: ProcessName) -> Self {
        Self { world: Arc::clone(world), name }
    }

    pub(crate) fn inner(&self) -> &MemoryStore {
        &self.world.store
    }

    fn mutant(&self, mutant: Mutant) -> bool {
        self.world.mutant == Some(mutant)
    }

    /// The newest lease of the run, which a bug uses in place of the caller's.
    fn any(&self, lease: Lease) -> Lease {
        self.world.state().leases.get(&lease.run_id).copied().unwrap_or(lease)
    }

    fn by(&self, writer: ProjectionWriter, bug: Mutant) -> ProjectionWriter {
        match writer {
            ProjectionWriter::Worker(lease) if self.mutant(bug) => {
                ProjectionWriter::Worker(self.any(lease))
            }
            writer => writer,
        }
    }

    /// Checks a call that a worker made with its lease: that must have been the newest one.
    fn after<T>(&self, what: &'static str, lease: Lease, answer: StoreResult<T>) -> StoreResult<T> {
        let newest = self.any(lease);
        match &answer {
            Ok(_) if newest != lease => {
                self.world.report(|| format!("{what} by {} with a lost lease", self.name));
            }
            Ok(_) => {}
            Err(StoreError::LeaseLost(_)) => self.world.count("a lost lease is told"),
            Err(_) => {}
        }
        answer
    }

    fn written(
        &self,
        what: &'static str,
        writer: ProjectionWriter,
        answer: StoreResult<()>,
    ) -> StoreResult<()> {
        match writer {
            ProjectionWriter::Worker(lease) => self.after(what, lease, answer),
            ProjectionWriter::Maintenance(_) => answer,
        }
    }

    pub(crate) async fn append(&self, append: Append) -> StoreResult<AppendReceipt> {
        let lease = append.lease.expect("only workers append here");
        let mut append = append;
        if self.mutant(Mutant::AppendNotRecognised) {
            let newer = u128::from(self.world.between(1, u64::MAX - 1));
            append.append_id = Uuid::from_u128(append.append_id.as_u128() ^ newer);
        }
        if self.mutant(Mutant::AppendWithoutFenceAndVersion) {
            append.lease = None;
        }
        let appended = match self.inner().append(append.clone()).await {
            Err(StoreError::Conflict { actual, .. })
                if self.mutant(Mutant::AppendWithoutFenceAndVersion) =>
            {
                let append_id = Uuid::from_u128(u128::from(self.world.between(1, u64::MAX - 1)));
                self.inner().append(Append { append_id, expected_version: actual, ..append }).await
            }
            appended => appended,
        };
        self.after("append", lease, appended)
    }

    pub(crate) async fn begin_staging(
        &self,
        writer: ProjectionWriter,
        tables: &[TableRef],
    ) -> StoreResult<()> {
        let answer = self.inner().begin_staging(writer, tables).await;
        self.written("begin_staging", writer, answer)
    }

    pub(crate) async fn stage(
        &self,
        writer: ProjectionWriter,
        rows: Arc<[RowBatch]>,
        up_to: u64,
    ) -> StoreResult<()> {
        let by = self.by(writer, Mutant::StageWithoutFence);
        let answer = self.inner().stage(by, rows, up_to).await;
        self.written("stage", writer, answer)
    }

    pub(crate) async fn publish(
        &self,
        writer: ProjectionWriter,
        left_out: &[TableRef],
    ) -> StoreResult<()> {
        let by = self.by(writer, Mutant::PublishWithoutFence);
        let answer = self.inner().publish(by, left_out).await;
        if answer.is_ok() {
            self.world.count("tables are shown");
            checks::check_visible_tables(&self.world).await;
        }
        self.written("publish", writer, answer)
    }

    pub(crate) async fn put_row(
        &self,
        writer: ProjectionWriter,
        table: TableRef,
        row: Vec<Cell>,
    ) -> StoreResult<()> {
        let answer = self.inner().put_row(writer, table, row).await;
        self.written("put_row", writer, answer)
    }

    pub(crate) async fn put_index(
        &self,
        writer: ProjectionWriter,
        index: Arc<RunIndex>,
    ) -> StoreResult<()> {
        let answer = self.inner().put_index(writer, index).await;
        self.written("put_index", writer, answer)
    }

    pub(crate) async fn enqueue(
        &self,
        request: Append,
        is_scenario: bool,
    ) -> StoreResult<AppendReceipt> {
        let run = request.run()?;
        let answer = self.inner().enqueue(request, is_scenario).await;
        if let Ok(asked) = &answer {
            let what = if asked.repeated { "an ask is recognised" } else { "a run is asked for" };
            self.world.count(what);
            let now = self.world.now();
            self.world.state().asked_at.entry(run).or_insert(now);
            checks::check_queue(&self.world).await;
        }
        answer
    }

    pub(crate) async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> StoreResult<Option<Lease>> {
        let runs = self.inner().all_runs().await?;
        let held = runs.into_iter().find(|run| !run.status.is_over() && run.worker.is_some());
        let over = held.as_ref().and_then(|held| held.lease_expires_at);
        let moment = match over {
            Some(over) if self.mutant(Mutant::ClaimWithoutLease) => over,
            _ => now,
        };
        let claimed = self.inner().claim(worker, moment, until).await?;
        if let Some(lease) = claimed {
            self.world.count(if held.is_some() { "a run is taken up" } else { "a run is claimed" });
            self.world.state().leases.insert(lease.run_id, lease);
            if over.is_some_and(|over| over > now) {
                self.world.report(|| format!("{} claims what another holds", self.name));
            }
        }
        Ok(claimed)
    }

    pub(crate) async fn renew(
        &self,
        lease: Lease,
        until: Timestamp,
    ) -> StoreResult<Option<String>> {
        let by = if self.mutant(Mutant::RenewWithoutToken) { self.any(lease) } else { lease };
        let answer = self.inner().renew(by, until).await;
        let asked = self.after("renew", lease, answer)?;
        Ok(asked.filter(|_| !self.mutant(Mutant::CancelForgotten)))
    }

    pub(crate) async fn run(&self, run: RunId) -> StoreResult<Option<QueuedRun>> {
        let mut queued = self.inner().run(run).await?;
        if self.mutant(Mutant::CancelForgotten) {
            queued.iter_mut().for_each(|queued| queued.cancel_requested_by = None);
        }
        Ok(queued)
    }

    pub(crate) async fn set_status(&self, lease: Lease, status: RunStatus) -> StoreResult<()> {
        let by = if self.mutant(Mutant::StatusWithoutToken) { self.any(lease) } else { lease };
        let answer = self.inner().set_status(by, status).await;
        checks::check_queue(&self.world).await;
        self.after("set_status", lease, answer)
    }

    pub(crate) fn read_between(&self, stream: &str, from: u64, to: u64) -> EventBatches<'_> {
        if self.mutant(Mutant::RequestAfterQueue) {
            let asked_at = &self.world.state().asked_at;
            let asked_at = RunId::from_stream(stream).and_then(|run| asked_at.get(&run).copied());
            if asked_at.is_some_and(|at| self.world.now() < at + 300) {
                return stream::empty().boxed();
            }
        }
        self.inner().read_between(stream, from, to)
    }

    pub(crate) fn read_all(&self, after: u64) -> EventBatches<'_> {
        self.inner().read_all(after + u64::from(self.skips(after)))
    }

    pub(crate) fn subscribe(&self, after: u64) -> EventBatches<'static> {
        self.inner().subscribe(after + u64::from(self.skips(after)))
    }

    fn skips(&self, after: u64) -> bool {
        after > 0 && self.mutant(Mutant::SubscriptionSkips)
    }
}
