//! Copies a whole store into another one, of the same kind or not: each append with its id, actor,
//! time, and events byte for byte, so that positions, hashes, and seals come out equal; the
//! captured snapshots; the history of the queue. What follows from the events is made again:
//! indexes, the history, the shown tables.
//!
//! The copy must be empty or a beginning of the same log. So a copy that was interrupted continues,
//! and a repeated copy adds what the original has got since.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use powerfill_events::log::{EncodedBatch, Hash, MetaHash, SchemaId, chain, seal};
use powerfill_events::run::RunId;
use powerfill_events::stream::event_name;
use powerfill_ports::StoreError;
use powerfill_ports::copying::{CopyStore, StoredAppend};
use powerfill_ports::events::{Append, AppendReceipt, LogHead, StoredEvent};
use powerfill_ports::retention::read_retention;
use powerfill_ports::runs::{ProjectionWriter, QueuedRun, RUNS_PER_PAGE, RunCursor, RunFilter};
use powerfill_tables::event_index::PROJECTOR_VERSION;
use powerfill_tables::table::LargeTables;
use powerfill_tables::tables::ALL;

use crate::AppError;
use crate::rebuild::{rebuild, rebuild_kept};
use crate::retry::retry_with_backoff;
use crate::verify::{VerifyReport, verify};

/// The progress of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyProgress {
    /// Snapshots are copied.
    Snapshots {
        /// The number of copied snapshots.
        done: u64,
        /// The number of all snapshots.
        of: u64,
    },
    /// Events are copied.
    Events {
        /// The position of the last copied event.
        done: u64,
        /// The position of the last event.
        of: u64,
    },
    /// Indexes and tables are made.
    Runs {
        /// The number of finished runs.
        done: u64,
        /// The number of all runs.
        of: u64,
    },
    /// The copy is being verified.
    Verifying,
}

/// A finished copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyReport {
    /// The end of the copied log.
    pub head: LogHead,
    /// Appends that the copy had before.
    pub had: u64,
    /// The verification of the copy.
    pub verdict: VerifyReport,
    /// Appends that the original has got in the meantime, and the copy does not have.
    pub behind: u64,
}

/// Why a store is not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A run is active in one of the stores.
    #[error("run {run} is active in the {side}; wait for it, or cancel it")]
    RunActive {
        /// `original` or `copy`.
        side: &'static str,
        /// The run.
        run: RunId,
    },
    /// The target has another log.
    #[error(
        "the copy has {seq} appends that are no beginning of the original's log: copy into an \
         empty store"
    )]
    AnotherLog {
        /// The number of the target's appends.
        seq: u64,
    },
    /// Runs that the copy does not have are archived in the original.
    #[error(
        "run {run} is archived in {file}{}, and a copy needs the payloads of every run: bring them \
         back with `powerfill restore FILE`, copy, and archive them in the copy; nothing was copied",
        and_others(*others)
    )]
    Archived {
        /// The first of these runs.
        run: RunId,
        /// Its evidence.
        file: String,
        /// The number of the others.
        others: usize,
    },
    /// The original differs from its seals.
    #[error(
        "append {seq} of the original is damaged: {what}. Everything before it is copied; \
         `powerfill verify` says more"
    )]
    Damaged {
        /// The append.
        seq: u64,
        /// The damage.
        what: String,
    },
    /// Another process writes into the copy.
    #[error(
        "append {seq} did not get its number, because another process writes into the copy: \
         delete the copy, and begin again"
    )]
    Disturbed {
        /// The append.
        seq: u64,
    },
    /// Reading or writing fails.
    #[error(transparent)]
    App(#[from] AppError),
}

fn and_others(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and one more run)".to_owned(),
        others => format!(" (and {others} more runs)"),
    }
}

impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::App(error.into())
    }
}

