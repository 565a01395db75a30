//! Properties of a store file that several processes share.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use futures::StreamExt;
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::events::EventStore;
use powerfill_ports::projections::ProjectionStore;
use powerfill_ports::runs::{RunStatus, RunStore};
use powerfill_sqlite::SqliteStore;
use powerfill_tables::table::{Cell, Column, TableSpec};
use powerfill_tests::store_suite::samples::{HISTORY, candidates, moment, request, run, unleased};
use tempfile::TempDir;

const PATH: &str = "POWERFILL_TEST_STORE";

fn folder() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.db");
    (folder, path)
}

/// Starts this test program as another process, which executes one of the ignored tests below.
fn other_process(test: &str, path: &std::path::Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn store_of_parent() -> Option<SqliteStore> {
    std::env::var_os(PATH).map(|path| SqliteStore::open(path).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs only as the other process of another test"]
async fn as_other_process_append_a_hundred_times() {
    let Some(store) = store_of_parent() else { return };
    for round in 0..100_u64 {
        store.append(candidates(run(2), round * 5, 5)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs only as the other process of another test"]
async fn as_other_process_claim_and_hang() {
    let Some(store) = store_of_parent() else { return };
    let lease = store.claim("other process", moment(0), moment(10)).await.unwrap();
    println!("\nclaimed {}", lease.is_some());
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_append_to_one_file() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let mut subscription = store.subscribe(0);
    let mut other = other_process("as_other_process_append_a_hundred_times", &path);
    for round in 0..100_u64 {
        store.append(candidates(run(1), round * 5, 5)).await.unwrap();
    }
    let mut seen = 0;
    while seen < 1_000 {
        for event in subscription.next().await.unwrap().unwrap() {
            seen += 1;
            assert_eq!(event.global_position, seen);
        }
    }
    assert!(other.wait().unwrap().success());
    let verification = store.verify(None).await.unwrap();
    assert_eq!((verification.events, verification.appends), (1_000, 200));
    assert_eq!(verification.damage, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_was_killed_does_not_block_the_tenant() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    let mut other = other_process("as_other_process_claim_and_hang", &path);
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "claimed true"));
    assert_eq!(
        store.claim("w1", moment(1), moment(11)).await.unwrap(),
        None,
        "the worker is alive"
    );
    other.kill().unwrap();
    other.wait().unwrap();
    let lease =
        store.claim("w1", moment(1), moment(11)).await.unwrap().expect("the worker is dead");
    assert_eq!(lease.run_id, run(1));
    assert!(matches!(
        store.enqueue(request(run(2), moment(2)), false).await,
        Err(StoreError::RunActive(_))
    ));
    store.set_status(lease, RunStatus::Complete).await.unwrap();
    store.enqueue(request(run(2), moment(2)), false).await.unwrap();
}

/// The lease of a living worker ends. The next worker cannot take the lock, but its lease protects
/// it. It takes the lock after the former worker got the error that it lost its lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_without_the_lock_does_not_count_as_dead() {
    let (_folder, path) = folder();
    let stores: Vec<SqliteStore> = (0..3).map(|_| SqliteStore::open(&path).unwrap()).collect();
    stores[0].enqueue(request(run(1), moment(0)), false).await.unwrap();
    let first = stores[0].claim("w0", moment(0), moment(10)).await.unwrap().unwrap();
    let second = stores[1].claim("w1", moment(11), moment(21)).await.unwrap().unwrap();
    assert!(matches!(stores[0].renew(first, moment(30)).await, Err(StoreError::LeaseLost(_))));
    assert_eq!(stores[2].claim("w2", moment(12), moment(22)).await.unwrap(), None);
    stores[1].renew(second, moment(30)).await.unwrap();
    assert_eq!(stores[2].claim("w2", moment(13), moment(23)).await.unwrap(), None);
    drop(stores[1].clone());
    let [_, gone, third] = <[SqliteStore; 3]>::try_from(stores).unwrap();
    drop(gone);
    assert!(third.claim("w2", moment(14), moment(24)).await.unwrap().is_some());
}

#[tokio::test]
async fn only_an_existing_file_is_opened_as_existing() {
    let (folder, path) = folder();
    let missing = SqliteStore::open_existing(&path).unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { what: "store file", .. }), "{missing}");
    SqliteStore::open(&path).unwrap();
    SqliteStore::open_existing(&path).unwrap();
    let nowhere = SqliteStore::open(folder.path().join("no/such/folder/acme.db")).unwrap_err();
    assert!(
        matches!(&nowhere, StoreError::Failed(fault) if fault.to_string().contains("acme.db")),
        "{nowhere}"
    );
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database at all, but long enough to be looked at as if it were one",
    )
    .unwrap();
    assert!(SqliteStore::open(&text).is_err());
}

/// The history of a later program version: one column is removed, one is new.
static LATER_HISTORY: TableSpec = TableSpec {
    keeps_every_run: true,
    ..TableSpec::bare("pfill_test_history", &[Column::text("status"), Column::text("mode")])
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_survives_a_change_of_its_columns() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let put = |run: RunId, status: &'static str| {
        let store = store.clone();
        async move {
            store.put_row(unleased(run), &HISTORY, vec![Cell::Name(status), Cell::Int(1)]).await
        }
    };
    put(run(1), "Complete").await.unwrap();
    put(run(2), "Failed").await.unwrap();
    let stale = store.rows(&LATER_HISTORY).next().await.unwrap();
    assert!(matches!(stale, Err(StoreError::Schema(_))), "{stale:?}");
    let row = vec![Cell::Name("Pending"), Cell::Name("pc")];
    store.put_row(unleased(run(3)), &LATER_HISTORY, row).await.unwrap();
    let rows: Vec<_> = store.rows(&LATER_HISTORY).map(Result::unwrap).collect().await;
    let found: Vec<_> = rows.iter().map(|row| (row.run_id, row.rows.cells[0].clone())).collect();
    let text = |text: &str| Cell::Text(text.into());
    assert_eq!(
        found,
        [(run(1), text("Complete")), (run(2), text("Failed")), (run(3), text("Pending"))]
    );
    assert_eq!(rows[0].rows.cells[1], Cell::Null);
    // The former columns again, this time staged.
    store.begin_staging(unleased(run(4)), &[&HISTORY]).await.unwrap();
    store.publish(unleased(run(4)), &[]).await.unwrap();
    assert_eq!(store.rows(&HISTORY).count().await, 3);
}
