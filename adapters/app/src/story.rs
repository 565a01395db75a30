//! The events that a story is told from (specification 3.4): found through the run's index, so that a loan of a long run
//! is explained without reading the whole stream; the whole stream where there is no index.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use powerfill_events::run::RunId;
use powerfill_explain::About;
use powerfill_ports::index::IndexState;
use powerfill_ports::{Store, StoreError};
use powerfill_tables::event_index::{PROJECTOR_VERSION, Subject};

use crate::RunnerError;
use crate::stored::{Read, decode_all, read_run};

/// The events of a run that the story of a loan or a trade needs, in order, decoded, a batch at a time. Where no index
/// reaches to the end of the run (it goes on, or it was recorded before there were indexes), these are all its events:
/// more than the story needs, and never less.
///
/// # Errors
/// Where the store fails, or the index is damaged.
pub async fn read_story<'a, S: Store + ?Sized>(
    store: &'a S,
    run: RunId,
    about: About<'_>,
) -> Result<BoxStream<'a, Result<Vec<Read>, RunnerError>>, RunnerError> {
    let Some((state, own)) = listed(store, run, about.subjects()).await? else {
        return Ok(read_run(store, run));
    };
    // An event beyond the index might lead to one within it: half an index would not do.
    if state.up_to_version != store.stream_version(&run.stream()).await? {
        return Ok(read_run(store, run));
    }
    let mut told = read(store, run, &own).await?;
    let leads: BTreeSet<Subject> =
        told.iter().filter_map(|(_, event)| about.leads_to(event)).collect();
    let Some((_, mut more)) = listed(store, run, leads.into_iter().collect()).await? else {
        return Ok(read_run(store, run));
    };
    more.retain(|version| !own.contains(version));
    told.extend(read(store, run, &more).await?);
    told.sort_unstable_by_key(|(stored, _)| stored.stream_version);
    Ok(stream::iter([Ok(told)]).boxed())
}

/// The versions of all events of some subjects, and how far the index reaches; `None` where the run has no index that
/// this program can read.
async fn listed<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    subjects: Vec<Subject>,
) -> Result<Option<(IndexState, BTreeSet<u64>)>, RunnerError> {
    let indexed = store.indexed(run, subjects).await?;
    let readable = indexed.filter(|index| index.state.projector_version == PROJECTOR_VERSION);
    let Some(indexed) = readable else { return Ok(None) };
    let mut versions = BTreeSet::new();
    for list in &indexed.versions {
        versions.extend(list.decode().map_err(|error| damaged(run, &error.to_string()))?);
    }
    Ok(Some((indexed.state, versions)))
}

async fn read<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    versions: &BTreeSet<u64>,
) -> Result<Vec<Read>, RunnerError> {
    let wanted = versions.iter().copied().collect();
    let batches = store.read_versions(&run.stream(), wanted).map_err(RunnerError::from);
    let told: Vec<Read> = batches.and_then(decode_all).try_concat().await?;
    if told.len() != versions.len() {
        return Err(damaged(run, "it lists events that the run does not have"));
    }
    Ok(told)
}

fn damaged(run: RunId, what: &str) -> RunnerError {
    StoreError::Corrupt(format!(
        "the event index of run {run}: {what}; `powerfill verify` names the entry, `powerfill rebuild {run}` makes the \
         index anew"
    ))
    .into()
}
