//! A store file that is edited without the store: verification reports the edit (specification
//! 3.2).

use powerfill_ports::events::{Damage, EventStore, Verification};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_sqlite::SqliteStore;
use powerfill_tests::sqlite_file;
use powerfill_tests::store_suite::samples::{candidates, run};
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

/// A store with two interleaved streams and two snapshots, and the seal of its head.
struct SampleStore {
    folder: TempDir,
    seal: (u64, blake3::Hash),
}

impl SampleStore {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("acme.db")).unwrap();
        for (run, version, count) in
            [(run(1), 0, 4), (run(2), 0, 3), (run(1), 4, 3), (run(2), 3, 1)]
        {
            store.append(candidates(run, version, count)).await.unwrap();
        }
        for text in ["one book", "another book"] {
            let digest = blake3::hash(text.as_bytes()).to_hex();
            store.capture(&digest, text.as_bytes()).await.unwrap();
        }
        let head = store.head().await.unwrap();
        Self { folder, seal: (head.seq, head.seal) }
    }

    fn tamper(&self, with: impl FnOnce(&Connection)) {
        with(&sqlite_file::open_unguarded(&self.folder.path().join("acme.db")));
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::open_existing(self.folder.path().join("acme.db")).unwrap()
    }

    async fn verify(&self) -> Verification {
        self.store().verify(None).await.unwrap()
    }

    async fn damage(&self) -> Damage {
        self.verify().await.damage.expect("damage is found")
    }
}

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
    for table in ["es_streams", "es_events", "es_appends", "es_head", "snapshots"] {
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
    assert_eq!(sound.verify().await.damage, None);
    let mut all = Vec::new();
    sound.tamper(|conn| all = cells(conn));
    assert!(all.len() > 100, "{}", all.len());
    let conn = sqlite_file::open_unguarded(&sound.folder.path().join("acme.db"));
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
        if let (Value::Integer(number), "seq" | "position" | "stream_id" | "id") =
            (&other, column.as_str())
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

#[tokio::test]
async fn a_changed_payload_is_named_by_stream_and_version() {
    let sound = SampleStore::new().await;
    sound.tamper(|conn| {
        conn.execute_batch(
            "UPDATE es_events SET payload = replace(payload, '\"turn\":1', '\"turn\":2')
             WHERE position = 6",
        )
        .unwrap();
    });
    let damage = sound.damage().await;
    assert_eq!(
        (damage.stream, damage.stream_version, damage.seq),
        (Some(run(2).stream()), Some(2), Some(2))
    );
    let store = sound.store();
    let one = store.verify(Some(&run(1).stream())).await.unwrap();
    assert_eq!(one.damage, None);
    let two = store.verify(Some(&run(2).stream())).await.unwrap().damage.unwrap();
    assert_eq!((two.stream, two.stream_version), (Some(run(2).stream()), Some(2)));
}

#[tokio::test]
async fn a_removed_event_is_named() {
    for position in 1..=11 {
        let sound = SampleStore::new().await;
        sound.tamper(|conn| {
            conn.execute("DELETE FROM es_events WHERE position = ?1", [position]).unwrap();
        });
        let damage = sound.damage().await;
        let expected = match position {
            1..=4 => (run(1), position),
            5..=7 => (run(2), position - 4),
            8..=10 => (run(1), position - 3),
            _ => (run(2), 4),
        };
        assert_eq!(damage.stream, Some(expected.0.stream()), "{position}: {damage:?}");
        assert_eq!(damage.stream_version, Some(expected.1), "{position}: {damage:?}");
    }
}

#[tokio::test]
async fn swapped_events_are_named() {
    let sound = SampleStore::new().await;
    sound.tamper(|conn| {
        conn.execute_batch(
            "UPDATE es_events SET position = 1000 WHERE position = 2;
             UPDATE es_events SET position = 2 WHERE position = 3;
             UPDATE es_events SET position = 3 WHERE position = 1000;",
        )
        .unwrap();
    });
    let damage = sound.damage().await;
    assert_eq!((damage.stream, damage.stream_version), (Some(run(1).stream()), Some(2)));
    // With matching versions, the hash chain still shows the swap.
    sound.tamper(|conn| {
        conn.execute_batch("UPDATE es_events SET version = position WHERE position IN (2, 3)")
            .unwrap();
    });
    let damage = sound.damage().await;
    assert_eq!((damage.stream, damage.stream_version), (Some(run(1).stream()), Some(2)));
}

#[tokio::test]
async fn an_inserted_event_is_named() {
    let sound = SampleStore::new().await;
    sound.tamper(|conn| {
        conn.execute_batch(
            "INSERT INTO es_events SELECT 12, 1, 8, event_type, schema_version, payload, hash
             FROM es_events WHERE position = 10",
        )
        .unwrap();
    });
    let damage = sound.damage().await;
    assert!(damage.what.contains("position 12 belongs to no append"), "{damage:?}");

    let sound = SampleStore::new().await;
    sound.tamper(|conn| {
        // Moves all later events by one to make room.
        conn.execute_batch(
            "UPDATE es_events SET position = position + 1000 WHERE position > 2;
             UPDATE es_events SET position = position - 999 WHERE position > 1000;
             UPDATE es_events SET version = version + 1 WHERE stream_id = 1 AND position > 2;
             INSERT INTO es_events SELECT 3, 1, 3, event_type, schema_version, payload, hash
             FROM es_events WHERE position = 2;",
        )
        .unwrap();
    });
    let damage = sound.damage().await;
    assert_eq!((damage.stream, damage.stream_version), (Some(run(1).stream()), Some(3)));
}

#[tokio::test]
async fn a_removed_append_and_a_removed_stream_are_named() {
    for sql in [
        "DELETE FROM es_appends WHERE seq = 2",
        "DELETE FROM es_appends WHERE seq = 4",
        "DELETE FROM es_streams WHERE stream_id = 2",
        "DELETE FROM es_head",
        "INSERT INTO es_head SELECT 2, seq, position, seal FROM es_head",
        "INSERT INTO es_streams VALUES (9, 'run-x', 0, x'00')",
        "DELETE FROM es_appends WHERE seq = 2; DELETE FROM es_events WHERE position IN (5, 6, 7)",
        "DELETE FROM es_appends; DELETE FROM es_events; DELETE FROM es_streams",
    ] {
        let sound = SampleStore::new().await;
        sound.tamper(|conn| conn.execute_batch(sql).unwrap());
        let damage = sound.damage().await;
        assert!(!damage.what.is_empty(), "{sql}: {damage:?}");
    }
}

#[tokio::test]
async fn a_tail_that_was_cut_off_with_all_traces_is_shown_by_an_exported_seal() {
    let sound = SampleStore::new().await;
    sound.tamper(|conn| {
        conn.execute_batch(
            "DELETE FROM es_events WHERE position = 11;
             DELETE FROM es_appends WHERE seq = 4;
             UPDATE es_streams SET version = 3,
                    tail_hash = (SELECT hash FROM es_events WHERE position = 7)
              WHERE stream_id = 2;
             UPDATE es_head SET seq = 3, position = 10,
                    seal = (SELECT seal FROM es_appends WHERE seq = 3);",
        )
        .unwrap();
    });
    // The rest is consistent. Only a seal that was exported before shows the difference.
    let store = sound.store();
    assert_eq!(store.verify(None).await.unwrap().damage, None);
    let (seq, seal) = sound.seal;
    assert_eq!(store.seal_at(seq).await.unwrap(), None);
    // Other events at the same place have another seal.
    store.append(candidates(run(2), 3, 2)).await.unwrap();
    assert_eq!(store.verify(None).await.unwrap().damage, None);
    assert_ne!(store.seal_at(seq).await.unwrap(), Some(seal));
}

#[tokio::test]
async fn an_altered_snapshot_is_refused() {
    let sound = SampleStore::new().await;
    let digest = blake3::hash(b"one book").to_hex();
    sound.tamper(|conn| {
        let other = zstd_of_another_book(conn);
        let write = "UPDATE snapshots SET compressed = ?1, stored_hash = ?2, byte_count = 12
                     WHERE digest = ?3";
        let hash = blake3::hash(&other);
        conn.execute(write, (&other, &hash.as_bytes()[..], digest.as_str())).unwrap();
    });
    let damage = sound.damage().await;
    assert!(damage.what.contains(digest.as_str()), "{damage:?}");
    let read = sound.store().captured(&digest).await;
    assert!(matches!(read, Err(powerfill_ports::StoreError::Corrupt(_))), "{read:?}");
}

fn zstd_of_another_book(conn: &Connection) -> Vec<u8> {
    let digest = blake3::hash(b"another book").to_hex();
    conn.query_row("SELECT compressed FROM snapshots WHERE digest = ?1", [digest.as_str()], |row| {
        row.get(0)
    })
    .unwrap()
}

#[tokio::test]
async fn the_guards_refuse_an_edit_of_the_log() {
    let sound = SampleStore::new().await;
    let conn = Connection::open(sound.folder.path().join("acme.db")).unwrap();
    for sql in [
        "UPDATE es_events SET payload = '{}'",
        "DELETE FROM es_events",
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
    assert_eq!(sound.verify().await.damage, None);
}
