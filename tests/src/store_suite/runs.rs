//! The queue: one active run, one worker at a time, a tenant that is always free again.

use futures::future::join_all;
use powerfill_ports::StoreError;
use powerfill_ports::runs::{Lease, RunStatus, RunStore};

use super::Place;
use super::samples::{moment, run};

/// Until it is over; the same run is not asked for twice.
pub async fn one_run_is_active_at_a_time(place: &impl Place) {
    let store = place.open().await;
    store.enqueue(run(1), moment(0)).await.unwrap();
    for other in [run(2), run(1)] {
        let refused = store.enqueue(other, moment(1)).await;
        assert!(matches!(refused, Err(StoreError::RunActive(id)) if id == run(1)), "{refused:?}");
    }
    let lease = store.claim("w1", moment(2), moment(12)).await.unwrap().unwrap();
    for status in [RunStatus::PreProcessing, RunStatus::Allocating, RunStatus::PostProcessing] {
        store.set_status(lease, status).await.unwrap();
        assert_eq!(store.run(run(1)).await.unwrap().unwrap().status, status);
        assert!(matches!(store.enqueue(run(2), moment(3)).await, Err(StoreError::RunActive(_))));
    }
    store.set_status(lease, RunStatus::Complete).await.unwrap();
    assert!(matches!(store.enqueue(run(1), moment(4)).await, Err(StoreError::Failed(_))));
    store.enqueue(run(2), moment(4)).await.unwrap();
}

/// Two servers cannot both start one.
pub async fn of_many_who_ask_one_gets_the_run(place: &impl Place) {
    let asking = join_all((1..=8_u128).map(|number| {
        let place_store = place.open();
        async move {
            let store = place_store.await;
            (store.enqueue(run(number), moment(0)).await, store)
        }
    }))
    .await;
    assert_eq!(asking.iter().filter(|(outcome, _)| outcome.is_ok()).count(), 1);
    let claims = join_all(asking.iter().map(|(_, store)| async move {
        store.claim("worker", moment(1), moment(11)).await.unwrap()
    }))
    .await;
    assert_eq!(claims.iter().flatten().count(), 1);
}

/// By anyone.
pub async fn a_run_is_claimed_once_until_its_lease_is_over(place: &impl Place) {
    let store = place.open().await;
    assert_eq!(store.claim("w1", moment(0), moment(10)).await.unwrap(), None);
    store.enqueue(run(1), moment(0)).await.unwrap();
    let first = store.claim("w1", moment(1), moment(10)).await.unwrap().unwrap();
    assert_eq!(first.run_id, run(1));
    let found = store.run(run(1)).await.unwrap().unwrap();
    assert_eq!((found.worker.as_deref(), found.lease_expires_at), (Some("w1"), Some(moment(10))));
    assert_eq!(store.claim("w2", moment(9), moment(19)).await.unwrap(), None);
    let second = store.claim("w2", moment(10), moment(20)).await.unwrap().unwrap();
    assert_eq!(second.run_id, run(1));
    assert!(second.token > first.token);
    assert_eq!(store.run(run(1)).await.unwrap().unwrap().worker.as_deref(), Some("w2"));
}

/// Beyond the first end.
pub async fn a_renewed_lease_keeps_others_out(place: &impl Place) {
    let store = place.open().await;
    store.enqueue(run(1), moment(0)).await.unwrap();
    let lease = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
    assert_eq!(store.renew(lease, moment(30)).await.unwrap(), None);
    assert_eq!(store.claim("w2", moment(20), moment(40)).await.unwrap(), None);
    assert!(store.claim("w2", moment(30), moment(50)).await.unwrap().is_some());
}

/// The worker that lives on after its lease is told so, and changes nothing.
pub async fn a_lost_lease_cannot_write(place: &impl Place) {
    let store = place.open().await;
    store.enqueue(run(1), moment(0)).await.unwrap();
    let old = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
    let new = store.claim("w2", moment(11), moment(21)).await.unwrap().unwrap();
    let lost = |outcome: Result<(), StoreError>| {
        assert!(matches!(outcome, Err(StoreError::LeaseLost(id)) if id == run(1)), "{outcome:?}");
    };
    lost(store.renew(old, moment(99)).await.map(|_| ()));
    lost(store.set_status(old, RunStatus::Complete).await);
    let made_up = Lease { run_id: run(1), token: new.token + 1 };
    lost(store.set_status(made_up, RunStatus::Failed).await);
    let found = store.run(run(1)).await.unwrap().unwrap();
    assert_eq!((found.status, found.lease_expires_at), (RunStatus::Pending, Some(moment(21))));
    store.set_status(new, RunStatus::Failed).await.unwrap();
    lost(store.set_status(new, RunStatus::Complete).await);
    lost(store.renew(new, moment(99)).await.map(|_| ()));
    assert_eq!(store.run(run(1)).await.unwrap().unwrap().status, RunStatus::Failed);
}

/// With the name of the first who asked.
pub async fn cancelling_is_heard_at_the_next_renewal(place: &impl Place) {
    let store = place.open().await;
    let unknown = store.request_cancel(run(1), "ann").await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })), "{unknown:?}");
    store.enqueue(run(1), moment(0)).await.unwrap();
    let lease = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
    assert_eq!(store.renew(lease, moment(11)).await.unwrap(), None);
    assert!(store.request_cancel(run(1), "ann").await.unwrap());
    assert!(store.request_cancel(run(1), "bob").await.unwrap());
    assert_eq!(store.renew(lease, moment(12)).await.unwrap().as_deref(), Some("ann"));
    store.set_status(lease, RunStatus::Cancelled).await.unwrap();
    assert!(!store.request_cancel(run(1), "ann").await.unwrap());
}

/// Its row says how it ended, and that nobody has it.
pub async fn a_run_that_is_over_frees_the_tenant(place: &impl Place) {
    let store = place.open().await;
    let over = [RunStatus::Complete, RunStatus::Failed, RunStatus::Cancelled];
    for (number, status) in (1_u128..).zip(over) {
        store.enqueue(run(number), moment(0)).await.unwrap();
        let lease = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
        store.set_status(lease, status).await.unwrap();
        let found = store.run(run(number)).await.unwrap().unwrap();
        assert_eq!((found.status, found.worker, found.lease_expires_at), (status, None, None));
        assert_eq!(store.claim("w2", moment(99), moment(109)).await.unwrap(), None);
    }
}

/// Those of one moment by their ids.
pub async fn runs_are_listed_latest_first(place: &impl Place) {
    let store = place.open().await;
    for (number, at) in [(5, 1), (1, 3), (9, 2), (2, 3)] {
        store.enqueue(run(number), moment(at)).await.unwrap();
        let lease = store.claim("w1", moment(at), moment(at + 9)).await.unwrap().unwrap();
        store.set_status(lease, RunStatus::Complete).await.unwrap();
    }
    let listed: Vec<_> = store.runs().await.unwrap().iter().map(|queued| queued.run_id).collect();
    assert_eq!(listed, [run(2), run(1), run(9), run(5)]);
    assert_eq!(store.run(run(7)).await.unwrap(), None);
}

/// And is there for the first worker that comes.
pub async fn an_unclaimed_run_survives_reopening(place: &impl Place) {
    let store = place.open().await;
    store.enqueue(run(1), moment(0)).await.unwrap();
    drop(store);
    let store = place.open().await;
    let found = store.run(run(1)).await.unwrap().unwrap();
    assert_eq!((found.status, found.requested_at), (RunStatus::Pending, moment(0)));
    assert!(store.claim("w1", moment(1), moment(9)).await.unwrap().is_some());
}
