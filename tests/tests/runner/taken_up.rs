//! Runs whose worker died: another worker takes them up, and the stream equals that of an
//! undisturbed run.

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
use crate::desk::{Desk, request};
use crate::faulty_store::{CallOutcome, FaultyStore};

/// A table with times and workers, which differ.
const WORK_LOG: &str = "pfill_powerfill_log";

type Story = Vec<(String, Vec<u8>)>;

/// An undisturbed run, to which every other run of the book must be equal.
struct UndisturbedRun {
    run: RunId,
    story: Story,
    events: Vec<RunEvent>,
    shown: Vec<(&'static str, String)>,
}

impl UndisturbedRun {
    /// The first run of a new desk, so that the first run of any other desk has the same id.
    async fn new(desk: &Desk, book: &Book) -> Self {
        let desk = desk.another().await;
        let run = desk.complete(book).await;
        let (story, events) = (desk.payloads(run).await, desk.events(run).await);
        Self { run, story, events, shown: published_tables(&desk).await }
    }

    async fn assert_equals_run_of(&self, desk: &Desk, at: &str) {
        assert_eq!(desk.status(self.run).await, RunStatus::Complete, "{at}");
        let story = desk.payloads(self.run).await;
        let differs = self.story.iter().zip(&story).position(|(want, have)| want != have);
        assert_eq!((differs, story.len()), (None, self.story.len()), "{at}");
        assert!(published_tables(desk).await == self.shown, "{at}: the tables differ");
        assert_eq!(desk.history().await, [(self.run, "Complete".to_owned())], "{at}");
        desk.verify().await;
    }
}

async fn published_tables(desk: &Desk) -> Vec<(&'static str, String)> {
    let mut shown = desk.published_tables().await;
    shown.retain(|(table, _)| *table != WORK_LOG);
    shown
}

/// Requests the first run of a desk and appends events after the request, as a worker that then
/// died.
pub(crate) async fn begin(desk: &Desk, book: &Book, events: &[RunEvent]) -> RunId {
    let run = desk.request(book).await;
    append_events(desk, book, run, events).await;
    run
}

/// Appends events after the request.
async fn append_events(desk: &Desk, book: &Book, run: RunId, events: &[RunEvent]) {
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
    let tenant_id = book.snapshot.header.tenant_id.as_str().into();
    let meta = AppendMeta::new(tenant_id, "a worker that died", desk.now());
    AppendMeta { correlation_id: Some(run.0), ..meta }
}

fn dead() -> StoreError {
    StoreError::Failed("this process is dead".into())
}

/// The worker dies before the call reaches the store, or after it is carried out.
pub(crate) async fn a_worker_that_dies_at_any_call_changes_no_decision(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = UndisturbedRun::new(desk, &book).await;
    for is_carried_out in [false, true] {
        let mut deaths = 0;
        loop {
            let desk = desk.another().await;
            let store = FaultyStore::wrap(&desk.store, move |_, _, all| match all {
                all if all < deaths => CallOutcome::Done,
                all if all == deaths && is_carried_out => CallOutcome::Unanswered(dead()),
                _ => CallOutcome::Refused(dead()),
            });
            let runner = desk.runner_over(Arc::clone(&store) as _);
            let run = desk.next_run();
            let worked = match request(&runner, run, &book).await {
                Ok(_) => runner.work(None, RunControl::default(), Arc::new(NoObserver)).await,
                Err(error) => Err(error),
            };
            if store.calls() <= deaths {
                assert!(worked.is_ok_and(|finished| finished.is_some()));
                break;
            }
            let at = format!("death at call {deaths}, carried out: {is_carried_out}");
            desk.wait_for_leases();
            let recorded = !desk.stored(run).await.is_empty();
            let taken_up = desk.work().await.map(|finished| finished.status);
            if recorded {
                assert!(taken_up.is_none_or(|status| status == RunStatus::Complete), "{at}");
                undisturbed.assert_equals_run_of(&desk, &at).await;
            } else {
                // The request was not accepted, and the tenant is free.
                assert!(taken_up.is_none_or(|status| status == RunStatus::Failed), "{at}");
                desk.complete(&books::small()).await;
                desk.verify().await;
            }
            deaths += 1;
        }
        assert!(deaths > 10, "{deaths} deaths");
    }
}

pub(crate) async fn a_stream_of_any_length_is_completed(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = UndisturbedRun::new(desk, &book).await;
    let all = undisturbed.events.len();
    for stored in [1, 2, 3, all / 3, all / 2, all - 2, all - 1, all] {
        let desk = desk.another().await;
        begin(&desk, &book, &undisturbed.events[1..stored]).await;
        let finished = desk.work().await.expect("a run is queued");
        assert_eq!(finished.status, RunStatus::Complete, "{stored} events were stored");
        undisturbed.assert_equals_run_of(&desk, &format!("{stored} events were stored")).await;
    }
}

/// The worker dies after the first append of decisions.
pub(crate) async fn a_worker_that_dies_between_appends_changes_no_decision(desk: &Desk) {
    let book = books::large();
    let undisturbed = UndisturbedRun::new(desk, &book).await;
    let died = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&died);
    let store = FaultyStore::wrap(&desk.store, move |call, before, _| {
        // No later call of a dead worker reaches the store.
        if (call, before) == ("append", 1) {
            flag.store(true, Ordering::Relaxed);
        }
        if flag.load(Ordering::Relaxed) { CallOutcome::Refused(dead()) } else { CallOutcome::Done }
    });
    let runner = desk.runner_over(store);
    let run = desk.next_run();
    request(&runner, run, &book).await.unwrap();
    runner
        .work(None, RunControl::default(), Arc::new(NoObserver))
        .await
        .expect_err("the worker died");
    assert!(died.load(Ordering::Relaxed));
    let stored = desk.stored(run).await.len();
    assert!(stored > 10_000 && stored < undisturbed.story.len(), "{stored} events are stored");
    desk.wait_for_leases();
    let finished = desk.work().await.expect("a run is queued");
    assert_eq!(finished.status, RunStatus::Complete);
    undisturbed.assert_equals_run_of(desk, "death at the second append").await;
}

