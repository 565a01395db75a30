//! Copying a whole store: the same log has the same seals in every store, everything derived from
//! it is computed again, and an interrupted copy can be continued.

use std::sync::Arc;
use std::time::Duration;

use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use powerfill_fixtures::cases;
use powerfill_memory::MemoryStore;
use powerfill_snapshot::config::{ConfigChange, ConfigTable, LeftOut, Precondition};
use powerfill_snapshot::{RunOptions, Snapshot};

use powerfill_app::configure::{ConfigRequest, configure};
use powerfill_app::copy::{CopyError, CopyProgress, CopyReport, copy_store};
use powerfill_app::rebuild::rebuild;
use powerfill_app::{NoObserver, RunControl, Runner, SystemClock};
use powerfill_ports::Store;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::events::{EventStore, LogHead, StoredEvent};
use powerfill_ports::index::IndexStore;
use powerfill_ports::projections::ProjectionStore;
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_sqlite::SqliteStore;
use powerfill_tables::status::RunStatus;
use powerfill_tables::table::LargeTables;
use powerfill_tables::tables::candy;
use powerfill_tests::all_runs::AllRuns;
use powerfill_tests::postgres::TestDatabase;
use powerfill_tests::requests::plain_request;
use powerfill_tests::store_suite::StoreLocation;
use powerfill_tests::store_suite::samples::{
    append, candidate, candidates, collect, pool_lock, run,
};
use powerfill_tests::{event_blocks, sqlite_file};
use tempfile::TempDir;
use uuid::Uuid;

async fn request_run(runner: &Runner, snapshot: &Snapshot, options: &RunOptions) -> RunId {
    let run_id = RunId(Uuid::now_v7());
    let ask = plain_request(run_id, snapshot, options);
    runner.request(&ask).await.expect("the run is requested");
    run_id
}

/// Requests and executes a run. If `cancel` is set, the run is cancelled before it begins.
async fn execute_run<S: CopyStore + 'static>(
    store: &Arc<S>,
    case: &str,
    cancel: bool,
) -> RunStatus {
    let runner = Runner::new(
        Arc::clone(store) as Arc<dyn Store>,
        Arc::new(SystemClock),
        "worker".to_owned(),
        Duration::from_secs(30),
    )
    .with_large_tables(LargeTables::Stored);
    let (snapshot, options) = cases::input(&cases::case(case));
    let run_id = request_run(&runner, &snapshot, &options).await;
    if cancel {
        assert!(store.request_cancel(run_id, "chief").await.expect("the queue can be reached"));
    }
    let finished = runner
        .work(None, RunControl::default(), Arc::new(NoObserver))
        .await
        .expect("it is carried through");
    finished.expect("there was a run").status
}

/// Fills a store with runs of each final status, and with changes of the configuration before and
/// between them.
async fn fill<S: CopyStore + 'static>(store: &Arc<S>) {
    lock_pool(store, "Y").await;
    assert_eq!(execute_run(store, "12-kickout-reasons", false).await, RunStatus::Complete);
    assert_eq!(execute_run(store, "39-preflight-errors", false).await, RunStatus::Failed);
    lock_pool(store, "N").await;
    assert_eq!(execute_run(store, "41-mixed-400-price", false).await, RunStatus::Complete);
    assert_eq!(execute_run(store, "03-best-fit", true).await, RunStatus::Cancelled);
}

async fn lock_pool<S: CopyStore>(store: &Arc<S>, lock_pool: &str) {
    let cells = [("pool_name", "P1"), ("lock_pool", lock_pool)];
    let command = ConfigChange::Write {
        table: ConfigTable::Lockdown,
        rows: vec![cells.map(|(column, text)| (column.into(), text.into())).into()],
        left_out: LeftOut::Empty,
        precondition: Precondition::Any,
    };
    let (tenant, command) = (TenantId::from("WATERMARK"), command.into());
    let (command_id, requested_by) = (Uuid::now_v7(), "desk");
    let ask = ConfigRequest { command_id, tenant: &tenant, command: &command, requested_by };
    configure(store.as_ref(), &SystemClock, &ask).await.expect("the change is taken");
}

fn file() -> (TempDir, Arc<SqliteStore>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path().join("acme.db")).expect("the store opens");
    (folder, Arc::new(store))
}

async fn copied(from: &dyn CopyStore, to: &dyn CopyStore) -> CopyReport {
    let copied = copy_store(from, to, &|_| {}).await.expect("it is copied");
    assert!(copied.verdict.is_clean(), "{:?}", copied.verdict);
    copied
}

async fn log<S: EventStore>(store: &S) -> (LogHead, Vec<StoredEvent>) {
    (store.head().await.unwrap(), collect(store.read_all(0)).await)
}

