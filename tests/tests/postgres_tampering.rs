//! A database that is edited without the store, by a user with all rights: verification reports the
//! edit (specification 3.2).

use powerfill_ports::StoreError;
use powerfill_ports::projections::ProjectionStore;
use powerfill_postgres::PostgresStore;
use powerfill_tables::table::{Cell, RowBatch};
use powerfill_tests::event_blocks;
use powerfill_tests::postgres::TestDatabase;
use powerfill_tests::store_suite::StoreLocation;
use powerfill_tests::store_suite::samples::{
    GUIDE, KICKOUTS, fill_to_tamper, kickouts, run, unleased,
};
use powerfill_tests::tampering::{TamperedStore, damage, verified};

use futures::TryStreamExt;
use tokio_postgres::Client;

/// A store with two interleaved streams and two snapshots, a client that can edit everything, and
/// the seal of the head.
struct SampleStore {
    _place: TestDatabase,
    store: PostgresStore,
    editor: Client,
    seal: (u64, blake3::Hash),
}

impl TamperedStore for SampleStore {
    type Store = PostgresStore;

    const DAMAGES: &'static [&'static str] = &[
        "INSERT INTO es_streams VALUES (9, 'run-x', 0, '\\x00')",
        "UPDATE es_appends SET recorded_at = 'infinity' WHERE seq = 1",
        "UPDATE es_event_blocks SET event_checks = '' WHERE first_version = 4",
    ];

    async fn new() -> Self {
        let place = TestDatabase::new();
        let store = place.open().await;
        let head = fill_to_tamper(&store).await;
        let editor = place.unguarded_client().await;
        Self { _place: place, store, editor, seal: (head.seq, head.seal) }
    }

    fn store(&self) -> PostgresStore {
        self.store.clone()
    }

    fn seal(&self) -> (u64, blake3::Hash) {
        self.seal
    }

    async fn sql(&self, sql: &str) {
        self.editor.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    async fn edit_block(
        &self,
        stream_id: i64,
        first_version: i64,
        change: impl FnOnce(&mut Vec<String>),
    ) {
        event_blocks::edit_in_postgres(&self.editor, stream_id, first_version, change).await;
    }
}

powerfill_tests::tampering_suite!(SampleStore);

/// Another value of the same type, which differs by one byte or by one, as SQL over the column.
fn changed(column: &str, sql_type: &str, step: u32) -> String {
    let text = format!("{column}::text");
    match sql_type {
        "integer" | "bigint" => format!("{column} + {step}"),
        "bytea" => {
            let at = format!("length({column}) / 2");
            format!("set_byte({column}, {at}, get_byte({column}, {at}) # 1)")
        }
        // One byte in the middle; instead of NULL, any id.
        "uuid" => format!(
            "coalesce(overlay({text} placing CASE WHEN {text} LIKE '%-7%' THEN '6' ELSE '7' END
                              from 15)::uuid,
                      '0198-0000-0000-7000-8000-0000-0000-0000'::uuid)"
        ),
        "timestamp with time zone" => format!("{column} + interval '1 microsecond'"),
        "text" => format!(
            "overlay({column} placing CASE WHEN substr({column}, length({column}) / 2 + 1, 1) = '1'
                                           THEN '2' ELSE '1' END from length({column}) / 2 + 1)"
        ),
        other => panic!("no change for {other}"),
    }
}

/// Every column of every row of all tables that verification covers, also NULLs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_in_any_column_of_any_row_is_found() {
    let sound = SampleStore::new().await;
    let editor = &sound.editor;
    assert_eq!(verified(&sound).await, None);
    let columns = editor
        .query(
            "SELECT table_name::text, column_name::text, data_type::text
             FROM information_schema.columns
             WHERE table_schema = 'powerfill'
               AND table_name IN ('es_streams', 'es_event_blocks', 'es_appends', 'es_head', 'snapshots')
             ORDER BY 1, ordinal_position",
            &[],
        )
        .await
        .unwrap();
    let (mut found, mut refused) = (0, Vec::new());
    for row in &columns {
        let (table, column, sql_type): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        let rows = editor.query(&format!("SELECT ctid::text FROM {table}"), &[]).await.unwrap();
        assert!(!rows.is_empty(), "{table}");
        for row in &rows {
            let place: &str = row.get(0);
            sound
                .sql(&format!(
                    "CREATE TEMP TABLE kept AS SELECT {column} FROM {table} WHERE ctid = '{place}'"
                ))
                .await;
            let mut edited = None;
            // The next number may belong to another row.
            for step in [1, 1_000] {
                let change = changed(column, sql_type, step);
                let sql = format!(
                    "UPDATE {table} SET {column} = {change} WHERE ctid = '{place}'
                     RETURNING ctid::text"
                );
                if let Ok(row) = editor.query_one(&sql, &[]).await {
                    edited = Some(row.get::<_, String>(0));
                    break;
                }
            }
            if let Some(place) = edited {
                let at = format!("{table}.{column} at {place}");
                let damage = damage(&sound, &at).await;
                assert!(!damage.what.is_empty(), "{at}");
                found += 1;
                sound
                    .sql(&format!(
                        "UPDATE {table} SET {column} = (SELECT {column} FROM kept)
                         WHERE ctid = '{place}'"
                    ))
                    .await;
            } else {
                refused.push(format!("{table}.{column}"));
            }
            sound.sql("DROP TABLE kept").await;
        }
    }
    assert!(found > 100, "{found}");
    // This column has a constraint, which also applies to this client. Dropping it is reported,
    // too.
    assert_eq!(refused, ["es_head.id"]);
    assert_eq!(verified(&sound).await, None, "all values are restored");
}

