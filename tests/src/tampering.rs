//! Stores that are edited without the store, by a user with all rights: verification reports the
//! edit (specification 3.2). The suite edits by SQL that every database understands.

use std::future::Future;

use futures::TryStreamExt;
use powerfill_events::log::Hash;
use powerfill_ports::StoreError;
use powerfill_ports::events::{Damage, EventStore};
use powerfill_ports::snapshots::SnapshotStore;

use crate::store_suite::samples::{CUT_OFF, DAMAGES, candidates, run};

/// A store that [`fill_to_tamper`](crate::store_suite::samples::fill_to_tamper) has filled, and an
/// editor of its database.
pub trait TamperedStore: Sized {
    /// The store under test.
    type Store: EventStore + SnapshotStore;

    /// Further damages, in the SQL of this database.
    const DAMAGES: &'static [&'static str];

    /// Fills a new store.
    fn new() -> impl Future<Output = Self>;

    /// Opens the store.
    fn store(&self) -> Self::Store;

    /// The seal of the head before any edit.
    fn seal(&self) -> (u64, Hash);

    /// Carries statements out.
    fn sql(&self, sql: &str) -> impl Future<Output = ()>;

    /// Edits the events of a block.
    fn edit_block(
        &self,
        stream_id: i64,
        first_version: i64,
        change: impl FnOnce(&mut Vec<String>),
    ) -> impl Future<Output = ()>;
}

/// The damage that verification finds.
pub async fn verified(sound: &impl TamperedStore) -> Option<Damage> {
    sound.store().verify(None).await.expect("the store verifies").damage
}

/// The damage, which must be found.
pub async fn damage(sound: &impl TamperedStore, what: &str) -> Damage {
    let damage = verified(sound).await;
    damage.unwrap_or_else(|| panic!("{what}: damage is found"))
}

/// Between two others, and at the end.
pub async fn an_inserted_block_is_named<S: TamperedStore>() {
    for version in [2, 8] {
        let sound = S::new().await;
        let insert = format!(
            "INSERT INTO es_event_blocks
             SELECT 1, {version}, event_count, event_types, hash_before, hash_after, event_checks,
                    codec, byte_count, stored_hash, body
             FROM es_event_blocks WHERE stream_id = 2 AND first_version = 4"
        );
        sound.sql(&insert).await;
        let damage = damage(&sound, "inserted").await;
        assert!(damage.what.contains("belongs to no append"), "{damage:?}");
    }
}

