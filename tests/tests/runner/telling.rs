//! Verification reports changes of a store's file: of cells and rows of output tables, of the
//! history, of an index, and of an event.

use powerfill_app::explain::read_story;
use powerfill_app::verify::{VerifyReport, verify};
use powerfill_explain::StorySubject;
use powerfill_sqlite::SqliteStore;
use powerfill_tables::table::CellType;
use powerfill_tables::tables::{ALL, run_history};
use powerfill_tests::{event_blocks, sqlite_file};
use rusqlite::types::Value;

use crate::books;
use crate::desk::Desk;

/// The report of a verification.
async fn verdict(desk: &Desk) -> VerifyReport {
    let store = SqliteStore::open_existing(desk.file()).unwrap();
    verify(&store, None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_or_added_row_is_reported() {
    let desk = Desk::in_a_file();
    desk.complete(&books::mixed()).await;
    let conn = sqlite_file::open_unguarded(&desk.file());
    let table = "pfill_kickout_guide_01";
    let last = format!("row_no = (SELECT max(row_no) FROM {table})");
    conn.execute_batch(&format!("CREATE TEMP TABLE kept AS SELECT * FROM {table} WHERE {last}"))
        .unwrap();
    conn.execute_batch(&format!("DELETE FROM {table} WHERE {last}")).unwrap();
    let found = verdict(&desk).await.difference.expect("a row is missing");
    assert!(found.starts_with(&format!("{table}: rows are missing after row ")), "{found}");
    let columns: Vec<String> = conn
        .prepare(&format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'run_id'"))
        .and_then(|mut find| find.query_map([], |row| row.get(0))?.collect())
        .unwrap();
    let columns = columns.join(", ");
    let insert = |values: &str| {
        let sql = format!("INSERT INTO {table} ({columns}) SELECT {values} FROM temp.kept");
        conn.execute_batch(&sql).unwrap();
    };
    insert(&columns);
    assert!(verdict(&desk).await.is_clean());
    insert(&columns.replace("row_no", "row_no + 1"));
    let found = verdict(&desk).await.difference.expect("a row is too much");
    assert!(found.ends_with("a row that the events do not give"), "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_cell_of_the_history_is_named_with_its_run() {
    let desk = Desk::in_a_file();
    let former = desk.complete(&books::small()).await;
    desk.run(&books::refused()).await;
    let conn = sqlite_file::open_unguarded(&desk.file());
    for column in run_history::TABLE.columns {
        let sql = format!("UPDATE pfill_run_history SET {} = ?2 WHERE run_id = ?1", column.name);
        let read = format!("SELECT {} FROM pfill_run_history WHERE run_id = ?1", column.name);
        let run = former.to_string();
        let before: rusqlite::types::Value =
            conn.query_row(&read, [&run], |row| row.get(0)).unwrap();
        let edited: rusqlite::types::Value = match column.cell_type {
            CellType::Text | CellType::Json => "edited".to_owned().into(),
            _ => "2026-01-15T12:00:00.000000Z".to_owned().into(),
        };
        conn.execute(&sql, (&run, edited)).unwrap();
        let found = verdict(&desk).await.difference.expect(column.name);
        let place = format!("pfill_run_history, run {former}: {} is ", column.name);
        assert!(found.starts_with(&place), "{found}");
        conn.execute(&sql, (&run, before)).unwrap();
    }
    assert!(verdict(&desk).await.is_clean());
    // A value that is not a time cannot be compared, but it is reported.
    conn.execute("UPDATE pfill_run_history SET ended_at = 'noon'", []).unwrap();
    let found = verdict(&desk).await.difference.expect("the value is reported");
    assert!(found.contains("ended_at holds \"noon\""), "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_event_is_named_with_its_stream_and_version() {
    let desk = Desk::in_a_file();
    let run = desk.complete(&books::small()).await;
    let conn = sqlite_file::open_unguarded(&desk.file());
    // The first block has the request only.
    event_blocks::edit(&conn, 1, 2, |lines| lines[7].push(' '));
    let verdict = verdict(&desk).await;
    let damage = verdict.damage().expect("it is found");
    assert_eq!(damage.stream, Some(run.stream()));
    assert_eq!(damage.stream_version, Some(9));
    assert!(!verdict.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_cell_in_any_column_of_any_output_table_is_found() {
    let desk = Desk::in_a_file();
    desk.complete(&books::with_every_table()).await;
    let conn = sqlite_file::open_unguarded(&desk.file());
    let mut edited = 0;
    for table in ALL.iter().filter(|table| !table.keeps_every_run) {
        let rowids: Vec<i64> = conn
            .prepare(&format!("SELECT row_no FROM {} ORDER BY row_no", table.name))
            .and_then(|mut find| find.query_map([], |row| row.get(0))?.collect())
            .unwrap();
        // The last row is farthest from the beginning of the comparison.
        let Some(row_no) = rowids.last() else { continue };
        for column in table.columns {
            let (name, table) = (column.name, table.name);
            let read = format!("SELECT {name} FROM {table} WHERE row_no = ?1");
            let write = format!("UPDATE {table} SET {name} = ?2 WHERE row_no = ?1");
            let before: Value = conn.query_row(&read, [row_no], |row| row.get(0)).unwrap();
            let other = match &before {
                Value::Integer(number) => Value::Integer(number + 1),
                Value::Text(text) => Value::Text(format!("{text}0")),
                Value::Null => match column.cell_type {
                    CellType::Int => Value::Integer(0),
                    _ => Value::Text("0".to_owned()),
                },
                other => panic!("{table}.{name} holds {other:?}"),
            };
            conn.execute(&write, (row_no, &other)).unwrap();
            let found = verdict(&desk).await.difference;
            let found = found.unwrap_or_else(|| panic!("{table}.{name} as {other:?} is not found"));
            let place = format!("{table}, row {row_no}: {name} ");
            assert!(found.starts_with(&place), "{found}");
            conn.execute(&write, (row_no, &before)).unwrap();
            edited += 1;
        }
    }
    assert!(edited > 100, "{edited} columns have a cell");
    assert!(verdict(&desk).await.is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_beside_the_events_is_compared_with_them() {
    let changes = [
        ("DELETE FROM snapshots", "its captured snapshot"),
        ("DELETE FROM pfill_run_history", "its row is missing"),
        ("DELETE FROM runs", "is not in the queue"),
        ("UPDATE runs SET status = 'Failed'", "the queue says Failed, its events Complete"),
        ("UPDATE runs SET requested_at = requested_at + 1", "another moment of its request"),
        (
            "DROP TRIGGER es_event_blocks_no_delete",
            "the trigger es_event_blocks_no_delete of the store is missing",
        ),
        (
            "CREATE TRIGGER quiet BEFORE INSERT ON es_event_blocks BEGIN SELECT RAISE(IGNORE); END",
            "the trigger quiet does not belong to the store",
        ),
        ("DROP INDEX one_active_run", "the index one_active_run of the store is missing"),
    ];
    for (sql, said) in changes {
        let desk = Desk::in_a_file();
        desk.complete(&books::small()).await;
        sqlite_file::open_unguarded(&desk.file()).execute_batch(sql).unwrap();
        let verdict = verdict(&desk).await;
        let damage = verdict.damage().map(|damage| damage.what.clone());
        let found = damage.or(verdict.difference).unwrap_or_else(|| panic!("{sql} is not found"));
        assert!(found.contains(said), "{sql}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_run_is_verified_without_the_others() {
    let desk = Desk::in_a_file();
    let former = desk.complete(&books::small()).await;
    let latest = desk.complete(&books::small()).await;
    let conn = sqlite_file::open_unguarded(&desk.file());
    let edit = "UPDATE pfill_run_history SET requested_by = 'edited' WHERE run_id = ?1";
    assert_eq!(conn.execute(edit, [former.to_string()]).unwrap(), 1);
    let store = SqliteStore::open_existing(desk.file()).unwrap();
    assert!(verify(&store, Some(latest)).await.unwrap().is_clean());
    let found = verify(&store, Some(former)).await.unwrap().difference.expect("it is found");
    assert!(
        found.starts_with(&format!("pfill_run_history, run {former}: requested_by")),
        "{found}"
    );
}

/// For a published run and one that is not: an entry that is removed, changed, added, or of another
/// subject.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_entry_of_an_index_is_named_with_its_run() {
    let desk = Desk::in_a_file();
    let former = desk.complete(&books::mixed()).await;
    let shown = desk.complete(&books::small()).await;
    let conn = sqlite_file::open_unguarded(&desk.file());
    let found = |sql: &str| {
        let sql = sql.to_owned();
        let (conn, desk) = (&conn, &desk);
        async move {
            conn.execute_batch("CREATE TEMP TABLE kept AS SELECT * FROM event_index_entries")
                .unwrap();
            conn.execute_batch("CREATE TEMP TABLE ends AS SELECT * FROM event_indexes").unwrap();
            conn.execute_batch(&sql).unwrap();
            let found = verdict(desk).await.difference;
            for (table, kept) in [("event_index_entries", "kept"), ("event_indexes", "ends")] {
                let back = format!(
                    "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM temp.{kept}; DROP TABLE temp.{kept}"
                );
                conn.execute_batch(&back).unwrap();
            }
            assert!(verdict(desk).await.is_clean(), "{sql} was taken back");
            found.unwrap_or_else(|| panic!("{sql} was not found"))
        }
    };
    for (stream, run) in [(1, former), (2, shown)] {
        let (subject, name): (String, String) = conn
            .query_row(
                "SELECT subject, name FROM event_index_entries
                 WHERE stream_id = ?1 AND subject = 'loan' ORDER BY name DESC LIMIT 1",
                [stream],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap();
        let entry = format!("stream_id = {stream} AND subject = '{subject}' AND name = '{name}'");
        let of_run = format!("the event index of run {run}: ");
        let gone = found(&format!("DELETE FROM event_index_entries WHERE {entry}")).await;
        assert_eq!(gone, format!("{of_run}loan {name} is missing"));
        for versions in
            ["substr(versions, 2)", "x''", "x'80'", "CAST(versions || x'01' AS BLOB)", "x'01'"]
        {
            let sql = format!("UPDATE event_index_entries SET versions = {versions} WHERE {entry}");
            let changed = found(&sql).await;
            let named = format!("{of_run}loan {name} lists the events ");
            assert!(changed.starts_with(&named), "{changed}");
        }
        let renamed =
            found(&format!("UPDATE event_index_entries SET name = 'x' WHERE {entry}")).await;
        assert_eq!(renamed, format!("{of_run}loan x is not in the events"));
        let added = found(&format!(
            "INSERT INTO event_index_entries VALUES ({stream}, 'trade', 'unknown', x'01')"
        ))
        .await;
        assert_eq!(added, format!("{of_run}trade unknown is not in the events"));
        for up_to in ["up_to_version - 1", "up_to_version + 1", "1"] {
            let sql = format!(
                "UPDATE event_indexes SET up_to_version = {up_to} WHERE stream_id = {stream}"
            );
            let cut = found(&sql).await;
            assert!(cut.starts_with(&of_run), "{cut}");
        }
    }
    let stray = found("INSERT INTO event_indexes VALUES (99, 1, 7)").await;
    assert!(stray.contains("an event index of stream 99"), "{stray}");
    let foreign = found("INSERT INTO event_index_entries VALUES (1, 'pool', 'P1', x'01')").await;
    assert!(foreign.contains("the subject \"pool\""), "{foreign}");
}

/// The error says what is wrong, and what to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_story_is_not_read_from_a_damaged_index() {
    let desk = Desk::in_a_file();
    let run = desk.complete(&books::small()).await;
    let conn = sqlite_file::open_unguarded(&desk.file());
    // Truncated; not ascending; an event that the run does not have.
    for versions in ["x'80'", "x'0100'", "x'01ff7f'"] {
        let sql =
            format!("UPDATE event_index_entries SET versions = {versions} WHERE subject = 'run'");
        assert_eq!(conn.execute(&sql, []).unwrap(), 1);
        let store = SqliteStore::open_existing(desk.file()).unwrap();
        let refused = read_story(&store, run, StorySubject::Loan("unknown")).await;
        let Err(error) = refused.map(|_| ()) else { panic!("{versions} was read") };
        let text = error.to_string();
        assert!(text.contains(&format!("`powerfill rebuild {run}`")), "{text}");
    }
}
