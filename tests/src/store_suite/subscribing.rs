//! Subscriptions: first the existing events, then new ones, without a gap or a double.

use futures::StreamExt;
use futures::future::join_all;
use powerfill_ports::events::{EVENTS_PER_BATCH, EventBatches, EventStore, StoredEvent};
use uuid::Uuid;

use super::samples::{candidates, run};
use super::{StoreLocation, SuiteStore};
use crate::waiting::completed;

/// Events of a subscription, until there are this many.
async fn take(subscription: &mut EventBatches<'static>, count: usize) -> Vec<StoredEvent> {
    let mut events = Vec::new();
    while events.len() < count {
        let batch = completed("the next batch of events", subscription.next()).await;
        let batch = batch.expect("a subscription does not end").expect("reading works");
        assert!(!batch.is_empty() && batch.len() <= EVENTS_PER_BATCH);
        events.extend(batch);
    }
    events
}

fn positions(events: &[StoredEvent]) -> Vec<u64> {
    events.iter().map(|event| event.global_position).collect()
}

/// Existing events, then new ones.
pub async fn a_subscription_catches_up_and_continues_live(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 5)).await.unwrap();
    let mut subscription = store.subscribe(2);
    assert_eq!(positions(&take(&mut subscription, 3).await), [3, 4, 5]);
    for round in 0..20_u64 {
        // The subscriber waits before the writer writes.
        let waiting = tokio::spawn(async move {
            let events = take(&mut subscription, 2).await;
            (events, subscription)
        });
        store.append(candidates(run(1), 5 + round * 2, 2)).await.unwrap();
        let (events, back) = waiting.await.unwrap();
        assert_eq!(positions(&events), [6 + round * 2, 7 + round * 2]);
        subscription = back;
    }
}

/// A subscription at the last position of the former one loses and repeats nothing.
pub async fn a_subscription_resumes_after_reopening(location: &impl StoreLocation) {
    let store = location.open().await;
    store.append(candidates(run(1), 0, 5)).await.unwrap();
    let mut subscription = store.subscribe(0);
    let seen = take(&mut subscription, 5).await;
    drop(subscription);
    store.append(candidates(run(1), 5, 3)).await.unwrap();
    drop(store);
    let store = location.open().await;
    let mut subscription = store.subscribe(seen[seen.len() - 1].global_position);
    assert_eq!(positions(&take(&mut subscription, 3).await), [6, 7, 8]);
    store.append(candidates(run(1), 8, 1)).await.unwrap();
    assert_eq!(positions(&take(&mut subscription, 1).await), [9]);
}

/// With eight writers, each of three subscribers gets every position once and in order.
pub async fn subscribers_see_no_gap_with_many_writers(store: impl SuiteStore) {
    const WRITERS: u128 = 8;
    const APPENDS: u64 = 25;
    const EVENTS: u32 = 3;
    let total = WRITERS as usize * APPENDS as usize * EVENTS as usize;
    let subscribers: Vec<_> = (0..3)
        .map(|_| {
            let mut subscription = store.subscribe(0);
            tokio::spawn(async move { take(&mut subscription, total).await })
        })
        .collect();
    let writers = (1..=WRITERS).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for round in 0..APPENDS {
                let append = candidates(run(writer), round * u64::from(EVENTS), EVENTS);
                store.append(append).await.unwrap();
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let dense: Vec<u64> = (1..=total as u64).collect();
    for subscriber in subscribers {
        let events = subscriber.await.unwrap();
        assert_eq!(positions(&events), dense);
    }
    let verification = store.verify(None).await.unwrap();
    assert_eq!((verification.events, verification.damage), (total as u64, None));
}

/// As from another process: the two handles share only the location.
pub async fn an_append_through_another_handle_is_seen(location: &impl StoreLocation) {
    let (reader, writer) = (location.open().await, location.open().await);
    let mut subscription = reader.subscribe(0);
    for round in 0..5_u64 {
        let waiting = tokio::spawn(async move {
            let events = take(&mut subscription, 2).await;
            (events, subscription)
        });
        writer.append(candidates(run(1), round * 2, 2)).await.unwrap();
        let (events, back) = waiting.await.unwrap();
        assert_eq!(positions(&events), [round * 2 + 1, round * 2 + 2]);
        subscription = back;
    }
    assert_eq!(reader.head().await.unwrap(), writer.head().await.unwrap());
}

/// It delays no writer either.
pub async fn a_slow_subscriber_loses_nothing(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 1)).await.unwrap();
    let mut subscription = store.subscribe(0);
    take(&mut subscription, 1).await;
    for round in 0..4_u64 {
        let mut append = candidates(run(1), 1 + round * 1_500, 1_500);
        append.append_id = Uuid::from_u128(u128::from(round) + 1);
        store.append(append).await.unwrap();
    }
    let events = take(&mut subscription, 6_000).await;
    assert_eq!(positions(&events), (2..=6_001).collect::<Vec<_>>());
}
