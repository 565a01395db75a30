//! The queue: at most one active run, one worker at a time, and an end that always frees the
//! tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use futures::future::join_all;
use powerfill_events::log::EncodedBatch;
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use powerfill_ports::events::{Append, AppendReceipt, EventStore};
use powerfill_ports::projections::RunRows;
use powerfill_ports::runs::{
    Lease, ProjectionWriter, QueuedRun, RunCursor, RunFilter, RunStatus, RunStore,
};
use powerfill_ports::{Store, StoreError, StoreResult};
use powerfill_tables::event_index::RunIndex;
use powerfill_tables::table::Cell;
use uuid::Uuid;

use super::samples::{HISTORY, KICKOUTS, candidates, kickouts, moment, request, run, unleased};
use super::{StoreLocation, SuiteStore};
use crate::all_runs::AllRuns;

/// The next run can be requested when this one is over. The same run cannot be requested twice.
pub async fn one_run_is_active_at_a_time(store: impl SuiteStore) {
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    let otherwise = |at| Append { append_id: Uuid::from_u128(1), ..request(run(1), at) };
    for other in [request(run(2), moment(1)), otherwise(moment(1))] {
        let refused = store.enqueue(other, false).await;
        assert!(matches!(refused, Err(StoreError::RunActive(id)) if id == run(1)), "{refused:?}");
    }
    let lease = store.claim("w1", moment(2), moment(12)).await.unwrap().unwrap();
    for status in [RunStatus::PreProcessing, RunStatus::Allocating, RunStatus::PostProcessing] {
        store.set_status(lease, status).await.unwrap();
        assert_eq!(store.run(run(1)).await.unwrap().unwrap().status, status);
        assert!(matches!(
            store.enqueue(request(run(2), moment(3)), false).await,
            Err(StoreError::RunActive(_))
        ));
    }
    store.set_status(lease, RunStatus::Complete).await.unwrap();
    let again = store.enqueue(otherwise(moment(4)), false).await;
    assert!(matches!(again, Err(StoreError::Failed(_))), "{again:?}");
    store.enqueue(request(run(2), moment(4)), false).await.unwrap();
}

/// A store belongs to the tenant of its first event.
pub async fn a_run_in_another_tenants_store_is_refused(store: impl SuiteStore) {
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    let mut other = request(run(2), moment(1));
    other.meta.tenant_id = TenantId::from("ANOTHER");
    for over in [false, true] {
        let refused = store.enqueue(other.clone(), false).await;
        assert!(
            matches!(&refused, Err(StoreError::AnotherTenant(of)) if of.as_str() == "ANOTHER"),
            "{refused:?}"
        );
        if !over {
            let lease = store.claim("w1", moment(2), moment(12)).await.unwrap().unwrap();
            store.set_status(lease, RunStatus::Complete).await.unwrap();
        }
    }
    assert_eq!(store.all_runs().await.unwrap().len(), 1);
}

/// Two servers cannot both start a run.
pub async fn one_of_many_requests_gets_the_run(location: &impl StoreLocation) {
    let asking = join_all((1..=8_u128).map(|number| {
        let place_store = location.open();
        async move {
            let store = place_store.await;
            (store.enqueue(request(run(number), moment(0)), false).await, store)
        }
    }))
    .await;
    assert_eq!(asking.iter().filter(|(outcome, _)| outcome.is_ok()).count(), 1);
    let store = &asking[0].1;
    assert_eq!(
        (store.all_runs().await.unwrap().len(), store.streams().await.unwrap().len()),
        (1, 1)
    );
    let claims = join_all(asking.iter().map(|(_, store)| async move {
        store.claim("worker", moment(1), moment(11)).await.unwrap()
    }))
    .await;
    assert_eq!(claims.iter().flatten().count(), 1);
}

