//! Event indexes: each run has its own, which is replaced as a whole and read by subject.

use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_ports::StoreError;
use powerfill_ports::events::EventStore;
use powerfill_ports::index::{ENTRIES_PER_BATCH, IndexState, IndexStore};
use powerfill_tables::event_index::{IndexEntry, RunIndex, Subject, SubjectKind, Versions};

use super::samples::{candidates, run, unleased};
use super::{StoreLocation, SuiteStore};

/// An index of these subjects.
fn index(up_to_version: u64, listed: &[(Subject, &[u64])]) -> Arc<RunIndex> {
    let mut entries: Vec<IndexEntry> = listed
        .iter()
        .map(|(subject, versions)| IndexEntry {
            subject: subject.clone(),
            versions: versions.iter().copied().collect(),
        })
        .collect();
    entries.sort_by(|one, other| one.subject.cmp(&other.subject));
    Arc::new(RunIndex { projector_version: 3, up_to_version, entries })
}

fn loan(id: &str) -> Subject {
    Subject::named(SubjectKind::Loan, id)
}

fn trade(id: &str) -> Subject {
    Subject::named(SubjectKind::Trade, id)
}

const fn state(up_to_version: u64) -> IndexState {
    IndexState { projector_version: 3, up_to_version }
}

async fn versions(store: &impl IndexStore, number: u128, subjects: Vec<Subject>) -> Vec<Vec<u64>> {
    let indexed = store.indexed(run(number), subjects).await.unwrap().expect("there is an index");
    indexed.versions.iter().map(|list| list.decode().unwrap()).collect()
}

async fn entries(store: &impl IndexStore, number: u128) -> Vec<IndexEntry> {
    let batches: Vec<Vec<IndexEntry>> =
        store.index_entries(run(number)).try_collect().await.expect("entries can be read");
    assert!(batches.iter().all(|batch| !batch.is_empty() && batch.len() <= ENTRIES_PER_BATCH));
    batches.concat()
}

/// The result has the order of the request. A subject without events has an empty list.
pub async fn events_are_found_by_subject(location: &impl StoreLocation) {
    let store = location.open().await;
    store.append(candidates(run(1), 0, 9)).await.unwrap();
    assert_eq!(store.indexed(run(1), vec![Subject::run()]).await.unwrap(), None);
    assert!(store.indexed_runs().await.unwrap().is_empty());
    let given = [
        (Subject::run(), &[1, 9][..]),
        (loan("L1"), &[2, 3, 8]),
        (loan("ÄÖ “ß” ' \""), &[4]),
        (trade("L1"), &[5, u64::MAX / 2]),
    ];
    store.put_index(unleased(run(1)), index(9, &given)).await.unwrap();
    for opened in [store, location.open().await] {
        let asked =
            vec![trade("l1"), loan("L2"), loan("äö “SS” ' \""), Subject::run(), loan("l1 ")];
        let indexed = opened.indexed(run(1), asked.clone()).await.unwrap().unwrap();
        assert_eq!(indexed.state, state(9));
        let found = versions(&opened, 1, asked).await;
        assert_eq!(found, [vec![5, u64::MAX / 2], vec![], vec![4], vec![1, 9], vec![2, 3, 8]]);
        assert_eq!(opened.indexed_runs().await.unwrap(), [(run(1), state(9))]);
        assert_eq!(entries(&opened, 1).await, index(9, &given).entries);
    }
}

/// Nothing of the former index is left, and the indexes of other runs stay.
pub async fn an_index_replaces_the_runs_former_one(store: impl SuiteStore) {
    for number in 1..=3 {
        store.append(candidates(run(number), 0, 5)).await.unwrap();
    }
    store.put_index(unleased(run(3)), index(2, &[(loan("L1"), &[2])])).await.unwrap();
    store
        .put_index(unleased(run(1)), index(3, &[(loan("L1"), &[2]), (loan("L2"), &[3])]))
        .await
        .unwrap();
    store
        .put_index(unleased(run(1)), index(5, &[(loan("L2"), &[3, 5]), (loan("L3"), &[4])]))
        .await
        .unwrap();
    let asked = vec![loan("L1"), loan("L2"), loan("L3")];
    assert_eq!(versions(&store, 1, asked.clone()).await, [vec![], vec![3, 5], vec![4]]);
    assert_eq!(versions(&store, 3, asked.clone()).await, [vec![2], vec![], vec![]]);
    assert_eq!(store.indexed(run(2), asked).await.unwrap(), None);
    assert_eq!(store.indexed_runs().await.unwrap(), [(run(1), state(5)), (run(3), state(2))]);
    assert!(entries(&store, 2).await.is_empty());
    // An empty index is an index.
    store.put_index(unleased(run(3)), index(5, &[])).await.unwrap();
    assert_eq!(versions(&store, 3, vec![loan("L1")]).await, [Vec::<u64>::new()]);
    assert!(entries(&store, 3).await.is_empty());
}

/// An index is refused if its run has no events.
pub async fn a_run_without_events_has_no_index(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 1)).await.unwrap();
    let refused = store.put_index(unleased(run(2)), index(1, &[(loan("L1"), &[1])])).await;
    assert!(matches!(refused, Err(StoreError::NotFound { what: "run", .. })), "{refused:?}");
    assert!(store.indexed_runs().await.unwrap().is_empty());
    assert_eq!(store.indexed(run(2), vec![loan("L1")]).await.unwrap(), None);
}

/// Entries are read in batches, sorted by subject, and byte for byte.
pub async fn many_entries_come_back_in_order(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 1)).await.unwrap();
    let count = ENTRIES_PER_BATCH as u64 + 7;
    let names: Vec<String> =
        (0..count).map(|number| format!("L{:06}", number * 7 % count)).collect();
    let all: Vec<u64> = (1..=count).collect();
    let listed: Vec<(Subject, &[u64])> = names
        .iter()
        .zip(1..)
        .flat_map(|(name, end)| [(loan(name), &all[..end % 50]), (trade(name), &all[end - 1..end])])
        .chain([(Subject::run(), &all[..])])
        .collect();
    let given = index(count, &listed);
    store.put_index(unleased(run(1)), Arc::clone(&given)).await.unwrap();
    let found = entries(&store, 1).await;
    assert_eq!(found.len() as u64, count * 2 + 1);
    assert_eq!(found, given.entries);
    let asked: Vec<Subject> = given.entries.iter().rev().map(|e| e.subject.clone()).collect();
    let indexed = store.indexed(run(1), asked).await.unwrap().unwrap();
    assert!(indexed.versions.iter().eq(given.entries.iter().rev().map(|entry| &entry.versions)));
}

/// The store does not check a list: its bytes come back as they were given.
pub async fn a_malformed_list_comes_back_unchanged(store: impl SuiteStore) {
    store.append(candidates(run(1), 0, 1)).await.unwrap();
    let versions = Versions::from_bytes(vec![0x80, 0xff]);
    let entries = vec![IndexEntry { subject: loan("L1"), versions: versions.clone() }];
    let index = RunIndex { projector_version: 1, up_to_version: 1, entries };
    store.put_index(unleased(run(1)), Arc::new(index)).await.unwrap();
    let indexed = store.indexed(run(1), vec![loan("L1")]).await.unwrap().unwrap();
    assert!(versions.decode().is_err());
    assert_eq!(indexed.versions, [versions]);
}
