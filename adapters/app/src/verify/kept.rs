//! Compares everything that is kept of each run with its events: the recorded digest of its
//! outputs, its captured snapshot, its entry in the queue, its row of the history, what the list of
//! runs says about it, and its index.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::iter;
use futures::{StreamExt, TryStreamExt};
use parking_lot::Mutex;
use powerfill_events::run::RunId;
use powerfill_ports::detached_block::HashCheck;
use powerfill_ports::index::IndexState;
use powerfill_ports::retention::read_retention;
use powerfill_ports::run_list::{AnnotationHead, read_annotations};
use powerfill_ports::runs::QueuedRun;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::event_index::{IndexEntry, PROJECTOR_VERSION, RunIndex, Subject, Versions};
use powerfill_tables::run_headline::VERSION;
use powerfill_tables::table::Cell;
use powerfill_tables::tables::{Projectors, run_history};
use tokio::runtime::Handle;

use super::tables::{cell_difference, compare_shown};
use super::{Comparer, VerifyProgress, VerifyReport, Workers};
use crate::certificate::recorded_certificate;
use crate::rebuild::{RebuiltRun, fold_with_index};
use crate::{AppError, AppResult};

/// Compares the output digest that a run recorded with that of its rebuilt outputs.
pub(super) fn recorded_digest_differs(run: RunId, rebuilt: &RebuiltRun) -> Option<String> {
    let recorded = rebuilt.recorded.as_ref().filter(|_| !rebuilt.agrees())?;
    let (recorded, rebuilt) = (&recorded.output_digest, &rebuilt.rebuilt.output_digest);
    Some(format!("run {run} recorded the output digest {recorded}, its events amount to {rebuilt}"))
}

/// The comparison of one run with its events.
#[derive(Debug, Default)]
pub(super) struct RunComparison {
    /// The rows that were compared.
    pub(super) rows: u64,
    /// The index entries that were compared.
    pub(super) index_entries: u64,
    /// The first difference.
    pub(super) difference: Option<String>,
}

/// A run, and what the store keeps of it.
struct KeptRun {
    run: RunId,
    /// Whether its tables are the ones that are shown.
    is_shown: bool,
    /// Whether an event says that it is archived.
    is_archived: bool,
    row: Option<Vec<Cell>>,
    index: Option<IndexState>,
    /// The snapshots that were read.
    captured: Arc<Mutex<BTreeSet<String>>>,
}

impl Comparer<'_> {
    /// Compares the shown tables first, and then the chosen runs in the order of the log. Stops at
    /// the first difference. With `refuses_strays`, rows and indexes of a run that the store does
    /// not have are differences too.
    pub(super) async fn compare_kept(
        &self,
        is_chosen: &(dyn Fn(RunId) -> bool + Sync),
        refuses_strays: bool,
        report: &mut VerifyReport,
    ) -> AppResult<()> {
        let shown = self.store.published().await?.map(|(run, _)| run);
        let mut history = match self.history().await? {
            Ok(history) => history,
            Err(two_rows) => {
                report.difference = Some(two_rows);
                return Ok(());
            }
        };
        let indexes = self.store.indexed_runs().await?;
        let mut indexes: BTreeMap<RunId, IndexState> = indexes.into_iter().collect();
        let captured: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let retention = read_retention(self.store).await?;
        let mut kept: Vec<KeptRun> = Vec::new();
        let streams = self.store.streams().await?;
        for run in streams.iter().filter_map(|stream| RunId::from_stream(stream)) {
            let (row, index) = (history.remove(&run), indexes.remove(&run));
            if is_chosen(run) {
                let (is_shown, captured) = (shown == Some(run), Arc::clone(&captured));
                let is_archived = retention.archived(run).is_some();
                kept.push(KeptRun { run, is_shown, is_archived, row, index, captured });
            }
        }
        report.published = kept.iter().find(|kept| kept.is_shown).map(|kept| kept.run);
        kept.sort_by_key(|kept| !kept.is_shown);
        let of = kept.len() as u64;
        let workers = if self.threads.is_some() { Workers::AllCores } else { Workers::One };
        let mut compared = iter(kept).map(|kept| self.start(kept)).buffered(workers.count());
        for done in 1..=of {
            let Some(comparison) = compared.try_next().await? else { break };
            report.rows += comparison.rows;
            report.index_entries += comparison.index_entries;
            report.difference = comparison.difference;
            if report.difference.is_some() {
                return Ok(());
            }
            (self.observer)(VerifyProgress::Runs { done, of });
        }
        if refuses_strays {
            report.difference = stray(&history, &indexes);
        } else {
            // The verification of one stream reads no snapshots.
            report.log.snapshots = captured.lock().len() as u64;
        }
        Ok(())
    }

    /// The history of the runs, or that a run has two rows in it.
    async fn history(&self) -> AppResult<Result<BTreeMap<RunId, Vec<Cell>>, String>> {
        let mut history = BTreeMap::new();
        let mut batches = self.store.rows(&run_history::TABLE);
        while let Some(batch) = batches.try_next().await? {
            let run = batch.run_id;
            let row: Vec<Cell> = batch.rows.rows().flatten().cloned().collect();
            if history.insert(run, row).is_some() {
                return Ok(Err(format!("{}, run {run}: it has two rows", run_history::TABLE.name)));
            }
        }
        Ok(Ok(history))
    }

    /// Compares a run, on a thread of its own if there are several workers.
    async fn start(&self, kept: KeptRun) -> AppResult<RunComparison> {
        let (projectors, hashes) = (self.projectors, self.hashes);
        let Some(store) = &self.threads else {
            return compare_run(self.store, kept, projectors, hashes).await;
        };
        let (store, runtime) = (Arc::clone(store), Handle::current());
        let compare =
            move || runtime.block_on(compare_run(store.as_ref(), kept, projectors, hashes));
        let compared = tokio::task::spawn_blocking(compare).await;
        compared.map_err(|panic| AppError::Panicked(panic.to_string()))?
    }
}

