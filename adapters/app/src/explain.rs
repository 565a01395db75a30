//! The story of a loan or a trade in a run (specification 3.4 `explain`): from the events that
//! concern it, together with what the captured input says.

use std::collections::BTreeSet;
use std::panic::resume_unwind;

use futures::TryStreamExt;
use futures::stream::{self, StreamExt};
use powerfill_engine::facts::Facts;
use powerfill_engine::what_if::{self, NoAnswer};
use powerfill_events::run::RunId;
use powerfill_explain::{
    LoanAccount, LoanExplanation, LoanStory, PairAccount, RunInput, StorySubject, TradeAccount,
    TradeExplanation, TradePrices, TradeStory,
};
use powerfill_facts::what_if::{ChangeKind, WhatIf};
use powerfill_ports::index::IndexState;
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_ports::{Store, StoreError};
use powerfill_snapshot::Snapshot;
use powerfill_snapshot::canonical::CanonicalFault;
use powerfill_snapshot::near::nearest_ids;
use powerfill_tables::event_index::{PROJECTOR_VERSION, Subject};
use tokio::task::spawn_blocking;

use crate::certificate::certificate_with_prices;
use crate::events::{DecodedBatches, DecodedEvent, for_each_event, read_chosen, read_run};
use crate::{AppError, AppResult};

/// Explains a loan: its candidates, its way through the run, whether it takes part, and which
/// limits barred it.
///
/// # Errors
/// [`StoreError::NotFound`] if the run has no events; an event or the captured snapshot cannot be
/// read; the store fails. A loan that the run does not have is a result
/// ([`LoanAccount::is_unknown`]).
pub async fn explain_loan(store: &dyn Store, run: RunId, loan_id: &str) -> AppResult<LoanAccount> {
    let mut story = LoanStory::new(loan_id);
    let events = read_story(store, run, StorySubject::Loan(loan_id)).await?;
    for_each_event(run, events, |event| story.apply(event)).await?;
    let story = story.finish();
    let Some(input) = story.input.clone() else {
        return Ok(LoanAccount::new(story, None, &[]));
    };
    let canonical = store.captured(&input.snapshot_digest).await?;
    blocking(move || loan_account(&canonical, &input, story)).await
}

/// A loan needs few rows of the input: an excerpt is enough.
fn loan_account(
    canonical: &[u8],
    input: &RunInput,
    mut story: LoanExplanation,
) -> AppResult<LoanAccount> {
    let others = story.loans_in_limited_trades().map(|loan_id| loan_id.as_str());
    let snapshot = Snapshot::excerpt(canonical, others.chain([story.loan_id.as_str()]))?;
    let facts = Facts::new(&snapshot, &input.options);
    let limits: Vec<_> =
        story.trades_with_limits().iter().flat_map(|trade| facts.limits(trade)).collect();
    story.apply_limits(&limits);
    let standing = facts.loan(story.loan_id.as_str());
    let mut nearest = Vec::new();
    if standing.is_none() {
        // The excerpt has no other loans.
        let snapshot = Snapshot::from_canonical(canonical)?;
        let loans = snapshot.loans.iter().map(|loan| loan.loan_id.as_str());
        nearest = nearest_ids(story.loan_id.as_str(), loans);
    }
    Ok(LoanAccount::new(story, standing, &nearest))
}

/// Explains why a loan is, or is not, in a trade.
///
/// # Errors
/// As for [`explain_loan`]. A loan or a trade that the run does not have is a result
/// ([`PairAccount::is_unknown`]).
pub async fn explain_pair(
    store: &dyn Store,
    run: RunId,
    loan_id: &str,
    trade_id: &str,
) -> AppResult<PairAccount> {
    let loan = explain_loan(store, run, loan_id).await?;
    let story = trade_story(store, run, trade_id).await?;
    let nearest = match (&story.trade, &loan.story.input) {
        (None, Some(input)) => near_trades(store, input, trade_id).await?,
        (Some(_), _) | (None, None) => Vec::new(),
    };
    Ok(PairAccount::new(loan, trade_id, story.trade.as_ref(), nearest))
}

async fn trade_story(store: &dyn Store, run: RunId, trade_id: &str) -> AppResult<TradeExplanation> {
    let mut story = TradeStory::new(trade_id);
    let events = read_story(store, run, StorySubject::Trade(trade_id)).await?;
    for_each_event(run, events, |event| story.apply(event)).await?;
    Ok(story.finish())
}

/// The ids of trades of the run's book that look like an id.
async fn near_trades(
    store: &dyn Store,
    input: &RunInput,
    trade_id: &str,
) -> AppResult<Vec<String>> {
    let canonical = store.captured(&input.snapshot_digest).await?;
    let trade_id = trade_id.to_owned();
    let near = move || -> Result<_, CanonicalFault> {
        let excerpt = Snapshot::excerpt(&canonical, [])?;
        Ok(nearest_ids(&trade_id, excerpt.trades.iter().map(|trade| trade.trade_id.as_str())))
    };
    Ok(blocking(near).await?)
}

