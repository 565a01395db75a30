//! Retention (specification 3.5): holds, and runs whose payloads leave the store when their
//! evidence is written and verified.
//!
//! Archiving a run is four steps, each of which is whole or did not happen: the file of evidence
//! appears, it is verified, the event `RunArchived` is appended, and the payloads are removed. A
//! command that was interrupted between them continues with the next call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;

use futures::TryStreamExt;
use powerfill_events::log::{AppendMeta, EncodedBatch, StoredEvent};
use powerfill_events::retention::{
    RetentionEvent, RetentionState, RunArchived, RunHoldPlaced, RunHoldReleased, RunRestored,
    STREAM,
};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::{Timestamp, derive_uuid};
use powerfill_ports::copying::CopyStore;
use powerfill_ports::events::{Append, EventStore};
use powerfill_ports::retention::{block_payload, read_retention};
use powerfill_ports::runs::{QueuedRun, RunCursor, RunFilter, stream_runs};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::{Store, StoreError};
use uuid::Uuid;

use crate::export::{ExportRequest, export};
use crate::verify::{EvidenceReport, Expectation, verify};
use crate::{EvidenceError, EvidenceStore, container};

/// Who acts, when, and why.
#[derive(Debug, Clone, Copy)]
pub struct RetentionActor<'a> {
    /// The user.
    pub name: &'a str,
    /// The present moment.
    pub now: Timestamp,
}

/// Before every run.
const OLDEST: RunCursor =
    RunCursor { requested_at: Timestamp::from_micros(i64::MIN), run_id: RunId(Uuid::nil()) };

/// Where runs are archived, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveRequest<'a> {
    /// Who archives.
    pub actor: RetentionActor<'a>,
    /// The folder for the files of evidence.
    pub folder: &'a Path,
    /// The name and version of this program.
    pub program: &'a str,
}

/// What became of a run that was to be archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveOutcome {
    /// Its evidence is in this file, and its payloads are removed.
    Archived(PathBuf),
    /// It was archived before.
    Before,
    /// It stays, for this reason.
    Kept(String),
}

/// Archives runs of one store, one after the other.
pub struct Archiver<'a> {
    store: &'a dyn CopyStore,
    request: ArchiveRequest<'a>,
    state: RetentionState,
    /// The run that the store shows, and the newest one.
    latest: Vec<RunId>,
    /// The newest run whose snapshot was read.
    newest: RunCursor,
    /// The snapshots of the runs that have their payloads.
    snapshots: BTreeMap<RunId, String>,
    /// The subscriber that is behind all others, and its position.
    slowest: Option<(String, u64)>,
}

impl<'a> Archiver<'a> {
    /// Reads what is needed of all runs: holds, the latest run, and shared snapshots.
    ///
    /// # Errors
    /// [`StoreError::RunActive`] while a run is active; the store fails.
    pub async fn open(
        store: &'a dyn CopyStore,
        request: ArchiveRequest<'a>,
    ) -> Result<Self, EvidenceError> {
        if let Some(active) = store.active_run().await? {
            return Err(StoreError::RunActive(active.run_id).into());
        }
        let first = |filter| store.runs_after(RunCursor::START, 1, filter);
        let latest = first(RunFilter::Official).await?;
        let shown = store.published().await?.map(|(run, _)| run);
        let latest = latest.iter().map(|queued| queued.run_id).chain(shown).collect();
        let newest = first(RunFilter::All).await?.first().map_or(OLDEST, QueuedRun::cursor);
        let state = read_retention(store).await?;
        let mut snapshots = BTreeMap::new();
        for stream in store.streams().await? {
            let run = RunId::from_stream(&stream).filter(|run| state.archived(*run).is_none());
            let Some(run) = run else { continue };
            if let Some(digest) = snapshot_of(store, run).await? {
                snapshots.insert(run, digest);
            }
        }
        let slowest = store.subscribers().await?.into_iter().min_by_key(|(_, position)| *position);
        Ok(Self { store, request, state, latest, newest, snapshots, slowest })
    }

