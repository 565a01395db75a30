//! Runs of an older program verify, rebuild, and replay with a later one that has more output
//! tables and columns.

use std::sync::{Arc, LazyLock};

use futures::TryStreamExt;
use powerfill_app::NoObserver;
use powerfill_app::rebuild::{fold, rebuild_with};
use powerfill_app::replay::{ReplayOutcome, replay};
use powerfill_app::verify::verify_with;
use powerfill_events::log::{AppendMeta, EncodedBatch, SchemaId};
use powerfill_events::run::event::{RunCompleted, TableVersion};
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_memory::MemoryStore;
use powerfill_ports::events::{Append, EventStore};
use powerfill_ports::runs::ProjectionWriter;
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_tables::table::{
    Cell, Column, LargeTables, RowBatch, TableRef, TableRole, TableSpec,
};
use powerfill_tables::tables::{Projector, kickout, powerfill_log, projectors};
use powerfill_tables::{RunTables, UnknownTable};
use powerfill_tests::sqlite_file;
use uuid::Uuid;

use crate::books;
use crate::desk::Desk;

/// A table with one more column, which version 2 added.
struct WithColumn {
    first: Box<dyn Projector>,
    second: TableRef,
}

impl Projector for WithColumn {
    fn table(&self) -> TableRef {
        self.second
    }
    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool {
        self.first.apply(event)
    }
    fn rows(&self, out: &mut RowBatch) {
        let mut rows = RowBatch::new(self.first.table());
        self.first.rows(&mut rows);
        for row in rows.rows() {
            out.cells.extend(row.iter().cloned().chain([Cell::Name("later")]));
        }
    }
}

fn with_column(table: TableRef) -> TableRef {
    let columns = [table.columns, &[Column::text("note").since(2)]].concat();
    Box::leak(Box::new(TableSpec { columns: columns.leak(), ..*table }))
}

static KICKOUTS: LazyLock<&TableSpec> = LazyLock::new(|| with_column(&kickout::TABLE));
static LOG: LazyLock<&TableSpec> = LazyLock::new(|| with_column(&powerfill_log::TABLE));

/// A new table, with one row per pass.
struct Passes {
    table: TableRef,
    rows: Vec<Cell>,
}

static PASSES: TableSpec = TableSpec::bare("pfill_test_passes", &[Column::int("allocated")]);
static PASS_RECORDS: TableSpec = TableSpec {
    role: TableRole::Record,
    ..TableSpec::bare("pfill_test_pass_records", &[Column::int("allocated").since(2)])
};

impl Projector for Passes {
    fn table(&self) -> TableRef {
        self.table
    }
    fn apply(&mut self, event: &RecordedEvent<'_>) -> bool {
        let RunEvent::PassCompleted(pass) = event.event else { return false };
        self.rows.push(pass.allocated.into());
        true
    }
    fn rows(&self, out: &mut RowBatch) {
        out.cells.extend_from_slice(&self.rows);
    }
}

/// The tables of a later program.
fn later() -> Vec<Box<dyn Projector>> {
    let mut later: Vec<Box<dyn Projector>> = Vec::new();
    for first in projectors() {
        later.push(match first.table().name {
            name if name == KICKOUTS.name => Box::new(WithColumn { first, second: &KICKOUTS }),
            name if name == LOG.name => Box::new(WithColumn { first, second: &LOG }),
            _ => first,
        });
    }
    for table in [&PASSES, &PASS_RECORDS] {
        later.push(Box::new(Passes { table, rows: Vec::new() }));
    }
    later
}

async fn completed(desk: &Desk, run: RunId) -> RunCompleted {
    match desk.events(run).await.pop() {
        Some(RunEvent::RunCompleted(completed)) => *completed,
        other => panic!("{other:?}"),
    }
}

async fn last_cells(desk: &Desk, table: TableRef) -> Vec<Cell> {
    let batches: Vec<_> = desk.store.rows(table).try_collect().await.expect("rows can be read");
    let rows = batches.iter().flat_map(|batch| batch.rows.rows());
    rows.filter_map(|row| row.last().cloned()).collect()
}

