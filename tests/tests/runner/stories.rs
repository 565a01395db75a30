//! Stories that are read with the event index (specification 3.4) equal those of the whole stream,
//! which is read if no index reaches its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_app::explain::read_story;
use powerfill_app::{DecodedEvent, read_run, rebuild};
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_explain::{LoanStory, StorySubject, TradeStory};
use powerfill_tables::event_index::{EventIndex, RunIndex};
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::LargeTables;
use powerfill_tests::store_suite::samples::unleased;
use uuid::Uuid;

use crate::books;
use crate::desk::Desk;
use crate::taken_up::begin;

type Events = Vec<DecodedEvent>;

fn recorded(events: &Events) -> impl Iterator<Item = RecordedEvent<'_>> {
    // No story names its run.
    events.iter().map(|event| event.recorded(RunId(Uuid::nil())))
}

/// The text and the JSON of a story.
fn render(events: &Events, about: StorySubject<'_>) -> (String, String) {
    match about {
        StorySubject::Loan(id) => {
            let mut story = LoanStory::new(id);
            recorded(events).for_each(|event| story.apply(&event));
            let story = story.finish();
            (story.to_string(), serde_json::to_string(&story).unwrap())
        }
        StorySubject::Trade(id) => {
            let mut story = TradeStory::new(id);
            recorded(events).for_each(|event| story.apply(&event));
            let story = story.finish();
            (story.to_string(), serde_json::to_string(&story).unwrap())
        }
    }
}

/// All events of a run.
async fn all_events(desk: &Desk, run: RunId) -> Events {
    let batches: Vec<Events> = read_run(desk.store.as_ref(), run).try_collect().await.unwrap();
    batches.into_iter().flatten().collect()
}

/// The events that are read for a story, each once and in order.
async fn story_events(desk: &Desk, run: RunId, about: StorySubject<'_>) -> Events {
    let batches = read_story(desk.store.as_ref(), run, about).await.unwrap();
    let batches: Vec<Events> = batches.try_collect().await.unwrap();
    let events: Events = batches.into_iter().flatten().collect();
    assert!(events.is_sorted_by(|one, other| { one.stream_version < other.stream_version }));
    events
}

/// The index of a run's first events.
fn index(events: &Events, up_to_version: usize) -> RunIndex {
    let mut index = EventIndex::new();
    recorded(events).take(up_to_version).for_each(|event| index.apply(&event));
    index.finish()
}

/// The loans of candidates, pinned loans, and kickouts, and the trades.
fn names(events: &Events) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut loans, mut trades) = (BTreeSet::new(), BTreeSet::new());
    for decoded in events {
        match &decoded.event {
            RunEvent::TradeAssessed(e) => _ = trades.insert(e.trade_id.to_string()),
            RunEvent::LoanPinned(e) => _ = loans.insert(e.loan_id.to_string()),
            RunEvent::CandidateScored(e) => _ = loans.insert(e.loan_id.to_string()),
            RunEvent::LoanKickedOut(e) => _ = loans.insert(e.loan_id.to_string()),
            _ => {}
        }
    }
    (loans, trades)
}

/// Compares the stories of every n-th loan and trade, and of unknown ones, with those of all
/// events. Returns the largest number of events that a story needs.
async fn assert_stories_agree(desk: &Desk, run: RunId, every: usize) -> usize {
    let all = all_events(desk, run).await;
    let (loans, trades) = names(&all);
    let unknown = "unknown".to_owned();
    let loans = loans.iter().step_by(every).chain([&unknown]).map(|id| StorySubject::Loan(id));
    let trades = trades.iter().step_by(every).chain([&unknown]).map(|id| StorySubject::Trade(id));
    let mut most = 0;
    for about in loans.chain(trades) {
        let few = story_events(desk, run, about).await;
        most = most.max(few.len());
        assert_eq!(render(&few, about), render(&all, about), "{about:?}");
        assert!(few.iter().all(|event| *event == all[event.stream_version as usize - 1]));
    }
    most
}

