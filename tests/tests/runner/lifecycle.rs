//! Runs whose store works.

use std::sync::Arc;

use powerfill_app::{AppError, RunControl, rebuild};
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::Step;
use powerfill_ports::StoreError;
use powerfill_tables::status::RunStatus;
use powerfill_tests::all_runs::AllRuns;

use crate::books;
use crate::desk::{Desk, HoldAt, ask};

pub(crate) async fn a_run_goes_from_request_to_shown_tables(desk: &Desk) {
    let run = desk.completes(&books::mixed()).await;
    let events = desk.events(run).await;
    assert!(matches!(events.first(), Some(RunEvent::RunRequested(_))));
    assert!(matches!(events.last(), Some(RunEvent::RunCompleted(_))));
    assert_eq!(desk.status(run).await, RunStatus::Complete);
    let published = desk.store.published().await.unwrap();
    assert_eq!(published, Some((run, events.len() as u64)));
    assert_eq!(desk.history().await, [(run, "Complete".to_owned())]);
    desk.verify().await;
    assert_eq!(desk.work().await, None, "nothing is left to do");
}

pub(crate) async fn a_run_that_preflight_refuses_leaves_the_former_outputs(desk: &Desk) {
    let former = desk.completes(&books::small()).await;
    let shown = desk.shown().await;
    let (run, status) = desk.run(&books::refused()).await;
    assert_eq!(status, RunStatus::Failed);
    let events = desk.events(run).await;
    let Some(RunEvent::RunFailed(failed)) = events.last() else { panic!("{events:?}") };
    assert_eq!(failed.step, Step::Preflight);
    assert_eq!(desk.shown().await, shown);
    let history = [(former, "Complete".to_owned()), (run, "Failed".to_owned())];
    assert_eq!(desk.history().await, history);
    desk.verify().await;
    desk.completes(&books::small()).await;
}

/// What was decided until then stays in the stream.
pub(crate) async fn a_run_is_cancelled_at_any_step_and_leaves_the_former_outputs(desk: &Desk) {
    desk.completes(&books::small()).await;
    let shown = desk.shown().await;
    for step in [Step::Preflight, Step::CandidateBuilder, Step::Allocation, Step::Ue] {
        let run = desk.ask(&books::mixed()).await;
        let finished = desk.work_cancelled_at(step).await;
        assert_eq!(finished.status, RunStatus::Cancelled, "{step:?}");
        let events = desk.events(run).await;
        let Some(RunEvent::RunCancelled(cancelled)) = events.last() else { panic!("{step:?}") };
        assert_eq!((cancelled.cancelled_by.as_str(), cancelled.step), ("chief", step));
        assert_eq!(events.iter().filter(|event| event.is_terminal()).count(), 1);
        if step == Step::Ue {
            assert!(events.iter().any(|event| matches!(event, RunEvent::LoanAllocated(_))));
        }
        assert_eq!(desk.status(run).await, RunStatus::Cancelled);
        assert_eq!(desk.history().await.last(), Some(&(run, "Cancelled".to_owned())));
        assert_eq!(desk.shown().await, shown);
        desk.verify().await;
    }
    desk.completes(&books::mixed()).await;
}