/// No worker can claim the run before.
pub async fn a_run_is_claimed_once_until_its_lease_is_over(store: impl SuiteStore) {
    assert_eq!(store.claim("w1", moment(0), moment(10)).await.unwrap(), None);
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
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

/// Until the renewed end.
pub async fn a_renewed_lease_keeps_others_out(store: impl SuiteStore) {
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    let lease = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
    assert_eq!(store.renew(lease, moment(30)).await.unwrap(), None);
    assert_eq!(store.claim("w2", moment(20), moment(40)).await.unwrap(), None);
    assert!(store.claim("w2", moment(30), moment(50)).await.unwrap().is_some());
}

/// The entry in the queue and the event are written together.
pub async fn a_run_is_in_the_queue_with_its_request_or_not_at_all(store: impl SuiteStore) {
    let asked = store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    assert_eq!((asked.seq, asked.stream_version, asked.position, asked.repeated), (1, 1, 1, false));
    assert_eq!(store.stream_version(&run(1).stream()).await.unwrap(), 1);
    assert_eq!(store.run(run(1)).await.unwrap().unwrap().requested_at, moment(0));
    // The queue refuses, and nothing is recorded.
    let refused = store.enqueue(request(run(2), moment(1)), false).await;
    assert!(matches!(refused, Err(StoreError::RunActive(id)) if id == run(1)), "{refused:?}");
    assert_eq!(store.stream_version(&run(2).stream()).await.unwrap(), 0);
    over(&store, run(1)).await;
    // The log refuses, and nothing is queued.
    store.append(candidates(run(3), 0, 4)).await.unwrap();
    let other = Append { append_id: Uuid::from_u128(3), ..request(run(3), moment(2)) };
    let refused = store.enqueue(other, false).await;
    assert!(matches!(refused, Err(StoreError::Conflict { actual: 4, .. })), "{refused:?}");
    let no_run = Append { stream: "orders".to_owned(), ..request(run(4), moment(2)) };
    assert!(matches!(store.enqueue(no_run, false).await, Err(StoreError::Failed(_))));
    let nothing = Append { events: EncodedBatch::default(), ..request(run(5), moment(2)) };
    assert!(matches!(store.enqueue(nothing, false).await, Err(StoreError::Failed(_))));
    assert_eq!(store.all_runs().await.unwrap().len(), 1);
    assert_eq!(store.head().await.unwrap().position, 5);
    store.enqueue(request(run(2), moment(3)), false).await.unwrap();
    assert_eq!(store.verify(None).await.unwrap().damage, None);
}

async fn over(store: &impl RunStore, run: RunId) {
    let lease = store.claim("w0", moment(1), moment(9)).await.unwrap().unwrap();
    assert_eq!(lease.run_id, run);
    store.set_status(lease, RunStatus::Complete).await.unwrap();
}

/// A request can be repeated after its response was lost, in any state of the run.
pub async fn a_repeated_request_is_recognized(store: impl SuiteStore) {
    let first = store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    let done = AppendReceipt { repeated: true, ..first };
    let again = || store.enqueue(request(run(1), moment(7)), false);
    assert_eq!(again().await.unwrap(), done);
    let lease = store.claim("w1", moment(1), moment(9)).await.unwrap().unwrap();
    assert_eq!(again().await.unwrap(), done);
    store.set_status(lease, RunStatus::Failed).await.unwrap();
    assert_eq!(again().await.unwrap(), done);
    let found = store.run(run(1)).await.unwrap().unwrap();
    assert_eq!((found.status, found.requested_at), (RunStatus::Failed, moment(0)));
    let other = Append { events: candidates(run(1), 9, 1).events, ..request(run(1), moment(0)) };
    let refused = store.enqueue(other, false).await;
    assert!(matches!(refused, Err(StoreError::AppendIdReused { .. })), "{refused:?}");
    store.enqueue(request(run(2), moment(1)), false).await.unwrap();
    assert_eq!(again().await.unwrap(), done, "also while another run is active");
    assert_eq!(store.head().await.unwrap().position, 2);
}

/// All calls of a worker for its run, except the last one.
async fn worker_calls(store: &impl Store, lease: Lease, after: u64) -> Vec<StoreResult<()>> {
    let (writer, run) = (ProjectionWriter::Worker(lease), lease.run_id);
    let append = Append { lease: Some(lease), ..candidates(run, after, 1) };
    let index = RunIndex { projector_version: 1, up_to_version: 1, entries: Vec::new() };
    vec![
        store.append(append).await.map(|_| ()),
        store.begin_staging(writer, &[&KICKOUTS]).await,
        store.stage(writer, [kickouts(["L1"])].into(), after + 1).await,
        store.publish(writer, &[]).await,
        store.put_row(writer, &HISTORY, vec![Cell::Name("Allocating"), Cell::Int(1)]).await,
        store.put_index(writer, Arc::new(index)).await,
        store.renew(lease, moment(30)).await.map(|_| ()),
        store.set_status(lease, RunStatus::Allocating).await,
    ]
}

/// Its time is over, but no other worker has claimed the run: the worker continues.
pub async fn an_expired_lease_holds_until_the_next_claim(store: impl SuiteStore) {
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    let lease = store.claim("w1", moment(0), moment(0)).await.unwrap().unwrap();
    for (number, outcome) in worker_calls(&store, lease, 1).await.into_iter().enumerate() {
        assert!(outcome.is_ok(), "call {number}: {outcome:?}");
    }
    assert_eq!(store.claim("w2", moment(29), moment(40)).await.unwrap(), None);
}

/// The visible state of a store.
async fn visible_state(store: &impl Store) -> String {
    let kickouts: Vec<_> = store.rows(&KICKOUTS).try_collect().await.unwrap();
    let history: Vec<_> = store.rows(&HISTORY).try_collect().await.unwrap();
    let cells = |rows: Vec<RunRows>| -> Vec<_> {
        rows.into_iter().map(|rows| (rows.run_id, rows.rows.cells)).collect()
    };
    let (queue, head) = (store.all_runs().await.unwrap(), store.head().await.unwrap());
    let shown = store.published().await.unwrap();
    let indexed = store.indexed_runs().await.unwrap();
    format!("{:?} {:?} {queue:?} {head:?} {shown:?} {indexed:?}", cells(kickouts), cells(history))
}

/// A worker that lost its lease gets an error from every call and changes nothing, not even staged
/// rows.
pub async fn a_lost_lease_cannot_write(store: impl SuiteStore) {
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    let old = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
    store.begin_staging(ProjectionWriter::Worker(old), &[&KICKOUTS]).await.unwrap();
    let new = store.claim("w2", moment(11), moment(21)).await.unwrap().unwrap();
    let current = ProjectionWriter::Worker(new);
    store.begin_staging(current, &[&KICKOUTS]).await.unwrap();
    store.stage(current, [kickouts(["L7"])].into(), 1).await.unwrap();
    let made_up = Lease { run_id: run(1), token: new.token + 1 };
    let another_runs = Lease { run_id: run(2), token: new.token };
    let before = visible_state(&store).await;
    for lease in [old, made_up, another_runs] {
        assert_lease_lost(lease, worker_calls(&store, lease, 1).await);
        let ended = store.set_status(lease, RunStatus::Complete).await;
        assert!(matches!(ended, Err(StoreError::LeaseLost(_))), "{ended:?}");
    }
    assert_eq!(visible_state(&store).await, before);
    store.publish(current, &[]).await.unwrap();
    let shown: Vec<_> = store.rows(&KICKOUTS).try_collect().await.unwrap();
    assert_eq!(shown.iter().map(|batch| batch.rows.len()).sum::<usize>(), 1);
    store.set_status(new, RunStatus::Failed).await.unwrap();
    let before = visible_state(&store).await;
    assert_lease_lost(new, worker_calls(&store, new, 1).await);
    assert_eq!(visible_state(&store).await, before, "a run that is over has no worker");
}

fn assert_lease_lost(lease: Lease, outcomes: Vec<StoreResult<()>>) {
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let lost = matches!(outcome, Err(StoreError::LeaseLost(run)) if run == lease.run_id);
        assert!(lost, "call {number} with {lease:?}: {outcome:?}");
    }
}