/// No store has both the block of an event and its row.
#[tokio::test]
async fn an_event_that_is_also_a_row_is_named() {
    for (stream, version) in [(1, 1), (1, 8), (9, 1)] {
        let sound = SampleStore::new().await;
        sound.sql(&format!(
                "INSERT INTO es_events VALUES ({stream}, {version}, 'CandidateScored', 1, '{{}}', '\\x00')"
            ))
            .await;
        let damage = damage(&sound, "a row").await;
        assert!(damage.what.contains("belongs to no append"), "{damage:?}");
        assert_eq!(damage.stream_version, Some(version));
    }
}

#[tokio::test]
async fn a_guard_that_is_missing_or_changed_is_named() {
    let function = "CREATE OR REPLACE FUNCTION refuse_change() RETURNS TRIGGER LANGUAGE plpgsql \
                    AS 'BEGIN RETURN NULL; END'";
    for (sql, named) in [
        ("DROP TRIGGER es_events_append_only ON es_events", "es_events_append_only"),
        (
            "DROP TRIGGER es_event_blocks_append_only ON es_event_blocks",
            "es_event_blocks_append_only",
        ),
        ("ALTER TABLE es_appends DISABLE TRIGGER ALL", "es_appends_append_only"),
        ("ALTER TABLE es_head DISABLE TRIGGER es_head_forward", "es_head_forward"),
        (function, "refuse_change"),
        ("CREATE RULE quiet AS ON INSERT TO es_event_blocks DO INSTEAD NOTHING", "quiet"),
        (
            "CREATE TRIGGER more BEFORE INSERT ON es_event_blocks
             FOR EACH ROW EXECUTE FUNCTION streams_only_grow()",
            "more",
        ),
        ("ALTER TABLE es_event_blocks ENABLE ROW LEVEL SECURITY", "es_event_blocks"),
        ("DROP INDEX one_active_run", "one_active_run"),
        (
            "ALTER TABLE es_appends DROP CONSTRAINT es_appends_append_id_key",
            "es_appends_append_id_key",
        ),
        ("ALTER TABLE es_event_blocks ADD COLUMN note TEXT", "es_event_blocks.note"),
    ] {
        let sound = SampleStore::new().await;
        sound.sql(sql).await;
        let damage = damage(&sound, sql).await;
        assert!(damage.what.contains(named), "{sql}: {damage:?}");
    }
}

/// A cell with a value that PowerFill does not write is refused. Any other edit is found by a
/// rebuild.
#[tokio::test]
async fn an_edited_output_is_read_as_edited_or_refused() {
    let sound = SampleStore::new().await;
    let store = &sound.store;
    let mut guide = RowBatch { table: &GUIDE, cells: vec![Cell::Null; GUIDE.columns.len()] };
    guide.cells[2] = Cell::Fixed(150, 2);
    store.begin_staging(unleased(run(1)), &[&GUIDE, &KICKOUTS]).await.unwrap();
    store.stage(unleased(run(1)), [guide, kickouts(["L1"])].into(), 7).await.unwrap();
    store.publish(unleased(run(1)), &[]).await.unwrap();
    for (table, assignment) in [
        (&GUIDE, "loan_amount = 1.5"),
        (&GUIDE, "loan_amount = 1.500"),
        (&GUIDE, "loan_amount = 'NaN'"),
        (&GUIDE, "loan_amount = 'Infinity'"),
        (&GUIDE, "settlement_date = 'infinity'"),
        (&GUIDE, "run_started = '-infinity'"),
        (&KICKOUTS, "reason = E'\\x1a'"),
        (&KICKOUTS, "run_id = gen_random_uuid()"),
    ] {
        let name = table.name;
        let column = assignment.split(' ').next().unwrap();
        sound
            .sql(&format!("CREATE TABLE kept AS TABLE {name}; UPDATE {name} SET {assignment}"))
            .await;
        let read: Result<Vec<_>, _> = store.rows(table).try_collect().await;
        let Err(StoreError::Corrupt(fault)) = read else { panic!("{assignment}: {read:?}") };
        let what = fault.to_string();
        assert!(what.contains(name) && what.contains("row 1") && what.contains(column), "{what}");
        sound
            .sql(&format!(
                "UPDATE {name} SET {column} = (SELECT {column} FROM kept); DROP TABLE kept"
            ))
            .await;
        let _: Vec<_> = store.rows(table).try_collect().await.unwrap();
    }
    sound.sql("UPDATE pfill_test_kickouts SET reason = 'NoTrade'").await;
    let read: Vec<_> = store.rows(&KICKOUTS).try_collect().await.unwrap();
    assert_eq!(read[0].rows.cells[1], Cell::Text("NoTrade".into()));
}
