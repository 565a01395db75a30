//! A story from events together with what the captured input of the run says (specification 3.4 `explain`).
//!
//! One loan needs few rows of the input: an excerpt is read, not the whole snapshot. A trade needs them all.

use std::panic::resume_unwind;

use powerfill_engine::facts::Facts;
use powerfill_engine::what_if::{self, NoAnswer};
use powerfill_explain::{LoanAccount, LoanExplanation, RunInput, TradeAccount, TradeExplanation};
use powerfill_facts::what_if::{ChangeKind, WhatIf};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_snapshot::Snapshot;
use powerfill_snapshot::canonical::CanonicalFault;
use tokio::task::spawn_blocking;

use crate::RunnerError;

/// Adds to a loan's story what the input says: whether it takes part, which nodes it matches, why pairs are no
/// candidates, which limits barred it and who uses them.
///
/// # Errors
/// [`RunnerError::Store`], [`RunnerError::Snapshot`] where the captured snapshot cannot be read.
pub async fn loan_account<S: SnapshotStore + ?Sized>(
    store: &S,
    story: LoanExplanation,
) -> Result<LoanAccount, RunnerError> {
    let Some(input) = story.input.clone() else {
        return Ok(LoanAccount { story, standing: None, what_if: None });
    };
    let canonical = store.captured(&input.snapshot_digest).await?;
    aside(move || told_of_loan(&canonical, &input, story)).await
}

fn told_of_loan(
    canonical: &[u8],
    input: &RunInput,
    mut story: LoanExplanation,
) -> Result<LoanAccount, RunnerError> {
    let there = story.fillers_beside_limits().map(|loan_id| loan_id.as_str());
    let snapshot = Snapshot::excerpt(canonical, there.chain([story.loan_id.as_str()]))?;
    let facts = Facts::new(&snapshot, &input.options);
    let limits: Vec<_> =
        story.trades_with_limits().iter().flat_map(|trade| facts.limits(trade)).collect();
    story.settle_limits(&limits);
    let standing = facts.loan(story.loan_id.as_str());
    Ok(LoanAccount { story, standing, what_if: None })
}

/// Adds to a trade's story what the input says: which limits barred whom, and who never came.
///
/// # Errors
/// As [`loan_account`].
pub async fn trade_account<S: SnapshotStore + ?Sized>(
    store: &S,
    story: TradeExplanation,
) -> Result<TradeAccount, RunnerError> {
    let in_the_run = story.trade.as_ref().is_some_and(|trade| trade.band.is_some());
    let Some(input) = story.input.clone().filter(|_| in_the_run) else {
        return Ok(TradeAccount { story, never_came: None });
    };
    let canonical = store.captured(&input.snapshot_digest).await?;
    aside(move || told_of_trade(&canonical, &input, story)).await
}

fn told_of_trade(
    canonical: &[u8],
    input: &RunInput,
    mut story: TradeExplanation,
) -> Result<TradeAccount, RunnerError> {
    let there: Vec<&str> = story.loans_beside_limits().map(|loan_id| loan_id.as_str()).collect();
    let excerpt = Snapshot::excerpt(canonical, there)?;
    let limits = Facts::new(&excerpt, &input.options).limits(&story.trade_id);
    story.settle_limits(&limits);
    let snapshot = Snapshot::from_canonical(canonical)?;
    let never_came = Facts::new(&snapshot, &input.options).never_came(story.trade_id.as_str());
    Ok(TradeAccount { story, never_came })
}

/// Asks what would have given a kicked-out loan of a run a place. `progress` hears of each re-run.
///
/// # Errors
/// As [`loan_account`].
pub async fn ask_what_if<S: SnapshotStore + ?Sized>(
    store: &S,
    input: &RunInput,
    loan_id: &str,
    mut progress: impl FnMut(ChangeKind) + Send + 'static,
) -> Result<Result<WhatIf, NoAnswer>, RunnerError> {
    let canonical = store.captured(&input.snapshot_digest).await?;
    let (options, loan_id) = (input.options.clone(), loan_id.to_owned());
    let asked = move || -> Result<_, CanonicalFault> {
        let snapshot = Snapshot::from_canonical(&canonical)?;
        drop(canonical);
        Ok(what_if::what_if(snapshot, &options, &loan_id, &mut progress))
    };
    Ok(aside(asked).await?)
}

/// Work that takes the processor for a while, away from the threads that wait for others.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(panicked) => resume_unwind(panicked.into_panic()),
    }
}
