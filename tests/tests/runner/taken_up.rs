//! Runs whose worker died: another one takes them up, and the stream is that of a run that nothing
//! disturbed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use powerfill_app::replay::{ReplayOutcome, replay};
use powerfill_app::{AppError, NoObserver, RunControl};
use powerfill_events::log::{AppendMeta, EncodedBatch, SchemaId};
use powerfill_events::run::event::{RunCancelled, RunFailed, Step};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_ports::StoreError;
use powerfill_ports::events::Append;
use powerfill_tables::status::RunStatus;
use uuid::Uuid;

use crate::books::{self, Book};
use crate::desk::{Desk, HoldAt, ask};
use crate::faulty_store::{Fate, FaultyStore};

/// Its columns are times and workers.
const OF_THE_WORK: &str = "pfill_powerfill_log";

type Story = Vec<(String, Vec<u8>)>;

/// A run that nothing disturbed: what every other way to run the book must come to.
struct Undisturbed {
    run: RunId,
    story: Story,
    events: Vec<RunEvent>,
    shown: Vec<(&'static str, String)>,
}

impl Undisturbed {
    /// Of the first run of a desk, so that the first run of any other desk has the same id.
    async fn new(desk: &Desk, book: &Book) -> Self {
        let desk = desk.another().await;
        let run = desk.completes(book).await;
        let (story, events) = (desk.story(run).await, desk.events(run).await);
        Self { run, story, events, shown: shown(&desk).await }
    }

    async fn is_what_came_of(&self, desk: &Desk, at: &str) {
        assert_eq!(desk.status(self.run).await, RunStatus::Complete, "{at}");
        let story = desk.story(self.run).await;
        let differs = self.story.iter().zip(&story).position(|(want, have)| want != have);
        assert_eq!((differs, story.len()), (None, self.story.len()), "{at}");
        assert!(shown(desk).await == self.shown, "{at}: the tables differ");
        assert_eq!(desk.history().await, [(self.run, "Complete".to_owned())], "{at}");
        desk.verify().await;
    }
}

async fn shown(desk: &Desk) -> Vec<(&'static str, String)> {
    let mut shown = desk.shown().await;
    shown.retain(|(table, _)| *table != OF_THE_WORK);
    shown
}

/// Asks for the first run of a desk and appends events after the request, as a worker did before it
/// died.
pub(crate) async fn begun(desk: &Desk, book: &Book, events: &[RunEvent]) -> RunId {
    let run = desk.ask(book).await;
    goes_on(desk, book, run, events).await;
    run
}

/// Appends events after the request.
async fn goes_on(desk: &Desk, book: &Book, run: RunId, events: &[RunEvent]) {
    if !events.is_empty() {
        let append = Append {
            append_id: Uuid::from_u128(1),
            stream: run.stream(),
            expected_version: 1,
            meta: meta(desk, book, run),
            events: EncodedBatch::encode(events),
            lease: None,
        };
        desk.store.append(append).await.expect("a valid append");
    }
}

fn meta(desk: &Desk, book: &Book, run: RunId) -> AppendMeta {
    AppendMeta {
        tenant_id: book.snapshot.header.tenant_id.as_str().into(),
        actor: "a worker that died".to_owned(),
        recorded_at: desk.now(),
        causation_id: None,
        correlation_id: Some(run.0),
    }
}

fn dead() -> StoreError {
    StoreError::Failed("this process is dead".into())
}

/// Before the call is heard, and after it is done.
pub(crate) async fn a_run_that_dies_at_any_call_comes_out_the_same(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = Undisturbed::new(desk, &book).await;
    for heard in [false, true] {
        let mut deaths = 0;
        loop {
            let desk = desk.another().await;
            let store = FaultyStore::over(&desk.store, move |_, _, all| match all {
                all if all < deaths => Fate::Done,
                all if all == deaths && heard => Fate::Unanswered(dead()),
                _ => Fate::Refused(dead()),
            });
            let way = Arc::clone(&store);
            let runner = desk.runner_over(way);
            let run = desk.next_run();
            let worked = match ask(&runner, run, &book).await {
                Ok(_) => runner.work(None, RunControl::default(), Arc::new(NoObserver)).await,
                Err(error) => Err(error),
            };
            if store.calls() <= deaths {
                assert!(worked.is_ok_and(|finished| finished.is_some()));
                break;
            }
            let at = format!("death at call {deaths}, heard: {heard}");
            desk.wait_for_leases();
            let recorded = !desk.stored(run).await.is_empty();
            let taken_up = desk.work().await.map(|finished| finished.status);
            if recorded {
                assert!(taken_up.is_none_or(|status| status == RunStatus::Complete), "{at}");
                undisturbed.is_what_came_of(&desk, &at).await;
            } else {
                // Nothing was promised, and the tenant is free.
                assert!(taken_up.is_none_or(|status| status == RunStatus::Failed), "{at}");
                desk.completes(&books::small()).await;
                desk.verify().await;
            }
            deaths += 1;
        }
        assert!(deaths > 10, "{deaths} deaths");
    }
}

pub(crate) async fn a_stream_of_any_length_is_completed(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = Undisturbed::new(desk, &book).await;
    let all = undisturbed.events.len();
    for held in [1, 2, 3, all / 3, all / 2, all - 2, all - 1, all] {
        let desk = desk.another().await;
        begun(&desk, &book, &undisturbed.events[1..held]).await;
        let finished = desk.work().await.expect("there is a run");
        assert_eq!(finished.status, RunStatus::Complete, "{held} events were held");
        undisturbed.is_what_came_of(&desk, &format!("{held} events were held")).await;
    }
}

/// Death after the first part of what was decided is stored.
pub(crate) async fn a_run_of_several_appends_comes_out_the_same(desk: &Desk) {
    let book = books::large();
    let undisturbed = Undisturbed::new(desk, &book).await;
    let died = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&died);
    let store = FaultyStore::over(&desk.store, move |call, before, _| {
        // Dead is dead: nothing is heard after it.
        if (call, before) == ("append", 1) {
            flag.store(true, Ordering::Relaxed);
        }
        if flag.load(Ordering::Relaxed) { Fate::Refused(dead()) } else { Fate::Done }
    });
    let runner = desk.runner_over(store);
    let run = desk.next_run();
    ask(&runner, run, &book).await.unwrap();
    runner.work(None, RunControl::default(), Arc::new(NoObserver)).await.expect_err("it died");
    assert!(died.load(Ordering::Relaxed));
    let stored = desk.stored(run).await.len();
    assert!(stored > 10_000 && stored < undisturbed.story.len(), "{stored} events are stored");
    desk.wait_for_leases();
    let finished = desk.work().await.expect("there is a run");
    assert_eq!(finished.status, RunStatus::Complete);
    undisturbed.is_what_came_of(desk, "death at the second append").await;
}

