//! The books of the simulated runs, and the results of those runs without faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures::TryStreamExt;
use powerfill_app::{Clock, NoObserver, RunControl, RunRequest, Runner};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_fixtures::cases;
use powerfill_memory::MemoryStore;
use powerfill_ports::events::EventStore;
use powerfill_ports::projections::ProjectionStore;
use powerfill_snapshot::{RunOptions, Snapshot};
use powerfill_tables::table::{Cell, LargeTables};
use powerfill_tables::tables::ALL;
use powerfill_tests::requests::plain_request;
use powerfill_tests::store_suite::samples::collect;
use uuid::Uuid;

/// What a run is asked for with.
pub(crate) struct SimulationBook {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) options: RunOptions,
}

/// Two that complete, and one that preflight refuses: the smaller, the more seeds.
const CASES: [&str; 3] = ["03-best-fit", "12-kickout-reasons", "39-preflight-errors"];

/// A book by its number.
pub(crate) fn book(number: usize) -> &'static SimulationBook {
    static BOOKS: OnceLock<Vec<SimulationBook>> = OnceLock::new();
    &BOOKS.get_or_init(|| CASES.iter().map(|case| read(case)).collect())[number]
}

/// The number of a book whose run completes.
pub(crate) const SOUND: usize = 0;
/// Number of books.
pub(crate) const BOOKS: usize = CASES.len();

fn read(case: &str) -> SimulationBook {
    let (snapshot, options) = cases::input(&cases::case(case));
    SimulationBook { snapshot: Arc::new(snapshot), options }
}

/// ProcessName request_run, in every world.
pub(crate) const DESK: &str = "desk";

/// What a run is asked for with.
pub(crate) fn ask(run_id: RunId, number: usize) -> RunRequest<'static> {
    let SimulationBook { snapshot, options } = book(number);
    RunRequest { requested_by: DESK, ..plain_request(run_id, snapshot, options) }
}

/// The id of a run by its number in the world.
pub(crate) fn run(number: u64) -> RunId {
    RunId(Uuid::from_u128((0x0197 << 112) | (7 << 76) | (2 << 62) | u128::from(number)))
}

/// The types and payloads of a stream, without times and workers.
pub(crate) type RunStory = Vec<(String, Vec<u8>)>;

/// The rows per table, without times and workers.
pub(crate) type VisibleTables = Vec<(&'static str, Vec<(RunId, Vec<Cell>)>)>;

/// The results of a run without faults.
pub(crate) struct UndisturbedRun {
    pub(crate) story: RunStory,
    pub(crate) shown: VisibleTables,
}

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

/// By run and book.
type RunCache = Mutex<BTreeMap<(RunId, usize), Arc<UndisturbedRun>>>;

/// The results of this run with this book, without faults.
pub(crate) fn undisturbed(run: RunId, number: usize) -> Arc<UndisturbedRun> {
    static KNOWN: OnceLock<RunCache> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().expect("none of these panics");
    let found = known.entry((run, number)).or_insert_with(|| Arc::new(make(run, number)));
    Arc::clone(found)
}

fn make(run: RunId, number: usize) -> UndisturbedRun {
    let store = MemoryStore::new();
    let lease = Duration::from_secs(30);
    let runner =
        Runner::new(Arc::new(store.clone()), Arc::new(FixedClock), "one".to_owned(), lease)
            .with_large_tables(LargeTables::Stored);
    let made = async {
        runner.request(&ask(run, number)).await.expect("it is asked for");
        runner
            .work(None, RunControl::default(), Arc::new(NoObserver))
            .await
            .expect("it is carried through");
        UndisturbedRun { story: story(&store, run).await, shown: shown(&store).await }
    };
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(made)
    };
    // The caller can be within a runtime of its own.
    std::thread::scope(|scope| scope.spawn(work).join().expect("it does not panic"))
}

/// The stream of a run, without times and workers.
pub(crate) async fn story(store: &MemoryStore, run: RunId) -> RunStory {
    let stored = collect(store.read(&run.stream(), 1)).await;
    stored.into_iter().map(|event| (event.event_type, event.payload)).collect()
}

/// The table whose columns are times and workers.
const OF_THE_WORK: &str = "pfill_powerfill_log";

/// The rows of the output tables.
pub(crate) async fn shown(store: &MemoryStore) -> VisibleTables {
    let mut shown = Vec::new();
    for table in ALL.iter().filter(|table| !table.keeps_every_run && table.name != OF_THE_WORK) {
        let rows: Vec<_> = store.rows(table).try_collect().await.expect("rows can be read");
        shown.push((
            table.name,
            rows.into_iter().map(|rows| (rows.run_id, rows.rows.cells)).collect(),
        ));
    }
    shown
}

/// A book's snapshot with its digest.
pub(crate) fn digest_and_snapshot(number: usize) -> (String, Arc<Snapshot>) {
    static DIGESTS: OnceLock<Vec<String>> = OnceLock::new();
    let digest = |number| {
        let mut canonical = Vec::new();
        book(number).snapshot.write_canonical(&mut canonical).expect("memory takes every write");
        blake3::hash(&canonical).to_hex().to_string()
    };
    let digests = DIGESTS.get_or_init(|| (0..BOOKS).map(digest).collect());
    (digests[number].clone(), Arc::clone(&book(number).snapshot))
}
