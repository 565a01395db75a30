//! Reading in order and in batches, and verification of a sound log.

use futures::TryStreamExt;
use powerfill_events::log::{chain_start, seal_start};
use powerfill_ports::StoreError;
use powerfill_ports::events::{Append, EVENTS_PER_BATCH, StoredEvent};
use powerfill_snapshot::config;
use uuid::Uuid;

use super::SuiteStore;
use super::samples::{
    append, cancelled, candidates, collect, meta, moment, pass_completed, pool_lock, request, run,
};
use crate::all_runs::AllRuns;

/// Reading it is not an error.
pub async fn a_stream_that_does_not_exist_is_empty(store: impl SuiteStore) {
    assert_eq!(store.stream_version("run-x").await.unwrap(), 0);
    assert!(collect(store.read("run-x", 1)).await.is_empty());
    assert!(collect(store.read_all(0)).await.is_empty());
    assert!(matches!(store.verify(Some("run-x")).await, Err(StoreError::NotFound { .. })));
}

/// No batch is empty or too large. A batch may end before it is full, with an event block.
pub async fn a_long_stream_comes_in_batches_and_in_order(store: impl SuiteStore) {
    let count = EVENTS_PER_BATCH as u32 * 2 + 500;
    store.append(candidates(run(1), 0, count - 700)).await.unwrap();
    store.append(candidates(run(1), u64::from(count) - 700, 700)).await.unwrap();
    for batches in [store.read(&run(1).stream(), 1), store.read_all(0)] {
        let batches: Vec<Vec<StoredEvent>> = batches.try_collect().await.unwrap();
        assert_eq!(batches.len(), 3);
        assert_eq!(batches[0].len(), EVENTS_PER_BATCH);
        assert!(batches.iter().all(|batch| (1..=EVENTS_PER_BATCH).contains(&batch.len())));
        let versions: Vec<u64> = batches.iter().flatten().map(|e| e.stream_version).collect();
        assert_eq!(versions, (1..=u64::from(count)).collect::<Vec<_>>());
    }
}

/// In the middle of an append, at its start and end, at the end of the stream, and beyond.
pub async fn a_stream_is_read_from_any_version(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 4)).await.unwrap();
    store.append(candidates(run(2), 0, 3)).await.unwrap();
    store.append(candidates(run(1), 4, 3)).await.unwrap();
    for from in 0..=9_u64 {
        let events = collect(store.read(&run(1).stream(), from)).await;
        let versions: Vec<u64> = events.iter().map(|event| event.stream_version).collect();
        assert_eq!(versions, (from.max(1)..=7).collect::<Vec<_>>(), "from {from}");
    }
}

/// From any version to any other, also if there is no event between them.
pub async fn a_stream_is_read_between_any_versions(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 4)).await.unwrap();
    store.append(candidates(run(2), 0, 3)).await.unwrap();
    store.append(candidates(run(1), 4, 3)).await.unwrap();
    for from in 0..=9_u64 {
        for to in 0..=9_u64 {
            let events = collect(store.read_between(&run(1).stream(), from, to)).await;
            let versions: Vec<u64> = events.iter().map(|event| event.stream_version).collect();
            let expected: Vec<u64> = (from.max(1)..=to.min(7)).collect();
            assert_eq!(versions, expected, "from {from} to {to}");
        }
    }
}

/// Not sorted by name.
pub async fn streams_are_named_in_the_order_in_which_they_began(store: impl SuiteStore) {
    assert!(store.streams().await.unwrap().is_empty());
    for number in [3, 1, 2] {
        store.append(candidates(run(number), 0, 1)).await.unwrap();
    }
    store.append(candidates(run(1), 1, 1)).await.unwrap();
    let expected: Vec<String> = [3, 1, 2].map(|number| run(number).stream()).into();
    assert_eq!(store.streams().await.unwrap(), expected);
}

/// Every selection of versions from a stream with several appends, including a version beyond its
/// end. The events are the same as in the whole stream.
pub async fn chosen_versions_of_a_stream_are_read(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 3)).await.unwrap();
    store.append(candidates(run(2), 0, 3)).await.unwrap();
    store.append(candidates(run(1), 3, 1)).await.unwrap();
    store.append(candidates(run(1), 4, 3)).await.unwrap();
    let stream = run(1).stream();
    let whole = collect(store.read(&stream, 1)).await;
    assert_eq!(whole.len(), 7);
    for choice in 0..1_u32 << 8 {
        let versions: Vec<u64> =
            (1..=8).filter(|version| choice >> (version - 1) & 1 == 1).collect();
        let chosen = whole.iter().filter(|event| versions.contains(&event.stream_version));
        let found = collect(store.read_versions(&stream, versions.clone())).await;
        assert!(found.iter().eq(chosen), "{versions:?}: {found:?}");
    }
    assert!(collect(store.read_versions("run-x", vec![1])).await.is_empty());
}

