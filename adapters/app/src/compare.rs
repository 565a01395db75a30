//! Comparisons of runs (specification 3.4 `diff`): their outputs, the stories of loans whose
//! decision differs, and the differences of their inputs.

use powerfill_diff::mapping::ComparisonMapping;
use powerfill_diff::side::RunSideHead;
use powerfill_diff::{Comparison, Interner, RunSide, Side};
use powerfill_events::run::RunId;
use powerfill_explain::LoanStories;
use powerfill_ports::Store;
use powerfill_snapshot::{Snapshot, input_table};

use crate::events::{for_each_event, read_run};
use crate::{AppError, AppResult};

/// A run, and the store that has it.
#[derive(Clone, Copy)]
pub struct StoredRun<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// The run.
    pub run: RunId,
}

/// Compares the outputs of two runs, the earlier one with the later one whichever is named first,
/// and explains up to `explained` loans whose decision differs.
///
/// # Errors
/// [`NotFound`](powerfill_ports::StoreError::NotFound) if a run has no events; an event or a
/// captured snapshot cannot be read; the store fails.
pub async fn compare_runs(
    mut here: StoredRun<'_>,
    mut there: StoredRun<'_>,
    mapping: &ComparisonMapping,
    explained: usize,
) -> AppResult<Comparison> {
    let mut names = Interner::default();
    let mut outputs = run_side(here.store, here.run, &mut names).await?;
    let mut other_outputs = run_side(there.store, there.run, &mut names).await?;
    let order = |side: &Side| side.head.run().map(|run| (run.requested_at, run.run_id));
    if order(&other_outputs) < order(&outputs) {
        std::mem::swap(&mut here, &mut there);
        std::mem::swap(&mut outputs, &mut other_outputs);
    }
    let mut comparison = Comparison::new(names, outputs, other_outputs, mapping);
    explain_loans(here, Some(there), explained, &mut comparison).await?;
    compare_inputs(here.store, there.store, &mut comparison).await?;
    Ok(comparison)
}

/// Compares the outputs of a run with tables from elsewhere, which `other` reads with the names of
/// the comparison; and explains up to `explained` loans whose decision differs.
///
/// # Errors
/// As for [`compare_runs`], or the error of `other`.
pub async fn compare_with<E: From<AppError>>(
    store: &dyn Store,
    here: RunId,
    other: impl FnOnce(&mut Interner) -> Result<Side, E>,
    mapping: &ComparisonMapping,
    explained: usize,
) -> Result<Comparison, E> {
    let mut names = Interner::default();
    let outputs = run_side(store, here, &mut names).await?;
    let other_outputs = other(&mut names)?;
    let mut comparison = Comparison::new(names, outputs, other_outputs, mapping);
    let here = StoredRun { store, run: here };
    explain_loans(here, None, explained, &mut comparison).await?;
    Ok(comparison)
}

/// The outputs of a run as one side of a comparison.
///
/// # Errors
/// As for [`compare_runs`].
pub async fn run_side(store: &dyn Store, run: RunId, names: &mut Interner) -> AppResult<Side> {
    let mut side = RunSide::new(run, names);
    for_each_event(run, read_run(store, run), |event| side.apply(event, names)).await?;
    Ok(side.finish(names))
}

async fn explain_loans(
    here: StoredRun<'_>,
    there: Option<StoredRun<'_>>,
    most: usize,
    comparison: &mut Comparison,
) -> AppResult<()> {
    let (loans, all) = comparison.diverging_loans(most);
    comparison.diverging_loan_count = all;
    if loans.is_empty() {
        return Ok(());
    }
    let stories = async |StoredRun { store, run }: StoredRun<'_>| {
        let mut stories = LoanStories::new(loans.iter().map(String::as_str));
        for_each_event(run, read_run(store, run), |event| stories.apply(event)).await?;
        Ok::<_, AppError>(stories)
    };
    let stories_here = stories(here).await?;
    let stories_there = match there {
        Some(there) => Some(stories(there).await?),
        None => None,
    };
    comparison.explain_loans(&loans, &stories_here, stories_there.as_ref());
    Ok(())
}

/// Reads the captured snapshots of two runs if they differ.
async fn compare_inputs(
    store: &dyn Store,
    other_store: &dyn Store,
    comparison: &mut Comparison,
) -> AppResult<()> {
    let digest = |run: Option<&RunSideHead>| run.and_then(|run| run.snapshot_digest.clone());
    let digests = (digest(comparison.here.head.run()), digest(comparison.there.head.run()));
    if let (Some(here), Some(there)) = digests
        && let Some(differences) = &mut comparison.run_differences
        && !differences.same_snapshot
    {
        let here = Snapshot::tables_of_canonical(&store.captured(&here).await?)?;
        let there = Snapshot::tables_of_canonical(&other_store.captured(&there).await?)?;
        differences
            .compare_inputs(&here, &there, |name| input_table(name).map_or(&[], |table| table.key));
    }
    Ok(())
}