/// From a file to a database, to another database, to memory, and to a file again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_log_has_the_same_seals_on_every_store() {
    let (_one, original) = file();
    fill(&original).await;
    let (database, another) = (TestDatabase::new(), TestDatabase::new());
    let (database, another) = (database.open().await, another.open().await);
    let (memory, (_other, back)) = (MemoryStore::new(), file());
    copied(original.as_ref(), &database).await;
    copied(&database, &another).await;
    copied(&another, &memory).await;
    copied(&memory, back.as_ref()).await;

    let (head, events) = log(original.as_ref()).await;
    let runs = original.all_runs().await.unwrap();
    assert_eq!(runs.len(), 4);
    let digests = original.snapshot_digests().await.unwrap();
    let stores: [(&str, &dyn CopyStore); 4] = [
        ("a database", &database),
        ("a copy of it", &another),
        ("memory", &memory),
        ("a file again", back.as_ref()),
    ];
    for (name, store) in stores {
        assert_eq!(store.head().await.unwrap(), head, "{name}");
        assert!(collect(store.read_all(0)).await == events, "{name}: events differ");
        for seq in 0..=head.seq {
            let seal = original.seal_at(seq).await.unwrap();
            assert_eq!(store.seal_at(seq).await.unwrap(), seal, "{name}, append {seq}");
        }
        assert_eq!(store.all_runs().await.unwrap(), runs, "{name}");
        assert_eq!(store.snapshot_digests().await.unwrap(), digests, "{name}");
        for digest in &digests {
            let captured = original.captured(digest).await.unwrap();
            assert!(store.captured(digest).await.unwrap() == captured, "{name}");
        }
        assert_eq!(store.published().await.unwrap(), original.published().await.unwrap(), "{name}");
        assert_eq!(store.indexed_runs().await.unwrap(), original.indexed_runs().await.unwrap());
        assert!(store.is_stored(&candy::TABLE).await.unwrap(), "{name}");
    }
    // The tenant continues in the copy.
    assert_eq!(execute_run(&Arc::new(database), "03-best-fit", false).await, RunStatus::Complete);
}

/// Appends that the copy has are not copied again.
#[tokio::test]
async fn a_repeated_copy_adds_the_new_appends() {
    let (_folder, original) = file();
    let copy = MemoryStore::new();
    assert_eq!(execute_run(&original, "12-kickout-reasons", false).await, RunStatus::Complete);
    let first = copied(original.as_ref(), &copy).await;
    assert_eq!((first.had, first.behind), (0, 0));
    assert_eq!(execute_run(&original, "41-mixed-400-price", false).await, RunStatus::Complete);
    let second = copied(original.as_ref(), &copy).await;
    assert_eq!(second.had, first.head.seq);
    assert_eq!(second.head, original.head().await.unwrap());
    assert_eq!(copy.all_runs().await.unwrap(), original.all_runs().await.unwrap());
    let third = copied(original.as_ref(), &copy).await;
    assert_eq!((third.had, third.head), (second.head.seq, second.head));
}

/// A copy has rows of the large tables where the original has them.
#[tokio::test]
async fn a_copy_builds_the_tables_that_the_original_builds() {
    let (_folder, original) = file();
    assert_eq!(execute_run(&original, "12-kickout-reasons", false).await, RunStatus::Complete);
    for (large_tables, is_stored) in [(LargeTables::Stored, true), (LargeTables::Built, false)] {
        let (run, _) = original.published().await.unwrap().unwrap();
        rebuild(original.as_ref(), run, large_tables).await.unwrap();
        let copy = MemoryStore::new();
        copied(original.as_ref(), &copy).await;
        assert_eq!(copy.is_stored(&candy::TABLE).await.unwrap(), is_stored);
    }
}

/// The copy is interrupted after each append.
#[tokio::test]
async fn a_copy_that_was_interrupted_at_any_append_continues() {
    let original = MemoryStore::new();
    let of_runs = (0..12).map(|number| candidates(run(1 + number % 3), number as u64 / 3 * 5, 5));
    let appends: Vec<_> = of_runs.chain([pool_lock(0, true)]).collect();
    for append in &appends {
        original.append(append.clone()).await.unwrap();
    }
    let (head, events) = log(&original).await;
    for interrupted_at in 0..head.seq {
        let copy = MemoryStore::new();
        for append in appends.iter().take(interrupted_at as usize) {
            copy.append(append.clone()).await.unwrap();
        }
        let steps = std::sync::Mutex::new(Vec::new());
        let done =
            copy_store(&original, &copy, &|at| steps.lock().unwrap().push(at)).await.unwrap();
        assert_eq!((done.had, done.head), (interrupted_at, head));
        assert!(log(&copy).await == (head, events.clone()));
        let steps = steps.into_inner().unwrap();
        let of = head.position;
        assert!(steps.contains(&CopyProgress::Events { done: of, of }), "{steps:?}");
        // The configuration does not count as a run.
        assert!(steps.contains(&CopyProgress::Runs { done: 3, of: 3 }), "{steps:?}");
        assert_eq!(steps.last(), Some(&CopyProgress::Verifying));
    }
}