/// No batch is empty or too large. The stream ends where it ended at the time of the call.
pub async fn many_chosen_versions_come_in_batches(store: impl SuiteStore) {
    let count = EVENTS_PER_BATCH as u64 * 4;
    for version in (0..count).step_by(EVENTS_PER_BATCH) {
        store.append(candidates(run(1), version, EVENTS_PER_BATCH as u32)).await.unwrap();
    }
    let stream = run(1).stream();
    let odd: Vec<u64> = (1..=count + 9).step_by(2).collect();
    let mut batches = store.read_versions(&stream, odd);
    let mut sizes = Vec::new();
    let mut last = 0;
    while let Some(batch) = batches.try_next().await.unwrap() {
        for event in &batch {
            assert_eq!(event.stream_version, if last == 0 { 1 } else { last + 2 });
            last = event.stream_version;
        }
        sizes.push(batch.len());
        let version = store.stream_version(&stream).await.unwrap();
        store.append(append(run(1), version, &[pass_completed(version)])).await.unwrap();
    }
    assert_eq!((sizes, last), (vec![EVENTS_PER_BATCH; 2], count - 1));
}

/// From any version on, also in blocks that have no event of the types.
pub async fn chosen_types_of_a_stream_are_read(store: impl SuiteStore) {
    let stream = run(1).stream();
    let count = EVENTS_PER_BATCH as u64 + 3;
    store.append(candidates(run(1), 0, count as u32)).await.unwrap();
    store.append(append(run(1), count, &[pass_completed(1), pass_completed(2)])).await.unwrap();
    store.append(candidates(run(1), count + 2, 5)).await.unwrap();
    store.append(append(run(1), count + 7, &[cancelled("desk")])).await.unwrap();
    let whole = collect(store.read(&stream, 1)).await;
    let types = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for names in [&["PassCompleted"][..], &["RunCancelled", "CandidateScored"], &["RunFailed"], &[]]
    {
        for from in [0, 2, count, count + 2, count + 9] {
            let chosen = whole.iter().filter(|event| {
                event.stream_version >= from && names.contains(&&*event.event_type)
            });
            let found: Vec<Vec<StoredEvent>> =
                store.read_types(&stream, from, types(names)).try_collect().await.unwrap();
            assert!(found.iter().all(|batch| (1..=EVENTS_PER_BATCH).contains(&batch.len())));
            assert!(found.iter().flatten().eq(chosen), "{names:?} from {from}");
        }
    }
    assert!(collect(store.read_types("run-x", 1, types(&["RunFailed"]))).await.is_empty());
}

/// Streams are interleaved in the order of their appends. Reading starts at any position.
pub async fn all_streams_are_read_in_the_order_of_positions(store: impl SuiteStore) {
    let mut expected = Vec::new();
    for round in 0..6_u64 {
        for stream in 1..=3_u128 {
            store
                .append(candidates(run(stream), round * stream as u64, stream as u32))
                .await
                .unwrap();
            let first = round * stream as u64 + 1;
            expected.extend((first..first + stream as u64).map(|v| (run(stream).stream(), v)));
        }
    }
    for after in 0..=37_u64 {
        let events = collect(store.read_all(after)).await;
        let positions: Vec<u64> = events.iter().map(|event| event.global_position).collect();
        assert_eq!(positions, (after + 1..=36).collect::<Vec<_>>(), "after {after}");
        let found = events.iter().map(|event| (event.stream.clone(), event.stream_version));
        let expected = expected.iter().skip(after as usize).cloned();
        assert!(found.eq(expected), "after {after}");
    }
}

/// Later events belong to the next call.
pub async fn reading_ends_where_the_log_ended_at_the_call(store: impl SuiteStore) {
    let first = EVENTS_PER_BATCH as u32 + 10;
    store.append(candidates(run(1), 0, first)).await.unwrap();
    let stream = run(1).stream();
    for mut batches in [store.read(&stream, 1), store.read_all(0)] {
        assert_eq!(batches.try_next().await.unwrap().unwrap().len(), EVENTS_PER_BATCH);
        let version = store.stream_version(&stream).await.unwrap();
        store.append(append(run(1), version, &[pass_completed(version)])).await.unwrap();
        let rest = batches.try_next().await.unwrap().unwrap();
        assert_eq!(rest.last().unwrap().stream_version, version);
        assert!(batches.try_next().await.unwrap().is_none());
    }
}

