//! What a comparison reads of runs (specification 3.4 `diff`): their outputs, the stories of loans whose decision
//! differs, and what is other in their inputs.

use futures::TryStreamExt;
use powerfill_diff::side::RunHead;
use powerfill_diff::{Comparison, Names, RunSide, Side};
use powerfill_events::run::{RecordedEvent, RunId};
use powerfill_explain::LoanStories;
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::{Snapshot, input_table};

use crate::RunnerError;
use crate::stored::{read_run, recorded};

/// Hands every event of a run over, in order.
async fn each_of<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    mut each: impl FnMut(&RecordedEvent<'_>),
) -> Result<(), RunnerError> {
    let mut batches = read_run(store, run);
    let mut told = false;
    while let Some(batch) = batches.try_next().await? {
        told = true;
        batch.iter().for_each(|read| each(&recorded(run, read)));
    }
    let missing = || StoreError::NotFound { what: "run", name: run.to_string() };
    if told { Ok(()) } else { Err(missing().into()) }
}

/// A run as a side of a comparison.
///
/// # Errors
/// [`StoreError::NotFound`] where the run has no events; an event cannot be read, or the store fails.
pub async fn side<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    names: &mut Names,
) -> Result<Side, RunnerError> {
    let mut side = RunSide::new(run, names);
    each_of(store, run, |recorded| side.apply(recorded, names)).await?;
    Ok(side.finish(names))
}

/// Tells of the loans whose decision differs, of so many at most; `other` is the run on the other side, where one is.
///
/// # Errors
/// As [`side`].
pub async fn tell<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    other: Option<RunId>,
    most: usize,
    comparison: &mut Comparison,
) -> Result<(), RunnerError> {
    let (loans, all) = comparison.parted_loans(most);
    comparison.loans_parted = all;
    if loans.is_empty() {
        return Ok(());
    }
    let ids = || loans.iter().map(String::as_str);
    let mut here = LoanStories::of(ids());
    each_of(store, run, |recorded| here.apply(recorded)).await?;
    let there = match other {
        None => None,
        Some(other) => {
            let mut there = LoanStories::of(ids());
            each_of(store, other, |recorded| there.apply(recorded)).await?;
            Some(there)
        }
    };
    comparison.tell(&loans, &here, there.as_ref());
    Ok(())
}

/// Between two runs on different snapshots: what is other in these.
///
/// # Errors
/// Where a captured snapshot is missing or damaged, or the store fails.
pub async fn inputs<S: Store + ?Sized>(
    store: &S,
    comparison: &mut Comparison,
) -> Result<(), RunnerError> {
    let digest = |run: Option<&RunHead>| run.and_then(|run| run.snapshot_digest.clone());
    let digests = (digest(comparison.here.head.run()), digest(comparison.there.head.run()));
    if let (Some(here), Some(there)) = digests
        && let Some(why) = &mut comparison.why
        && !why.same_snapshot
    {
        let here = Snapshot::tables_of_canonical(&store.captured(&here).await?)?;
        let there = Snapshot::tables_of_canonical(&store.captured(&there).await?)?;
        why.compare_inputs(&here, &there, |name| input_table(name).map_or(&[], |table| table.key));
    }
    Ok(())
}
