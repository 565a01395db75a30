//! Measurements of the SQLite store: reading back and appending.

use std::path::Path;
use std::time::Instant;

use futures::TryStreamExt;
use powerfill_app::read_run;
use powerfill_events::log::{AppendMeta, EncodedBatch};
use powerfill_events::run::{RunEvent, RunId, RunState};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::Store;
use powerfill_ports::events::{Append, EventStore};
use powerfill_ports::index::IndexStore;
use powerfill_snapshot::{RunOptions, validate};
use powerfill_sqlite::SqliteStore;
use powerfill_tables::event_index::{IndexEntry, SubjectKind};
use powerfill_tests::all_runs::AllRuns;
use uuid::Uuid;

use crate::{row, seconds};

/// Number of events that are read back.
const READ: u64 = 1_000_000;
/// Events per append.
const BATCH: usize = 10_000;
const APPENDS: usize = 20;

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

/// Removes a store and the files beside it.
pub(crate) fn remove(store: &Path) {
    for suffix in ["", "-wal", "-shm", "-lock", ".lock"] {
        let file = format!("{}{suffix}", store.display());
        let _ = std::fs::remove_file(file);
    }
}

/// Decodes and folds the first events of the store's run.
pub(crate) async fn read_back_and_fold<S: Store>(store: &S, name: &str) {
    let run = store.all_runs().await.unwrap()[0].run_id;
    let begun = Instant::now();
    let (mut state, mut events) = (RunState::default(), 0);
    let mut batches = read_run(store, run);
    while let Some(batch) = batches.try_next().await.unwrap() {
        for decoded in &batch {
            state.apply(&decoded.event);
        }
        events += batch.len() as u64;
        if events >= READ {
            break;
        }
    }
    let measured = format!("{} for {events} events", seconds(begun.elapsed().as_micros()));
    row(&format!("read back and fold 1,000,000 events, {name}"), "5 s", &measured);
}

/// The loan and the trade that most events name: those with the most candidates.
pub(crate) fn busiest(store: &Path) -> (IndexEntry, IndexEntry) {
    let store = SqliteStore::open_existing(store).unwrap();
    runtime().block_on(async {
        let run = store.all_runs().await.unwrap()[0].run_id;
        let batches: Vec<_> = store.index_entries(run).try_collect().await.unwrap();
        let entries = batches.concat();
        let most = |kind| {
            let of_kind = entries.iter().filter(|entry| entry.subject.kind == kind);
            of_kind.max_by_key(|entry| events_of(entry)).unwrap().clone()
        };
        (most(SubjectKind::Loan), most(SubjectKind::Trade))
    })
}

/// Number of events that an entry lists.
pub(crate) fn events_of(entry: &IndexEntry) -> usize {
    entry.versions.decode().unwrap().len()
}

/// The first `count` candidates of a book.
pub(crate) fn candidates(book: &Path, count: usize) -> Vec<RunEvent> {
    let snapshot = validate(powerfill_csv::read_folder(book).unwrap()).unwrap().snapshot;
    let events = powerfill_engine::decide_all(&snapshot, &RunOptions::default());
    let candidates = events.into_iter().filter(|e| matches!(e, RunEvent::CandidateScored(_)));
    let candidates: Vec<RunEvent> = candidates.take(count).collect();
    assert_eq!(candidates.len(), count);
    candidates
}

/// Appends of events to a new stream, one per batch.
pub(crate) fn appends(events: &[RunEvent], stream: u128, batch: usize) -> Vec<Append> {
    let at = Timestamp::from_micros(1_770_000_000_000_000);
    let meta = AppendMeta::new(TenantId::from("bench"), "bench", at);
    let numbered = events.chunks(batch).enumerate();
    numbered
        .map(|(number, part)| Append {
            append_id: Uuid::from_u128((stream << 64) + number as u128),
            stream: RunId(Uuid::from_u128(stream)).stream(),
            expected_version: (number * batch) as u64,
            meta: meta.clone(),
            events: EncodedBatch::encode(part),
            lease: None,
        })
        .collect()
}

/// Measures durable appends of candidates to a new store.
pub(crate) fn append(book: &Path, store: &Path) {
    let events = vec![candidates(book, BATCH); APPENDS].concat();
    let appends = appends(&events, 1, BATCH);
    let store = SqliteStore::open(store).unwrap();
    let micros = runtime().block_on(async {
        let begun = Instant::now();
        for append in appends {
            store.append(append).await.unwrap();
        }
        begun.elapsed().as_micros()
    });
    let events = (APPENDS * BATCH) as u128;
    let measured = format!("{} events per second", events * 1_000_000 / micros.max(1));
    row("append, SQLite, durable, batches of 10,000", "–", &measured);
}
