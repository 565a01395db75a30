//! Workers that stop and leave their run to another one, runs that are cancelled before anyone began them, and books of
//! another tenant.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use powerfill_app::{RunnerError, Silent, Watch};
use powerfill_events::run::event::Step;
use powerfill_events::run::{RecordedEvent, RunEvent};
use powerfill_ports::StoreError;
use powerfill_tables::status::RunStatus;

use crate::books::{self, Book};
use crate::desk::{Desk, ask};

/// Told to stop when a step begins.
struct StopAt {
    step: Step,
    told: AtomicBool,
}

impl Watch for StopAt {
    fn step(&self, step: Step) {
        if step == self.step {
            self.told.store(true, Ordering::Relaxed);
        }
    }

    fn hands_over(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }
}

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
        let watch = Arc::new(StopAt { step, told: AtomicBool::new(false) });
        match desk.runner().work(None, watch).await {
            Err(RunnerError::HandedOver(handed_over)) => assert_eq!(handed_over, run),
            other => panic!("{step:?}: {other:?}"),
        }
        assert!(!desk.status(run).await.is_over());
        let finished = desk.work(Arc::new(Silent)).await.expect("it is taken up at once");
        assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete), "{step:?}");
        assert!(desk.story(run).await == story, "{step:?}");
        desk.verify().await;
        desk.completes(&books::small()).await;
    }
}

/// Keeps the types of the events that it is told of.
#[derive(Default)]
struct Listens(Mutex<Vec<&'static str>>);

impl Watch for Listens {
    fn event(&self, event: &RecordedEvent<'_>) {
        self.0.lock().unwrap().push(event.event.event_type().name());
    }
}

/// Nothing of it is decided; whoever takes it up ends it, and whoever watches is told of that.
pub(crate) async fn a_run_cancelled_while_it_waits_is_never_begun(desk: &Desk) {
    let run = desk.ask(&books::mixed()).await;
    assert!(desk.store.request_cancel(run, "chief").await.unwrap());
    let watch = Arc::new(Listens::default());
    let watches: Arc<dyn Watch> = Arc::clone(&watch) as Arc<dyn Watch>;
    let finished = desk.work(watches).await.expect("there is a run");
    assert_eq!(*watch.0.lock().unwrap(), ["RunRequested", "RunCancelled"]);
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

/// Cancels when this many events were taken down, whoever is still deciding.
struct CancelAfter(AtomicU64);

impl Watch for CancelAfter {
    fn event(&self, _event: &RecordedEvent<'_>) {
        let _ =
            self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    }

    fn cancelled_by(&self) -> Option<String> {
        (self.0.load(Ordering::Relaxed) == 0).then(|| "chief".to_owned())
    }
}

/// However far ahead the engine is: what is not recorded yet is let go.
pub(crate) async fn a_run_cancelled_while_it_is_recorded_ends_there(desk: &Desk) {
    let book = books::large();
    let undisturbed = desk.another().await;
    let run = undisturbed.completes(&book).await;
    let story = undisturbed.story(run).await;
    let run = desk.ask(&book).await;
    let watch = Arc::new(CancelAfter(AtomicU64::new(10)));
    let finished = desk.work(watch).await.expect("there was a run");
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
        RunnerError::Store(StoreError::AnotherTenant(tenant)) if tenant.as_str() == "ANOTHER"
    ));
    assert_eq!(desk.store.head().await.unwrap(), before);
    let runs: Vec<_> = desk.store.runs().await.unwrap().iter().map(|run| run.run_id).collect();
    assert_eq!(runs, [first]);
    assert_eq!(desk.store.verify(None).await.unwrap().snapshots, 1);
}