/// Whoever asked is named; the worker hears it when it renews its lease.
pub(crate) async fn a_cancel_asked_of_the_store_reaches_the_worker(desk: &Desk) {
    let run = desk.ask(&books::mixed()).await;
    let (hold, go) = HoldAt::new(Step::Allocation);
    let observer = Arc::clone(&hold);
    let runner = desk.runner();
    let working =
        tokio::spawn(async move { runner.work(None, RunControl::default(), observer).await });
    hold.reached().await;
    assert!(desk.store.request_cancel(run, "chief").await.unwrap());
    // When the second renewal from now on is seen, the answer to the one before it was heard.
    let mut leases = std::collections::BTreeSet::new();
    while leases.len() < 3 {
        leases.insert(desk.store.run(run).await.unwrap().unwrap().lease_expires_at);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    go.send(()).unwrap();
    let finished = working.await.unwrap().unwrap().expect("there was a run");
    assert_eq!(finished.status, RunStatus::Cancelled);
    let events = desk.events(run).await;
    let Some(RunEvent::RunCancelled(cancelled)) = events.last() else { panic!("{events:?}") };
    assert_eq!(cancelled.cancelled_by, "chief");
    assert!(!desk.store.request_cancel(run, "chief").await.unwrap(), "it is over");
    desk.completes(&books::small()).await;
}

/// However long the engine is at something: the run is over, and the tenant free, while it has not
/// heard of the cancel.
pub(crate) async fn a_cancel_does_not_wait_for_the_engine(desk: &Desk) {
    let run = desk.ask(&books::mixed()).await;
    let (hold, go) = HoldAt::new(Step::Allocation);
    let (observer, runner) = (Arc::clone(&hold), desk.runner());
    let working =
        tokio::spawn(async move { runner.work(None, RunControl::default(), observer).await });
    hold.reached().await;
    assert!(desk.store.request_cancel(run, "chief").await.unwrap());
    while desk.status(run).await != RunStatus::Cancelled {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let events = desk.events(run).await;
    let Some(RunEvent::RunCancelled(cancelled)) = events.last() else { panic!("{events:?}") };
    assert_eq!(cancelled.step, Step::Allocation);
    desk.verify().await;
    desk.completes(&books::small()).await;
    go.send(()).unwrap();
    let finished = working.await.unwrap().unwrap().expect("there was a run");
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Cancelled));
    desk.verify().await;
}

pub(crate) async fn of_two_who_ask_at_once_one_gets_the_run(desk: &Desk) {
    let book = books::small();
    let (one, other) = (desk.next_run(), desk.next_run());
    let (mine, yours) = (desk.runner(), desk.runner());
    let answers = tokio::join!(ask(&mine, one, &book), ask(&yours, other, &book));
    let (winner, refused) = match answers {
        (Ok(_), Err(refused)) => (one, refused),
        (Err(refused), Ok(_)) => (other, refused),
        both => panic!("{both:?}"),
    };
    let AppError::Store(StoreError::RunActive(active)) = &refused else { panic!("{refused}") };
    assert_eq!(*active, winner);
    assert!(refused.to_string().contains(&winner.to_string()), "{refused}");
    let finished = desk.work().await.expect("there is one run");
    assert_eq!((finished.run_id, finished.status), (winner, RunStatus::Complete));
    assert_eq!(desk.store.all_runs().await.unwrap().len(), 1);
    desk.completes(&book).await;
}

/// Byte for byte; and of a run that is not Complete nothing is shown.
pub(crate) async fn rebuilt_tables_are_the_live_ones(desk: &Desk) {
    let run = desk.completes(&books::mixed()).await;
    let (shown, history) = (desk.shown().await, desk.history().await);
    let rebuilt = rebuild::rebuild(desk.store.as_ref(), run).await.unwrap();
    assert!(rebuilt.agrees() && rebuilt.recorded.is_some(), "{rebuilt:?}");
    assert_eq!(desk.shown().await, shown);
    assert_eq!(desk.history().await, history);
    desk.verify().await;
    let (failed, _) = desk.run(&books::refused()).await;
    let rebuilt = rebuild::rebuild(desk.store.as_ref(), failed).await.unwrap();
    assert_eq!(rebuilt.recorded, None);
    assert_eq!(desk.shown().await, shown);
    desk.verify().await;
    let nothing = rebuild::rebuild(desk.store.as_ref(), desk.next_run()).await;
    assert!(matches!(nothing, Err(AppError::Store(StoreError::NotFound { .. }))));
}

/// There is one place to stage rows: a rebuild would take the active run's away.
pub(crate) async fn a_rebuild_waits_for_the_active_run(desk: &Desk) {
    let former = desk.completes(&books::small()).await;
    let run = desk.ask(&books::mixed()).await;
    let (hold, go) = HoldAt::new(Step::Allocation);
    let (observer, runner) = (Arc::clone(&hold), desk.runner());
    let working =
        tokio::spawn(async move { runner.work(None, RunControl::default(), observer).await });
    hold.reached().await;
    let refused = rebuild::rebuild(desk.store.as_ref(), former).await;
    let Err(AppError::Store(StoreError::RunActive(active))) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(active, run);
    go.send(()).unwrap();
    let finished = working.await.unwrap().unwrap().expect("there was a run");
    assert_eq!(finished.status, RunStatus::Complete);
    rebuild::rebuild(desk.store.as_ref(), run).await.unwrap();
    desk.verify().await;
}