    /// Archives a run, or continues to; `reason` is for the record.
    ///
    /// # Errors
    /// The evidence cannot be written or does not verify, and the run stays; the store fails.
    pub async fn archive(
        &mut self,
        run: RunId,
        reason: Option<&str>,
    ) -> Result<ArchiveOutcome, EvidenceError> {
        let archived = match self.state.archived(run).cloned() {
            // Blocks and snapshot leave together.
            Some(_) if !self.store.archived_blocks(run).await?.is_empty() => {
                return Ok(ArchiveOutcome::Before);
            }
            // The record of an interrupted command: the evidence was verified before it.
            Some(archived) => archived,
            None => match self.reason_to_keep(run).await? {
                Some(reason) => return Ok(ArchiveOutcome::Kept(reason)),
                None => self.record(run, reason).await?,
            },
        };
        self.snapshots.remove(&run);
        self.read_new_runs().await?;
        let digest = &archived.snapshot_digest;
        let is_shared = self.snapshots.values().any(|other| other == digest);
        let snapshot = Some(digest.clone()).filter(|_| !is_shared);
        self.store.remove_payloads(run, snapshot).await?;
        Ok(ArchiveOutcome::Archived(archived.file.into()))
    }

    /// Reads the snapshots of the runs that were requested since: another process may work beside
    /// this one.
    async fn read_new_runs(&mut self) -> Result<(), EvidenceError> {
        let before = self.newest;
        let mut runs = pin!(stream_runs(self.store, RunFilter::All));
        while let Some(queued) = runs.try_next().await? {
            if queued.cursor() == before {
                break;
            }
            self.newest = self.newest.max(queued.cursor());
            if let Some(digest) = snapshot_of(self.store, queued.run_id).await? {
                self.snapshots.insert(queued.run_id, digest);
            }
        }
        Ok(())
    }

    /// Why a run must keep its payloads.
    async fn reason_to_keep(&self, run: RunId) -> Result<Option<String>, EvidenceError> {
        if let Some(reason) = self.state.hold(run) {
            return Ok(Some(format!("it is under hold: {reason}")));
        }
        if self.latest.contains(&run) {
            return Ok(Some("it is the latest run".to_owned()));
        }
        let stream = run.stream();
        let version = self.store.stream_version(&stream).await?;
        let last = self.store.read_between(&stream, version, version).try_next().await?;
        let last = last.and_then(|batch| batch.into_iter().next());
        let last = last.map_or(0, |event| event.global_position);
        Ok(self
            .slowest
            .as_ref()
            .filter(|(_, position)| *position < last)
            .map(|(name, _)| format!("the subscriber {name} has not processed its events")))
    }

    /// Writes and verifies the evidence of a run, and appends the record.
    async fn record(
        &mut self,
        run: RunId,
        reason: Option<&str>,
    ) -> Result<RunArchived, EvidenceError> {
        let file = self.request.folder.join(format!("run-{run}.pfe"));
        if !file.exists() {
            let request =
                ExportRequest { run, seal: None, program: self.request.program, replaces: false };
            export(self.store, request, &file).await?;
        }
        let EvidenceReport { manifest, .. } =
            verify(&file, Expectation::default()).map_err(|error| error.in_file(&file))?;
        let version = self.store.stream_version(&run.stream()).await?;
        if (manifest.run_id, manifest.events) != (run, version) {
            return Err(EvidenceError::Exists(file));
        }
        let archived = RunArchived {
            run_id: run,
            file: file.display().to_string(),
            file_sha256: container::file_sha256(&file)?,
            events: manifest.events,
            last_hash: manifest.last_hash.to_hex().to_string(),
            snapshot_digest: manifest.input_digest,
            reason: reason.map(str::to_owned),
        };
        let event = RetentionEvent::RunArchived(archived.clone());
        append(self.store, &mut self.state, event, self.request.actor).await?;
        Ok(archived)
    }
}

/// The digest of a run's captured snapshot; `None` if its first event is no request.
async fn snapshot_of(store: &dyn CopyStore, run: RunId) -> Result<Option<String>, EvidenceError> {
    let first = store.read_between(&run.stream(), 1, 1).try_next().await?;
    let Some(first) = first.and_then(|batch| batch.into_iter().next()) else { return Ok(None) };
    match RunEvent::decode_stored(&first) {
        Ok(RunEvent::RunRequested(requested)) => Ok(Some(requested.snapshot_digest.clone())),
        Ok(_) => Ok(None),
        Err(error) => Err(EvidenceError::Damaged(format!("event 1 of run {run}: {error}"))),
    }
}

