//! A file of evidence in the place of a store: all reading calls work as with a store that has this
//! run only. It has no output tables, no event index, and no subscribers, and it refuses every
//! write.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use powerfill_events::log::{Hash, seal_start};
use powerfill_events::run::RunId;
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::copying::{APPENDS_PER_BATCH, CopyStore, StoredAppend};
use powerfill_ports::events::{
    Append, AppendReceipt, EventBatches, EventStore, LogHead, StoredEvent, Verification,
};
use powerfill_ports::index::{EntryBatches, IndexState, IndexStore, IndexedVersions};
use powerfill_ports::projections::{ProjectionStore, RowBatches};
use powerfill_ports::retention::RetentionStore;
use powerfill_ports::run_list::HeadlineStore;
use powerfill_ports::runs::{
    Lease, ProjectionWriter, QueuedRun, RunCursor, RunFilter, RunStatus, RunStore,
};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::subscribers::SubscriberStore;
use powerfill_ports::{StoreError, StoreResult};
use powerfill_tables::event_index::{RunIndex, Subject};
use powerfill_tables::table::{Cell, RowBatch, TableRef};

use crate::EvidenceError;
use crate::evidence_file::EvidenceFile;
use crate::parts::{AppendLine, Manifest, names};

/// The evidence of one run as a store.
#[derive(Clone)]
pub struct EvidenceStore {
    shared: Arc<Shared>,
}

struct Shared {
    manifest: Manifest,
    appends: Vec<AppendLine>,
    file: Mutex<EvidenceFile>,
}

impl EvidenceStore {
    /// Opens a file. Its seals are checked here, and each part when it is read.
    ///
    /// # Errors
    /// As for [`verify`](crate::verify()).
    pub fn open(path: &Path) -> Result<Self, EvidenceError> {
        let file = EvidenceFile::open(path)?;
        let (manifest, appends) = (file.manifest.clone(), file.appends.clone());
        Ok(Self { shared: Arc::new(Shared { manifest, appends, file: Mutex::new(file) }) })
    }

    fn manifest(&self) -> &Manifest {
        &self.shared.manifest
    }

    /// Calls a function with the file on a thread that may block.
    async fn read_file<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut EvidenceFile) -> Result<T, EvidenceError> + Send + 'static,
    ) -> StoreResult<T> {
        let shared = Arc::clone(&self.shared);
        let read = tokio::task::spawn_blocking(move || read(&mut shared.file.lock())).await;
        let read = read.map_err(|error| StoreError::Failed(error.to_string().into()))?;
        read.map_err(StoreError::from)
    }

    /// The events of the run for which `is_wanted` holds, one part of the file at a time.
    fn read_matching(
        &self,
        from: u64,
        to: u64,
        is_wanted: impl Fn(&StoredEvent) -> bool + Send + Sync + 'static,
    ) -> EventBatches<'static> {
        let to = to.min(self.manifest().events);
        let (store, is_wanted) = (self.clone(), Arc::new(is_wanted));
        let parts = if from <= to {
            EvidenceFile::part_of(from)..EvidenceFile::part_of(to) + 1
        } else {
            0..0
        };
        let batches = stream::iter(parts).then(move |part| {
            let (store, is_wanted) = (store.clone(), Arc::clone(&is_wanted));
            async move {
                let mut events = store.read_file(move |file| file.events(part)).await?;
                events.retain(|event| {
                    (from..=to).contains(&event.stream_version) && is_wanted(event)
                });
                Ok(events)
            }
        });
        batches.try_filter(|batch| std::future::ready(!batch.is_empty())).boxed()
    }

    /// The one run of the file, also of a scenario, is the latest.
    fn queued_run(&self) -> QueuedRun {
        QueuedRun {
            run_id: self.manifest().run_id,
            status: self.manifest().status,
            requested_at: self.manifest().requested_at,
            worker: None,
            lease_expires_at: None,
            cancel_requested_by: None,
            is_scenario: false,
        }
    }

    fn has(&self, stream: &str) -> bool {
        self.manifest().run_id.stream() == stream
    }
}

/// Evidence is never written.
fn refused<T>() -> StoreResult<T> {
    let what = "evidence can only be read; name a store with --store sqlite:FILE or postgres://…";
    Err(StoreError::ReadOnly(what.into()))
}

#[async_trait]
impl EventStore for EvidenceStore {
    async fn append(&self, _: Append) -> StoreResult<AppendReceipt> {
        refused()
    }

