//! Workers that hand their run over, runs that are canceled in the queue, and books of another
//! tenant.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use powerfill_app::{AppError, RunControl, RunProgress, Runner};
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::Step;
use powerfill_ports::StoreError;
use powerfill_tables::status::RunStatus;
use powerfill_tests::all_runs::AllRuns;

use crate::books::{self, Book};
use crate::desk::{Desk, at_step, request};

/// At any step, the next worker does not wait for the lease, and nothing is lost or done twice.
pub(crate) async fn a_run_that_is_handed_over_is_taken_up_at_once(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = desk.another().await;
    let run = undisturbed.complete(&book).await;
    let expected = undisturbed.payloads(run).await;
    let steps = [Step::Preflight, Step::Allocation, Step::Ue, Step::Invariants, Step::Record];
    for step in steps {
        let desk = desk.another().await;
        let run = desk.request(&book).await;
        let control = RunControl::default();
        let observer = at_step(step, control.clone(), RunControl::hand_over);
        match desk.runner().work(None, control, observer).await {
            Err(AppError::HandedOver(handed_over)) => assert_eq!(handed_over, run),
            other => panic!("{step:?}: {other:?}"),
        }
        assert!(!desk.status(run).await.is_over());
        let finished = desk.work().await.expect("the run is taken up at once");
        assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete), "{step:?}");
        assert!(desk.payloads(run).await == expected, "{step:?}");
        desk.verify().await;
        desk.complete(&books::small()).await;
    }
}

/// No decision is made. The worker that claims the run ends it, and its observer sees the end.
pub(crate) async fn a_run_cancelled_in_the_queue_is_never_started(desk: &Desk) {
    let run = desk.request(&books::mixed()).await;
    assert!(desk.store.request_cancel(run, "chief").await.unwrap());
    let observed = Arc::new(Mutex::new(Vec::new()));
    let observer = {
        let observed = Arc::clone(&observed);
        move |progress: RunProgress<'_>| {
            if let RunProgress::Event(event) = progress {
                observed.lock().unwrap().push(event.event.event_type().name());
            }
        }
    };
    let finished = desk.work_observed(RunControl::default(), Arc::new(observer)).await;
    let finished = finished.expect("a run is queued");
    assert_eq!(*observed.lock().unwrap(), ["RunRequested", "RunCancelled"]);
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Cancelled));
    match &desk.events(run).await[..] {
        [RunEvent::RunRequested(_), RunEvent::RunCancelled(cancelled)] => {
            assert_eq!(cancelled.cancelled_by, "chief");
        }
        other => panic!("{other:?}"),
    }
    assert!(!desk.store.request_cancel(run, "chief").await.unwrap());
    desk.verify().await;
    desk.complete(&books::small()).await;
}

/// Has a run of the large book cancelled when so many events are recorded, and expects that it ends
/// where its stream does. Returns the numbers of its events before the last and of an undisturbed
/// run.
async fn cancel_after(desk: &Desk, events: u64, runner: Runner) -> (usize, usize) {
    let book = books::large();
    let undisturbed = desk.another().await;
    let run = undisturbed.complete(&book).await;
    let expected = undisturbed.payloads(run).await;
    let run = desk.request(&book).await;
    let (control, recorded) = (RunControl::default(), AtomicU64::new(0));
    let cancelling = control.clone();
    let observer = move |progress: RunProgress<'_>| {
        let is_event = matches!(progress, RunProgress::Event(_));
        if is_event && recorded.fetch_add(1, Ordering::Relaxed) + 1 == events {
            cancelling.cancel("chief");
        }
    };
    let finished = runner.work(None, control, Arc::new(observer)).await.unwrap();
    let finished = finished.expect("a run is queued");
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Cancelled));
    let mut payloads = desk.payloads(run).await;
    assert_eq!(payloads.pop().expect("the run has events").0, "RunCancelled");
    assert!(expected.starts_with(&payloads));
    desk.verify().await;
    desk.complete(&books::small()).await;
    (payloads.len(), expected.len())
}

/// Decisions that are not recorded yet are dropped.
pub(crate) async fn a_run_cancelled_while_it_is_recorded_ends_there(desk: &Desk) {
    let (events, undisturbed) = cancel_after(desk, 10, desk.runner()).await;
    // At most the chunk in work, and the parts of the next ones.
    let most = (10 + 2 * 8_192 + 16_384).min(undisturbed - 1);
    assert!((10..=most).contains(&events), "{events} of {undisturbed}");
}

/// Parts that are recorded and not stored yet are dropped.
pub(crate) async fn a_cancel_does_not_wait_for_the_store(desk: &Desk) {
    let runner = desk.runner().with_events_per_append(100);
    let (events, _) = cancel_after(desk, 1_000, runner).await;
    assert!((1..1_200).contains(&events), "{events}");
}

/// Neither its snapshot nor its run is written.
pub(crate) async fn another_tenants_book_is_refused_before_anything_is_written(desk: &Desk) {
    let first = desk.complete(&books::small()).await;
    let small = books::small();
    let mut snapshot = powerfill_snapshot::Snapshot::clone(&small.snapshot);
    snapshot.header.tenant_id = "ANOTHER".into();
    let book = Book { snapshot: Arc::new(snapshot), ..small };
    let before = desk.store.head().await.unwrap();
    let refused = request(&desk.runner(), desk.next_run(), &book).await.unwrap_err();
    assert!(matches!(
        refused,
        AppError::Store(StoreError::AnotherTenant(tenant)) if tenant.as_str() == "ANOTHER"
    ));
    assert_eq!(desk.store.head().await.unwrap(), before);
    let runs: Vec<_> = desk.store.all_runs().await.unwrap().iter().map(|run| run.run_id).collect();
    assert_eq!(runs, [first]);
    assert_eq!(desk.store.verify(None).await.unwrap().snapshots, 1);
}
