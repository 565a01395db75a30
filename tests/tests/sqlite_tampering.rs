//! A store file that is edited without the store: verification reports the edit (specification
//! 3.2).

use powerfill_ports::copying::CopyStore;
use powerfill_ports::events::EventStore;
use powerfill_sqlite::SqliteStore;
use powerfill_tests::store_suite::samples::fill_to_tamper;
use powerfill_tests::tampering::{TamperedStore, damage, verified};
use powerfill_tests::{event_blocks, sqlite_file};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

/// A store with two interleaved streams and two snapshots, and the seal of its head.
struct SampleStore {
    folder: TempDir,
    seal: (u64, blake3::Hash),
}

impl TamperedStore for SampleStore {
    type Store = SqliteStore;

    const DAMAGES: &'static [&'static str] = &[
        "INSERT INTO es_head SELECT 2, seq, position, seal FROM es_head",
        "INSERT INTO es_streams VALUES (9, 'run-x', 0, x'00')",
        "UPDATE es_event_blocks SET event_checks = x'' WHERE first_version = 4",
    ];

    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("acme.db")).unwrap();
        let head = fill_to_tamper(&store).await;
        store.set_verified_log(head).await.unwrap();
        Self { folder, seal: (head.seq, head.seal) }
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open_existing(self.folder.path().join("acme.db")).unwrap()
    }

    fn seal(&self) -> (u64, blake3::Hash) {
        self.seal
    }

    async fn sql(&self, sql: &str) {
        self.editor().execute_batch(sql).unwrap();
    }

    async fn edit_block(
        &self,
        stream_id: i64,
        first_version: i64,
        change: impl FnOnce(&mut Vec<String>),
    ) {
        event_blocks::edit(&self.editor(), stream_id, first_version, change);
    }
}

impl SampleStore {
    fn editor(&self) -> Connection {
        sqlite_file::open_unguarded(&self.folder.path().join("acme.db"))
    }
}

powerfill_tests::tampering_suite!(SampleStore);

/// Another value of the same type, which differs by one byte or by one.
fn changed(value: Value) -> Value {
    match value {
        Value::Null => Value::Blob(vec![7; 16]),
        Value::Integer(number) => Value::Integer(number + 1),
        Value::Real(_) => panic!("no store column holds a float"),
        Value::Text(text) => {
            let mut bytes = text.into_bytes();
            let at = bytes.len() / 2;
            bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
            Value::Text(String::from_utf8(bytes).unwrap())
        }
        Value::Blob(mut bytes) => {
            let at = bytes.len() / 2;
            bytes[at] ^= 1;
            Value::Blob(bytes)
        }
    }
}

/// Every column of every row of all tables that verification covers.
fn cells(conn: &Connection) -> Vec<(String, String, i64)> {
    let mut cells = Vec::new();
    for table in
        ["es_streams", "es_event_blocks", "es_appends", "es_head", "snapshots", "verified_log"]
    {
        let text = |sql: String| -> Vec<String> {
            let mut rows = conn.prepare(&sql).unwrap();
            rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        let columns = text(format!("SELECT name FROM pragma_table_info('{table}')"));
        let rowids = text(format!("SELECT CAST(rowid AS TEXT) FROM {table} ORDER BY rowid"));
        assert!(!columns.is_empty() && !rowids.is_empty(), "{table}");
        for column in &columns {
            for rowid in &rowids {
                cells.push((table.to_owned(), column.clone(), rowid.parse().unwrap()));
            }
        }
    }
    cells
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_in_any_column_of_any_row_is_found() {
    let sound = SampleStore::new().await;
    assert_eq!(verified(&sound).await, None);
    let conn = sound.editor();
    let all = cells(&conn);
    assert!(all.len() > 100, "{}", all.len());
    let store = sound.store();
    for (table, column, rowid) in all {
        let at = format!("{table}.{column} of row {rowid}");
        let read = format!("SELECT {column} FROM {table} WHERE rowid = ?1");
        let write = format!("UPDATE {table} SET {column} = ?2 WHERE rowid = ?1");
        let value: Value = conn.query_row(&read, [rowid], |row| row.get(0)).unwrap();
        let mut other = changed(value.clone());
        // The next number may belong to another row.
        let mut now_at = rowid;
        while conn.execute(&write, (rowid, &other)).is_err() {
            other = changed(other);
        }
        if let (Value::Integer(number), "seq" | "stream_id" | "id") = (&other, column.as_str())
            && conn.query_row(&read, [rowid], |row| row.get::<_, Value>(0)).is_err()
        {
            now_at = *number;
        }
        let verification = store.verify(None).await.unwrap();
        assert!(verification.damage.is_some(), "a change in {at} to {other:?} was not found");
        assert!(!verification.damage.unwrap().what.is_empty(), "{at}");
        conn.execute(&write, (now_at, &value)).unwrap();
    }
    assert_eq!(store.verify(None).await.unwrap().damage, None, "all values are restored");
}

/// No store has both the block of an event and its row.
#[tokio::test]
async fn an_event_that_is_also_a_row_is_named() {
    for (position, stream, version) in [(1, 1, 1), (12, 1, 8)] {
        let sound = SampleStore::new().await;
        let sql = "INSERT INTO es_events VALUES (?1, ?2, ?3, 'CandidateScored', 1, '{}', x'00')";
        sound.editor().execute(sql, (position, stream, version)).unwrap();
        let damage = damage(&sound, "a row").await;
        let what = format!("the event at position {position} belongs to no append");
        assert!(damage.what.contains(&what), "{damage:?}");
    }
}

#[tokio::test]
async fn the_guards_refuse_an_edit_of_the_log() {
    let sound = SampleStore::new().await;
    let conn = Connection::open(sound.folder.path().join("acme.db")).unwrap();
    for sql in [
        "UPDATE es_event_blocks SET codec = 'none'",
        "DELETE FROM es_event_blocks",
        "UPDATE es_appends SET actor = 'intruder'",
        "DELETE FROM es_appends",
        "DELETE FROM es_streams",
        "UPDATE es_streams SET name = 'run-y'",
        "UPDATE es_streams SET version = version - 1",
        "DELETE FROM es_head",
        "UPDATE es_head SET position = 0",
    ] {
        let refused = conn.execute_batch(sql);
        assert!(refused.is_err(), "{sql}");
    }
    assert_eq!(verified(&sound).await, None);
}
