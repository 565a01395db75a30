//! The events that a story is told from (specification 3.4): found through the run's index, so that a loan of a long run
//! is explained without reading the whole stream; the whole stream where there is no index.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use futures::stream::{self, BoxStream, StreamExt};
use powerfill_domain::run::RunId;
use powerfill_ports::{Store, StoreError};
use powerfill_projections::event_index::{PROJECTOR_VERSION, Subject};
use powerfill_projections::explain::About;

use crate::RunnerError;
use crate::stored::{Read, decode_all, read_run, read_versions};

/// The events of a run that the story of a loan or a trade needs, in order, decoded, a batch at a time. What the index
/// does not reach (the end of a run that goes on, a run without an index) is read whole: more than the story needs, and
/// never less.
///
/// # Errors
/// Where the store fails, or the index is damaged.
pub async fn read_story<'a, S: Store + ?Sized>(
    store: &'a S,
    run: RunId,
    about: About<'_>,
) -> Result<BoxStream<'a, Result<Vec<Read>, RunnerError>>, RunnerError> {
    let Some((first, up_to_version)) = listed(store, run, about.subjects(), u64::MAX).await? else {
        return Ok(read_run(store, run));
    };
    let mut told = read(store, run, &first).await?;
    let leads: BTreeSet<Subject> =
        told.iter().filter_map(|(_, event)| about.leads_to(event)).collect();
    let leads = leads.into_iter().collect();
    if let Some((mut more, _)) = listed(store, run, leads, up_to_version).await? {
        more.retain(|version| !first.contains(version));
        told.extend(read(store, run, &more).await?);
    }
    told.sort_unstable_by_key(|(stored, _)| stored.stream_version);
    let rest = read_versions(store, run, up_to_version + 1, u64::MAX);
    Ok(stream::iter([Ok(told)]).chain(rest).boxed())
}

/// The versions of all events of some subjects, none beyond `limit`, and the version that the index reaches up to;
/// `None` where the run has no index that can be read.
async fn listed<S: Store + ?Sized>(
    store: &S,
    run: RunId,
    subjects: Vec<Subject>,
    limit: u64,
) -> Result<Option<(BTreeSet<u64>, u64)>, RunnerError> {
    let Some(indexed) = store.indexed(run, subjects).await? else { return Ok(None) };
    if indexed.state.projector_version != PROJECTOR_VERSION {
        return Ok(None);
    }
    let up_to_version = indexed.state.up_to_version.min(limit);
    let mut versions = BTreeSet::new();
    for list in &indexed.versions {
        versions.extend(list.decode().map_err(|error| damaged(run, &error.to_string()))?);
    }
    versions.split_off(&(up_to_version + 1));
    Ok(Some((versions, up_to_version)))
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