pub(crate) async fn later_tables_and_columns_are_no_difference_of_an_older_run(desk: &Desk) {
    let run = desk.complete(&books::with_every_table()).await;
    let store = desk.store.as_ref();
    assert!(last_cells(desk, &KICKOUTS).await.iter().all(|cell| *cell == Cell::Null));
    let verdict = verify_with(store, None, later).await.expect("the store answers");
    assert!(verdict.is_clean(), "{verdict:?}");

    let writer = ProjectionWriter::Maintenance(run);
    let rebuilt = rebuild_with(store, writer, later, LargeTables::Stored).await;
    let rebuilt = rebuilt.expect("the tables are rebuilt");
    assert!(rebuilt.agrees());
    assert_eq!(rebuilt.rebuilt, completed(desk, run).await);

    // The store now has the later tables and columns, whose values are verified too.
    assert!(last_cells(desk, &KICKOUTS).await.contains(&Cell::Text("later".into())));
    assert!(!last_cells(desk, &PASSES).await.is_empty());
    let verdict = verify_with(store, None, later).await.expect("the store answers");
    assert!(verdict.is_clean(), "{verdict:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_program_finds_an_edited_cell_of_an_older_run() {
    let desk = Desk::in_a_file();
    desk.complete(&books::with_every_table()).await;
    let conn = sqlite_file::open_unguarded(&desk.file());
    for (table, column) in [(&KICKOUTS, "reason"), (&LOG, "message")] {
        let name = table.name;
        let value = format!("SELECT {column} FROM {name} WHERE row_no = 1");
        let before: String = conn.query_row(&value, [], |row| row.get(0)).unwrap();
        let update = format!("UPDATE {name} SET {column} = ?1 WHERE row_no = 1");
        conn.execute(&update, ["edited"]).unwrap();
        let verdict = verify_with(desk.store.as_ref(), None, later).await.unwrap();
        let difference = verdict.difference.expect("the edited cell is found");
        assert!(difference.contains(&format!("{name}, row 1: {column} is")), "{difference}");
        conn.execute(&update, [before]).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_covers_the_tables_and_versions_that_its_run_names() {
    let desk = Desk::in_memory();
    let run = desk.complete(&books::with_every_table()).await;
    let (events, older) = (desk.events(run).await, completed(&desk, run).await);
    let mut tables = RunTables::of_stored_run(later());
    for (stream_version, event) in (1..).zip(&events[..events.len() - 1]) {
        let recorded_at = desk.now();
        tables.apply(&RecordedEvent {
            run_id: run,
            stream_version,
            recorded_at,
            actor: "x",
            event,
        });
    }
    let newer = tables.complete();
    let version = |table: &str, version| TableVersion { table: table.to_owned(), version };
    assert!(newer.tables.contains(&version(KICKOUTS.name, 2)));
    assert!(newer.tables.contains(&version(PASSES.name, 1)));
    assert_eq!(newer.tables.len(), older.tables.len() + 1);
    assert_ne!(newer.output_digest, older.output_digest);
    assert_eq!(tables.complete_as(&older.tables).as_ref(), Ok(&older));
    assert_eq!(tables.complete_as(&newer.tables).as_ref(), Ok(&newer));
    let mut today = RunTables::of_stored_run(projectors());
    let unknown = UnknownTable { table: KICKOUTS.name.to_owned(), version: 2 };
    assert_eq!(today.complete_as(&newer.tables), Err(unknown));
}

/// `RunCompleted` as release 0.1.0 wrote it: it does not name the tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_completed_in_version_1_is_replayed_and_rebuilt() {
    let desk = Desk::in_memory();
    let run = desk.complete(&books::mixed()).await;
    let events = desk.events(run).await;
    let (Some(RunEvent::RunCompleted(completed)), RunEvent::RunRequested(requested)) =
        (events.last(), &events[0])
    else {
        panic!("the run is complete")
    };
    let mut encoded = EncodedBatch::encode(&events[..events.len() - 1]);
    let version_1 = serde_json::json!({
        "counts": completed.counts, "output_digest": completed.output_digest,
    });
    encoded.push_stored(SchemaId::new("RunCompleted", 1), version_1.to_string().as_bytes());
    let store = MemoryStore::new();
    let canonical = desk.store.captured(&requested.snapshot_digest).await.unwrap();
    store.capture(&requested.snapshot_digest, &canonical).await.unwrap();
    let append = Append {
        append_id: Uuid::from_u128(1),
        stream: run.stream(),
        expected_version: 0,
        meta: AppendMeta::new(requested.tenant_id.clone(), "worker", desk.now()),
        events: encoded,
        lease: None,
    };
    store.append(append).await.unwrap();
    let replayed = replay(&store, run, Arc::new(NoObserver)).await.unwrap();
    assert_eq!(replayed.answer, ReplayOutcome::Reproduced);
    let rebuilt = fold(&store, run, async |_, _| Ok(())).await.unwrap();
    assert!(rebuilt.agrees());
    assert_eq!(rebuilt.recorded.as_ref(), Some(&**completed));
}
