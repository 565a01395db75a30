//! What copying a whole store needs, and which tenant a store belongs to.

use std::sync::Arc;

use powerfill_events::log::{EncodedBatch, SchemaId};
use powerfill_events::values::TenantId;
use powerfill_ports::copying::APPENDS_PER_BATCH;
use powerfill_ports::runs::{QueuedRun, RunStatus};
use powerfill_ports::{StoreError, ensure_tenant};

use super::SuiteStore;
use super::samples::{append, candidate, candidates, meta, moment, pool_lock, run};
use crate::all_runs::AllRuns;

/// An empty store accepts any tenant. Afterwards, the error for another tenant does not reveal the
/// owner.
pub async fn a_store_is_the_tenants_of_its_first_event(store: impl SuiteStore) {
    assert_eq!(store.tenant().await.unwrap(), None);
    let (acme, other) = (TenantId::from("acme"), TenantId::from("other"));
    ensure_tenant(&store, &other).await.unwrap();
    store.append(candidates(run(1), 0, 3)).await.unwrap();
    assert_eq!(store.tenant().await.unwrap(), Some(acme.clone()));
    ensure_tenant(&store, &acme).await.unwrap();
    let refused = ensure_tenant(&store, &other).await.unwrap_err();
    assert!(matches!(&refused, StoreError::AnotherTenant(tenant) if *tenant == other));
    assert!(!refused.to_string().contains("acme"), "{refused}");
    // A check that passed while the store was empty does not permit a later append.
    let mut late = pool_lock(0, true);
    late.meta.tenant_id = other.clone();
    let refused = store.append(late).await.unwrap_err();
    assert!(matches!(&refused, StoreError::AnotherTenant(tenant) if *tenant == other), "{refused}");
    assert_eq!(store.streams().await.unwrap(), [run(1).stream()]);
    store.append(pool_lock(0, true)).await.unwrap();
}

/// Appends are read in batches.
pub async fn appends_are_read_back_with_their_seals(store: impl SuiteStore) {
    let many = APPENDS_PER_BATCH as u64 + 7;
    for number in 0..many {
        let mut append = append(run(1 + u128::from(number % 3)), number / 3, &[candidate(1)]);
        append.meta.correlation_id = (number % 2 == 0).then_some(append.append_id);
        store.append(append).await.unwrap();
    }
    let mut found = Vec::new();
    loop {
        let batch = store.appends_after(found.len() as u64).await.unwrap();
        assert!(batch.len() <= APPENDS_PER_BATCH);
        if batch.is_empty() {
            break;
        }
        found.extend(batch);
    }
    assert_eq!(found.len() as u64, many);
    for (kept, number) in found.iter().zip(0_u64..) {
        let made = append(run(1 + u128::from(number % 3)), number / 3, &[candidate(1)]);
        let record = &kept.record;
        assert_eq!((record.seq, record.append_id), (number + 1, made.append_id));
        assert_eq!((kept.stream.as_str(), record.first_version), (&*made.stream, number / 3 + 1));
        assert_eq!((record.event_count, record.first_position), (1, number + 1));
        let correlation_id = (number % 2 == 0).then_some(made.append_id);
        assert_eq!(record.meta, powerfill_events::log::AppendMeta { correlation_id, ..meta() });
        assert_eq!(store.seal_at(record.seq).await.unwrap(), Some(kept.seal));
    }
}

/// The event keeps the schema version in which it was written, even if it is not the present one.
pub async fn a_stored_event_is_appended_as_it_was(store: impl SuiteStore) {
    let event = candidate(1);
    let mut append = append(run(1), 0, std::slice::from_ref(&event));
    let payload = br#"{"of":  "another time"}"#;
    append.events = EncodedBatch::default();
    append.events.push_stored(SchemaId::new(event.event_type().name(), 7), payload);
    store.append(append.clone()).await.unwrap();
    assert!(store.append(append).await.unwrap().repeated);
    let stored = super::samples::collect(store.read_all(0)).await;
    assert_eq!((stored[0].schema_version, &stored[0].payload[..]), (7, &payload[..]));
    assert_eq!(store.verify(None).await.unwrap().damage, None);
}

/// The list is sorted by digest.
pub async fn snapshots_are_listed(store: impl SuiteStore) {
    let mut digests = Vec::new();
    for text in ["one", "another", "a third"] {
        let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        store.capture(&digest, text.as_bytes()).await.unwrap();
        digests.push(digest);
    }
    digests.sort();
    assert_eq!(store.snapshot_digests().await.unwrap(), digests);
}

/// A repeat changes nothing, and an active run is refused.
pub async fn a_run_that_is_over_is_added_to_the_history_once(store: impl SuiteStore) {
    let store = Arc::new(store);
    let ended = |number, status| QueuedRun {
        is_scenario: number == 2,
        run_id: run(number),
        status,
        requested_at: moment(number as i64),
        worker: None,
        lease_expires_at: None,
        cancel_requested_by: (status == RunStatus::Cancelled).then(|| "chief".to_owned()),
    };
    let runs = [ended(2, RunStatus::Cancelled), ended(1, RunStatus::Complete)];
    for run in runs.iter().chain(&runs) {
        store.put_ended_run(run.clone()).await.unwrap();
    }
    store.put_ended_run(ended(1, RunStatus::Failed)).await.unwrap();
    let refused = store.put_ended_run(ended(3, RunStatus::Pending)).await;
    assert!(matches!(refused, Err(StoreError::RunActive(active)) if active == run(3)));
    assert_eq!(store.all_runs().await.unwrap(), runs);
}
