//! The positions of subscribers.

use futures::future::join_all;
use powerfill_ports::subscribers::SubscriberStore;

use super::{StoreLocation, SuiteStore};

/// A call with another position changes nothing.
pub async fn a_subscriber_moves_on_from_its_position(location: &impl StoreLocation) {
    let store = location.open().await;
    assert_eq!(store.subscriber("nats").await.unwrap(), None);
    assert!(!store.advance("nats", Some(0), 5).await.unwrap());
    assert!(store.advance("nats", None, 5).await.unwrap());
    for before in [None, Some(4), Some(6)] {
        assert!(!store.advance("nats", before, 9).await.unwrap());
    }
    assert!(store.advance("nats", Some(5), 1 << 40).await.unwrap());
    assert!(store.advance("other\u{e9}", None, 0).await.unwrap());
    let reopened = location.open().await;
    let all = vec![("nats".to_owned(), 1 << 40), ("other\u{e9}".to_owned(), 0)];
    assert_eq!(reopened.subscribers().await.unwrap(), all);
    assert_eq!(reopened.subscriber("nats").await.unwrap(), Some(1 << 40));
}

/// All calls expect the same position.
pub async fn one_of_many_moves_a_subscriber_on(store: impl SuiteStore) {
    let mut before = None;
    for round in 1..=10 {
        let tries = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.advance("nats", before, round).await.unwrap() })
        });
        let moved = join_all(tries).await.into_iter().filter(|moved| *moved.as_ref().unwrap());
        assert_eq!(moved.count(), 1);
        before = Some(round);
    }
}
