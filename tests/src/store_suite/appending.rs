//! Appending: all events or none, at the expected version, and only once.

use futures::future::join_all;
use powerfill_events::log::{EncodedBatch, SchemaId, seal_start};
use powerfill_ports::StoreError;
use powerfill_ports::events::{Append, AppendReceipt, EventStore};

use super::samples::{append, candidate, candidates, collect, meta, moment, pass_completed, run};
use super::{StoreLocation, SuiteStore};

/// Versions are counted per stream, positions and append numbers per store.
pub async fn versions_and_positions_count_from_one(store: impl SuiteStore) {
    let empty = store.head().await.unwrap();
    assert_eq!((empty.seq, empty.position, empty.seal), (0, 0, seal_start()));
    let appended = |seq, stream_version, position| AppendReceipt {
        seq,
        stream_version,
        position,
        repeated: false,
    };
    assert_eq!(store.append(candidates(run(1), 0, 3)).await.unwrap(), appended(1, 3, 3));
    assert_eq!(store.append(candidates(run(2), 0, 2)).await.unwrap(), appended(2, 2, 5));
    assert_eq!(store.append(candidates(run(1), 3, 1)).await.unwrap(), appended(3, 4, 6));
    let head = store.head().await.unwrap();
    assert_eq!((head.seq, head.position), (3, 6));
    assert_eq!(store.stream_version(&run(1).stream()).await.unwrap(), 4);
    assert_eq!(store.stream_version(&run(2).stream()).await.unwrap(), 2);
}

