//! Workers that stop and leave their run to another one, runs that are cancelled before anyone
//! began them, and books of another tenant.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use powerfill_app::{AppError, RunControl, RunProgress};
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::Step;
use powerfill_ports::StoreError;
use powerfill_tables::status::RunStatus;
use powerfill_tests::all_runs::AllRuns;

use crate::books::{self, Book};
use crate::desk::{Desk, ask, at_step};

/// Whichever step that is, no lease is waited for, and nothing is lost or done twice.
pub(crate) async fn a_run_that_is_handed_over_is_taken_up_at_once(desk: &Desk) {
    let book = books::mixed();
    let undisturbed = desk.another().await;
    let run = undisturbed.completes(&book).await;
    let story = undisturbed.story(run).await;
    let steps = [Step::Preflight, Step::Allocation, Step::Ue, Step::Invariants, Step::Record];
    for step in steps {
        let desk = desk.another().await;
        let run = desk.ask(&book).await;
        let control = RunControl::default();
        let observer = at_step(step, control.clone(), RunControl::hand_over);
        match desk.runner().work(None, control, observer).await {
            Err(AppError::HandedOver(handed_over)) => assert_eq!(handed_over, run),
            other => panic!("{step:?}: {other:?}"),
        }
        assert!(!desk.status(run).await.is_over());
        let finished = desk.work().await.expect("it is taken up at once");
        assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete), "{step:?}");
        assert!(desk.story(run).await == story, "{step:?}");
        desk.verify().await;
        desk.completes(&books::small()).await;
    }
}

/// Nothing of it is decided; whoever takes it up ends it, and whoever watches is told of that.
pub(crate) async fn a_run_cancelled_while_it_waits_is_never_begun(desk: &Desk) {
    let run = desk.ask(&books::mixed()).await;
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
    let finished = finished.expect("there is a run");
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
    desk.completes(&books::small()).await;
}

/// However far ahead the engine is: what is not recorded yet is let go.
pub(crate) async fn a_run_cancelled_while_it_is_recorded_ends_there(desk: &Desk) {
    let book = books::large();
    let undisturbed = desk.another().await;
    let run = undisturbed.completes(&book).await;
    let story = undisturbed.story(run).await;
    let run = desk.ask(&book).await;
    let (control, recorded) = (RunControl::default(), AtomicU64::new(0));
    let cancelling = control.clone();
    let observer = move |progress: RunProgress<'_>| {
        let is_event = matches!(progress, RunProgress::Event(_));
        if is_event && recorded.fetch_add(1, Ordering::Relaxed) + 1 == 10 {
            cancelling.cancel("chief");
        }
    };
    let finished = desk.work_observed(control, Arc::new(observer)).await;
    let finished = finished.expect("there was a run");
    assert_eq!((finished.run_id, finished.status), (run, RunStatus::Cancelled));
    let mut told = desk.story(run).await;
    assert_eq!(told.pop().expect("it has events").0, "RunCancelled");
    // A piece more, and the parts that it comes in.
    let most = (10 + 2 * 8_192 + 16_384).min(story.len() - 1);
    assert!((10..=most).contains(&told.len()), "{} of {}", told.len(), story.len());
    assert!(story.starts_with(&told));
    desk.verify().await;
    desk.completes(&books::small()).await;
}

/// Neither its snapshot nor its run is written.
pub(crate) async fn another_tenants_book_is_refused_before_anything_is_written(desk: &Desk) {
    let first = desk.completes(&books::small()).await;
    let small = books::small();
    let mut snapshot = powerfill_snapshot::Snapshot::clone(&small.snapshot);
    snapshot.header.tenant_id = "ANOTHER".into();
    let book = Book { snapshot: Arc::new(snapshot), ..small };
    let before = desk.store.head().await.unwrap();
    let refused = ask(&desk.runner(), desk.next_run(), &book).await.unwrap_err();
    assert!(matches!(
        refused,
        AppError::Store(StoreError::AnotherTenant(tenant)) if tenant.as_str() == "ANOTHER"
    ));
    assert_eq!(desk.store.head().await.unwrap(), before);
    let runs: Vec<_> = desk.store.all_runs().await.unwrap().iter().map(|run| run.run_id).collect();
    assert_eq!(runs, [first]);
    assert_eq!(desk.store.verify(None).await.unwrap().snapshots, 1);
}