/// A row or an index of no run of the store.
fn stray(
    history: &BTreeMap<RunId, Vec<Cell>>,
    indexes: &BTreeMap<RunId, IndexState>,
) -> Option<String> {
    let table = run_history::TABLE.name;
    let row = history.keys().next().map(|run| format!("{table}: {run} is no run of this store"));
    let index = indexes.keys().next();
    row.or(index.map(|run| format!("the event index of {run} is of no run here")))
}

/// Compares everything that is kept of a run with its events.
async fn compare_run(
    store: &dyn Store,
    kept: KeptRun,
    projectors: Projectors,
    hashes: HashCheck,
) -> AppResult<RunComparison> {
    let KeptRun { run, is_shown, is_archived, row, index, captured } = kept;
    let mut comparison = RunComparison::default();
    if !store.archived_blocks(run).await?.is_empty() {
        // Payloads may be missing only if an event says so; nothing can be compared without them.
        // The event comes before they go, and may be younger than the list of runs.
        let is_archived = is_archived || read_retention(store).await?.archived(run).is_some();
        comparison.difference = (!is_archived).then(|| {
            format!("the payloads of run {run} are missing, and no event says that it is archived")
        });
        return Ok(comparison);
    }
    let rebuilt = fold_with_index(store, run, projectors, hashes, async |_, _| Ok(())).await?;
    if is_shown {
        compare_shown(store, run, projectors, &rebuilt, &mut comparison).await?;
        // A worker may have published another run meanwhile.
        let is_shown = store.published().await?.is_some_and(|(shown, _)| shown == run);
        if comparison.difference.is_some() && is_shown {
            return Ok(comparison);
        }
    }
    let queued = store.run(run).await?;
    let in_progress = queued.as_ref().is_some_and(|queued| !queued.status.is_over());
    comparison.difference = recorded_digest_differs(run, &rebuilt)
        .or(snapshot_missing(store, run, &rebuilt, &captured).await?)
        .or_else(|| queue_differs(run, queued.as_ref(), &rebuilt))
        .or_else(|| row_differs(run, rebuilt.history_row.clone(), row, in_progress));
    if comparison.difference.is_none() && !in_progress {
        comparison.difference = headline_differs(store, run, &rebuilt).await?;
    }
    if comparison.difference.is_some() {
        return Ok(comparison);
    }
    comparison.rows += 1;
    // An index of another projector version is never read.
    let index = index.filter(|state| state.projector_version == PROJECTOR_VERSION);
    if let (Some(state), Some(expected), false) = (index, &rebuilt.index, in_progress) {
        let entries = &mut comparison.index_entries;
        let differs = index_differs(store, run, state.up_to_version, expected, entries).await?;
        comparison.difference = differs.map(|what| format!("the event index of run {run}: {what}"));
    }
    Ok(comparison)
}

