//! The events of a store of 0.1.0 are moved into blocks step by step, as `powerfill migrate` does.
//! After each step, the store is sound and gives the same events; so an interrupted migration loses
//! nothing and continues.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use futures::TryStreamExt;
use powerfill_events::log::{EncodedBatch, LogHead, SchemaId, StoredEvent};
use powerfill_events::stream::event_name;
use powerfill_ports::StoreError;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::events::{Append, EventStore};
use powerfill_sqlite::SqliteStore;
use powerfill_tests::postgres::{TestDatabase, connect};
use powerfill_tests::sqlite_file;
use powerfill_tests::store_suite::StoreLocation;
use powerfill_tests::store_suite::samples::{candidates, collect, run};
use tempfile::TempDir;
use uuid::Uuid;

/// A file of the evidence of version 0.1.0.
fn evidence(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("released/0.1.0");
    let mut bytes = Vec::new();
    let file = File::open(folder.join(name)).expect("the evidence is part of the project");
    GzDecoder::new(file).read_to_end(&mut bytes).expect("the file is whole");
    bytes
}

/// A store of 0.1.0 in a file. Each call of `open` is a process of its own.
struct OldFile(TempDir);

impl OldFile {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("acme.db"), evidence("store.db.gz")).expect("room");
        Self(folder)
    }

    fn editor(&self) -> rusqlite::Connection {
        sqlite_file::open_unguarded(&self.0.path().join("acme.db"))
    }
}

impl StoreLocation for OldFile {
    type Store = SqliteStore;

    async fn open(&self) -> SqliteStore {
        SqliteStore::open_existing(self.0.path().join("acme.db")).expect("the store opens")
    }
}

async fn old_database() -> TestDatabase {
    let database = TestDatabase::new();
    let sql = String::from_utf8(evidence("postgres.sql.gz")).expect("SQL is text");
    connect(&database.url().await).await.batch_execute(&sql).await.expect("the dump loads");
    database
}

/// What a store says of its log, read in every way.
async fn readings<S: CopyStore>(store: &S) -> (LogHead, Vec<Vec<StoredEvent>>) {
    assert_eq!(store.verify(None).await.unwrap().damage, None);
    let mut readings = vec![collect(store.read_all(0)).await, collect(store.read_all(1_000)).await];
    for stream in store.streams().await.unwrap() {
        assert_eq!(store.verify(Some(&stream)).await.unwrap().damage, None);
        readings.push(collect(store.read(&stream, 2)).await);
        let odd = (1..4_000).step_by(2).collect();
        readings.push(collect(store.read_versions(&stream, odd)).await);
        let types = ["RunStarted", "LoanAllocated", "RunCompleted"].map(str::to_owned).into();
        readings.push(collect(store.read_types(&stream, 2, types)).await);
    }
    (store.head().await.unwrap(), readings)
}

/// Appends everything again; each append must be recognized.
async fn assert_appends_are_recognized<S: CopyStore>(store: &S) {
    for stored in store.appends_after(0).await.unwrap() {
        let record = stored.record;
        let range = (record.first_version, record.last_version());
        let mut events = EncodedBatch::default();
        for event in collect(store.read_between(&stored.stream, range.0, range.1)).await {
            let name = event_name(&event.event_type).unwrap();
            events.push_stored(SchemaId::new(name, event.schema_version), &event.payload);
        }
        let append = Append {
            append_id: record.append_id,
            stream: stored.stream,
            expected_version: record.first_version - 1,
            meta: record.meta,
            events,
            lease: None,
        };
        assert!(store.append(append).await.unwrap().repeated, "append {}", record.seq);
    }
}

/// Moves the events with a new process per step, and appends a new event in between.
async fn assert_moves_step_by_step(location: &impl StoreLocation) {
    let mut before = readings(&location.open().await).await;
    assert_appends_are_recognized(&location.open().await).await;
    let mut steps = Vec::new();
    loop {
        let store = location.open().await;
        match store.move_rows_into_blocks().await.unwrap() {
            None => break,
            Some(position) => steps.push(position),
        }
        assert_eq!(readings(&location.open().await).await, before, "after {steps:?}");
        if steps.len() == 1 {
            let mut append = candidates(run(7), 0, 5);
            append.meta.tenant_id = store.tenant().await.unwrap().expect("it has events");
            store.append(append).await.unwrap();
            before = readings(&store).await;
        }
    }
    assert!(steps.len() > 1 && steps.is_sorted(), "{steps:?}");
    assert_eq!(steps.last(), Some(&(before.0.position - 5)));
    let store = location.open().await;
    assert_eq!(readings(&store).await, before);
    assert_appends_are_recognized(&store).await;
    assert_eq!(store.move_rows_into_blocks().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_sound_after_each_step() {
    let file = OldFile::new();
    assert_moves_step_by_step(&file).await;
    let rows = "SELECT count(*) FROM es_events";
    let rows: i64 = file.editor().query_row(rows, [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_sound_after_each_step() {
    let database = old_database().await;
    assert_moves_step_by_step(&database).await;
    let editor = database.unguarded_client().await;
    assert!(editor.query("SELECT FROM es_events", &[]).await.unwrap().is_empty());
}

/// A step that meets damage changes nothing.
async fn assert_stops_at_damage(location: &impl StoreLocation) {
    let store = location.open().await;
    let before = store.verify(None).await.unwrap().damage.expect("the edit is found");
    let mut steps = 0;
    let error = loop {
        match store.move_rows_into_blocks().await {
            Ok(moved) => assert!(moved.is_some(), "the damage was passed over"),
            Err(error) => break error,
        }
        steps += 1;
    };
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
    assert_eq!(steps, 1, "the damage is in the second step");
    assert!(store.move_rows_into_blocks().await.is_err());
    assert_eq!(store.verify(None).await.unwrap().damage, Some(before));
    let read: Result<Vec<_>, _> = store.read_all(3_000).try_collect().await;
    read.expect("the rest is readable");
}

/// Edits of an append that the second step moves.
const EDITS: [&str; 4] = [
    "UPDATE es_appends SET append_id = '00000000-0000-0000-0000-000000000001' WHERE seq = 8",
    "UPDATE es_appends SET actor = 'intruder' WHERE seq = 8",
    "UPDATE es_events SET schema_version = schema_version + 1 WHERE stream_id = 4 AND version = 9",
    "UPDATE es_events SET hash = (SELECT hash FROM es_events WHERE stream_id = 4 AND version = 3)
     WHERE stream_id = 4 AND version = 9",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_in_a_file_stops_the_migration() {
    for edit in EDITS {
        let file = OldFile::new();
        let id = format!("x'{}'", Uuid::from_u128(1).simple());
        let edit = edit.replace("'00000000-0000-0000-0000-000000000001'", &id);
        file.open().await;
        assert_eq!(file.editor().execute(&edit, []).unwrap(), 1, "{edit}");
        assert_stops_at_damage(&file).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_in_a_database_stops_the_migration() {
    for edit in EDITS {
        let database = old_database().await;
        database.open().await;
        assert_eq!(database.unguarded_client().await.execute(edit, &[]).await.unwrap(), 1);
        assert_stops_at_damage(&database).await;
    }
}