/// Copies a store into an empty one, or continues a copy; then verifies the copy. Holds the events
/// of one append, and one snapshot, in memory at a time.
///
/// # Errors
/// [`CopyError`]. What was copied stays, and the next copy continues from there.
pub async fn copy_store(
    from: &dyn CopyStore,
    to: &dyn CopyStore,
    progress: &(dyn Fn(CopyProgress) + Sync),
) -> Result<CopyReport, CopyError> {
    ensure_idle(from, "original").await?;
    ensure_idle(to, "copy").await?;
    let end = retry_with_backoff(|| from.head()).await?;
    let had = retry_with_backoff(|| to.head()).await?;
    if retry_with_backoff(|| from.seal_at(had.seq)).await? != Some(had.seal) {
        return Err(CopyError::AnotherLog { seq: had.seq });
    }
    ensure_payloads(from, had, end).await?;
    copy_snapshots(from, to, progress).await?;
    copy_events(from, to, had, end, progress).await?;
    copy_runs(from, to).await?;
    rebuild_projections(from, to, progress).await?;
    progress(CopyProgress::Verifying);
    let verdict = verify(to, None).await?;
    let head = retry_with_backoff(|| to.head()).await?;
    if head != end {
        return Err(CopyError::Disturbed { seq: end.seq });
    }
    let behind = retry_with_backoff(|| from.head()).await?.seq - end.seq;
    Ok(CopyReport { head, had: had.seq, verdict, behind })
}

async fn ensure_idle(store: &dyn CopyStore, side: &'static str) -> Result<(), CopyError> {
    match retry_with_backoff(|| store.active_run()).await? {
        Some(active) => Err(CopyError::RunActive { side, run: active.run_id }),
        None => Ok(()),
    }
}

/// Refuses appends of archived runs, before anything is copied.
async fn ensure_payloads(
    from: &dyn CopyStore,
    had: LogHead,
    end: LogHead,
) -> Result<(), CopyError> {
    let retention = retry_with_backoff(|| read_retention(from)).await?;
    let mut missing = BTreeSet::new();
    let mut at = if retention.all_archived().is_empty() { end.seq } else { had.seq };
    while at < end.seq {
        let appends = retry_with_backoff(|| from.appends_after(at)).await?;
        let Some(last) = appends.last() else { break };
        at = last.record.seq;
        for run in appends.iter().filter_map(|append| RunId::from_stream(&append.stream)) {
            let is_archived = retention.archived(run).is_some() && !missing.contains(&run);
            if is_archived && !retry_with_backoff(|| from.archived_blocks(run)).await?.is_empty() {
                missing.insert(run);
            }
        }
    }
    let first = missing.first().and_then(|run| retention.archived(*run));
    match first {
        Some(first) => Err(CopyError::Archived {
            run: first.run_id,
            file: first.file.clone(),
            others: missing.len() - 1,
        }),
        None => Ok(()),
    }
}

async fn copy_runs(from: &dyn CopyStore, to: &dyn CopyStore) -> Result<(), CopyError> {
    let mut cursor = RunCursor::START;
    loop {
        let page =
            retry_with_backoff(|| from.runs_after(cursor, RUNS_PER_PAGE, RunFilter::All)).await?;
        let Some(last) = page.last().map(QueuedRun::cursor) else { return Ok(()) };
        cursor = last;
        for run in page.into_iter().filter(|run| run.status.is_over()) {
            retry_with_backoff(|| to.put_ended_run(run.clone())).await?;
        }
    }
}

/// The snapshots come first, so that no event names a snapshot that is missing.
async fn copy_snapshots(
    from: &dyn CopyStore,
    to: &dyn CopyStore,
    progress: &(dyn Fn(CopyProgress) + Sync),
) -> Result<(), CopyError> {
    let digests = retry_with_backoff(|| from.snapshot_digests()).await?;
    let existing = retry_with_backoff(|| to.snapshot_digests()).await?;
    let of = digests.len() as u64;
    for (digest, done) in digests.iter().zip(1..) {
        if existing.binary_search(digest).is_err() {
            let canonical = retry_with_backoff(|| from.captured(digest)).await?;
            retry_with_backoff(|| to.capture(digest, &canonical)).await?;
        }
        progress(CopyProgress::Snapshots { done, of });
    }
    Ok(())
}

async fn copy_events(
    from: &dyn CopyStore,
    to: &dyn CopyStore,
    had: LogHead,
    end: LogHead,
    progress: &(dyn Fn(CopyProgress) + Sync),
) -> Result<(), CopyError> {
    let (mut at, mut before) = (had.seq, had.seal);
    while at < end.seq {
        let appends = retry_with_backoff(|| from.appends_after(at)).await?;
        if appends.is_empty() {
            return Err(CopyError::Damaged { seq: at + 1, what: "it is missing".to_owned() });
        }
        for stored in appends.iter().filter(|stored| stored.record.seq <= end.seq) {
            let append = read_append(from, stored, &before).await?;
            let receipt = retry_with_backoff(|| to.append(append.clone())).await?;
            ensure_same_place(stored, receipt)?;
            (at, before) = (stored.record.seq, stored.seal);
            progress(CopyProgress::Events { done: receipt.position, of: end.position });
        }
    }
    Ok(())
}