/// At any position where a reader starts.
pub async fn the_hash_chain_links_batches_appends_and_streams(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 3)).await.unwrap();
    store.append(candidates(run(2), 0, EVENTS_PER_BATCH as u32 + 1)).await.unwrap();
    store.append(candidates(run(1), 3, 2)).await.unwrap();
    let whole = collect(store.read_all(0)).await;
    for after in [0, 1, 3, 4, whole.len() as u64 - 2, whole.len() as u64 - 1] {
        for event in collect(store.read_all(after)).await {
            let before = whole
                .iter()
                .find(|e| e.stream == event.stream && e.stream_version + 1 == event.stream_version)
                .map_or_else(|| chain_start(&event.stream), |before| before.hash);
            assert_eq!(event.prev_hash, before, "position {}", event.global_position);
        }
    }
    let second = collect(store.read(&run(1).stream(), 4)).await;
    assert_eq!(second[0].prev_hash, whole[2].hash);
}

/// The result has the number of verified streams, events, and appends.
pub async fn a_sound_log_verifies(store: impl SuiteStore) {
    let empty = store.verify(None).await.unwrap();
    assert_eq!((empty.events, empty.appends, empty.damage), (0, 0, None));
    store.append(candidates(run(1), 0, 3)).await.unwrap();
    store.append(candidates(run(2), 0, 2)).await.unwrap();
    store.append(candidates(run(1), 3, 4)).await.unwrap();
    let all = store.verify(None).await.unwrap();
    assert_eq!((all.streams, all.events, all.appends, all.damage), (2, 9, 3, None));
    let one = store.verify(Some(&run(1).stream())).await.unwrap();
    assert_eq!((one.streams, one.events, one.appends, one.damage), (1, 7, 2, None));
    let other = store.verify(Some(&run(2).stream())).await.unwrap();
    assert_eq!((other.streams, other.events, other.appends, other.damage), (1, 2, 1, None));
}

/// The seal of the head is the last one.
pub async fn seals_are_found_by_number(store: impl SuiteStore) {
    assert_eq!(store.seal_at(0).await.unwrap(), Some(seal_start()));
    assert_eq!(store.seal_at(1).await.unwrap(), None);
    store.append(candidates(run(1), 0, 3)).await.unwrap();
    let first = store.head().await.unwrap();
    store.append(candidates(run(1), 3, 3)).await.unwrap();
    let second = store.head().await.unwrap();
    assert_ne!(first.seal, second.seal);
    assert_eq!(store.seal_at(1).await.unwrap(), Some(first.seal));
    assert_eq!(store.seal_at(2).await.unwrap(), Some(second.seal));
    assert_eq!(store.seal_at(3).await.unwrap(), None);
}

/// The stream has its own versions in the same order of positions, with the same hash chain and
/// seals. It is no run in the queue, in the indexes, or in the history.
pub async fn the_configuration_is_a_stream_of_its_own(store: impl SuiteStore) {
    store.append(pool_lock(0, true)).await.unwrap();
    store.enqueue(request(run(1), moment(1)), false).await.unwrap();
    store.append(pool_lock(1, false)).await.unwrap();
    let stale = store.append(Append { append_id: Uuid::from_u128(5), ..pool_lock(1, false) }).await;
    assert!(matches!(stale, Err(StoreError::Conflict { expected: 1, actual: 2, .. })));
    assert!(store.append(pool_lock(1, false)).await.unwrap().repeated);
    assert_eq!(store.streams().await.unwrap(), [config::STREAM.to_owned(), run(1).stream()]);
    assert_eq!(store.stream_version(config::STREAM).await.unwrap(), 2);
    let places = |events: Vec<StoredEvent>| -> Vec<(u64, u64)> {
        events.iter().map(|event| (event.global_position, event.stream_version)).collect()
    };
    assert_eq!(places(collect(store.read(config::STREAM, 1)).await), [(1, 1), (3, 2)]);
    assert_eq!(places(collect(store.read_all(0)).await), [(1, 1), (2, 1), (3, 2)]);
    assert_eq!(store.tenant().await.unwrap(), Some(meta().tenant_id));
    assert_eq!(store.all_runs().await.unwrap().len(), 1);
    assert!(store.indexed_runs().await.unwrap().is_empty());
    for (stream, events) in [(None, 3), (Some(config::STREAM), 2)] {
        let verified = store.verify(stream).await.unwrap();
        assert_eq!((verified.damage, verified.events), (None, events));
    }
}