/// Reads the snapshot that a run names; says why it cannot be read.
async fn snapshot_missing(
    store: &dyn Store,
    run: RunId,
    rebuilt: &RebuiltRun,
    captured: &Mutex<BTreeSet<String>>,
) -> AppResult<Option<String>> {
    let digest = rebuilt.input_digest.as_ref();
    let Some(digest) = digest.filter(|digest| !captured.lock().contains(*digest)) else {
        return Ok(None);
    };
    match store.captured(digest).await {
        Ok(_) => captured.lock().insert(digest.clone()),
        Err(error @ (StoreError::NotFound { .. } | StoreError::Corrupt(_))) => {
            return Ok(Some(format!("run {run}, its captured snapshot: {error}")));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(None)
}

/// Compares the queue with the events of a run. The events of an active run may be ahead.
fn queue_differs(run: RunId, queued: Option<&QueuedRun>, rebuilt: &RebuiltRun) -> Option<String> {
    let Some(queued) = queued else {
        return Some(format!("run {run} has events and is not in the queue of runs"));
    };
    if rebuilt.requested_at.is_some_and(|requested_at| requested_at != queued.requested_at) {
        return Some(format!(
            "run {run}: the queue has another moment of its request than event 1"
        ));
    }
    if queued.is_scenario != rebuilt.is_scenario {
        return Some(format!(
            "run {run}: the queue and event 1 differ in whether it is a scenario"
        ));
    }
    let (says, is) = (queued.status, rebuilt.status);
    let differs = says.is_over() && says != is;
    differs.then(|| format!("run {run}: the queue says {}, its events {}", says.name(), is.name()))
}

/// Compares the row of a run in the history. A run gets the row at its end; a scenario has none.
fn row_differs(
    run: RunId,
    expected: Option<Vec<Cell>>,
    shown: Option<Vec<Cell>>,
    in_progress: bool,
) -> Option<String> {
    let table = &run_history::TABLE;
    let Some(shown) = shown else {
        return (!in_progress && expected.is_some())
            .then(|| format!("{}, run {run}: its row is missing", table.name));
    };
    let Some(expected) = expected else {
        return Some(format!("{}, run {run}: it is a scenario, and has a row", table.name));
    };
    let mut cells = expected.iter().zip(&shown).enumerate();
    cells
        .find_map(|(at, (want, have))| cell_difference(table, at, want, have))
        .map(|what| format!("{}, run {run}: {what}", table.name))
}

/// Compares what the list of runs says about a run. A store of an older program says nothing.
async fn headline_differs(
    store: &dyn Store,
    run: RunId,
    rebuilt: &RebuiltRun,
) -> AppResult<Option<String>> {
    let Some(kept) = store.headlines(vec![run]).await?.remove(&run) else { return Ok(None) };
    let annotations = AnnotationHead::from(&read_annotations(store, run).await?);
    // A headline of another version says something else.
    let kept_headline = kept.headline.filter(|headline| headline.version == VERSION);
    let mut expected = rebuilt.headline.clone();
    if let (Some(expected), Some(kept)) = (&mut expected, &kept_headline)
        // A process that ended after a certificate was recorded did not keep it.
        && kept.certificate.is_some()
    {
        expected.certificate = recorded_certificate(store, run).await?;
    }
    let what = match kept_headline {
        Some(_) if kept_headline != expected => "its events",
        _ if kept.annotations != annotations => "its annotations",
        _ => return Ok(None),
    };
    let remedy = format!("`powerfill rebuild {run}` makes it again");
    Ok(Some(format!("the list of runs, run {run}: it differs from {what}; {remedy}")))
}

/// The first entry of a run's index that differs from the events: it could hide an event from a
/// story. An index that ends early is no damage, because no story is read from it.
async fn index_differs(
    store: &dyn Store,
    run: RunId,
    up_to_version: u64,
    expected: &RunIndex,
    entries: &mut u64,
) -> AppResult<Option<String>> {
    if up_to_version > expected.up_to_version {
        let last = expected.up_to_version;
        return Ok(Some(format!("it reaches to event {up_to_version}, and the run to {last}")));
    }
    let mut missing: BTreeMap<&Subject, Versions> = BTreeMap::new();
    for IndexEntry { subject, versions } in &expected.entries {
        let mut versions = versions.decode().unwrap_or_default();
        versions.retain(|version| *version <= up_to_version);
        if !versions.is_empty() {
            missing.insert(subject, versions.into_iter().collect());
        }
    }
    let mut batches = store.index_entries(run);
    while let Some(batch) = batches.try_next().await? {
        for IndexEntry { subject, versions } in &batch {
            let Some(want) = missing.remove(subject) else {
                return Ok(Some(format!("{subject} is not in the events")));
            };
            if *versions != want {
                let (have, want) = (listed(versions), listed(&want));
                return Ok(Some(format!(
                    "{subject} lists the events {have}, the events give {want}"
                )));
            }
            *entries += 1;
        }
    }
    Ok(missing.keys().next().map(|subject| format!("{subject} is missing")))
}

/// The first events of an entry, for a message.
fn listed(versions: &Versions) -> String {
    const FEW: usize = 12;
    match versions.decode() {
        Ok(versions) => {
            let shown: Vec<String> = versions.iter().take(FEW).map(u64::to_string).collect();
            let more = if versions.len() > FEW { " …" } else { "" };
            format!("[{}{more}] ({})", shown.join(" "), versions.len())
        }
        Err(error) => format!("that are {error}"),
    }
}
