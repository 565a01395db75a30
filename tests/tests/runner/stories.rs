//! Stories told from the index of a run's events (specification 3.4): the same as from the whole
//! stream, which is read where no index reaches to its end.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_app::explain::read_story;
use powerfill_app::{DecodedEvent, read_run, rebuild};
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_explain::{LoanStory, StorySubject, TradeStory};
use powerfill_tables::event_index::{EventIndex, RunIndex};
use powerfill_tables::status::RunStatus;
use powerfill_tests::store_suite::samples::unleased;

use crate::books;
use crate::desk::Desk;
use crate::taken_up::begun;

type Told = Vec<DecodedEvent>;

fn recorded(events: &Told) -> impl Iterator<Item = RecordedEvent<'_>> {
    events.iter().map(|event| {
        let run = RunId::from_stream(&event.stored.stream).expect("the stream of a run");
        event.recorded(run)
    })
}

/// Text and JSON of a story.
fn told(events: &Told, about: StorySubject<'_>) -> (String, String) {
    match about {
        StorySubject::Loan(id) => {
            let mut story = LoanStory::new(id);
            recorded(events).for_each(|event| story.apply(&event));
            let told = story.finish();
            (told.to_string(), serde_json::to_string(&told).unwrap())
        }
        StorySubject::Trade(id) => {
            let mut story = TradeStory::new(id);
            recorded(events).for_each(|event| story.apply(&event));
            let told = story.finish();
            (told.to_string(), serde_json::to_string(&told).unwrap())
        }
    }
}

/// All events of a run.
async fn whole(desk: &Desk, run: RunId) -> Told {
    let batches: Vec<Told> = read_run(desk.store.as_ref(), run).try_collect().await.unwrap();
    batches.into_iter().flatten().collect()
}

/// The events that a story is told from, each once and in order.
async fn few(desk: &Desk, run: RunId, about: StorySubject<'_>) -> Told {
    let batches = read_story(desk.store.as_ref(), run, about).await.unwrap();
    let batches: Vec<Told> = batches.try_collect().await.unwrap();
    let events: Told = batches.into_iter().flatten().collect();
    assert!(
        events
            .is_sorted_by(|one, other| { one.stored.stream_version < other.stored.stream_version })
    );
    events
}

/// The index of a run's first events.
fn index(events: &Told, up_to_version: usize) -> RunIndex {
    let mut index = EventIndex::new();
    recorded(events).take(up_to_version).for_each(|event| index.apply(&event));
    index.finish()
}

/// The loans that candidates, pinned loans and kickouts name, and the trades.
fn names(events: &Told) -> (BTreeSet<String>, BTreeSet<String>) {
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

/// Every so many loans and trades, one that nobody has among them: their stories are those of all
/// events. Answers the most events that one was told from.
async fn stories_agree(desk: &Desk, run: RunId, every: usize) -> usize {
    let whole = whole(desk, run).await;
    let (loans, trades) = names(&whole);
    let nobody = "nobody".to_owned();
    let loans = loans.iter().step_by(every).chain([&nobody]).map(|id| StorySubject::Loan(id));
    let trades = trades.iter().step_by(every).chain([&nobody]).map(|id| StorySubject::Trade(id));
    let mut most = 0;
    for about in loans.chain(trades) {
        let few = few(desk, run, about).await;
        most = most.max(few.len());
        assert_eq!(told(&few, about), told(&whole, about), "{about:?}");
        assert!(few.iter().all(|event| *event == whole[event.stored.stream_version as usize - 1]));
    }
    most
}

/// Of each loan and each trade, in whatever case it is asked for.
pub(crate) async fn every_story_of_a_run_is_that_of_all_its_events(desk: &Desk) {
    let run = desk.completes(&books::medium()).await;
    let events = desk.stored(run).await.len();
    let most = stories_agree(desk, run, 1).await;
    assert!(events > 2_000 && most < events / 4, "{most} of {events}");
    let (loans, _) = names(&whole(desk, run).await);
    let loan = loans.first().unwrap();
    let lower = few(desk, run, StorySubject::Loan(&loan.to_lowercase())).await;
    assert_eq!(lower, few(desk, run, StorySubject::Loan(loan)).await);
    // One that failed, before any loan had a place.
    let (failed, status) = desk.run(&books::refused()).await;
    assert_eq!(status, RunStatus::Failed);
    stories_agree(desk, failed, 1).await;
}

/// It goes on, or it was recorded before there were indexes.
pub(crate) async fn a_run_without_an_index_is_read_whole(desk: &Desk) {
    let run = desk.another().await.completes(&books::mixed()).await;
    let undisturbed = desk.another().await;
    assert_eq!(undisturbed.completes(&books::mixed()).await, run);
    let events = undisturbed.events(run).await;
    let begun = begun(desk, &books::mixed(), &events[1..events.len() / 2]).await;
    assert_eq!(desk.store.indexed_runs().await.unwrap(), []);
    let whole = whole(desk, begun).await;
    assert_eq!(few(desk, begun, StorySubject::Trade("T1")).await, whole);
    stories_agree(desk, begun, 40).await;
}

/// A candidate beyond it leads to events within it: half an index would leave them out. It is no
/// damage either.
pub(crate) async fn an_index_that_ends_early_is_not_read(desk: &Desk) {
    let run = desk.completes(&books::mixed()).await;
    let events = whole(desk, run).await;
    for up_to in [1, events.len() / 2, events.len() - 1] {
        desk.store.put_index(unleased(run), Arc::new(index(&events, up_to))).await.unwrap();
        assert_eq!(few(desk, run, StorySubject::Loan("nobody")).await, events);
        let verdict = powerfill_app::verify::verify(desk.store.as_ref(), None).await.unwrap();
        assert!(verdict.is_clean() && verdict.index_entries > 0, "{verdict:?}");
    }
    desk.store.put_index(unleased(run), Arc::new(index(&events, events.len()))).await.unwrap();
    assert!(few(desk, run, StorySubject::Loan("nobody")).await.len() < events.len() / 2);
}

/// It may have listed other events.
pub(crate) async fn an_index_of_another_projector_is_not_read(desk: &Desk) {
    let run = desk.completes(&books::mixed()).await;
    let events = whole(desk, run).await;
    let mut other = index(&events, events.len());
    other.projector_version += 1;
    other.entries.clear();
    desk.store.put_index(unleased(run), Arc::new(other)).await.unwrap();
    assert_eq!(few(desk, run, StorySubject::Loan("nobody")).await, events);
    desk.verify().await;
}

/// Of any run that is over, also of one that is not shown.
pub(crate) async fn a_rebuild_makes_the_index_anew(desk: &Desk) {
    let run = desk.completes(&books::mixed()).await;
    let (failed, _) = desk.run(&books::refused()).await;
    for run in [run, failed] {
        let events = whole(desk, run).await;
        let mut nothing = index(&events, events.len());
        nothing.entries.clear();
        desk.store.put_index(unleased(run), Arc::new(nothing)).await.unwrap();
        rebuild::rebuild(desk.store.as_ref(), run).await.unwrap();
        let batches: Vec<_> = desk.store.index_entries(run).try_collect().await.unwrap();
        assert_eq!(batches.concat(), index(&events, events.len()).entries);
    }
    desk.verify().await;
}