/// Brings the payloads of an archived run back, after the file was verified.
///
/// # Errors
/// [`EvidenceError::Damaged`]; [`EvidenceError::NotArchived`]; the store fails.
pub async fn restore(
    store: &dyn CopyStore,
    file: &Path,
    actor: RetentionActor<'_>,
) -> Result<RunId, EvidenceError> {
    let EvidenceReport { manifest, .. } = verify(file, Expectation::default())?;
    let run = manifest.run_id;
    let mut state = read_retention(store).await?;
    let last_hash = manifest.last_hash.to_hex();
    let archived = state.archived(run).filter(|archived| archived.last_hash == *last_hash);
    if archived.is_none() {
        return Err(EvidenceError::NotArchived(run));
    }
    let evidence = EvidenceStore::open(file)?;
    let canonical = evidence.captured(&manifest.input_digest).await?;
    store.capture(&manifest.input_digest, &canonical).await?;
    let mut payloads = Vec::new();
    for block in store.archived_blocks(run).await? {
        let last = block.first_version + block.event_count - 1;
        let events = evidence.read_between(&run.stream(), block.first_version, last);
        let events: Vec<StoredEvent> = events.try_concat().await?;
        payloads.push(block_payload(block, &events)?);
    }
    store.put_payloads(run, payloads).await?;
    if let Some(damage) = store.verify(Some(&run.stream())).await?.damage {
        return Err(StoreError::Corrupt(damage.what.into()).into());
    }
    let restored = RunRestored { run_id: run, file: file.display().to_string() };
    append(store, &mut state, RetentionEvent::RunRestored(restored), actor).await?;
    Ok(run)
}

/// Puts a run under hold, or changes the reason.
///
/// # Errors
/// [`StoreError::NotFound`] if the run has no events; the store fails.
pub async fn place_hold(
    store: &dyn Store,
    run: RunId,
    reason: &str,
    actor: RetentionActor<'_>,
) -> Result<(), EvidenceError> {
    if store.stream_version(&run.stream()).await? == 0 {
        return Err(StoreError::NotFound { what: "run", name: run.to_string() }.into());
    }
    let mut state = read_retention(store).await?;
    if state.hold(run) == Some(reason) {
        return Ok(());
    }
    let event = RunHoldPlaced { run_id: run, reason: reason.to_owned() };
    append(store, &mut state, RetentionEvent::RunHoldPlaced(event), actor).await
}

/// Releases the hold of a run. Returns whether it was under hold.
///
/// # Errors
/// The store fails.
pub async fn release_hold(
    store: &dyn Store,
    run: RunId,
    reason: Option<&str>,
    actor: RetentionActor<'_>,
) -> Result<bool, EvidenceError> {
    let mut state = read_retention(store).await?;
    if state.hold(run).is_none() {
        return Ok(false);
    }
    let event = RunHoldReleased { run_id: run, reason: reason.map(str::to_owned) };
    append(store, &mut state, RetentionEvent::RunHoldReleased(event), actor).await?;
    Ok(true)
}

/// Appends an event of the retention. Another command that was first is a conflict: this one was
/// decided without it.
async fn append(
    store: &dyn Store,
    state: &mut RetentionState,
    event: RetentionEvent,
    actor: RetentionActor<'_>,
) -> Result<(), EvidenceError> {
    let events = EncodedBatch::encode([&event]);
    let no_run = || StoreError::NotFound { what: "run", name: "latest".to_owned() };
    let tenant_id = store.tenant().await?.ok_or_else(no_run)?;
    let expected_version = state.version();
    let version = expected_version.to_le_bytes();
    let payload = events.iter().next().map(|(_, payload)| payload.to_vec()).unwrap_or_default();
    let context = "powerfill 2026 retention append id";
    let append = Append {
        append_id: derive_uuid(context, &[tenant_id.as_str().as_bytes(), &version, &payload]),
        stream: STREAM.to_owned(),
        expected_version,
        meta: AppendMeta::new(tenant_id, actor.name, actor.now),
        events,
        lease: None,
    };
    store.append(append).await?;
    state.apply(&event);
    Ok(())
}
