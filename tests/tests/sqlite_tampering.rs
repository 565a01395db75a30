//! A store file that is edited without the store: verification reports the edit (specification
//! 3.2).

use futures::TryStreamExt;
use powerfill_ports::StoreError;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::events::{Damage, EventStore, Verification};
use powerfill_ports::snapshots::SnapshotStore;
use powerfill_sqlite::SqliteStore;
use powerfill_tests::store_suite::samples::{CUT_OFF, DAMAGES, candidates, fill_to_tamper, run};
use powerfill_tests::{event_blocks, sqlite_file};
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
        let head = fill_to_tamper(&store).await;
        store.set_verified_log(head).await.unwrap();
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

#[tokio::test]
async fn a_changed_payload_is_named_by_stream_and_version() {
    let sound = SampleStore::new().await;
    sound.tamper(|conn| {
        event_blocks::edit(conn, 2, 1, |lines| {
            lines[1] = lines[1].replace("\"turn\":1", "\"turn\":2");
        });
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

/// The block of each position: its stream, its first version, and the index of the event.
fn place(position: usize) -> (u128, i64, usize) {
    match position {
        1..=4 => (1, 1, position - 1),
        5..=7 => (2, 1, position - 5),
        8..=10 => (1, 5, position - 8),
        _ => (2, 4, 0),
    }
}

#[tokio::test]
async fn a_removed_event_is_named() {
    for position in 1..=11 {
        let (stream, first_version, index) = place(position);
        let sound = SampleStore::new().await;
        sound.tamper(|conn| {
            event_blocks::edit(conn, stream as i64, first_version, |lines| {
                lines.remove(index);
            });
        });
        let damage = sound.damage().await;
        assert_eq!(damage.stream, Some(run(stream).stream()), "{position}: {damage:?}");
        let version = first_version as u64 + index as u64;
        assert_eq!(damage.stream_version, Some(version), "{position}: {damage:?}");
        let read: Result<Vec<_>, _> = sound.store().read_all(0).try_collect().await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    }
}

#[tokio::test]
async fn a_removed_block_is_named() {
    for (stream, first_version) in [(1, 1), (1, 5), (2, 1), (2, 4)] {
        let sound = SampleStore::new().await;
        sound.tamper(|conn| {
            let sql = "DELETE FROM es_event_blocks WHERE stream_id = ?1 AND first_version = ?2";
            conn.execute(sql, (stream as i64, first_version)).unwrap();
        });
        let damage = sound.damage().await;
        assert_eq!(damage.stream, Some(run(stream).stream()), "{damage:?}");
        assert_eq!(damage.stream_version, Some(first_version), "{damage:?}");
        let read: Result<Vec<_>, _> = sound.store().read_all(0).try_collect().await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    }
}

#[tokio::test]
async fn swapped_events_are_named() {
    let sound = SampleStore::new().await;
    sound.tamper(|conn| event_blocks::edit(conn, 1, 1, |lines| lines.swap(1, 2)));
    let damage = sound.damage().await;
    assert_eq!((damage.stream, damage.stream_version), (Some(run(1).stream()), Some(2)));
}

#[tokio::test]
async fn an_inserted_event_is_named() {
    for (index, version) in [(2, 3), (4, 5)] {
        let sound = SampleStore::new().await;
        sound.tamper(|conn| {
            event_blocks::edit(conn, 1, 1, |lines| {
                let copy = lines[index - 1].clone();
                lines.insert(index, copy);
            });
        });
        let damage = sound.damage().await;
        let place = (damage.stream.clone(), damage.stream_version);
        assert_eq!(place, (Some(run(1).stream()), Some(version)), "{damage:?}");
    }
}

#[tokio::test]
async fn an_inserted_block_is_named() {
    for version in [2, 8] {
        let sound = SampleStore::new().await;
        sound.tamper(|conn| {
            conn.execute_batch(&format!(
                "INSERT INTO es_event_blocks
                 SELECT 1, {version}, event_count, event_types, hash_before, hash_after,
                        event_checks, codec, byte_count, stored_hash, body
                 FROM es_event_blocks WHERE stream_id = 2 AND first_version = 4"
            ))
            .unwrap();
        });
        let damage = sound.damage().await;
        assert!(damage.what.contains("belongs to no append"), "{damage:?}");
    }
}

/// No store has both the block of an event and its row.
#[tokio::test]
async fn an_event_that_is_also_a_row_is_named() {
    for (position, stream, version) in [(1, 1, 1), (12, 1, 8)] {
        let sound = SampleStore::new().await;
        sound.tamper(|conn| {
            let sql =
                "INSERT INTO es_events VALUES (?1, ?2, ?3, 'CandidateScored', 1, '{}', x'00')";
            conn.execute(sql, (position, stream, version)).unwrap();
        });
        let damage = sound.damage().await;
        let what = format!("the event at position {position} belongs to no append");
        assert!(damage.what.contains(&what), "{damage:?}");
    }
}

#[tokio::test]
async fn a_removed_append_and_a_removed_stream_are_named() {
    let more = [
        "INSERT INTO es_head SELECT 2, seq, position, seal FROM es_head",
        "INSERT INTO es_streams VALUES (9, 'run-x', 0, x'00')",
        "UPDATE es_event_blocks SET event_checks = x'' WHERE first_version = 4",
    ];
    for sql in DAMAGES.into_iter().chain(more) {
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
        conn.execute_batch(CUT_OFF).unwrap();
        conn.execute_batch("DELETE FROM verified_log").unwrap();
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
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
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
    assert_eq!(sound.verify().await.damage, None);
}
