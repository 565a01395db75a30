//! The morning brief (specification part 9): reads two runs and their inputs, and runs the engine
//! on partly changed input.

mod mixed_input;

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_diff::brief::{Brief, BriefSide, GivenChanges, RerunValues};
use powerfill_diff::run_differences::RunDifferences;
use powerfill_events::run::RunId;
use powerfill_events::run::options::RunOptions;
use powerfill_events::values::Money;
use powerfill_ports::Store;
use powerfill_ports::runs::{QueuedRun, RunFilter, RunStatus, stream_runs};
use powerfill_snapshot::{RawSnapshot, RawTable, Snapshot, input_table, validate};
use tokio::task::spawn_blocking;

use crate::events::{for_each_event, read_run};
use crate::in_memory::InMemoryRun;
use crate::run::panicked;
use crate::{AppError, AppResult, RunControl};

/// Why there is no brief.
#[derive(Debug, thiserror::Error)]
pub enum BriefError {
    /// A run did not end as Complete, so it has no decisions to compare.
    #[error("run {run} is {}; a brief needs two Complete runs", status.name())]
    NotComplete {
        /// The run.
        run: RunId,
        /// Its status.
        status: RunStatus,
    },
    /// There are not two runs.
    #[error(
        "a brief needs two official runs that are Complete, and the store has {0}; run today's \
         book with `powerfill run`"
    )]
    TooFewRuns(usize),
    /// An event or a captured snapshot cannot be read, or the store fails.
    #[error(transparent)]
    App(#[from] AppError),
}

/// The latest official run that is Complete, and the one before it (9.1): the earlier one first.
///
/// # Errors
/// [`BriefError::TooFewRuns`]; an event cannot be read; the store fails.
pub async fn latest_two(store: &dyn Store) -> Result<[RunId; 2], BriefError> {
    let mut runs = std::pin::pin!(stream_runs(store, RunFilter::Official));
    let mut found = Vec::new();
    while let Some(run) = runs.try_next().await.map_err(AppError::from)? {
        if run.status == RunStatus::Complete {
            found.push(run.run_id);
        }
        if let [now, then] = found[..] {
            return Ok([then, now]);
        }
    }
    Err(BriefError::TooFewRuns(found.len()))
}

/// The official run that was Complete before this one; `None` for the first one, and for a
/// scenario.
///
/// # Errors
/// The store fails.
pub async fn run_before(store: &dyn Store, run: RunId) -> AppResult<Option<RunId>> {
    let mut runs = std::pin::pin!(stream_runs(store, RunFilter::Official));
    let mut is_after = true;
    while let Some(found) = runs.try_next().await? {
        if !is_after && found.status == RunStatus::Complete {
            return Ok(Some(found.run_id));
        }
        is_after &= found.run_id != run;
    }
    Ok(None)
}

/// The brief of two runs, from the earlier one to the later one whichever is named first.
///
/// # Errors
/// See [`BriefError`].
pub async fn brief(store: &dyn Store, runs: [RunId; 2]) -> Result<Brief, BriefError> {
    let [then, now] = in_order(store, runs).await?;
    let mut former = BriefSide::new(then);
    for_each_event(then, read_run(store, then), |event| former.apply(event)).await?;
    let mut present = BriefSide::after(now, &former);
    for_each_event(now, read_run(store, now), |event| present.apply(event)).await?;
    let mut differences = RunDifferences::new(&former.run, &present.run);
    let mut inputs = Vec::new();
    for digest in [&former.run.snapshot_digest, &present.run.snapshot_digest].into_iter().flatten()
    {
        inputs.push(store.captured(digest).await.map_err(AppError::from)?);
    }
    let brief = spawn_blocking(move || {
        let mut reruns = RerunValues::default();
        if let [then, now] = &inputs[..] {
            let read = |bytes: &[u8]| Snapshot::tables_of_canonical(bytes);
            let (then, now) = (read(then)?, read(now)?);
            let key = |name: &str| input_table(name).map_or(&[][..], |table| table.key);
            if !differences.same_snapshot {
                differences.compare_inputs(&then, &now, key);
            }
            let given = GivenChanges::new(&differences);
            if let (Some(former), Some(present)) = (&former.run.options, &present.run.options) {
                let options = RunOptions { as_of: present.as_of, ..former.clone() };
                reruns = rerun(&given, &then, &now, &options)?;
            }
        }
        Ok::<_, AppError>(Brief::new(&former, &present, &differences, reruns))
    });
    Ok(brief.await.map_err(|panic| panicked(&panic))??)
}

/// Two Complete runs in the order of their requests.
async fn in_order(store: &dyn Store, runs: [RunId; 2]) -> Result<[RunId; 2], BriefError> {
    let mut queued = Vec::new();
    for run in runs {
        let found = store.run(run).await.map_err(AppError::from)?;
        let found = found.ok_or_else(|| AppError::no_run(run))?;
        if found.status != RunStatus::Complete {
            return Err(BriefError::NotComplete { run, status: found.status });
        }
        queued.push(found);
    }
    queued.sort_by_key(QueuedRun::cursor);
    Ok([queued[0].run_id, queued[1].run_id])
}

/// The values of the later run's input with the configuration of the earlier one, and with its
/// trades too (9.4). `options` are those of the earlier run as of the later one's day.
fn rerun(
    given: &GivenChanges,
    then: &[RawTable],
    now: &[RawTable],
    options: &RunOptions,
) -> AppResult<RerunValues> {
    let value = |with_trades: bool| {
        let mixed = mixed_input::with_former(then, now, with_trades);
        mixed.ok().and_then(|tables| value_of(tables, options))
    };
    let changed = given.has_other_configuration();
    let former_configuration = if changed { value(false) } else { None };
    // What cannot be told apart from the configuration counts as reallocation.
    let is_told = !changed || former_configuration.is_some();
    let former_trades = if given.has_other_trades() && is_told { value(true) } else { None };
    Ok(RerunValues { former_configuration, former_trades })
}

/// The value of a run on these tables; `None` if they are refused, or the run fails.
fn value_of(tables: Vec<RawTable>, options: &RunOptions) -> Option<Money> {
    let validated = validate(RawSnapshot { tables, ..RawSnapshot::default() }).ok()?;
    let snapshot = Arc::new(validated.snapshot);
    let run = InMemoryRun::decide(&snapshot, options, &RunControl::default()).ok()?;
    if run.failure().is_some() {
        return None;
    }
    let mut side = BriefSide::new(RunId::default());
    run.events().for_each(|event| side.apply(&event));
    Some(side.value())
}
