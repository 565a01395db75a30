//! Verifies what was recorded after a seal (specification 3.4): the log up to the seal was verified
//! when the seal was taken, and the seal reveals a log that was rewritten since.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::iter;
use powerfill_events::log::LogHead;
use powerfill_events::run::RunId;
use powerfill_ports::copying::{CopyStore, StoredAppend};
use powerfill_ports::detached_block::HashCheck;
use powerfill_ports::events::{Damage, Verification};
use powerfill_ports::{Store, StoreError};

use super::{Comparer, VerifyObserver, VerifyProgress, VerifyReport, Workers, verify_in_parallel};
use crate::{AppError, AppResult};

/// How a log differs from one that had this seal at its end; `None` if it still contains it. The
/// events are not read: the stored seal says nothing about them.
///
/// # Errors
/// The store fails.
pub async fn seal_difference(store: &dyn Store, sealed: LogHead) -> AppResult<Option<String>> {
    let seq = sealed.seq;
    let Some(stored) = store.seal_at(seq).await? else {
        let head = store.head().await?;
        return Ok(Some(format!(
            "append {seq} was sealed, up to event {}, and the log ends at append {} and event {}: \
             it was truncated",
            sealed.position, head.seq, head.position
        )));
    };
    Ok((stored != sealed.seal).then(|| {
        format!(
            "append {seq} is not the one that was sealed: the log was rewritten at this append or \
             before it"
        )
    }))
}

/// Verifies the log after a seal, every stream that grew since, and what is kept of their runs. The
/// shown tables are always compared.
///
/// # Errors
/// The store fails. Damage and differences are results.
pub async fn verify_since(
    store: &Arc<dyn CopyStore>,
    sealed: LogHead,
    workers: Workers,
    observer: VerifyObserver<'_>,
) -> AppResult<VerifyReport> {
    let mut report = VerifyReport::of_log(Verification::default());
    report.difference = seal_difference(store.as_ref(), sealed).await?;
    if report.difference.is_some() {
        return Ok(report);
    }
    let later = read_appends(store.as_ref(), sealed).await?;
    let grew: BTreeSet<String> = later.streams.iter().cloned().collect();
    report.log = verify_streams(store, later, workers).await?;
    observer(VerifyProgress::LogVerified);
    if report.log.damage.is_none() {
        let shown = store.published().await?.map(|(run, _)| run);
        let is_chosen = |run: RunId| shown == Some(run) || grew.contains(&run.stream());
        let store: Arc<dyn Store> = Arc::<dyn CopyStore>::clone(store);
        // The shown run need not be one of the verified streams.
        let comparer = Comparer::new(&store, workers, HashCheck::OnRead, observer);
        comparer.compare(&is_chosen, true, &mut report).await?;
    }
    Ok(report)
}

/// A verification that begins where the last one of its kind ended.
#[derive(Debug)]
pub struct IncrementalReport {
    /// The end of the log at the last verification; `None` if the whole log was verified.
    pub since: Option<LogHead>,
    /// What was verified.
    pub report: VerifyReport,
    /// Why the store did not record this verification.
    pub not_recorded: Option<StoreError>,
}

/// Verifies what was recorded since the last call, at the first call everything, and lets the store
/// record how far it came. Who can write the store can also write this record, so that this is for
/// routine and proves nothing; [`verify_since`] with a seal that was kept elsewhere does.
///
/// # Errors
/// As for [`verify_since`].
pub async fn verify_incrementally(
    store: &Arc<dyn CopyStore>,
    observer: VerifyObserver<'_>,
) -> AppResult<IncrementalReport> {
    let head = store.head().await?;
    let since = store.verified_log().await?;
    let report = match since {
        Some(sealed) => verify_since(store, sealed, Workers::AllCores, observer).await?,
        None => {
            let store: Arc<dyn Store> = Arc::<dyn CopyStore>::clone(store);
            verify_in_parallel(&store, observer).await?
        }
    };
    let mut not_recorded = None;
    if report.is_clean() && head.seq > 0 && since != Some(head) {
        not_recorded = store.set_verified_log(head).await.err();
    }
    Ok(IncrementalReport { since, report, not_recorded })
}

/// The appends after a seal.
#[derive(Default)]
struct LaterAppends {
    /// The streams that grew, in the order of their first appends here.
    streams: Vec<String>,
    /// The appends and their events, and the first append that does not follow.
    verification: Verification,
}

/// Reads the appends after a seal, and checks that they follow it, up to the head, without a gap.
/// Their events and seals are verified with their streams.
async fn read_appends(store: &dyn CopyStore, sealed: LogHead) -> AppResult<LaterAppends> {
    let head = store.head().await?;
    let (mut later, mut end) = (LaterAppends::default(), sealed);
    let mut known = BTreeSet::new();
    let mut before = None;
    while end.seq < head.seq && before.replace(end.seq) != Some(end.seq) {
        for StoredAppend { record, stream, seal } in store.appends_after(end.seq).await? {
            let follows = (record.seq, record.first_position) == (end.seq + 1, end.position + 1);
            if !follows || record.seq > head.seq {
                break;
            }
            end = LogHead { seq: record.seq, position: record.last_position(), seal };
            later.verification.appends += 1;
            later.verification.events += record.event_count;
            if known.insert(stream.clone()) {
                later.streams.push(stream);
            }
        }
    }
    if end != head {
        later.verification.damage = Some(Damage {
            stream: None,
            stream_version: None,
            seq: Some(end.seq + 1),
            what: format!(
                "the log goes on to append {} and position {}, and append {} does not follow the \
                 one before it",
                head.seq,
                head.position,
                end.seq + 1
            ),
        });
    }
    Ok(later)
}

/// Verifies streams from their beginnings. Each append's seal is computed from the stored one
/// before it.
async fn verify_streams(
    store: &Arc<dyn CopyStore>,
    later: LaterAppends,
    workers: Workers,
) -> AppResult<Verification> {
    let LaterAppends { streams, mut verification } = later;
    verification.streams = streams.len() as u64;
    if verification.damage.is_some() {
        return Ok(verification);
    }
    let start = async |stream: String| {
        let store = Arc::clone(store);
        let verify = async move { store.verify(Some(&stream)).await };
        tokio::spawn(verify).await
    };
    let mut verified = iter(streams).map(start).buffered(workers.count());
    while let Some(stream) = verified.next().await {
        let stream = stream.map_err(|panic| AppError::Panicked(panic.to_string()))??;
        if stream.damage.is_some() {
            verification.damage = stream.damage;
            break;
        }
    }
    Ok(verification)
}