#[tokio::test]
async fn a_store_with_another_log_is_not_changed() {
    let original = MemoryStore::new();
    original.append(candidates(run(1), 0, 5)).await.unwrap();
    let copy = MemoryStore::new();
    copy.append(candidates(run(2), 0, 5)).await.unwrap();
    let before = log(&copy).await;
    let refused = copy_store(&original, &copy, &|_| {}).await.unwrap_err();
    assert!(matches!(refused, CopyError::AnotherLog { seq: 1 }), "{refused}");
    assert!(log(&copy).await == before);
    // A log that is longer than the original is another log, too.
    let longer = MemoryStore::new();
    longer.append(candidates(run(1), 0, 5)).await.unwrap();
    longer.append(candidates(run(1), 5, 5)).await.unwrap();
    let refused = copy_store(&original, &longer, &|_| {}).await.unwrap_err();
    assert!(matches!(refused, CopyError::AnotherLog { seq: 2 }), "{refused}");
}

#[tokio::test]
async fn a_store_with_an_active_run_is_neither_original_nor_copy() {
    let (active, idle) = (MemoryStore::new(), MemoryStore::new());
    active.append(append(run(1), 0, &[candidate(1)])).await.unwrap();
    idle.append(append(run(1), 0, &[candidate(1)])).await.unwrap();
    let runner = Runner::new(
        Arc::new(active.clone()),
        Arc::new(SystemClock),
        "worker".to_owned(),
        Duration::from_secs(30),
    );
    let (mut snapshot, options) = cases::input(&cases::case("03-best-fit"));
    snapshot.header.tenant_id = "acme".into();
    let run_id = request_run(&runner, &snapshot, &options).await;
    for (from, to, side) in [(&active, &idle, "original"), (&idle, &active, "copy")] {
        let refused = copy_store(from, to, &|_| {}).await.unwrap_err();
        assert!(refused.to_string().contains(&format!("{run_id} is active in the {side}")));
    }
    assert_eq!(idle.head().await.unwrap().seq, 1);
}

/// The appends before the damage are copied, and the error names the place.
#[tokio::test]
async fn a_damaged_original_is_copied_up_to_the_damage() {
    type Edit = fn(&rusqlite::Connection);
    let edits: [(Edit, &str); 4] = [
        (
            |conn| {
                event_blocks::edit(conn, 1, 11, |lines| lines[3] = lines[3].replace("00", "01"));
            },
            "hashed",
        ),
        (
            |conn| {
                let sql = "UPDATE es_appends SET actor = 'intruder' WHERE seq = 3";
                conn.execute_batch(sql).unwrap();
            },
            "hashed",
        ),
        (
            |conn| {
                let sql = "UPDATE es_appends SET append_id = zeroblob(16) WHERE seq = 3";
                conn.execute_batch(sql).unwrap();
            },
            "seal",
        ),
        (
            |conn| {
                let sql = "DELETE FROM es_event_blocks WHERE first_version = 11";
                conn.execute_batch(sql).unwrap();
            },
            "missing",
        ),
    ];
    for (edit, words) in edits {
        let (folder, original) = file();
        for number in 0..4 {
            original.append(candidates(run(1), number * 5, 5)).await.unwrap();
        }
        let sound = original.seal_at(2).await.unwrap();
        edit(&sqlite_file::open_unguarded(&folder.path().join("acme.db")));
        let copy = MemoryStore::new();
        let refused = copy_store(original.as_ref(), &copy, &|_| {}).await.unwrap_err();
        assert!(refused.to_string().contains(words), "{words}: {refused}");
        let head = copy.head().await.unwrap();
        assert_eq!((head.seq, Some(head.seal)), (2, sound), "{words}");
    }
}

/// The type of the event is unknown to this program.
#[tokio::test]
async fn an_event_of_a_newer_program_is_not_copied() {
    let (folder, original) = file();
    original.append(candidates(run(1), 0, 1)).await.unwrap();
    let editor = sqlite_file::open_unguarded(&folder.path().join("acme.db"));
    event_blocks::edit(&editor, 1, 1, |lines| {
        lines[0] = lines[0].replace("CandidateScored", "LoanTeleported");
    });
    let copy = MemoryStore::new();
    let refused = copy_store(original.as_ref(), &copy, &|_| {}).await.unwrap_err();
    assert!(matches!(refused, CopyError::Damaged { seq: 1, .. }), "{refused}");
    assert_eq!(copy.head().await.unwrap().seq, 0);
}
