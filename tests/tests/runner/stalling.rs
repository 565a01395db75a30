//! Workers whose network stalls (specification 5.3): connections stay open, and no bytes arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use powerfill_app::{
    AppError, AppResult, FinishedRun, NoObserver, RunControl, RunObserver, RunProgress, Runner,
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

/// The longest wait. A test that waits this long has failed on any machine.
const MAX_WAIT: Duration = Duration::from_secs(120);

/// Stalls the network when a step begins.
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

/// A worker that reaches the database through a proxy. The server ends its sessions after short
/// timeouts.
async fn proxied_worker(desk: &Desk, proxy: &TcpProxy) -> Runner {
    let name = desk.database.as_ref().expect("a database").name().await;
    let address = shared_server().url_on_port(proxy.port(), name);
    let hurried = "-c%20statement_timeout%3D1000%20-c%20idle_in_transaction_session_timeout%3D1000";
    let address = url(&format!("{address}?options={hurried}"));
    let store = PostgresStore::open(&address).await.expect("the store opens");
    desk.runner_for(Arc::new(store), Duration::from_millis(500))
}

/// The end of a run whose worker stalls.
#[derive(Debug, PartialEq, Eq)]
enum StalledRun {
    TakenUp,
    WasOver,
}

/// Checks that another worker takes the run up, unless the run was over before the network stalled.
/// The stalled worker must end with an error, and its late messages must change nothing.
async fn assert_replaced(
    desk: &Desk,
    run: RunId,
    proxy: &TcpProxy,
    stalled: JoinHandle<AppResult<Option<FinishedRun>>>,
    expected: &[(String, Vec<u8>)],
    at: &str,
) -> StalledRun {
    desk.wait_for_leases();
    // An unfinished claim of the stalled worker is skipped until the server ends it.
    let taken_up = async {
        loop {
            if let Some(finished) = desk.work().await {
                assert_eq!((finished.run_id, finished.status), (run, RunStatus::Complete), "{at}");
                return StalledRun::TakenUp;
            }
            let queued = desk.store.run(run).await.unwrap().expect("the run exists");
            if queued.status == RunStatus::Complete {
                return StalledRun::WasOver;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let then = timeout(MAX_WAIT, taken_up)
        .await
        .unwrap_or_else(|_| panic!("{at}: no worker took the run up"));
    let ended = timeout(MAX_WAIT, stalled)
        .await
        .unwrap_or_else(|_| panic!("{at}: the stalled worker does not end"))
        .unwrap();
    match ended {
        Err(AppError::Store(StoreError::Unavailable(_) | StoreError::LeaseLost(_))) => {}
        // Only the last messages of a finished run were held back.
        Ok(Some(_)) if then == StalledRun::WasOver => {}
        other => panic!("{at}: {other:?}"),
    }
    proxy.resume();
    desk.complete(&books::small()).await;
    assert!(desk.payloads(run).await == expected, "{at}");
    desk.verify().await;
    then
}

async fn undisturbed(book: &Book) -> Vec<(String, Vec<u8>)> {
    let desk = Desk::in_memory();
    let run = desk.complete(book).await;
    desk.payloads(run).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_network_stalls_at_a_step_is_replaced_and_ends() {
    let book = books::mixed();
    let expected = undisturbed(&book).await;
    for step in [Step::Preflight, Step::Allocation, Step::Ue, Step::Record] {
        let desk = Desk::in_a_database().await;
        let proxy = Arc::new(TcpProxy::to_port(shared_server().port()).await);
        let worker = proxied_worker(&desk, &proxy).await;
        let run = desk.request(&book).await;
        let (once, stalled) = (AtomicBool::new(false), Notify::new());
        let watch = Arc::new(StallAt { step, proxy: Arc::clone(&proxy), once, stalled });
        let observer = Arc::clone(&watch) as Arc<dyn RunObserver>;
        let working = async move { worker.work(None, RunControl::default(), observer).await };
        let worked = tokio::spawn(working);
        timeout(MAX_WAIT, watch.stalled.notified()).await.expect("the step begins");
        let then =
            assert_replaced(&desk, run, &proxy, worked, &expected, &format!("{step:?}")).await;
        assert_eq!(then, StalledRun::TakenUp, "{step:?}");
    }
}

/// Also in a transaction, whose locks the server keeps until it ends the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_network_stalls_at_a_message_is_replaced_and_ends() {
    let book = books::mixed();
    let expected = undisturbed(&book).await;
    let mut stalls = 0;
    for message in (3..).step_by(19) {
        let desk = Desk::in_a_database().await;
        let proxy = Arc::new(TcpProxy::to_port(shared_server().port()).await);
        let worker = proxied_worker(&desk, &proxy).await;
        let run = desk.request(&book).await;
        proxy.fail_at_message(message, ProxyFault::Stall);
        let worked = tokio::spawn(async move {
            worker.work(None, RunControl::default(), Arc::new(NoObserver)).await
        });
        let stalled = async {
            while !proxy.has_failed() && !worked.is_finished() {
                let _ = timeout(Duration::from_millis(20), proxy.wait_for_fault()).await;
            }
            proxy.has_failed()
        };
        if !timeout(MAX_WAIT, stalled).await.expect("the worker ends or stalls") {
            break;
        }
        let at = format!("message {message}");
        match assert_replaced(&desk, run, &proxy, worked, &expected, &at).await {
            StalledRun::TakenUp => stalls += 1,
            StalledRun::WasOver => break,
        }
    }
    assert!(stalls > 3, "a run has more than {stalls} times nineteen messages");
}