/// The expected version may be too low, too high, or one of a stream that does not exist.
pub async fn a_wrong_expected_version_is_a_conflict_and_writes_nothing(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 2)).await.unwrap();
    let before = store.head().await.unwrap();
    for (run, expected_version, there) in [(run(1), 0, 2), (run(1), 3, 2), (run(2), 1, 0)] {
        let mut late = candidates(run, expected_version, 2);
        late.append_id = uuid::Uuid::from_u128(9_000 + u128::from(expected_version));
        match store.append(late).await {
            Err(StoreError::Conflict { stream, expected, actual }) => {
                assert_eq!((stream, expected, actual), (run.stream(), expected_version, there));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(store.head().await.unwrap(), before);
    assert_eq!(store.stream_version(&run(2).stream()).await.unwrap(), 0);
    assert_eq!(store.verify(None).await.unwrap().damage, None);
}

/// Also if the stream has grown since.
pub async fn a_repeated_append_is_recognized(store: impl SuiteStore) {
    let first = candidates(run(1), 0, 3);
    let done = store.append(first.clone()).await.unwrap();
    store.append(candidates(run(1), 3, 2)).await.unwrap();
    let again = store.append(first).await.unwrap();
    assert_eq!(again, AppendReceipt { repeated: true, ..done });
    assert_eq!(collect(store.read_all(0)).await.len(), 5);
}

/// A worker that takes over a run has another clock and another name.
pub async fn a_repeat_by_another_worker_is_recognized(store: impl SuiteStore) {
    let first = candidates(run(1), 0, 3);
    store.append(first.clone()).await.unwrap();
    let mut later = meta();
    later.recorded_at = moment(60);
    later.actor = "another worker".to_owned();
    assert!(store.append(Append { meta: later, ..first }).await.unwrap().repeated);
    let events = collect(store.read(&run(1).stream(), 1)).await;
    assert!(events.iter().all(|event| event.recorded_at == moment(0)));
}

/// Fewer events, more events, other events, another stream, or another version.
pub async fn an_append_id_with_other_content_is_refused(store: impl SuiteStore) {
    let first = candidates(run(1), 0, 3);
    store.append(first.clone()).await.unwrap();
    let with = |change: &dyn Fn(&mut Append)| {
        let mut other = first.clone();
        change(&mut other);
        other
    };
    for other in [
        with(&|append| append.events = EncodedBatch::encode(&[candidate(1), candidate(2)])),
        with(&|append| append.events = candidates(run(1), 0, 4).events),
        with(&|append| append.events = candidates(run(1), 1, 3).events),
        with(&|append| append.stream = run(2).stream()),
        with(&|append| append.expected_version = 3),
    ] {
        let refused = store.append(other).await;
        let id = first.append_id;
        assert!(
            matches!(refused, Err(StoreError::AppendIdReused { append_id }) if append_id == id),
            "{refused:?}"
        );
    }
    assert_eq!(store.head().await.unwrap().position, 3);
}

/// Such an append would have no position.
pub async fn an_append_without_events_is_refused(store: impl SuiteStore) {
    assert!(matches!(store.append(append(run(1), 0, [])).await, Err(StoreError::Failed(_))));
    assert_eq!(store.head().await.unwrap().seq, 0);
}

/// The events of a block are lines. JSON without white space is always one line.
pub async fn a_payload_with_a_line_break_is_refused(store: impl SuiteStore) {
    let mut append = append(run(1), 0, []);
    append.events.push_stored(SchemaId::new("CandidateScored", 1), b"{\n}");
    assert!(matches!(store.append(append).await, Err(StoreError::Failed(_))));
    assert_eq!(store.head().await.unwrap().seq, 0);
}

/// Events of very different sizes, more than one block has, come back as they were written.
pub async fn an_append_of_many_blocks_is_stored_and_recognized(store: impl SuiteStore) {
    let mut append = append(run(1), 0, []);
    for number in 0..5_000_usize {
        let filler = "x".repeat(if number % 1_000 == 7 { 2_000_000 } else { number % 90 });
        let payload = format!("{{\"number\":{number},\"filler\":\"{filler}\"}}");
        append.events.push_stored(SchemaId::new("CandidateScored", 1), payload.as_bytes());
    }
    let receipt = store.append(append.clone()).await.unwrap();
    assert_eq!(store.append(append.clone()).await.unwrap().seq, receipt.seq);
    let stored = collect(store.read_all(0)).await;
    assert_eq!(stored.len(), append.events.len());
    for (event, (schema, payload)) in stored.iter().zip(append.events.iter()) {
        assert!(event.is_written_as(schema, payload), "event {}", event.stream_version);
    }
    let mut other = append.clone();
    other.events = EncodedBatch::default();
    for (schema, payload) in append.events.iter().take(4_999) {
        other.events.push_stored(schema, payload);
    }
    other.events.push_stored(SchemaId::new("CandidateScored", 1), b"{}");
    let refused = store.append(other).await;
    assert!(matches!(refused, Err(StoreError::AppendIdReused { .. })), "{refused:?}");
    assert_eq!(store.verify(None).await.unwrap().damage, None);
}

/// Of eight writers with the same expected version one succeeds, and all others get a conflict.
pub async fn one_of_many_writers_wins_a_version(store: impl SuiteStore) {
    for round in 0..5_u64 {
        let attempts = (0..8_u128).map(|writer| {
            let store = store.clone();
            let mut attempt = candidates(run(1), round * 3, 3);
            attempt.append_id = uuid::Uuid::from_u128(u128::from(round) * 100 + writer);
            tokio::spawn(async move { store.append(attempt).await })
        });
        let outcomes: Vec<_> = join_all(attempts).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(
            outcomes
                .iter()
                .all(|outcome| matches!(outcome, Ok(_) | Err(StoreError::Conflict { .. })))
        );
    }
    assert_eq!(store.stream_version(&run(1).stream()).await.unwrap(), 15);
    assert_eq!(store.verify(None).await.unwrap().damage, None);
}

/// Every field of the envelope comes back, and the payload byte for byte.
pub async fn the_envelope_comes_back_whole(store: impl SuiteStore) {
    let events = [candidate(1), pass_completed(7)];
    let batch = append(run(1), 0, &events);
    store.append(batch.clone()).await.unwrap();
    let stored = collect(store.read(&run(1).stream(), 1)).await;
    assert_eq!(stored.len(), 2);
    for ((stored, (event_type, payload)), version) in
        stored.iter().zip(batch.events.iter()).zip(1..)
    {
        assert_eq!(stored.stream, run(1).stream());
        assert_eq!((stored.stream_version, stored.global_position), (version, version));
        assert_eq!(stored.event_type, event_type.name());
        assert_eq!(stored.schema_version, event_type.schema_version());
        assert_eq!(stored.payload, payload);
        let meta = meta();
        assert_eq!(stored.tenant_id, meta.tenant_id);
        assert_eq!(stored.actor, meta.actor);
        assert_eq!(stored.recorded_at, meta.recorded_at);
        assert_eq!(stored.causation_id, meta.causation_id);
        assert_eq!(stored.correlation_id, meta.correlation_id);
    }
}

/// The next append continues from there.
pub async fn what_was_appended_is_there_after_reopening(location: &impl StoreLocation) {
    let store = location.open().await;
    store.append(candidates(run(1), 0, 3)).await.unwrap();
    let before = collect(store.read_all(0)).await;
    let head = store.head().await.unwrap();
    drop(store);
    let store = location.open().await;
    assert_eq!(collect(store.read_all(0)).await, before);
    assert_eq!(store.head().await.unwrap(), head);
    assert_eq!(store.append(candidates(run(1), 3, 1)).await.unwrap().position, 4);
    assert_eq!(store.verify(None).await.unwrap().damage, None);
}
