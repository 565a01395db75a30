//! Stores that fail: once, for a whole run, or always.

use std::sync::Arc;

use powerfill_app::{AppError, NoObserver, RunControl};
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::Step;
use powerfill_ports::StoreError;
use powerfill_tables::status::RunStatus;

use crate::books;
use crate::desk::{Desk, request};
use crate::faulty_store::{CallOutcome, FaultyStore};

fn unavailable() -> StoreError {
    StoreError::Unavailable("no answer".into())
}

/// The first call of each kind fails.
pub(crate) async fn calls_to_a_briefly_unavailable_store_are_repeated(desk: &Desk) {
    let store = FaultyStore::wrap(&desk.store, |call, before, _| match (call, before) {
        // The loop of a worker repeats claims.
        ("claim", _) => CallOutcome::Done,
        // An append whose answer was lost is recognized.
        ("append" | "enqueue", 0) => CallOutcome::Unanswered(unavailable()),
        (_, 0) => CallOutcome::Refused(unavailable()),
        _ => CallOutcome::Done,
    });
    let runner = desk.runner_over(store);
    let run = desk.next_run();
    request(&runner, run, &books::mixed()).await.unwrap();
    let finished = runner
        .work(None, RunControl::default(), Arc::new(NoObserver))
        .await
        .unwrap()
        .expect("a run is queued");
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete));
    desk.verify().await;
}

/// A kind of call fails during the whole run: the run fails with the reason, and the former outputs
/// stay.
async fn assert_fails_at(desk: &Desk, refused: &'static str, with: fn() -> StoreError) {
    desk.complete(&books::small()).await;
    let shown = desk.published_tables().await;
    // Of the appends, only the first fails, so that the end of the run is recorded.
    let fails = move |call, before| call == refused && (call != "append" || before == 0);
    let store = FaultyStore::wrap(&desk.store, move |call, before, _| {
        if fails(call, before) { CallOutcome::Refused(with()) } else { CallOutcome::Done }
    });
    let runner = desk.runner_over(store);
    let run = desk.next_run();
    request(&runner, run, &books::mixed()).await.unwrap();
    let error =
        runner.work(None, RunControl::default(), Arc::new(NoObserver)).await.expect_err(refused);
    let AppError::Store(cause) = &error else { panic!("{error:?}") };
    let events = desk.events(run).await;
    let Some(RunEvent::RunFailed(failed)) = events.last() else { panic!("{refused}: {error}") };
    assert_eq!(failed.step, Step::Record, "{refused}");
    assert_eq!(failed.message, cause.to_string(), "{refused}");
    assert_eq!(desk.status(run).await, RunStatus::Failed, "{refused}");
    assert_eq!(desk.history().await.last(), Some(&(run, "Failed".to_owned())), "{refused}");
    assert_eq!(desk.published_tables().await, shown, "{refused}");
    desk.verify().await;
    desk.complete(&books::mixed()).await;
    desk.verify().await;
}

pub(crate) async fn an_unavailable_store_fails_the_run_and_not_the_next(desk: &Desk) {
    assert_fails_at(desk, "begin_staging", unavailable).await;
}

pub(crate) async fn a_store_that_refuses_a_call_fails_the_run_and_not_the_next(desk: &Desk) {
    for call in ["captured", "begin_staging", "append"] {
        assert_fails_at(&desk.another().await, call, || {
            StoreError::Failed("the disk is full".into())
        })
        .await;
    }
}

/// All decisions are recorded: the run is Complete, and its outputs are published as soon as the
/// call succeeds.
pub(crate) async fn a_run_whose_outputs_are_published_late_is_complete(desk: &Desk) {
    for refused in ["stage", "publish", "put_row", "put_index", "put_headline", "set_status"] {
        let desk = desk.another().await;
        let store = FaultyStore::wrap(&desk.store, move |call, before, _| {
            let error = || StoreError::Failed("the disk is full".into());
            if call == refused && before == 0 {
                CallOutcome::Refused(error())
            } else {
                CallOutcome::Done
            }
        });
        let runner = desk.runner_over(store);
        let run = desk.next_run();
        request(&runner, run, &books::mixed()).await.unwrap();
        let finished =
            runner.work(None, RunControl::default(), Arc::new(NoObserver)).await.expect(refused);
        assert_eq!(finished.map(|finished| finished.status), Some(RunStatus::Complete));
        assert_eq!(desk.status(run).await, RunStatus::Complete, "{refused}");
        desk.verify().await;

        // While the call fails, the run stays in the queue.
        let store = FaultyStore::wrap(&desk.store, move |call, _, _| {
            let error = || StoreError::Failed("the disk is full".into());
            if call == refused { CallOutcome::Refused(error()) } else { CallOutcome::Done }
        });
        let runner = desk.runner_over(store);
        let run = desk.next_run();
        request(&runner, run, &books::small()).await.unwrap();
        runner.work(None, RunControl::default(), Arc::new(NoObserver)).await.expect_err(refused);
        let events = desk.events(run).await;
        assert!(matches!(events.last(), Some(RunEvent::RunCompleted(_))), "{refused}");
        desk.wait_for_leases();
        let finished = desk.work().await.expect("the run is still queued");
        assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete));
        desk.verify().await;
    }
}