/// The request stands in the stream in version 1, which knew no warnings of a source, and stays so.
pub(crate) async fn a_run_that_an_older_powerfill_asked_for_is_carried_through(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = Undisturbed::new(desk, &book).await;
    let (_, present) = &undisturbed.story[0];
    let present = std::str::from_utf8(present).expect("JSON is text");
    let older = present.replace(r#","source_warnings":[]"#, "");
    assert!(older.len() < present.len(), "{present}");
    let mut request = EncodedBatch::default();
    request.push_stored(SchemaId::new("RunRequested", 1), older.as_bytes());
    let all = undisturbed.events.len();
    for held in [1, all / 2, all - 1] {
        let desk = desk.another().await;
        let (run, mut canonical) = (desk.next_run(), Vec::new());
        book.snapshot.write_canonical(&mut canonical).expect("memory takes every write");
        desk.store.capture(&book.snapshot.digest(), &canonical).await.expect("it is captured");
        let append = Append {
            append_id: Uuid::from_u128(2),
            stream: run.stream(),
            expected_version: 0,
            meta: meta(&desk, &book, run),
            events: request.clone(),
            lease: None,
        };
        desk.store.enqueue(append).await.expect("it is queued");
        goes_on(&desk, &book, run, &undisturbed.events[1..held]).await;
        let finished = desk.work().await.expect("there is a run");
        assert_eq!(finished.status, RunStatus::Complete, "{held} events were held");
        let stored = desk.stored(run).await;
        assert_eq!((stored[0].schema_version, stored[0].payload.as_slice()), (1, older.as_bytes()));
        assert!(desk.story(run).await[1..] == undisturbed.story[1..]);
        let replay =
            replay(desk.store.as_ref(), run, Arc::new(NoObserver)).await.expect("it is read");
        assert_eq!(replay.answer, ReplayOutcome::Reproduced);
        desk.verify().await;
    }
}

/// Its events are sound, and not what this engine decides.
pub(crate) async fn a_run_begun_by_another_engine_fails_and_frees_the_tenant(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = Undisturbed::new(desk, &book).await;
    let mut events = undisturbed.events[1..20].to_vec();
    let RunEvent::RunStarted(started) = &mut events[0] else { panic!("{:?}", events[0]) };
    started.engine_version = "0.0.1".to_owned();
    let run = begun(desk, &book, &events).await;
    let refused = desk.runner().work(None, RunControl::default(), Arc::new(NoObserver)).await;
    let Err(AppError::NotReproduced { version, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(version, 2);
    let stored = desk.events(run).await;
    assert_eq!(stored.len(), 21, "what was there stays, and one event ends it");
    let Some(RunEvent::RunFailed(failed)) = stored.last() else { panic!("{stored:?}") };
    assert!(failed.message.contains("another version of PowerFill"), "{failed:?}");
    assert_eq!(desk.status(run).await, RunStatus::Failed);
    assert_eq!(desk.store.published().await.unwrap(), None);
    assert_eq!(desk.history().await, [(run, "Failed".to_owned())]);
    desk.verify().await;
    desk.completes(&book).await;
}

/// Its worker died after the last event and before it said so to the queue.
pub(crate) async fn a_stream_that_has_ended_is_left_as_it_is(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = Undisturbed::new(desk, &book).await;
    let cancelled = RunCancelled { cancelled_by: "chief".to_owned(), step: Step::Allocation };
    let failed = RunFailed {
        step: Step::Record,
        code: "RUN_BROKEN_OFF".to_owned(),
        message: "the disk was full".to_owned(),
    };
    for (end, status) in [
        (RunEvent::RunCancelled(cancelled), RunStatus::Cancelled),
        (RunEvent::RunFailed(failed), RunStatus::Failed),
    ] {
        let desk = desk.another().await;
        let events = [&undisturbed.events[1..20], &[end]].concat();
        let run = begun(&desk, &book, &events).await;
        let finished = desk.work().await.expect("there is a run");
        assert_eq!(finished.status, status);
        assert_eq!(desk.events(run).await[1..], events);
        assert_eq!(desk.history().await, [(run, status.name().to_owned())]);
        desk.verify().await;
        desk.completes(&books::small()).await;
    }
}

pub(crate) async fn a_run_cancelled_before_it_caught_up_ends_behind_its_stream(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = Undisturbed::new(desk, &book).await;
    let half = &undisturbed.events[1..undisturbed.events.len() / 2];
    let run = begun(desk, &book, half).await;
    let finished = desk.work_cancelled_at(Step::Preflight).await;
    assert_eq!(finished.status, RunStatus::Cancelled);
    let events = desk.events(run).await;
    assert_eq!(events[1..=half.len()], *half);
    assert!(matches!(&events[half.len() + 1..], [RunEvent::RunCancelled(_)]));
    assert_eq!(desk.history().await, [(run, "Cancelled".to_owned())]);
    desk.verify().await;
    desk.completes(&books::small()).await;
}

/// In a store from before requests came with the queue: whoever asked died in between.
pub(crate) async fn a_run_that_was_never_recorded_is_failed(desk: &Desk) {
    let run = desk.next_run();
    if !desk.queue_without_request(run).await {
        return;
    }
    let finished = desk.work().await.expect("there is a run");
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Failed));
    assert!(desk.stored(run).await.is_empty());
    desk.completes(&books::small()).await;
    desk.verify().await;
}

/// It stood still while its lease ran out, and another one finished the run, and the next.
pub(crate) async fn a_worker_that_lost_its_lease_writes_no_more(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = Undisturbed::new(desk, &book).await;
    let run = desk.ask(&book).await;
    let (hold, go) = HoldAt::new(Step::Allocation);
    let (observer, slow) = (Arc::clone(&hold), desk.runner());
    let working =
        tokio::spawn(async move { slow.work(None, RunControl::default(), observer).await });
    hold.reached().await;
    let finished = loop {
        // The slow worker may just have renewed.
        desk.wait_for_leases();
        if let Some(finished) = desk.work().await {
            break finished;
        }
    };
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete));
    undisturbed.is_what_came_of(desk, "taken from a slow worker").await;
    let next = desk.completes(&books::small()).await;
    go.send(()).unwrap();
    let late = working.await.unwrap();
    let Err(AppError::Store(StoreError::LeaseLost(lost))) = late else { panic!("{late:?}") };
    assert_eq!(lost, run);
    assert!(desk.story(run).await == undisturbed.story);
    assert_eq!(desk.store.published().await.unwrap().map(|(shown, _)| shown), Some(next));
    desk.verify().await;
}
