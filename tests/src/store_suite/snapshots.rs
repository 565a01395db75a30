//! Captured snapshots: stored once per content, and found by digest.

use powerfill_ports::StoreError;
use powerfill_ports::snapshots::SnapshotStore;

use super::{StoreLocation, SuiteStore};

fn canonical(rows: u32) -> (String, Vec<u8>) {
    let bytes: Vec<u8> =
        (0..rows).flat_map(|row| format!("LN{row:08}|FL|300000.00\n").into_bytes()).collect();
    (blake3::hash(&bytes).to_hex().to_string(), bytes)
}

/// Also an empty snapshot, and also after the store is opened again.
pub async fn a_snapshot_is_stored_once_and_comes_back(location: &impl StoreLocation) {
    let store = location.open().await;
    for rows in [0, 1, 100_000] {
        let (digest, bytes) = canonical(rows);
        assert!(store.capture(&digest, &bytes).await.unwrap());
        assert!(!store.capture(&digest, &bytes).await.unwrap());
        assert_eq!(store.captured(&digest).await.unwrap(), bytes);
    }
    drop(store);
    let (digest, bytes) = canonical(100_000);
    assert_eq!(location.open().await.captured(&digest).await.unwrap(), bytes);
}

/// Nothing is stored.
pub async fn a_wrong_digest_is_refused(store: impl SuiteStore) {
    let ((digest, _), (_, other)) = (canonical(1), canonical(2));
    assert!(matches!(store.capture(&digest, &other).await, Err(StoreError::Failed(_))));
    assert!(matches!(store.captured(&digest).await, Err(StoreError::NotFound { .. })));
}

/// The error has the digest.
pub async fn a_snapshot_that_is_not_there_is_not_found(store: impl SuiteStore) {
    let (digest, _) = canonical(3);
    match store.captured(&digest).await {
        Err(StoreError::NotFound { what: "snapshot", name }) => assert_eq!(name, digest),
        other => panic!("{other:?}"),
    }
}

/// Their digests are verified, too.
pub async fn verification_counts_snapshots(store: impl SuiteStore) {
    for rows in [5, 6] {
        let (digest, bytes) = canonical(rows);
        store.capture(&digest, &bytes).await.unwrap();
    }
    let verification = store.verify(None).await.unwrap();
    assert_eq!((verification.snapshots, verification.damage), (2, None));
}