    async fn tenant(&self) -> StoreResult<Option<TenantId>> {
        Ok(Some(self.manifest().tenant_id.clone()))
    }

    async fn stream_version(&self, stream: &str) -> StoreResult<u64> {
        Ok(if self.has(stream) { self.manifest().events } else { 0 })
    }

    async fn streams(&self) -> StoreResult<Vec<String>> {
        Ok(vec![self.manifest().run_id.stream()])
    }

    fn read_between(&self, stream: &str, from_version: u64, to_version: u64) -> EventBatches<'_> {
        let to = if self.has(stream) { to_version } else { 0 };
        self.read_matching(from_version.max(1), to, |_| true)
    }

    fn read_versions(&self, stream: &str, versions: Vec<u64>) -> EventBatches<'_> {
        let from = versions.first().copied().unwrap_or(1);
        let to = versions.last().copied().filter(|_| self.has(stream)).unwrap_or(0);
        self.read_matching(from, to, move |event| {
            versions.binary_search(&event.stream_version).is_ok()
        })
    }

    fn read_all(&self, after_position: u64) -> EventBatches<'_> {
        self.read_matching(1, u64::MAX, move |event| event.global_position > after_position)
    }

    fn subscribe(&self, after_position: u64) -> EventBatches<'static> {
        let events =
            self.read_matching(1, u64::MAX, move |event| event.global_position > after_position);
        events.chain(stream::pending()).boxed()
    }

    async fn head(&self) -> StoreResult<LogHead> {
        let last = self.shared.appends.last();
        Ok(last.map_or(LogHead { seq: 0, position: 0, seal: seal_start() }, |line| LogHead {
            seq: line.seq,
            position: line.record().last_position(),
            seal: line.seal,
        }))
    }

    async fn seal_at(&self, seq: u64) -> StoreResult<Option<Hash>> {
        let before = self.shared.appends.first().filter(|first| first.seq == seq + 1);
        let of_append = self.shared.appends.iter().find(|line| line.seq == seq);
        Ok(of_append.map(|line| line.seal).or(before.map(|_| self.manifest().seal_before)))
    }

    /// Reading a file checks every hash and seal, so that each event needs to be read only.
    async fn verify(&self, stream: Option<&str>) -> StoreResult<Verification> {
        if stream.is_none_or(|stream| !self.has(stream)) {
            let what = "this is evidence: check it with `powerfill evidence verify FILE`";
            return Err(StoreError::Failed(what.into()));
        }
        let mut verification = Verification { streams: 1, ..Verification::default() };
        let mut batches = self.read_all(0);
        while let Some(batch) = batches.try_next().await? {
            verification.events += batch.len() as u64;
        }
        verification.appends = self.shared.appends.len() as u64;
        Ok(verification)
    }
}

#[async_trait]
impl SnapshotStore for EvidenceStore {
    async fn capture(&self, _: &str, _: &[u8]) -> StoreResult<bool> {
        refused()
    }

    async fn captured(&self, digest: &str) -> StoreResult<Vec<u8>> {
        if self.manifest().input_digest != digest {
            return Err(StoreError::NotFound { what: "snapshot", name: digest.to_owned() });
        }
        let digest = digest.to_owned();
        self.read_file(move |file| {
            let canonical = file.reader.part(names::INPUT)?;
            if blake3::hash(&canonical).to_hex().as_str() != digest {
                return Err(EvidenceError::damaged(names::INPUT, "it has another digest"));
            }
            Ok(canonical)
        })
        .await
    }
}

impl RetentionStore for EvidenceStore {}

#[async_trait]
impl ProjectionStore for EvidenceStore {
    async fn begin_staging(&self, _: ProjectionWriter, _: &[TableRef]) -> StoreResult<()> {
        refused()
    }

    async fn stage(&self, _: ProjectionWriter, _: Arc<[RowBatch]>, _: u64) -> StoreResult<()> {
        refused()
    }

    async fn publish(&self, _: ProjectionWriter, _: &[TableRef]) -> StoreResult<()> {
        refused()
    }

    async fn is_stored(&self, _: TableRef) -> StoreResult<bool> {
        Ok(false)
    }

    async fn published(&self) -> StoreResult<Option<(RunId, u64)>> {
        Ok(None)
    }

    async fn put_row(&self, _: ProjectionWriter, _: TableRef, _: Vec<Cell>) -> StoreResult<()> {
        refused()
    }