/// Otherwise the worker would report a fault of the run.
pub async fn a_lost_lease_is_the_first_error(store: impl SuiteStore) {
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    let old = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
    let first = Append { lease: Some(old), ..candidates(run(1), 1, 2) };
    store.append(first.clone()).await.unwrap();
    assert!(store.append(first.clone()).await.unwrap().repeated);
    let new = store.claim("w2", moment(11), moment(21)).await.unwrap().unwrap();
    // A repeat, an append at a wrong version, and another content with the same id.
    let late = Append { lease: Some(old), ..candidates(run(1), 2, 1) };
    let other = Append { events: candidates(run(1), 5, 1).events, ..first.clone() };
    for append in [first.clone(), late, other] {
        let lost = store.append(append).await;
        assert!(matches!(lost, Err(StoreError::LeaseLost(_))), "{lost:?}");
    }
    let taken_up = Append { lease: Some(new), ..first };
    assert!(store.append(taken_up).await.unwrap().repeated, "the next worker repeats the append");
}

/// There is one staging area, which belongs to the active run.
pub async fn an_active_run_keeps_maintenance_out(store: impl SuiteStore) {
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    over(&store, run(1)).await;
    let writer = unleased(run(1));
    store.begin_staging(writer, &[&KICKOUTS]).await.unwrap();
    store.enqueue(request(run(2), moment(0)), false).await.unwrap();
    let index = RunIndex { projector_version: 1, up_to_version: 1, entries: Vec::new() };
    let before = visible_state(&store).await;
    for outcome in [
        store.begin_staging(writer, &[&KICKOUTS]).await,
        store.stage(writer, [kickouts(["L1"])].into(), 1).await,
        store.publish(writer, &[]).await,
        store.put_row(writer, &HISTORY, vec![Cell::Name("Complete"), Cell::Int(1)]).await,
        store.put_index(writer, Arc::new(index)).await,
    ] {
        assert!(matches!(outcome, Err(StoreError::RunActive(id)) if id == run(2)), "{outcome:?}");
    }
    assert_eq!(visible_state(&store).await, before);
}

