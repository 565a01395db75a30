//! Copying a whole store into another one, of the same kind or not: every append with its id, actor, time and events
//! byte for byte, so that positions, hashes and seals come out the same; captured snapshots; the history of the queue.
//! What follows from the events is made anew: indexes, the history, the tables that are shown.
//!
//! What the copy has already is a beginning of the same log, or it is refused. So a copy that broke off goes on where
//! it stopped, and one of a store that has gone on brings the rest.

use futures::TryStreamExt;
use powerfill_events::log::{EncodedBatch, SchemaId, event_name};
use powerfill_events::run::RunId;
use powerfill_events::run::envelope::{Hash, MetaHash, chain};
use powerfill_ports::copying::{CopyStore, StoredAppend};
use powerfill_ports::events::{Append, AppendReceipt, LogHead, StoredEvent};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::seal::seal;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::event_index::PROJECTOR_VERSION;

use crate::RunnerError;
use crate::rebuild::{kept, rebuild};
use crate::retry::retry_with_backoff;
use crate::verify::{Verdict, verify};

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Snapshots are there.
    Snapshots {
        /// So many.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// Events are there.
    Events {
        /// Up to this position.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// Indexes and tables of runs are there.
    Runs {
        /// So many.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// The copy is verified.
    Verifying,
}

/// What a copy came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The end of the log that was copied.
    pub head: LogHead,
    /// Appends that the copy had already.
    pub had: u64,
    /// What verification of the copy says.
    pub verdict: Verdict,
    /// Appends that the original has got meanwhile and the copy has not.
    pub behind: u64,
}

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// A run goes on in one of the two.
    #[error("run {run} is active in the {side}; wait for it, or cancel it")]
    RunActive {
        /// `original` or `copy`.
        side: &'static str,
        /// The run.
        run: RunId,
    },
    /// The place of the copy holds something else.
    #[error(
        "the copy has {seq} appends that are no beginning of the original's log: copy into an empty store"
    )]
    AnotherLog {
        /// How many.
        seq: u64,
    },
    /// The original is not what its seals say.
    #[error(
        "append {seq} of the original is damaged: {what}. Everything before it is copied; `powerfill verify` says more"
    )]
    Damaged {
        /// Which append.
        seq: u64,
        /// What.
        what: String,
    },
    /// Somebody else wrote into the copy.
    #[error(
        "append {seq} did not get its place: another process writes into the copy, which is spoilt; begin again"
    )]
    Disturbed {
        /// Which append.
        seq: u64,
    },
    /// Reading or writing.
    #[error(transparent)]
    Runner(#[from] RunnerError),
}

impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::Runner(error.into())
    }
}

/// Copies a store into an empty one, or brings what one that was copied before has not yet; then verifies the copy.
/// Holds one append of events, and one snapshot, at a time.
///
/// # Errors
/// [`CopyError`]; what was copied stays, and is gone on from next time.
pub async fn copy_store<F: CopyStore + ?Sized, T: CopyStore + ?Sized>(
    from: &F,
    to: &T,
    progress: impl Fn(Progress),
) -> Result<Copied, CopyError> {
    must_be_idle(from, "original").await?;
    must_be_idle(to, "copy").await?;
    let end = retry_with_backoff(|| from.head()).await?;
    let had = retry_with_backoff(|| to.head()).await?;
    if retry_with_backoff(|| from.seal_at(had.seq)).await? != Some(had.seal) {
        return Err(CopyError::AnotherLog { seq: had.seq });
    }
    snapshots(from, to, &progress).await?;
    events(from, to, had, end, &progress).await?;
    for run in
        retry_with_backoff(|| from.runs()).await?.into_iter().filter(|run| run.status.is_over())
    {
        retry_with_backoff(|| to.put_ended_run(run.clone())).await?;
    }
    what_follows(from, to, &progress).await?;
    progress(Progress::Verifying);
    let verdict = verify(to, None).await?;
    let head = retry_with_backoff(|| to.head()).await?;
    if head != end {
        return Err(CopyError::Disturbed { seq: end.seq });
    }
    let behind = retry_with_backoff(|| from.head()).await?.seq - end.seq;
    Ok(Copied { head, had: had.seq, verdict, behind })
}

async fn must_be_idle<S: CopyStore + ?Sized>(
    store: &S,
    side: &'static str,
) -> Result<(), CopyError> {
    let runs = retry_with_backoff(|| store.runs()).await?;
    match runs.iter().find(|run| !run.status.is_over()) {
        Some(active) => Err(CopyError::RunActive { side, run: active.run_id }),
        None => Ok(()),
    }
}

