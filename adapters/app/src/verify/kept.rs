//! Compares everything that is kept of each run with its events: the recorded digest of its
//! outputs, its captured snapshot, its entry in the queue, its row of the history, and its index.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use powerfill_events::run::RunId;
use powerfill_ports::runs::QueuedRun;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::event_index::{IndexEntry, PROJECTOR_VERSION, RunIndex, Subject, Versions};
use powerfill_tables::table::Cell;
use powerfill_tables::tables::{Projectors, run_history};

use super::{VerifyReport, cell_difference};
use crate::AppError;
use crate::rebuild::{RebuiltRun, fold_with_index};

/// Compares the output digest that a run recorded with that of its rebuilt outputs.
pub(super) fn recorded_digest_differs(run: RunId, rebuilt: &RebuiltRun) -> Option<String> {
    let recorded = rebuilt.recorded.as_ref().filter(|_| !rebuilt.agrees())?;
    let (recorded, rebuilt) = (&recorded.output_digest, &rebuilt.rebuilt.output_digest);
    Some(format!("run {run} recorded the output digest {recorded}, its events amount to {rebuilt}"))
}

/// Compares each run, or one, and returns the first difference. Rows and indexes of a run that the
/// store does not have are differences too.
pub(super) async fn compare(
    store: &dyn Store,
    only: Option<RunId>,
    projectors: Projectors,
    mut known: Option<(RunId, RebuiltRun)>,
    report: &mut VerifyReport,
) -> Result<Option<String>, AppError> {
    let table = run_history::TABLE.name;
    let mut history = BTreeMap::new();
    let mut batches = store.rows(&run_history::TABLE);
    while let Some(batch) = batches.try_next().await? {
        let run = batch.run_id;
        let row: Vec<Cell> = batch.rows.rows().flatten().cloned().collect();
        if history.insert(run, row).is_some() {
            return Ok(Some(format!("{table}, run {run}: it has two rows")));
        }
    }
    drop(batches);
    let mut indexes: BTreeMap<RunId, _> = store.indexed_runs().await?.into_iter().collect();
    let mut captured = BTreeSet::new();
    for run in store.streams().await?.iter().filter_map(|stream| RunId::from_stream(stream)) {
        let (row, index) = (history.remove(&run), indexes.remove(&run));
        if only.is_some_and(|only| only != run) {
            continue;
        }
        let rebuilt = match known.take_if(|(known, _)| *known == run) {
            Some((_, rebuilt)) => rebuilt,
            None => fold_with_index(store, run, projectors, async |_, _| Ok(())).await?,
        };
        let queued = store.run(run).await?;
        let difference = recorded_digest_differs(run, &rebuilt)
            .or(snapshot_missing(store, run, &rebuilt, &mut captured).await?)
            .or_else(|| queue_differs(run, queued.as_ref(), &rebuilt));
        if difference.is_some() {
            return Ok(difference);
        }
        let in_progress = queued.is_some_and(|queued| !queued.status.is_over());
        if let Some(difference) = row_differs(run, rebuilt.history_row, row, in_progress) {
            return Ok(Some(difference));
        }
        report.rows += 1;
        // An index of another projector version is never read.
        let index = index.filter(|state| state.projector_version == PROJECTOR_VERSION);
        if let (Some(state), Some(expected), false) = (index, &rebuilt.index, in_progress) {
            let entries = &mut report.index_entries;
            if let Some(what) =
                index_differs(store, run, state.up_to_version, expected, entries).await?
            {
                return Ok(Some(format!("the event index of run {run}: {what}")));
            }
        }
    }
    let stray_row = history.into_keys().find(|_| only.is_none());
    let stray_index = indexes.into_keys().find(|_| only.is_none());
    let stray_row = stray_row.map(|run| format!("{table}: {run} is no run of this store"));
    Ok(stray_row.or(stray_index.map(|run| format!("the event index of {run} is of no run here"))))
}

/// Reads the snapshot that a run names; says why it cannot be read.
async fn snapshot_missing(
    store: &dyn Store,
    run: RunId,
    rebuilt: &RebuiltRun,
    captured: &mut BTreeSet<String>,
) -> Result<Option<String>, AppError> {
    let Some(digest) = rebuilt.input_digest.as_ref().filter(|digest| !captured.contains(*digest))
    else {
        return Ok(None);
    };
    match store.captured(digest).await {
        Ok(_) => captured.insert(digest.clone()),
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
    let (says, is) = (queued.status, rebuilt.status);
    let differs = says.is_over() && says != is;
    differs.then(|| format!("run {run}: the queue says {}, its events {}", says.name(), is.name()))
}

/// Compares the row of a run in the history. A run gets the row at its end.
fn row_differs(
    run: RunId,
    expected: Option<Vec<Cell>>,
    shown: Option<Vec<Cell>>,
    in_progress: bool,
) -> Option<String> {
    let table = &run_history::TABLE;
    let Some(shown) = shown else {
        return (!in_progress).then(|| format!("{}, run {run}: its row is missing", table.name));
    };
    let mut cells = expected.iter().flatten().zip(&shown).enumerate();
    cells
        .find_map(|(at, (want, have))| cell_difference(table, at, want, have))
        .map(|what| format!("{}, run {run}: {what}", table.name))
}

/// The first entry of a run's index that differs from the events: it could hide an event from a
/// story. An index that ends early is no damage, because no story is read from it.
async fn index_differs(
    store: &dyn Store,
    run: RunId,
    up_to_version: u64,
    expected: &RunIndex,
    entries: &mut u64,
) -> Result<Option<String>, AppError> {
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
