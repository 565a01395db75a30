//! A tenant's store with a clock that the test controls, and calls to request and work on runs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::TryStreamExt;
use powerfill_app::{
    AppResult, Clock, DecodedEvent, FinishedRun, NoObserver, RunControl, RunObserver, RunProgress,
    RunRequest, Runner,
};
use powerfill_events::run::event::Step;
use powerfill_events::run::{RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_memory::MemoryStore;
use powerfill_ports::Store;
use powerfill_ports::events::StoredEvent;
use powerfill_sqlite::SqliteStore;
use powerfill_tables::csv;
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::LargeTables;
use powerfill_tables::tables::{ALL, run_history};
use powerfill_tests::all_runs::AllRuns;
use powerfill_tests::postgres::{TestDatabase, connect};
use powerfill_tests::requests::plain_request;
use powerfill_tests::store_suite::StoreLocation;
use powerfill_tests::store_suite::samples::collect;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::books::Book;

/// The duration of a lease, by the clock of the desk.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// A clock that advances by a microsecond with each call.
pub(crate) struct TickingClock(AtomicI64);

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A worker's task.
pub(crate) type WorkTask = JoinHandle<AppResult<Option<FinishedRun>>>;

/// The store of a tenant, with a clock and workers.
pub(crate) struct Desk {
    pub(crate) store: Arc<dyn Store>,
    clock: Arc<TickingClock>,
    runs: AtomicU32,
    folder: Option<TempDir>,
    pub(crate) database: Option<TestDatabase>,
}

impl Desk {
    fn with_store(store: Arc<dyn Store>, folder: Option<TempDir>) -> Self {
        let clock = Arc::new(TickingClock(AtomicI64::new(1_770_000_000_000_000)));
        Self { store, clock, runs: AtomicU32::new(0), folder, database: None }
    }

    pub(crate) fn in_memory() -> Self {
        Self::with_store(Arc::new(MemoryStore::new()), None)
    }

    pub(crate) fn in_a_file() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(folder.path().join("acme.db")).expect("the store opens");
        Self::with_store(Arc::new(store), Some(folder))
    }

    pub(crate) async fn in_a_database() -> Self {
        let database = TestDatabase::new();
        let store = database.open().await;
        Self { database: Some(database), ..Self::with_store(Arc::new(store), None) }
    }

    /// Another desk with an empty store of the same kind.
    pub(crate) async fn another(&self) -> Self {
        match (&self.folder, &self.database) {
            (Some(_), _) => Self::in_a_file(),
            (None, Some(_)) => Self::in_a_database().await,
            (None, None) => Self::in_memory(),
        }
    }

    /// The file of the store.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.as_ref().expect("a store in a file").path().join("acme.db")
    }

    /// Advances the clock until every lease has expired.
    pub(crate) fn wait_for_leases(&self) {
        let micros = i64::try_from(LEASE.as_micros()).expect("a lease is short");
        self.clock.0.fetch_add(micros + 1, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The next run id. Each desk has the same sequence.
    pub(crate) fn next_run(&self) -> RunId {
        let number = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        RunId(Uuid::from_u128((0x0197 << 112) | (7 << 76) | (2 << 62) | u128::from(number)))
    }

    pub(crate) fn runner(&self) -> Runner {
        self.runner_over(Arc::clone(&self.store))
    }

    /// A worker that reaches the store in another way.
    pub(crate) fn runner_over(&self, store: Arc<dyn Store>) -> Runner {
        self.runner_for(store, LEASE)
    }

    /// A worker with leases of this duration.
    pub(crate) fn runner_for(&self, store: Arc<dyn Store>, lease: Duration) -> Runner {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        // Tests compare the rows of every table.
        Runner::new(store, clock, "worker".to_owned(), lease).with_large_tables(LargeTables::Stored)
    }

    /// Requests a run.
    pub(crate) async fn request(&self, book: &Book) -> RunId {
        let run = self.next_run();
        request(&self.runner(), run, book).await.expect("the run is requested");
        run
    }

    /// Requests a run of a source with warnings.
    pub(crate) async fn request_with_warnings(
        &self,
        book: &Book,
        source_warnings: &[String],
    ) -> RunId {
        let run = self.next_run();
        let requested = request_with_warnings(&self.runner(), run, book, source_warnings).await;
        requested.expect("the run is requested");
        run
    }

    /// Puts a run in the queue without its request, as an older version could that died before it
    /// recorded the request. `false` for the store in memory, which no older version used.
    pub(crate) async fn queue_without_request(&self, run: RunId) -> bool {
        if let Some(database) = &self.database {
            let admin = connect(&database.url().await).await;
            let sql = "INSERT INTO powerfill.runs (run_id, status, requested_at) VALUES ($1, 'Pending', now())";
            admin.execute(sql, &[&run.0]).await.expect("it is queued");
            return true;
        }
        if self.folder.is_none() {
            return false;
        }
        let file = rusqlite::Connection::open(self.file()).expect("the file opens");
        let sql = "INSERT INTO runs (run_id, status, requested_at) VALUES (?1, 'Pending', 0)";
        file.execute(sql, [run.to_string()]).expect("it is queued");
        true
    }

    /// Works on the queued run.
    pub(crate) async fn work(&self) -> Option<FinishedRun> {
        self.work_observed(RunControl::default(), Arc::new(NoObserver)).await
    }

    /// Works on the queued run, with a control and an observer.
    pub(crate) async fn work_observed(
        &self,
        control: RunControl,
        observer: Arc<dyn RunObserver>,
    ) -> Option<FinishedRun> {
        let worked = self.runner().work(None, control, observer).await;
        worked.expect("the worker does not fail")
    }

    /// Works on the queued run, and cancels it when a step begins.
    pub(crate) async fn work_cancelled_at(&self, step: Step) -> FinishedRun {
        let control = RunControl::default();
        let cancelling = at_step(step, control.clone(), |control| control.cancel("chief"));
        self.work_observed(control, cancelling).await.expect("a run is queued")
    }

    /// Works on the queued run in a task that pauses at the beginning of a step. Returns the task
    /// when it has reached the step, and the sender that resumes it.
    pub(crate) async fn work_paused_at(&self, step: Step) -> (WorkTask, Sender<()>) {
        let (resume, resumed) = std::sync::mpsc::channel();
        let reached = Arc::new(Semaphore::new(0));
        let (signal, resumed) = (Arc::clone(&reached), Mutex::new(resumed));
        let observer = move |progress: RunProgress<'_>| {
            if matches!(progress, RunProgress::Step(begun) if begun == step) {
                signal.add_permits(1);
                let resumed = resumed.lock().expect("one thread waits at a time");
                resumed.recv().expect("the run is resumed");
            }
        };
        let runner = self.runner();
        let task = tokio::spawn(async move {
            runner.work(None, RunControl::default(), Arc::new(observer)).await
        });
        reached.acquire().await.expect("the semaphore is never closed").forget();
        (task, resume)
    }

    /// Requests a run and works on it.
    pub(crate) async fn run(&self, book: &Book) -> (RunId, RunStatus) {
        let run = self.request(book).await;
        let finished = self.work().await.expect("a run is queued");
        assert_eq!(finished.run_id, run);
        (run, finished.status)
    }

    /// Requests a run and works on it; it must complete.
    pub(crate) async fn complete(&self, book: &Book) -> RunId {
        let (run, status) = self.run(book).await;
        assert_eq!(status, RunStatus::Complete);
        run
    }

    /// The stored events of a run. Their versions have no gaps.
    pub(crate) async fn stored(&self, run: RunId) -> Vec<StoredEvent> {
        let stored = collect(self.store.read(&run.stream(), 1)).await;
        assert!((1..).zip(&stored).all(|(version, event)| event.stream_version == version));
        stored
    }

    /// The events of a run.
    pub(crate) async fn events(&self, run: RunId) -> Vec<RunEvent> {
        let stored = self.stored(run).await;
        stored
            .iter()
            .map(|event| {
                DecodedEvent::try_from(event.clone()).expect("the event can be read").event
            })
            .collect()
    }

    /// The type and the payload of each event of a run.
    pub(crate) async fn payloads(&self, run: RunId) -> Vec<(String, Vec<u8>)> {
        let stored = self.stored(run).await;
        stored.into_iter().map(|event| (event.event_type, event.payload)).collect()
    }

    /// The published tables as CSV, without the one that keeps every run.
    pub(crate) async fn published_tables(&self) -> Vec<(&'static str, String)> {
        let mut published = Vec::new();
        for table in ALL.iter().filter(|table| !table.keeps_every_run) {
            let mut text = Vec::new();
            let mut batches = self.store.rows(table);
            while let Some(batch) = batches.try_next().await.expect("rows can be read") {
                csv::write_file_rows(batch.run_id, &batch.rows, &mut text);
            }
            published.push((table.name, String::from_utf8(text).expect("CSV is text")));
        }
        published
    }

    /// The status of each run in the run history.
    pub(crate) async fn history(&self) -> Vec<(RunId, String)> {
        let mut history = Vec::new();
        let mut batches = self.store.rows(&run_history::TABLE);
        while let Some(batch) = batches.try_next().await.expect("rows can be read") {
            let status = &batch.rows.cells[1];
            let mut text = Vec::new();
            csv::write_text(status, &mut text);
            history.push((batch.run_id, String::from_utf8(text).expect("a status is text")));
        }
        history
    }

    /// The status of a run in the queue.
    pub(crate) async fn status(&self, run: RunId) -> RunStatus {
        self.store.run(run).await.expect("the store answers").expect("the run exists").status
    }

    /// Verifies the whole store. Every run that is over must have an index up to its end.
    pub(crate) async fn verify(&self) {
        let verdict = powerfill_app::verify::verify(self.store.as_ref(), None).await;
        let verdict = verdict.expect("the store answers");
        assert!(verdict.is_clean(), "{verdict:?}");
        let indexed = self.store.indexed_runs().await.expect("the store answers");
        for queued in self.store.all_runs().await.expect("the store answers") {
            let run = queued.run_id;
            let version =
                self.store.stream_version(&run.stream()).await.expect("the store answers");
            let reaches = indexed.iter().find(|(indexed, _)| *indexed == run);
            let reaches = reaches.map(|(_, state)| state.up_to_version);
            let expected = (queued.status.is_over() && version > 0).then_some(version);
            assert_eq!(reaches, expected, "the index of run {run}, {:?}", queued.status);
        }
    }
}

/// Requests a run with this id.
pub(crate) async fn request(runner: &Runner, run_id: RunId, book: &Book) -> AppResult<String> {
    request_with_warnings(runner, run_id, book, &[]).await
}

async fn request_with_warnings(
    runner: &Runner,
    run_id: RunId,
    book: &Book,
    source_warnings: &[String],
) -> AppResult<String> {
    let plain = plain_request(run_id, &book.snapshot, &book.options);
    runner.request(&RunRequest { source_warnings, ..plain }).await
}

/// An observer that calls the control of a run when a step begins.
pub(crate) fn at_step(
    step: Step,
    control: RunControl,
    call: impl Fn(&RunControl) + Send + Sync + 'static,
) -> Arc<dyn RunObserver> {
    Arc::new(move |progress: RunProgress<'_>| {
        if matches!(progress, RunProgress::Step(begun) if begun == step) {
            call(&control);
        }
    })
}