/// First of all: no event may speak of a snapshot that is not there.
async fn snapshots<F: CopyStore + ?Sized, T: CopyStore + ?Sized>(
    from: &F,
    to: &T,
    progress: &impl Fn(Progress),
) -> Result<(), CopyError> {
    let digests = retry_with_backoff(|| from.snapshot_digests()).await?;
    let there = retry_with_backoff(|| to.snapshot_digests()).await?;
    let of = digests.len() as u64;
    for (digest, done) in digests.iter().zip(1..) {
        if there.binary_search(digest).is_err() {
            let canonical = retry_with_backoff(|| from.captured(digest)).await?;
            retry_with_backoff(|| to.capture(digest, &canonical)).await?;
        }
        progress(Progress::Snapshots { done, of });
    }
    Ok(())
}

async fn events<F: CopyStore + ?Sized, T: CopyStore + ?Sized>(
    from: &F,
    to: &T,
    had: LogHead,
    end: LogHead,
    progress: &impl Fn(Progress),
) -> Result<(), CopyError> {
    let (mut at, mut before) = (had.seq, had.seal);
    while at < end.seq {
        let appends = retry_with_backoff(|| from.appends_after(at)).await?;
        if appends.is_empty() {
            return Err(CopyError::Damaged { seq: at + 1, what: "it is missing".to_owned() });
        }
        for kept in appends.iter().filter(|kept| kept.record.seq <= end.seq) {
            let append = read_append(from, kept, &before).await?;
            let appended = retry_with_backoff(|| to.append(append.clone())).await?;
            in_its_place(kept, appended)?;
            (at, before) = (kept.record.seq, kept.seal);
            progress(Progress::Events { done: appended.position, of: end.position });
        }
    }
    Ok(())
}

fn in_its_place(kept: &StoredAppend, appended: AppendReceipt) -> Result<(), CopyError> {
    let record = &kept.record;
    let place = (record.seq, record.last_position(), record.last_version());
    if (appended.seq, appended.position, appended.stream_version) == place {
        return Ok(());
    }
    Err(CopyError::Disturbed { seq: record.seq })
}

/// An append of the original, its hashes and its seal computed again: what is damaged is not copied.
async fn read_append<F: CopyStore + ?Sized>(
    from: &F,
    kept: &StoredAppend,
    before: &Hash,
) -> Result<Append, CopyError> {
    let StoredAppend { record, stream, seal: stored_seal } = kept;
    let damaged = |what: String| CopyError::Damaged { seq: record.seq, what };
    let meta = MetaHash::new(stream, &record.meta);
    let mut batch = EncodedBatch::default();
    let mut last = None;
    let mut batches = from.read_between(stream, record.first_version, record.last_version());
    while let Some(stored) = batches.try_next().await? {
        for event in stored {
            let version = event.stream_version;
            let StoredEvent { event_type, schema_version, payload, prev_hash, hash, .. } = event;
            let prev = last.unwrap_or(prev_hash);
            if chain(&prev, &meta, version, &event_type, schema_version, &payload) != hash {
                return Err(damaged(format!("event {version} of {stream} is not what was hashed")));
            }
            let name = event_name(&event_type).map_err(|source| RunnerError::Decode {
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

/// Makes indexes, history and shown tables from the events that are there now.
async fn what_follows<F: Store + ?Sized, T: Store + ?Sized>(
    from: &F,
    to: &T,
    progress: &impl Fn(Progress),
) -> Result<(), CopyError> {
    let shown = retry_with_backoff(|| from.published()).await?;
    let indexed = retry_with_backoff(|| to.indexed_runs()).await?;
    let streams = retry_with_backoff(|| to.streams()).await?;
    let of_runs = streams.iter().filter_map(|stream| Some((stream, RunId::of_stream(stream)?)));
    let of = of_runs.clone().count() as u64;
    for ((stream, run), done) in of_runs.zip(1..) {
        let version = retry_with_backoff(|| to.stream_version(stream)).await?;
        if shown.is_some_and(|(shown, _)| shown == run) {
            if retry_with_backoff(|| to.published()).await? != shown {
                rebuild(to, run).await?;
            }
        } else if !indexed.iter().any(|(indexed, state)| {
            (*indexed, state.projector_version, state.up_to_version)
                == (run, PROJECTOR_VERSION, version)
        }) {
            // The index comes last of what is kept of a run: with it, the rest is there.
            kept(to, ProjectionWriter::Maintenance(run)).await?;
        }
        progress(Progress::Runs { done, of });
    }
    Ok(())
}
