//! Runs over a store that does not fail.

use std::sync::Arc;

use powerfill_app::{AppError, NoObserver, RunControl, rebuild};
use powerfill_events::challenge::ChallengeId;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::Step;
use powerfill_ports::StoreError;
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::LargeTables;
use powerfill_tests::all_runs::AllRuns;

use crate::books;
use crate::desk::{Desk, request};

pub(crate) async fn a_run_is_carried_from_request_to_published_tables(desk: &Desk) {
    let run = desk.complete(&books::mixed()).await;
    let events = desk.events(run).await;
    assert!(matches!(events.first(), Some(RunEvent::RunRequested(_))));
    assert!(matches!(events.last(), Some(RunEvent::RunCompleted(_))));
    assert_eq!(desk.status(run).await, RunStatus::Complete);
    let outputs = desk.store.published().await.unwrap();
    assert_eq!(outputs, Some((run, events.len() as u64)));
    assert_eq!(desk.history().await, [(run, "Complete".to_owned())]);
    desk.verify().await;
    assert_eq!(desk.work().await, None, "the queue is empty");
}

pub(crate) async fn a_run_that_preflight_refuses_leaves_the_former_outputs(desk: &Desk) {
    let former = desk.complete(&books::small()).await;
    let published = desk.published_tables().await;
    let (run, status) = desk.run(&books::refused()).await;
    assert_eq!(status, RunStatus::Failed);
    let events = desk.events(run).await;
    let Some(RunEvent::RunFailed(failed)) = events.last() else { panic!("{events:?}") };
    assert_eq!(failed.step, Step::Preflight);
    assert_eq!(desk.published_tables().await, published);
    let history = [(former, "Complete".to_owned()), (run, "Failed".to_owned())];
    assert_eq!(desk.history().await, history);
    desk.verify().await;
    desk.complete(&books::small()).await;
}

/// The decisions before the cancel stay in the stream.
pub(crate) async fn a_run_is_cancelled_at_any_step_and_leaves_the_former_outputs(desk: &Desk) {
    desk.complete(&books::small()).await;
    let published = desk.published_tables().await;
    for step in [Step::Preflight, Step::CandidateBuilder, Step::Allocation, Step::Ue] {
        let run = desk.request(&books::mixed()).await;
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
        assert_eq!(desk.published_tables().await, published);
        desk.verify().await;
    }
    desk.complete(&books::mixed()).await;
}

/// The worker asks the store for the cancel. The run is over and the tenant is free while the
/// engine still works and has not seen it.
pub(crate) async fn a_cancel_does_not_wait_for_the_engine(desk: &Desk) {
    let run = desk.request(&books::mixed()).await;
    let (working, resume) = desk.work_paused_at(Step::Allocation).await;
    assert!(desk.store.request_cancel(run, "chief").await.unwrap());
    while desk.status(run).await != RunStatus::Cancelled {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let events = desk.events(run).await;
    let Some(RunEvent::RunCancelled(cancelled)) = events.last() else { panic!("{events:?}") };
    assert_eq!((cancelled.cancelled_by.as_str(), cancelled.step), ("chief", Step::Allocation));
    assert!(!desk.store.request_cancel(run, "chief").await.unwrap(), "the run is over");
    desk.verify().await;
    desk.complete(&books::small()).await;
    resume.send(()).unwrap();
    let finished = working.await.unwrap().unwrap().expect("a run is queued");
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Cancelled));
    desk.verify().await;
}

pub(crate) async fn a_certificate_is_recorded_beside_the_next_run(desk: &Desk) {
    let runner = desk.runner().with_certificates(true);
    let work = async || {
        let worked = runner.work(None, RunControl::default(), Arc::new(NoObserver)).await;
        assert_eq!(worked.unwrap().expect("a run is queued").status, RunStatus::Complete);
    };
    let first = desk.request(&books::mixed()).await;
    work().await;
    let certificate = runner.certify(first);
    let second = desk.request(&books::mixed()).await;
    work().await;
    for (run, certificate) in [(first, certificate.await), (second, runner.certify(second).await)] {
        let certificate = certificate.unwrap().expect("its bound was begun");
        assert_eq!(certificate.challenge, ChallengeId { run, number: 1 }.stream());
    }
    assert!(runner.certify(first).await.unwrap().is_none(), "it is recorded once");
    desk.verify().await;
}

pub(crate) async fn of_two_simultaneous_requests_one_is_accepted(desk: &Desk) {
    let book = books::small();
    let (one, other) = (desk.next_run(), desk.next_run());
    let (first, second) = (desk.runner(), desk.runner());
    let answers = tokio::join!(request(&first, one, &book), request(&second, other, &book));
    let (winner, refused) = match answers {
        (Ok(_), Err(refused)) => (one, refused),
        (Err(refused), Ok(_)) => (other, refused),
        both => panic!("{both:?}"),
    };
    let AppError::Store(StoreError::RunActive(active)) = &refused else { panic!("{refused}") };
    assert_eq!(*active, winner);
    assert!(refused.to_string().contains(&winner.to_string()), "{refused}");
    let finished = desk.work().await.expect("one run is queued");
    assert_eq!((finished.run_id, finished.status), (winner, RunStatus::Complete));
    assert_eq!(desk.store.all_runs().await.unwrap().len(), 1);
    desk.complete(&book).await;
}

/// They are equal byte for byte. Nothing is published of a run that is not Complete.
pub(crate) async fn rebuilt_tables_equal_the_published_ones(desk: &Desk) {
    let run = desk.complete(&books::mixed()).await;
    let (published, history) = (desk.published_tables().await, desk.history().await);
    let rebuilt = rebuild::rebuild(desk.store.as_ref(), run, LargeTables::Stored).await.unwrap();
    assert!(rebuilt.agrees() && rebuilt.recorded.is_some(), "{rebuilt:?}");
    assert_eq!(desk.published_tables().await, published);
    assert_eq!(desk.history().await, history);
    desk.verify().await;
    let (failed, _) = desk.run(&books::refused()).await;
    let rebuilt = rebuild::rebuild(desk.store.as_ref(), failed, LargeTables::Stored).await.unwrap();
    assert_eq!(rebuilt.recorded, None);
    assert_eq!(desk.published_tables().await, published);
    desk.verify().await;
    let nothing = rebuild::rebuild(desk.store.as_ref(), desk.next_run(), LargeTables::Stored).await;
    assert!(matches!(nothing, Err(AppError::Store(StoreError::NotFound { .. }))));
}

/// There is one staging area, which belongs to the active run.
pub(crate) async fn a_rebuild_is_refused_while_a_run_is_active(desk: &Desk) {
    let former = desk.complete(&books::small()).await;
    let run = desk.request(&books::mixed()).await;
    let (working, resume) = desk.work_paused_at(Step::Allocation).await;
    let refused = rebuild::rebuild(desk.store.as_ref(), former, LargeTables::Stored).await;
    let Err(AppError::Store(StoreError::RunActive(active))) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(active, run);
    resume.send(()).unwrap();
    let finished = working.await.unwrap().unwrap().expect("a run is queued");
    assert_eq!(finished.status, RunStatus::Complete);
    rebuild::rebuild(desk.store.as_ref(), run, LargeTables::Stored).await.unwrap();
    desk.verify().await;
}