    fn rows(&self, _: TableRef) -> RowBatches<'_> {
        stream::empty().boxed()
    }
}

#[async_trait]
impl IndexStore for EvidenceStore {
    async fn put_index(&self, _: ProjectionWriter, _: Arc<RunIndex>) -> StoreResult<()> {
        refused()
    }

    async fn indexed(&self, _: RunId, _: Vec<Subject>) -> StoreResult<Option<IndexedVersions>> {
        Ok(None)
    }

    async fn indexed_runs(&self) -> StoreResult<Vec<(RunId, IndexState)>> {
        Ok(Vec::new())
    }

    fn index_entries(&self, _: RunId) -> EntryBatches<'_> {
        stream::empty().boxed()
    }
}

#[async_trait]
impl RunStore for EvidenceStore {
    async fn enqueue(&self, _: Append, _: bool) -> StoreResult<AppendReceipt> {
        refused()
    }

    async fn claim(&self, _: &str, _: Timestamp, _: Timestamp) -> StoreResult<Option<Lease>> {
        refused()
    }

    async fn renew(&self, _: Lease, _: Timestamp) -> StoreResult<Option<String>> {
        refused()
    }

    async fn set_status(&self, _: Lease, _: RunStatus) -> StoreResult<()> {
        refused()
    }

    async fn request_cancel(&self, _: RunId, _: &str) -> StoreResult<bool> {
        refused()
    }

    async fn run(&self, run: RunId) -> StoreResult<Option<QueuedRun>> {
        Ok(Some(self.queued_run()).filter(|queued| queued.run_id == run))
    }

    async fn active_run(&self) -> StoreResult<Option<QueuedRun>> {
        Ok(None)
    }

    async fn latest_run(&self, status: RunStatus) -> StoreResult<Option<QueuedRun>> {
        Ok(Some(self.queued_run()).filter(|queued| queued.status == status))
    }

    async fn runs_after(
        &self,
        cursor: RunCursor,
        limit: usize,
        filter: RunFilter,
    ) -> StoreResult<Vec<QueuedRun>> {
        let is_wanted = |queued: &QueuedRun| queued.cursor() < cursor && filter.admits(queued);
        let run = Some(self.queued_run()).filter(|queued| limit > 0 && is_wanted(queued));
        Ok(run.into_iter().collect())
    }

    async fn runs_between(
        &self,
        first: RunId,
        last: RunId,
        limit: usize,
    ) -> StoreResult<Vec<QueuedRun>> {
        let is_between = |queued: &QueuedRun| (first..=last).contains(&queued.run_id);
        let run = Some(self.queued_run()).filter(|queued| limit > 0 && is_between(queued));
        Ok(run.into_iter().collect())
    }

    async fn run_counts(&self) -> StoreResult<BTreeMap<RunStatus, u64>> {
        Ok(BTreeMap::from([(self.manifest().status, 1)]))
    }
}

impl HeadlineStore for EvidenceStore {}

#[async_trait]
impl SubscriberStore for EvidenceStore {
    async fn subscriber(&self, _: &str) -> StoreResult<Option<u64>> {
        Ok(None)
    }

    async fn subscribers(&self) -> StoreResult<Vec<(String, u64)>> {
        Ok(Vec::new())
    }

    async fn advance(&self, _: &str, _: Option<u64>, _: u64) -> StoreResult<bool> {
        refused()
    }
}

/// The appends of the evidence can be read, so that it can be exported again. Copying a whole store
/// needs the first append of its log, and refuses anything else.
#[async_trait]
impl CopyStore for EvidenceStore {
    async fn appends_after(&self, seq: u64) -> StoreResult<Vec<StoredAppend>> {
        let later = self.shared.appends.iter().filter(|line| line.seq > seq);
        let stored = later.take(APPENDS_PER_BATCH).map(|line| StoredAppend {
            record: line.record(),
            stream: line.stream.clone(),
            seal: line.seal,
        });
        Ok(stored.collect())
    }

    async fn snapshot_digests(&self) -> StoreResult<Vec<String>> {
        Ok(vec![self.manifest().input_digest.clone()])
    }

    async fn verified_log(&self) -> StoreResult<Option<LogHead>> {
        Ok(None)
    }

    async fn set_verified_log(&self, _: LogHead) -> StoreResult<()> {
        refused()
    }

    async fn put_ended_run(&self, _: QueuedRun) -> StoreResult<()> {
        refused()
    }
}