fn ensure_same_place(stored: &StoredAppend, receipt: AppendReceipt) -> Result<(), CopyError> {
    let record = &stored.record;
    let place = (record.seq, record.last_position(), record.last_version());
    if (receipt.seq, receipt.position, receipt.stream_version) == place {
        return Ok(());
    }
    Err(CopyError::Disturbed { seq: record.seq })
}

/// Reads an append of the original, and checks its hashes and its seal: damage is not copied.
async fn read_append(
    from: &dyn CopyStore,
    stored: &StoredAppend,
    before: &Hash,
) -> Result<Append, CopyError> {
    let StoredAppend { record, stream, seal: stored_seal } = stored;
    let damaged = |what: String| CopyError::Damaged { seq: record.seq, what };
    let meta = MetaHash::new(stream, &record.meta);
    let mut batch = EncodedBatch::default();
    let mut last = None;
    let mut batches = from.read_between(stream, record.first_version, record.last_version());
    let unreadable = |error| match error {
        StoreError::Corrupt(what) => damaged(what.to_string()),
        other => other.into(),
    };
    while let Some(stored) = batches.try_next().await.map_err(unreadable)? {
        for event in stored {
            let version = event.stream_version;
            let StoredEvent { event_type, schema_version, payload, prev_hash, hash, .. } = event;
            let prev = last.unwrap_or(prev_hash);
            if chain(&prev, &meta, version, &event_type, schema_version, &payload) != hash {
                return Err(damaged(format!("event {version} of {stream} is not what was hashed")));
            }
            let name = event_name(&event_type).map_err(|source| AppError::Decode {
                stream: stream.clone(),
                version,
                source,
            })?;
            batch.push_stored(SchemaId::new(name, schema_version), &payload);
            last = Some(hash);
        }
    }
    let last = last.filter(|_| batch.len() as u64 == record.event_count);
    let last = last.ok_or_else(|| damaged(format!("it has {} events", batch.len())))?;
    if seal(before, record, &last) != *stored_seal {
        return Err(damaged("its seal is not that of its row and its events".to_owned()));
    }
    Ok(Append {
        append_id: record.append_id,
        stream: stream.clone(),
        expected_version: record.first_version - 1,
        meta: record.meta.clone(),
        events: batch,
        lease: None,
    })
}

/// Whether the original has rows of the large tables: the copy gets the same.
async fn large_tables(from: &dyn CopyStore) -> Result<LargeTables, CopyError> {
    for table in ALL.iter().filter(|table| table.built_from.is_some()) {
        if retry_with_backoff(|| from.is_stored(table)).await? {
            return Ok(LargeTables::Stored);
        }
    }
    Ok(LargeTables::Built)
}

/// Makes the indexes, the history, and the shown tables of the copy from its events.
async fn rebuild_projections(
    from: &dyn CopyStore,
    to: &dyn CopyStore,
    progress: &(dyn Fn(CopyProgress) + Sync),
) -> Result<(), CopyError> {
    let published = retry_with_backoff(|| from.published()).await?;
    let indexed = retry_with_backoff(|| to.indexed_runs()).await?;
    let streams = retry_with_backoff(|| to.streams()).await?;
    let of_runs = streams.iter().filter_map(|stream| Some((stream, RunId::from_stream(stream)?)));
    let of = of_runs.clone().count() as u64;
    for ((stream, run), done) in of_runs.zip(1..) {
        let version = retry_with_backoff(|| to.stream_version(stream)).await?;
        // The index is written last: if it is there, the rest is too.
        let is_indexed = indexed.iter().any(|(indexed, state)| {
            (*indexed, state.projector_version, state.up_to_version)
                == (run, PROJECTOR_VERSION, version)
        });
        if published.is_some_and(|(published, _)| published == run) {
            if !is_indexed || retry_with_backoff(|| to.published()).await? != published {
                rebuild(to, run, large_tables(from).await?).await?;
            }
        } else if !is_indexed {
            rebuild_kept(to, ProjectionWriter::Maintenance(run)).await?;
        }
        progress(CopyProgress::Runs { done, of });
    }
    Ok(())
}
