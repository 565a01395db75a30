//! Stores that fail: for a moment, for long, for good.

use std::sync::Arc;

use powerfill_app::{AppError, NoObserver, RunControl};
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::Step;
use powerfill_ports::StoreError;
use powerfill_tables::status::RunStatus;

use crate::books;
use crate::desk::{Desk, ask};
use crate::faulty_store::{Fate, FaultyStore};

fn away() -> StoreError {
    StoreError::Unavailable("it is away".into())
}

/// Each kind of call fails at its first time.
pub(crate) async fn a_store_that_is_away_for_a_moment_is_asked_again(desk: &Desk) {
    let store = FaultyStore::over(&desk.store, |call, before, _| match (call, before) {
        // Claiming is tried again by whoever looks for work.
        ("claim", _) => Fate::Done,
        // An append that was made and not answered is recognised.
        ("append" | "enqueue", 0) => Fate::Unanswered(away()),
        (_, 0) => Fate::Refused(away()),
        _ => Fate::Done,
    });
    let runner = desk.runner_over(store);
    let run = desk.next_run();
    ask(&runner, run, &books::mixed()).await.unwrap();
    let finished = runner
        .work(None, RunControl::default(), Arc::new(NoObserver))
        .await
        .unwrap()
        .expect("there is a run");
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete));
    desk.verify().await;
}

/// A call fails as long as the run lasts: what it was is in the stream, the former outputs stay.
async fn fails_at(desk: &Desk, refused: &'static str, with: fn() -> StoreError) {
    desk.completes(&books::small()).await;
    let shown = desk.shown().await;
    // Of appends, the end of the run goes through.
    let fails = move |call, before| call == refused && (call != "append" || before == 0);
    let store = FaultyStore::over(&desk.store, move |call, before, _| {
        if fails(call, before) { Fate::Refused(with()) } else { Fate::Done }
    });
    let runner = desk.runner_over(store);
    let run = desk.next_run();
    ask(&runner, run, &books::mixed()).await.unwrap();
    let error =
        runner.work(None, RunControl::default(), Arc::new(NoObserver)).await.expect_err(refused);
    let AppError::Store(cause) = &error else { panic!("{error:?}") };
    let events = desk.events(run).await;
    let Some(RunEvent::RunFailed(failed)) = events.last() else { panic!("{refused}: {error}") };
    assert_eq!(failed.step, Step::Record, "{refused}");
    assert_eq!(failed.message, cause.to_string(), "{refused}");
    assert_eq!(desk.status(run).await, RunStatus::Failed, "{refused}");
    assert_eq!(desk.history().await.last(), Some(&(run, "Failed".to_owned())), "{refused}");
    assert_eq!(desk.shown().await, shown, "{refused}");
    desk.verify().await;
    desk.completes(&books::mixed()).await;
    desk.verify().await;
}

pub(crate) async fn a_store_that_stays_away_fails_the_run_and_not_the_next(desk: &Desk) {
    fails_at(desk, "begin_staging", away).await;
}

pub(crate) async fn a_store_that_refuses_a_call_fails_the_run_and_not_the_next(desk: &Desk) {
    for call in ["captured", "begin_staging", "append"] {
        fails_at(&desk.another().await, call, || StoreError::Failed("the disk is full".into()))
            .await;
    }
}

/// Everything was decided and recorded by then: the run is Complete, and is shown as soon as that
/// works.
pub(crate) async fn a_run_whose_outputs_could_not_be_shown_at_first_is_complete(desk: &Desk) {
    for refused in ["stage", "publish", "put_row", "put_index", "set_status"] {
        let desk = desk.another().await;
        let store = FaultyStore::over(&desk.store, move |call, before, _| {
            let error = || StoreError::Failed("the disk is full".into());
            if call == refused && before == 0 { Fate::Refused(error()) } else { Fate::Done }
        });
        let runner = desk.runner_over(store);
        let run = desk.next_run();
        ask(&runner, run, &books::mixed()).await.unwrap();
        let finished =
            runner.work(None, RunControl::default(), Arc::new(NoObserver)).await.expect(refused);
        assert_eq!(finished.map(|finished| finished.status), Some(RunStatus::Complete));
        assert_eq!(desk.status(run).await, RunStatus::Complete, "{refused}");
        desk.verify().await;

        // As long as it does not work, the run stays to be finished.
        let store = FaultyStore::over(&desk.store, move |call, _, _| {
            let error = || StoreError::Failed("the disk is full".into());
            if call == refused { Fate::Refused(error()) } else { Fate::Done }
        });
        let runner = desk.runner_over(store);
        let run = desk.next_run();
        ask(&runner, run, &books::small()).await.unwrap();
        runner.work(None, RunControl::default(), Arc::new(NoObserver)).await.expect_err(refused);
        let events = desk.events(run).await;
        assert!(matches!(events.last(), Some(RunEvent::RunCompleted(_))), "{refused}");
        desk.wait_for_leases();
        let finished = desk.work().await.expect("it is still there");
        assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete));
        desk.verify().await;
    }
}
