//! Runs whose payloads leave the store and come back (specification 3.5), in a file and in a
//! database.

use std::path::Path;

use powerfill_app::copy::{CopyError, copy_store};
use powerfill_app::verify;
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_evidence::archive::{
    ArchiveOutcome, ArchiveRequest, Archiver, RetentionActor, place_hold, release_hold, restore,
};
use powerfill_ports::StoreError;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::events::{EventStore, StoredEvent};
use powerfill_ports::retention::{RetentionStore, read_retention};
use powerfill_sqlite::SqliteStore;
use powerfill_tests::postgres::TestDatabase;
use powerfill_tests::sqlite_file::open_unguarded;
use powerfill_tests::store_suite::StoreLocation;
use powerfill_tests::store_suite::samples::collect;

use crate::{Archive, head};

fn actor() -> RetentionActor<'static> {
    RetentionActor { name: "records", now: Timestamp::from_micros(1_800_000_000_000_000) }
}

async fn archive(
    store: &dyn CopyStore,
    run: RunId,
    folder: &Path,
) -> Result<ArchiveOutcome, powerfill_evidence::EvidenceError> {
    let request = ArchiveRequest { actor: actor(), folder, program: "powerfill test" };
    Archiver::open(store, request).await?.archive(run, Some("older than seven years")).await
}

async fn ensure_clean(store: &dyn CopyStore, archived: usize) {
    let report = verify::verify(store, None).await.expect("it is verified");
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.log.archived.len(), archived);
}

fn kept(outcome: ArchiveOutcome) -> String {
    match outcome {
        ArchiveOutcome::Kept(reason) => reason,
        other => panic!("{other:?}"),
    }
}

/// A run leaves and comes back; everything else stays as it is.
async fn leaves_and_comes_back(store: &dyn CopyStore, [run, other, latest]: [RunId; 3]) {
    let folder = tempfile::tempdir().expect("a folder");
    let stream = run.stream();
    let before: Vec<StoredEvent> = collect(store.read(&stream, 1)).await;
    let seal = head(store).await;
    assert!(kept(archive(store, latest, folder.path()).await.unwrap()).contains("latest run"));
    place_hold(store, run, "claim 17", actor()).await.unwrap();
    assert!(kept(archive(store, run, folder.path()).await.unwrap()).contains("hold: claim 17"));
    assert!(release_hold(store, run, None, actor()).await.unwrap());
    assert!(!release_hold(store, run, None, actor()).await.unwrap());
    assert!(store.advance("relay-nats", None, 1).await.unwrap());
    assert!(kept(archive(store, run, folder.path()).await.unwrap()).contains("relay-nats"));
    let end = store.head().await.unwrap().position;
    assert!(store.advance("relay-nats", Some(1), end).await.unwrap());

    let ArchiveOutcome::Archived(file) = archive(store, run, folder.path()).await.unwrap() else {
        panic!("it is archived");
    };
    ensure_clean(store, 1).await;
    assert_eq!(archive(store, run, folder.path()).await.unwrap(), ArchiveOutcome::Before);
    use futures::TryStreamExt;
    let unread = store.read(&stream, 1).try_next().await.unwrap_err();
    assert!(matches!(&unread, StoreError::Archived(archived) if *archived == stream), "{unread}");
    let record = read_retention(store).await.unwrap().archived(run).cloned().unwrap();
    assert_eq!((record.events, record.file), (before.len() as u64, file.display().to_string()));
    let missing = store.captured(&record.snapshot_digest).await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { what: "snapshot", .. }), "{missing}");
    assert_eq!(store.seal_at(seal.seq).await.unwrap().unwrap().to_hex().as_str(), seal.seal);
    assert!(!collect(store.read(&other.stream(), 1)).await.is_empty());

    let refused = restore(store, &file.with_extension("none"), actor()).await;
    assert!(refused.is_err());
    assert_eq!(restore(store, &file, actor()).await.unwrap(), run);
    assert!(collect(store.read(&stream, 1)).await == before);
    ensure_clean(store, 0).await;
    let again = restore(store, &file, actor()).await.unwrap_err().to_string();
    assert!(again.contains("is not archived in this store"), "{again}");
    // The evidence of the first time is used again.
    let archived = archive(store, run, folder.path()).await.unwrap();
    assert_eq!(archived, ArchiveOutcome::Archived(file));
    ensure_clean(store, 1).await;
}