/// The renewal returns the name in the first request.
pub async fn a_cancel_request_is_returned_by_the_next_renewal(store: impl SuiteStore) {
    let unknown = store.request_cancel(run(1), "ann").await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })), "{unknown:?}");
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    let lease = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
    assert_eq!(store.renew(lease, moment(11)).await.unwrap(), None);
    assert!(store.request_cancel(run(1), "ann").await.unwrap());
    assert!(store.request_cancel(run(1), "bob").await.unwrap());
    assert_eq!(store.renew(lease, moment(12)).await.unwrap().as_deref(), Some("ann"));
    store.set_status(lease, RunStatus::Cancelled).await.unwrap();
    assert!(!store.request_cancel(run(1), "ann").await.unwrap());
}

/// The run keeps its final status, and has no worker.
pub async fn a_run_that_is_over_frees_the_tenant(store: impl SuiteStore) {
    let over = [RunStatus::Complete, RunStatus::Failed, RunStatus::Cancelled];
    for (number, status) in (1_u128..).zip(over) {
        store.enqueue(request(run(number), moment(0)), false).await.unwrap();
        let lease = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
        store.set_status(lease, status).await.unwrap();
        let found = store.run(run(number)).await.unwrap().unwrap();
        assert_eq!((found.status, found.worker, found.lease_expires_at), (status, None, None));
        assert_eq!(store.claim("w2", moment(99), moment(109)).await.unwrap(), None);
    }
}

