//! What runs are asked for with, and what comes of them when nothing is in their way.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures::TryStreamExt;
use powerfill_app::{Ask, Clock, NoObserver, RunControl, Runner};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_memory::MemoryStore;
use powerfill_ports::events::EventStore;
use powerfill_ports::projections::ProjectionStore;
use powerfill_snapshot::{GivenOptions, RunOptions, Snapshot, validate};
use powerfill_tables::table::Cell;
use powerfill_tables::tables::ALL;
use powerfill_tests::store_suite::samples::collect;
use uuid::Uuid;

/// What a run is asked for with.
pub(crate) struct Book {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) options: RunOptions,
}

/// Two that complete, and one that preflight refuses: the smaller, the more seeds.
const CASES: [&str; 3] = ["03-best-fit", "12-kickout-reasons", "39-preflight-errors"];

/// The books, by number.
pub(crate) fn book(number: usize) -> &'static Book {
    static BOOKS: OnceLock<Vec<Book>> = OnceLock::new();
    &BOOKS.get_or_init(|| CASES.iter().map(|case| read(case)).collect())[number]
}

/// The number of a book that completes.
pub(crate) const SOUND: usize = 0;
/// How many there are.
pub(crate) const BOOKS: usize = CASES.len();

fn read(case: &str) -> Book {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance").join(case);
    let json = std::fs::read_to_string(folder.join("options.json")).expect("it has options");
    let options = GivenOptions::from_json(&json).resolve().expect("the options are sound");
    let raw = powerfill_csv::read_folder(&folder.join("snapshot")).expect("the folder is there");
    Book { snapshot: Arc::new(validate(raw).expect("it is sound").snapshot), options }
}

/// Who asks, in every world.
pub(crate) const DESK: &str = "desk";

/// What a run is asked for with.
pub(crate) fn ask(run_id: RunId, number: usize) -> Ask<'static> {
    let Book { snapshot, options } = book(number);
    Ask { run_id, snapshot, options, requested_by: DESK, source_warnings: &[] }
}

/// The first run of a world, the second and so on.
pub(crate) fn run(number: u64) -> RunId {
    RunId(Uuid::from_u128((0x0197 << 112) | (7 << 76) | (2 << 62) | u128::from(number)))
}

/// Of each event its type and payload: what a stream says, up to times and workers.
pub(crate) type Story = Vec<(String, Vec<u8>)>;

/// The rows of each table that are those of one run, up to times and workers.
pub(crate) type Shown = Vec<(&'static str, Vec<(RunId, Vec<Cell>)>)>;

/// What comes of a run when nothing is in its way.
pub(crate) struct Undisturbed {
    pub(crate) story: Story,
    pub(crate) shown: Shown,
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

/// By run and book.
type Known = Mutex<BTreeMap<(RunId, usize), Arc<Undisturbed>>>;

/// What comes of this run with this book.
pub(crate) fn undisturbed(run: RunId, number: usize) -> Arc<Undisturbed> {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    let mut known = KNOWN.get_or_init(Mutex::default).lock().expect("none of these panics");
    let found = known.entry((run, number)).or_insert_with(|| Arc::new(make(run, number)));
    Arc::clone(found)
}

fn make(run: RunId, number: usize) -> Undisturbed {
    let store = MemoryStore::new();
    let lease = Duration::from_secs(30);
    let runner = Runner::new(Arc::new(store.clone()), Arc::new(Still), "one".to_owned(), lease);
    let made = async {
        runner.ask(&ask(run, number)).await.expect("it is asked for");
        runner
            .work(None, RunControl::default(), Arc::new(NoObserver))
            .await
            .expect("it is carried through");
        Undisturbed { story: story(&store, run).await, shown: shown(&store).await }
    };
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(made)
    };
    // Whoever asks may be within a runtime of his own.
    std::thread::scope(|scope| scope.spawn(work).join().expect("it does not panic"))
}

/// What the stream of a run says.
pub(crate) async fn story(store: &MemoryStore, run: RunId) -> Story {
    let stored = collect(store.read(&run.stream(), 1)).await;
    stored.into_iter().map(|event| (event.event_type, event.payload)).collect()
}

/// Its columns are times and workers.
const OF_THE_WORK: &str = "pfill_powerfill_log";

/// What the output tables show.
pub(crate) async fn shown(store: &MemoryStore) -> Shown {
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

/// A book's snapshot, and the digest that it is captured under.
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