/// A store with three runs, of which no two have the same snapshot.
async fn fill(store: &dyn CopyStore) -> [RunId; 3] {
    let archive = Archive::new();
    let mut runs = Vec::new();
    for case in ["12-kickout-reasons", "03-best-fit", "41-mixed-400-price"] {
        runs.push(archive.run(case).await.0);
    }
    let copied = copy_store(archive.store.as_ref(), store, &|_| {}).await;
    copied.expect("it is copied");
    runs.try_into().expect("three runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_leaves_a_file_and_comes_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path().join("books.db")).expect("the store opens");
    let runs = fill(&store).await;
    leaves_and_comes_back(&store, runs).await;
    store.give_space_back().await.unwrap();
    ensure_clean(&store, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_leaves_a_database_and_comes_back() {
    let database = TestDatabase::new();
    let store = database.open().await;
    let runs = fill(&store).await;
    leaves_and_comes_back(&store, runs).await;
}

/// A copy needs the payloads that it does not have, and says so before it begins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archived_runs_are_copied_when_they_are_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |name: &str| SqliteStore::open(folder.path().join(name)).expect("the store opens");
    let (store, before, after) = (open("books.db"), open("before.db"), open("after.db"));
    let [run, other, _] = fill(&store).await;
    copy_store(&store, &before, &|_| {}).await.unwrap();
    let ArchiveOutcome::Archived(file) = archive(&store, run, folder.path()).await.unwrap() else {
        panic!("it is archived");
    };
    archive(&store, other, folder.path()).await.unwrap();
    match copy_store(&store, &after, &|_| {}).await {
        Err(error @ CopyError::Archived { run: missing, others: 1, .. }) => {
            assert_eq!(missing, run);
            let text = error.to_string();
            assert!(text.contains(file.to_str().unwrap()), "{text}");
            assert!(text.contains("(and one more run)"), "{text}");
        }
        copied => panic!("{copied:?}"),
    }
    assert_eq!(after.head().await.unwrap().seq, 0);
    assert!(after.snapshot_digests().await.unwrap().is_empty());
    // A copy that has the events gets the rest.
    let copied = copy_store(&store, &before, &|_| {}).await.unwrap();
    assert!(copied.verdict.is_clean(), "{copied:?}");
    for file in [&file, &folder.path().join(format!("run-{other}.pfe"))] {
        restore(&store, file, actor()).await.unwrap();
    }
    let copied = copy_store(&store, &after, &|_| {}).await.unwrap();
    assert_eq!(copied.head, store.head().await.unwrap());
}

/// Between any two steps, the command may end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_archive_continues() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("books.db");
    let store = SqliteStore::open(&file).expect("the store opens");
    let [run, other, _] = fill(&store).await;
    // After the file: it is verified and used.
    let evidence = folder.path().join(format!("run-{run}.pfe"));
    crate::export_from(&store, run, None, &evidence).await.unwrap();
    let bytes = std::fs::read(&evidence).unwrap();
    // After the record: the removal fails without its guard.
    let guard: String = open_unguarded(&file)
        .query_row(
            "SELECT sql FROM sqlite_schema WHERE name = 'es_event_blocks_no_update'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let edit = |sql: &str| open_unguarded(&file).execute_batch(sql).unwrap();
    edit("DROP TRIGGER es_event_blocks_no_update");
    archive(&store, run, folder.path()).await.unwrap_err();
    assert!(read_retention(&store).await.unwrap().archived(run).is_some());
    assert!(!collect(store.read(&run.stream(), 1)).await.is_empty());
    edit(&guard);
    ensure_clean(&store, 0).await;
    std::fs::remove_file(&evidence).unwrap();
    archive(&store, run, folder.path()).await.unwrap();
    ensure_clean(&store, 1).await;
    // After the payloads came back: the record follows.
    std::fs::write(&evidence, &bytes).unwrap();
    restore(&store, &evidence, actor()).await.unwrap();

    // A file that is in the way, or damaged, keeps the run.
    let foreign = folder.path().join(format!("run-{other}.pfe"));
    std::fs::copy(&evidence, &foreign).unwrap();
    let refused = archive(&store, other, folder.path()).await.unwrap_err().to_string();
    assert!(refused.contains("exists already"), "{refused}");
    std::fs::write(&foreign, &bytes[..bytes.len() - 1]).unwrap();
    archive(&store, other, folder.path()).await.unwrap_err();
    ensure_clean(&store, 0).await;
    // Payloads that are removed without a record are damage.
    edit(
        "UPDATE es_event_blocks SET codec = 'archived', body = x'' WHERE stream_id =
         (SELECT stream_id FROM es_streams ORDER BY stream_id LIMIT 1)",
    );
    let report = verify::verify(&store, None).await.unwrap();
    assert!(report.difference.unwrap().contains("no event says that it is archived"));
}