/// Explains a trade: which loans filled it, in which order, which limits barred others, and which
/// loans never matched it.
///
/// # Errors
/// As for [`explain_loan`]. A trade that the run does not have is a result: `story.trade` is
/// `None`.
pub async fn explain_trade(
    store: &dyn Store,
    run: RunId,
    trade_id: &str,
) -> AppResult<TradeAccount> {
    let story = trade_story(store, run, trade_id).await?;
    if let (None, Some(input)) = (&story.trade, &story.input) {
        let nearest = near_trades(store, input, trade_id).await?;
        return Ok(TradeAccount::new(story, None, &nearest));
    }
    let is_included = story.trade.as_ref().is_some_and(|trade| trade.band.is_some());
    let Some(input) = story.input.clone().filter(|_| is_included) else {
        return Ok(TradeAccount::new(story, None, &[]));
    };
    let canonical = store.captured(&input.snapshot_digest).await?;
    let mut account = blocking(move || trade_account(&canonical, &input, story)).await?;
    if let Some((certificate, all)) = certificate_with_prices(store, run).await? {
        let trade = &account.story.trade_id;
        account.shadow_prices = Some(TradePrices::new(certificate.challenge, all, trade));
    }
    Ok(account)
}

fn trade_account(
    canonical: &[u8],
    input: &RunInput,
    mut story: TradeExplanation,
) -> AppResult<TradeAccount> {
    let others: Vec<&str> = story.loans_under_limits().map(|loan_id| loan_id.as_str()).collect();
    let excerpt = Snapshot::excerpt(canonical, others)?;
    let limits = Facts::new(&excerpt, &input.options).limits(&story.trade_id);
    story.apply_limits(&limits);
    // Loans that never matched the trade are in no event, so that all rows are needed.
    let snapshot = Snapshot::from_canonical(canonical)?;
    let never_came = Facts::new(&snapshot, &input.options).unmatched_loans(story.trade_id.as_str());
    Ok(TradeAccount::new(story, never_came, &[]))
}

/// Finds the smallest changes of the input that would have placed a kicked-out loan. `progress` is
/// called before each trial run.
///
/// # Errors
/// The captured snapshot cannot be read; the store fails.
pub async fn what_if(
    store: &dyn SnapshotStore,
    input: &RunInput,
    loan_id: &str,
    mut progress: impl FnMut(ChangeKind) + Send + 'static,
) -> AppResult<Result<WhatIf, NoAnswer>> {
    let canonical = store.captured(&input.snapshot_digest).await?;
    let (options, loan_id) = (input.options.clone(), loan_id.to_owned());
    let answer = move || -> Result<_, CanonicalFault> {
        let snapshot = Snapshot::from_canonical(&canonical)?;
        drop(canonical);
        Ok(what_if::what_if(snapshot, &options, &loan_id, &mut progress))
    };
    Ok(blocking(answer).await?)
}

/// The events of a run that a story needs, in order, found through the run's index. Without an
/// index up to the end of the run, these are all events of the run: more than the story needs.
///
/// # Errors
/// The index is damaged; the store fails.
pub async fn read_story<'a>(
    store: &'a dyn Store,
    run: RunId,
    about: StorySubject<'_>,
) -> AppResult<DecodedBatches<'a>> {
    let Some((state, own)) = listed_versions(store, run, about.subjects()).await? else {
        return Ok(read_run(store, run));
    };
    // An event beyond the index may lead to one within it: a part of an index is of no use.
    if state.up_to_version != store.stream_version(&run.stream()).await? {
        return Ok(read_run(store, run));
    }
    let mut events = read_listed(store, run, &own).await?;
    let leads: BTreeSet<Subject> =
        events.iter().filter_map(|read| about.leads_to(&read.event)).collect();
    let Some((_, mut more)) = listed_versions(store, run, leads.into_iter().collect()).await?
    else {
        return Ok(read_run(store, run));
    };
    more.retain(|version| !own.contains(version));
    events.extend(read_listed(store, run, &more).await?);
    events.sort_unstable_by_key(|event| event.stream_version);
    Ok(stream::iter([Ok(events)]).boxed())
}

/// The versions of all events of some subjects, and how far the index reaches. `None` if the run
/// has no index that this program can read.
pub(crate) async fn listed_versions(
    store: &dyn Store,
    run: RunId,
    subjects: Vec<Subject>,
) -> AppResult<Option<(IndexState, BTreeSet<u64>)>> {
    let indexed = store.indexed(run, subjects).await?;
    let readable = indexed.filter(|index| index.state.projector_version == PROJECTOR_VERSION);
    let Some(indexed) = readable else { return Ok(None) };
    let mut versions = BTreeSet::new();
    for list in &indexed.versions {
        versions.extend(list.decode().map_err(|error| damaged_index(run, &error.to_string()))?);
    }
    Ok(Some((indexed.state, versions)))
}

async fn read_listed(
    store: &dyn Store,
    run: RunId,
    versions: &BTreeSet<u64>,
) -> AppResult<Vec<DecodedEvent>> {
    let wanted = versions.iter().copied().collect();
    let events: Vec<DecodedEvent> = read_chosen(store, run, wanted).try_concat().await?;
    if events.len() != versions.len() {
        return Err(damaged_index(run, "it lists events that the run does not have"));
    }
    Ok(events)
}

fn damaged_index(run: RunId, what: &str) -> AppError {
    StoreError::Corrupt(
        format!(
            "the event index of run {run}: {what}; `powerfill verify` names the entry, \
         `powerfill rebuild {run}` makes the index anew"
        )
        .into(),
    )
    .into()
}

/// Does work that takes the processor for a while on another thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(panicked) => resume_unwind(panicked.into_panic()),
    }
}