/// For each loan and each trade, with names in any case.
pub(crate) async fn stories_from_the_index_equal_those_from_all_events(desk: &Desk) {
    let run = desk.complete(&books::medium()).await;
    let events = desk.stored(run).await.len();
    let most = assert_stories_agree(desk, run, 1).await;
    assert!(events > 2_000 && most < events / 4, "{most} of {events}");
    let (loans, _) = names(&all_events(desk, run).await);
    let loan = loans.first().unwrap();
    let lower = story_events(desk, run, StorySubject::Loan(&loan.to_lowercase())).await;
    assert_eq!(lower, story_events(desk, run, StorySubject::Loan(loan)).await);
    // A run that failed before any allocation.
    let (failed, status) = desk.run(&books::refused()).await;
    assert_eq!(status, RunStatus::Failed);
    assert_stories_agree(desk, failed, 1).await;
}

/// The run is active, or it was recorded before there were indexes.
pub(crate) async fn a_run_without_an_index_is_read_whole(desk: &Desk) {
    let run = desk.another().await.complete(&books::mixed()).await;
    let undisturbed = desk.another().await;
    assert_eq!(undisturbed.complete(&books::mixed()).await, run);
    let events = undisturbed.events(run).await;
    let begun = begin(desk, &books::mixed(), &events[1..events.len() / 2]).await;
    assert_eq!(desk.store.indexed_runs().await.unwrap(), []);
    let all = all_events(desk, begun).await;
    assert_eq!(story_events(desk, begun, StorySubject::Trade("T1")).await, all);
    assert_stories_agree(desk, begun, 40).await;
}

/// A candidate after its end leads to events before it, which such an index would leave out. The
/// index is no damage.
pub(crate) async fn an_index_that_ends_early_is_not_read(desk: &Desk) {
    let run = desk.complete(&books::mixed()).await;
    let events = all_events(desk, run).await;
    for up_to in [1, events.len() / 2, events.len() - 1] {
        desk.store.put_index(unleased(run), Arc::new(index(&events, up_to))).await.unwrap();
        assert_eq!(story_events(desk, run, StorySubject::Loan("unknown")).await, events);
        let verdict = powerfill_app::verify::verify(desk.store.as_ref(), None).await.unwrap();
        assert!(verdict.is_clean() && verdict.index_entries > 0, "{verdict:?}");
    }
    desk.store.put_index(unleased(run), Arc::new(index(&events, events.len()))).await.unwrap();
    assert!(story_events(desk, run, StorySubject::Loan("unknown")).await.len() < events.len() / 2);
}

/// It may list other events.
pub(crate) async fn an_index_of_another_projector_is_not_read(desk: &Desk) {
    let run = desk.complete(&books::mixed()).await;
    let events = all_events(desk, run).await;
    let mut other = index(&events, events.len());
    other.projector_version += 1;
    other.entries.clear();
    desk.store.put_index(unleased(run), Arc::new(other)).await.unwrap();
    assert_eq!(story_events(desk, run, StorySubject::Loan("unknown")).await, events);
    desk.verify().await;
}

/// For any run that is over, also if its outputs are not published.
pub(crate) async fn a_rebuild_restores_the_index(desk: &Desk) {
    let run = desk.complete(&books::mixed()).await;
    let (failed, _) = desk.run(&books::refused()).await;
    for run in [run, failed] {
        let events = all_events(desk, run).await;
        let mut nothing = index(&events, events.len());
        nothing.entries.clear();
        desk.store.put_index(unleased(run), Arc::new(nothing)).await.unwrap();
        rebuild::rebuild(desk.store.as_ref(), run, LargeTables::Stored).await.unwrap();
        let batches: Vec<_> = desk.store.index_entries(run).try_collect().await.unwrap();
        assert_eq!(batches.concat(), index(&events, events.len()).entries);
    }
    desk.verify().await;
}
