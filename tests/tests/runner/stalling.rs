//! A network that stands still under a worker (specification 5.3): connections stay, and nothing
//! comes through.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use powerfill_app::{
    AppError, FinishedRun, NoObserver, RunControl, RunObserver, RunProgress, Runner,
};
use powerfill_events::run::RunId;
use powerfill_events::run::event::Step;
use powerfill_ports::StoreError;
use powerfill_postgres::PostgresStore;
use powerfill_tables::status::RunStatus;
use powerfill_tests::postgres::{shared_server, url};
use powerfill_tests::proxy::{ProxyFault, TcpProxy};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::books::{self, Book};
use crate::desk::Desk;

/// Long enough for any machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Holds the wire when a step begins.
struct StallAt {
    step: Step,
    proxy: Arc<TcpProxy>,
    once: AtomicBool,
    stalled: Notify,
}

impl RunObserver for StallAt {
    fn observe(&self, progress: RunProgress<'_>) {
        let begins = matches!(progress, RunProgress::Step(step) if step == self.step);
        if begins && !self.once.swap(true, Ordering::SeqCst) {
            self.proxy.stall();
            self.stalled.notify_one();
        }
    }
}

/// A worker whose way to the desk's database is a proxy; its session is given up by the server
/// sooner than others are.
async fn hanging(desk: &Desk, proxy: &TcpProxy) -> Runner {
    let name = desk.database.as_ref().expect("a database").name().await;
    let address = shared_server().url_on_port(proxy.port(), name);
    let hurried = "-c%20statement_timeout%3D1000%20-c%20idle_in_transaction_session_timeout%3D1000";
    let address = url(&format!("{address}?options={hurried}"));
    let store = PostgresStore::open(&address).await.expect("the store opens");
    desk.runner_for(Arc::new(store), Duration::from_millis(500))
}

/// What became of a run whose worker's wire stands still.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    TakenUp,
    WasOver,
}

/// Another worker takes the run, unless it was over before the wire stood still; the one that hangs
/// says so after a while, and what it had sent, when it comes through at last, changes nothing.
async fn is_replaced(
    desk: &Desk,
    run: RunId,
    proxy: &TcpProxy,
    hanging: JoinHandle<Result<Option<FinishedRun>, AppError>>,
    story: &[(String, Vec<u8>)],
    at: &str,
) -> Then {
    desk.wait_for_leases();
    // A claim that hangs half-way is passed by until the server gives it up.
    let taken_up = async {
        loop {
            if let Some(finished) = desk.work().await {
                assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete), "{at}");
                return Then::TakenUp;
            }
            let queued = desk.store.run(run).await.unwrap().expect("it was asked for");
            if queued.status == RunStatus::Complete {
                return Then::WasOver;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let then =
        timeout(PATIENCE, taken_up).await.unwrap_or_else(|_| panic!("{at}: nobody took it up"));
    let ended =
        timeout(PATIENCE, hanging).await.unwrap_or_else(|_| panic!("{at}: it goes on")).unwrap();
    match ended {
        Err(AppError::Store(StoreError::Unavailable(_) | StoreError::LeaseLost(_))) => {}
        // Held back was no more than what it says when all is done.
        Ok(Some(_)) if then == Then::WasOver => {}
        other => panic!("{at}: {other:?}"),
    }
    proxy.resume();
    desk.completes(&books::small()).await;
    assert!(desk.story(run).await == story, "{at}");
    desk.verify().await;
    then
}

async fn undisturbed(book: &Book) -> Vec<(String, Vec<u8>)> {
    let desk = Desk::in_memory();
    let run = desk.completes(book).await;
    desk.story(run).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_network_stalls_at_a_step_is_replaced_and_gives_up() {
    let book = books::mixed();
    let story = undisturbed(&book).await;
    for step in [Step::Preflight, Step::Allocation, Step::Ue, Step::Record] {
        let desk = Desk::in_a_database().await;
        let proxy = Arc::new(TcpProxy::to_port(shared_server().port()).await);
        let hanging = hanging(&desk, &proxy).await;
        let run = desk.ask(&book).await;
        let (once, stalled) = (AtomicBool::new(false), Notify::new());
        let watch = Arc::new(StallAt { step, proxy: Arc::clone(&proxy), once, stalled });
        let observer = Arc::clone(&watch) as Arc<dyn RunObserver>;
        let working = async move { hanging.work(None, RunControl::default(), observer).await };
        let worked = tokio::spawn(working);
        timeout(PATIENCE, watch.stalled.notified()).await.expect("the step begins");
        let then = is_replaced(&desk, run, &proxy, worked, &story, &format!("{step:?}")).await;
        assert_eq!(then, Then::TakenUp, "{step:?}");
    }
}

/// Also in the middle of a transaction, whose locks the server holds until it gives the session up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_network_stalls_at_a_message_is_replaced_and_gives_up() {
    let book = books::mixed();
    let story = undisturbed(&book).await;
    let mut stalls = 0;
    for message in (3..).step_by(19) {
        let desk = Desk::in_a_database().await;
        let proxy = Arc::new(TcpProxy::to_port(shared_server().port()).await);
        let hanging = hanging(&desk, &proxy).await;
        let run = desk.ask(&book).await;
        proxy.fail_at_message(message, ProxyFault::Stall);
        let worked = tokio::spawn(async move {
            hanging.work(None, RunControl::default(), Arc::new(NoObserver)).await
        });
        let stalled = async {
            while !proxy.has_failed() && !worked.is_finished() {
                let _ = timeout(Duration::from_millis(20), proxy.wait_for_fault()).await;
            }
            proxy.has_failed()
        };
        if !timeout(PATIENCE, stalled).await.expect("it goes on, or stalls") {
            break;
        }
        let at = format!("message {message}");
        match is_replaced(&desk, run, &proxy, worked, &story, &at).await {
            Then::TakenUp => stalls += 1,
            Then::WasOver => break,
        }
    }
    assert!(stalls > 3, "a run has more than {stalls} times nineteen messages");
}
