//! The track of a run, and the events that concern one loan or trade (specification 3.4), for a
//! reader that goes back and forth in a run.

use powerfill_events::run::{EventType, RunId};
use powerfill_ports::{Store, StoreError};
use powerfill_tables::event_index::{EventIndex, Subject, SubjectKind};
use powerfill_tables::track::RunTrack;

use crate::AppResult;
use crate::events::{for_each_event, read_run, read_types};
use crate::explain::listed_versions;

/// Reads the track of a run up to its present end. Events that it does not need are not decoded.
///
/// # Errors
/// [`NotFound`](powerfill_ports::StoreError::NotFound) if the run has no events; an event cannot be
/// read; the store fails.
pub async fn read_track(store: &dyn Store, run: RunId) -> AppResult<RunTrack> {
    let needed = EventType::ALL.iter().filter(|event_type| RunTrack::needs(**event_type));
    let types = needed.map(|event_type| event_type.name().to_owned()).collect();
    let events = read_types(store, run, 1, types);
    let mut track = RunTrack::default();
    for_each_event(run, events, |event| track.apply(event)).await?;
    Ok(track)
}

/// A loan or a trade, in any spelling.
#[derive(Debug, Clone, Copy)]
pub enum LoanOrTrade<'a> {
    /// A loan.
    Loan(&'a str),
    /// A trade.
    Trade(&'a str),
}

impl LoanOrTrade<'_> {
    fn subjects(self) -> [Subject; 2] {
        let (id, kinds) = match self {
            Self::Loan(id) => (id, [SubjectKind::Loan, SubjectKind::Place]),
            Self::Trade(id) => (id, [SubjectKind::Trade, SubjectKind::Fill]),
        };
        kinds.map(|kind| Subject::named(kind, id))
    }
}

/// The versions of the events that name a loan or a trade, ascending; from the index of the run, or
/// for a run without one from its events. None if the run does not have it.
///
/// # Errors
/// As for [`read_track`].
pub async fn versions_of(
    store: &dyn Store,
    run: RunId,
    subject: LoanOrTrade<'_>,
) -> AppResult<Vec<u64>> {
    let subjects = subject.subjects();
    if let Some((_, versions)) = listed_versions(store, run, subjects.to_vec()).await? {
        return Ok(versions.into_iter().collect());
    }
    let mut index = EventIndex::new();
    for_each_event(run, read_run(store, run), |event| index.apply(event)).await?;
    let entries = index.finish().entries.into_iter();
    let entries = entries.filter(|entry| subjects.contains(&entry.subject));
    let mut versions: Vec<u64> = entries
        .map(|entry| entry.versions.decode())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| StoreError::Failed(error.to_string().into()))?
        .concat();
    versions.sort_unstable();
    Ok(versions)
}