/// Also where one stream is verified; another one is sound.
pub async fn a_changed_payload_is_named_by_stream_and_version<S: TamperedStore>() {
    let sound = S::new().await;
    let change = |lines: &mut Vec<String>| lines[1] = lines[1].replace("\"turn\":1", "\"turn\":2");
    sound.edit_block(2, 1, change).await;
    let damage = damage(&sound, "a payload").await;
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

/// Verification names the event, and no reader passes over it.
async fn assert_is_missing(sound: &impl TamperedStore, stream: &str, version: u64) {
    let expected = (Some(stream.to_owned()), Some(version));
    let damage = damage(sound, stream).await;
    assert_eq!((damage.stream.clone(), damage.stream_version), expected, "{damage:?}");
    let store = sound.store();
    let alone = store.verify(Some(stream)).await.unwrap().damage.unwrap();
    assert_eq!((alone.stream.clone(), alone.stream_version), expected, "{alone:?}");
    let read: Result<Vec<_>, _> = store.read_all(0).try_collect().await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
}

/// Each event of each block.
pub async fn a_removed_event_is_named<S: TamperedStore>() {
    for (stream, first_version, count) in [(1, 1, 4), (1, 5, 3), (2, 1, 3), (2, 4, 1)] {
        let sound = S::new().await;
        for index in 0..count {
            let mut removed = String::new();
            sound.edit_block(stream, first_version, |lines| removed = lines.remove(index)).await;
            let name = run(stream as u128).stream();
            assert_is_missing(&sound, &name, first_version as u64 + index as u64).await;
            sound.edit_block(stream, first_version, |lines| lines.insert(index, removed)).await;
        }
        assert_eq!(verified(&sound).await, None);
    }
}

/// Each block. When it is there again, the log is sound.
pub async fn a_removed_block_is_named<S: TamperedStore>() {
    let sound = S::new().await;
    for (stream, version) in [(1, 1), (1, 5), (2, 1), (2, 4)] {
        let block =
            format!("es_event_blocks WHERE stream_id = {stream} AND first_version = {version}");
        sound
            .sql(&format!("CREATE TABLE kept AS SELECT * FROM {block}; DELETE FROM {block}"))
            .await;
        assert_is_missing(&sound, &run(stream).stream(), version).await;
        sound.sql("INSERT INTO es_event_blocks SELECT * FROM kept; DROP TABLE kept").await;
    }
    assert_eq!(verified(&sound).await, None);
}

/// Within a block, and at its end.
pub async fn swapped_and_inserted_events_are_named<S: TamperedStore>() {
    type Change = fn(&mut Vec<String>);
    let changes: [(Change, u64); 3] = [
        (|lines| lines.swap(1, 2), 2),
        (|lines| lines.insert(2, lines[1].clone()), 3),
        (|lines| lines.push(lines[3].clone()), 5),
    ];
    for (change, version) in changes {
        let sound = S::new().await;
        sound.edit_block(1, 1, change).await;
        let damage = damage(&sound, "changed").await;
        let place = (damage.stream.clone(), damage.stream_version);
        assert_eq!(place, (Some(run(1).stream()), Some(version)), "{damage:?}");
    }
}

/// Removed and strange ones.
pub async fn a_row_that_does_not_belong_there_is_named<S: TamperedStore>() {
    for sql in DAMAGES.iter().chain(S::DAMAGES) {
        let sound = S::new().await;
        sound.sql(sql).await;
        let damage = damage(&sound, sql).await;
        assert!(!damage.what.is_empty(), "{sql}: {damage:?}");
    }
}

/// Only a seal that was exported before shows the difference.
pub async fn a_tail_that_was_cut_off_with_all_traces_is_shown_by_an_exported_seal<
    S: TamperedStore,
>() {
    let sound = S::new().await;
    sound.sql(&format!("{CUT_OFF} DELETE FROM verified_log")).await;
    // The rest is consistent.
    assert_eq!(verified(&sound).await, None);
    let (seq, seal) = sound.seal();
    let store = sound.store();
    assert_eq!(store.seal_at(seq).await.unwrap(), None);
    // Other events at the same place have another seal.
    store.append(candidates(run(2), 3, 2)).await.unwrap();
    assert_eq!(verified(&sound).await, None);
    assert_ne!(store.seal_at(seq).await.unwrap(), Some(seal));
}

/// It has the content of another one.
pub async fn an_altered_snapshot_is_refused<S: TamperedStore>() {
    let sound = S::new().await;
    let [digest, other] =
        ["one book", "another book"].map(|text| blake3::hash(text.as_bytes()).to_hex());
    let update = format!(
        "UPDATE snapshots SET (byte_count, stored_hash, compressed) =
                (SELECT byte_count, stored_hash, compressed FROM snapshots WHERE digest = '{other}')
          WHERE digest = '{digest}'"
    );
    sound.sql(&update).await;
    let damage = damage(&sound, "a snapshot").await;
    assert!(damage.what.contains(digest.as_str()), "{damage:?}");
    let read = sound.store().captured(&digest).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
}

/// Runs the whole suite with a [`TamperedStore`].
#[macro_export]
macro_rules! tampering_suite {
    ($sample:ty) => {
        $crate::tampering_suite! {
            @tests $sample;
            an_inserted_block_is_named
            a_changed_payload_is_named_by_stream_and_version
            a_removed_event_is_named
            a_removed_block_is_named
            swapped_and_inserted_events_are_named
            a_row_that_does_not_belong_there_is_named
            a_tail_that_was_cut_off_with_all_traces_is_shown_by_an_exported_seal
            an_altered_snapshot_is_refused
        }
    };
    (@tests $sample:ty; $($test:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            $crate::tampering::$test::<$sample>().await;
        }
    )*};
}