/// The request has version 1, which has no warnings of a source, and does not change.
pub(crate) async fn a_run_requested_by_an_older_version_completes(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = UndisturbedRun::new(desk, &book).await;
    let (_, present) = &undisturbed.story[0];
    let present = std::str::from_utf8(present).expect("JSON is text");
    let older = present.replace(r#","source_warnings":[],"mapping":null"#, "");
    assert!(older.len() < present.len(), "{present}");
    let mut request = EncodedBatch::default();
    request.push_stored(SchemaId::new("RunRequested", 1), older.as_bytes());
    let all = undisturbed.events.len();
    for stored in [1, all / 2, all - 1] {
        let desk = desk.another().await;
        let (run, mut canonical) = (desk.next_run(), Vec::new());
        book.snapshot.write_canonical(&mut canonical).expect("a vector accepts every write");
        desk.store
            .capture(&book.snapshot.digest(), &canonical)
            .await
            .expect("the snapshot is captured");
        let append = Append {
            append_id: Uuid::from_u128(2),
            stream: run.stream(),
            expected_version: 0,
            meta: meta(&desk, &book, run),
            events: request.clone(),
            lease: None,
        };
        desk.store.enqueue(append, false).await.expect("the run is queued");
        append_events(&desk, &book, run, &undisturbed.events[1..stored]).await;
        let finished = desk.work().await.expect("a run is queued");
        assert_eq!(finished.status, RunStatus::Complete, "{stored} events were stored");
        let events = desk.stored(run).await;
        assert_eq!((events[0].schema_version, events[0].payload.as_slice()), (1, older.as_bytes()));
        assert!(desk.payloads(run).await[1..] == undisturbed.story[1..]);
        let replay = replay(desk.store.as_ref(), run, Arc::new(NoObserver))
            .await
            .expect("the run can be read");
        assert_eq!(replay.answer, ReplayOutcome::Reproduced);
        desk.verify().await;
    }
}

/// Its events are valid, but this engine decides differently.
pub(crate) async fn a_run_begun_by_another_engine_fails_and_frees_the_tenant(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = UndisturbedRun::new(desk, &book).await;
    let mut events = undisturbed.events[1..20].to_vec();
    let RunEvent::RunStarted(started) = &mut events[0] else { panic!("{:?}", events[0]) };
    started.engine_version = "0.0.1".to_owned();
    let run = begin(desk, &book, &events).await;
    let refused = desk.runner().work(None, RunControl::default(), Arc::new(NoObserver)).await;
    let Err(AppError::NotReproduced { version, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(version, 2);
    let stored = desk.events(run).await;
    assert_eq!(stored.len(), 21, "the events stay, and one event ends the run");
    let Some(RunEvent::RunFailed(failed)) = stored.last() else { panic!("{stored:?}") };
    assert!(failed.message.contains("another version of PowerFill"), "{failed:?}");
    assert_eq!(desk.status(run).await, RunStatus::Failed);
    assert_eq!(desk.store.published().await.unwrap(), None);
    assert_eq!(desk.history().await, [(run, "Failed".to_owned())]);
    desk.verify().await;
    desk.complete(&book).await;
}

/// The worker died after the last event and before it set the status.
pub(crate) async fn an_ended_stream_is_not_changed(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = UndisturbedRun::new(desk, &book).await;
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
        let run = begin(&desk, &book, &events).await;
        let finished = desk.work().await.expect("a run is queued");
        assert_eq!(finished.status, status);
        assert_eq!(desk.events(run).await[1..], events);
        assert_eq!(desk.history().await, [(run, status.name().to_owned())]);
        desk.verify().await;
        desk.complete(&books::small()).await;
    }
}

pub(crate) async fn a_run_cancelled_while_it_is_taken_up_keeps_its_events(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = UndisturbedRun::new(desk, &book).await;
    let half = &undisturbed.events[1..undisturbed.events.len() / 2];
    let run = begin(desk, &book, half).await;
    let finished = desk.work_cancelled_at(Step::Preflight).await;
    assert_eq!(finished.status, RunStatus::Cancelled);
    let events = desk.events(run).await;
    assert_eq!(events[1..=half.len()], *half);
    assert!(matches!(&events[half.len() + 1..], [RunEvent::RunCancelled(_)]));
    assert_eq!(desk.history().await, [(run, "Cancelled".to_owned())]);
    desk.verify().await;
    desk.complete(&books::small()).await;
}

/// An older version queued the run and died before it recorded the request.
pub(crate) async fn a_queued_run_without_a_request_fails(desk: &Desk) {
    let run = desk.next_run();
    if !desk.queue_without_request(run).await {
        return;
    }
    let finished = desk.work().await.expect("a run is queued");
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Failed));
    assert!(desk.stored(run).await.is_empty());
    desk.complete(&books::small()).await;
    desk.verify().await;
}

/// The worker stalled until its lease expired, and another worker finished this run and the next.
pub(crate) async fn a_worker_that_lost_its_lease_writes_no_more(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = UndisturbedRun::new(desk, &book).await;
    let run = desk.request(&book).await;
    let (working, resume) = desk.work_paused_at(Step::Allocation).await;
    let finished = loop {
        // The slow worker may have renewed its lease just now.
        desk.wait_for_leases();
        if let Some(finished) = desk.work().await {
            break finished;
        }
    };
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete));
    undisturbed.assert_equals_run_of(desk, "taken from a slow worker").await;
    let next = desk.complete(&books::small()).await;
    resume.send(()).unwrap();
    let late = working.await.unwrap();
    let Err(AppError::Store(StoreError::LeaseLost(lost))) = late else { panic!("{late:?}") };
    assert_eq!(lost, run);
    assert!(desk.payloads(run).await == undisturbed.story);
    assert_eq!(desk.store.published().await.unwrap().map(|(shown, _)| shown), Some(next));
    desk.verify().await;
}