/// Runs of the same moment are listed by id. The active run is part of the list.
pub async fn runs_are_listed_newest_first_in_pages(store: impl SuiteStore) {
    assert_eq!(store.runs_after(RunCursor::START, 3, RunFilter::All).await.unwrap(), []);
    for (number, at) in [(5, 1), (1, 3), (9, 2), (2, 3)] {
        store.enqueue(request(run(number), moment(at)), false).await.unwrap();
        let lease = store.claim("w1", moment(at), moment(at + 9)).await.unwrap().unwrap();
        store.set_status(lease, RunStatus::Complete).await.unwrap();
    }
    store.enqueue(request(run(4), moment(2)), false).await.unwrap();
    let expected = [2, 1, 9, 4, 5].map(run);
    let ids = |runs: Vec<QueuedRun>| runs.iter().map(|queued| queued.run_id).collect::<Vec<_>>();
    assert_eq!(ids(store.all_runs().await.unwrap()), expected);
    for size in 1..=6 {
        let (mut listed, mut cursor) = (Vec::new(), RunCursor::START);
        loop {
            let page = store.runs_after(cursor, size, RunFilter::All).await.unwrap();
            assert!(page.len() <= size);
            let Some(last) = page.last() else { break };
            cursor = last.cursor();
            listed.extend(ids(page));
        }
        assert_eq!(listed, expected, "in pages of {size}");
    }
    assert_eq!(store.run(run(7)).await.unwrap(), None);
    for (first, last, limit, expected) in
        [(1, 9, 9, &[1, 2, 4, 5, 9][..]), (2, 5, 2, &[2, 4]), (5, 5, 2, &[5]), (6, 8, 2, &[])]
    {
        let between = store.runs_between(run(first), run(last), limit).await.unwrap();
        let expected: Vec<RunId> = expected.iter().map(|number| run(*number)).collect();
        assert_eq!(ids(between), expected, "{first} to {last}");
    }
}

/// A status without runs has no newest run and no count.
pub async fn runs_are_found_and_counted_by_status(store: impl SuiteStore) {
    assert_eq!(store.active_run().await.unwrap(), None);
    assert_eq!(store.run_counts().await.unwrap(), BTreeMap::new());
    let ends = [(1, RunStatus::Complete), (2, RunStatus::Failed), (3, RunStatus::Complete)];
    for (number, status) in ends {
        store.enqueue(request(run(number), moment(0)), false).await.unwrap();
        let lease = store.claim("w1", moment(0), moment(10)).await.unwrap().unwrap();
        store.set_status(lease, status).await.unwrap();
    }
    store.enqueue(request(run(4), moment(1)), false).await.unwrap();
    let latest = async |status| store.latest_run(status).await.unwrap().map(|found| found.run_id);
    assert_eq!(latest(RunStatus::Complete).await, Some(run(3)));
    assert_eq!(latest(RunStatus::Failed).await, Some(run(2)));
    assert_eq!(latest(RunStatus::Cancelled).await, None);
    let active = store.active_run().await.unwrap();
    assert_eq!(active, store.run(run(4)).await.unwrap());
    assert_eq!(active, store.latest_run(RunStatus::Pending).await.unwrap());
    let counts = [(RunStatus::Pending, 1), (RunStatus::Complete, 2), (RunStatus::Failed, 1)];
    assert_eq!(store.run_counts().await.unwrap(), BTreeMap::from(counts));
}

/// The next worker can claim it.
pub async fn an_unclaimed_run_survives_reopening(location: &impl StoreLocation) {
    let store = location.open().await;
    store.enqueue(request(run(1), moment(0)), false).await.unwrap();
    drop(store);
    let store = location.open().await;
    let found = store.run(run(1)).await.unwrap().unwrap();
    assert_eq!((found.status, found.requested_at), (RunStatus::Pending, moment(0)));
    assert!(store.claim("w1", moment(1), moment(9)).await.unwrap().is_some());
}
