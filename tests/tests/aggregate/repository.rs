//! A run with `AggregateRoot` and `Repository` of `eventually`, over a store of PowerFill.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eventually::aggregate::AggregateRootBuilder;
use eventually::repository::{Error, Repository};
use eventually::store::AppendError;
use eventually::versioning::Versioned;
use powerfill_events::log::AppendMeta;
use powerfill_events::run::state::RunPhase;
use powerfill_events::run::{RunCommand, RunId, RunRejection};
use powerfill_events::values::Timestamp;
use powerfill_eventually::RunAggregate;
use powerfill_eventually::{EventuallyError, EventuallyStore};
use powerfill_memory::MemoryStore;
use powerfill_ports::StoreError;
use uuid::Uuid;

use crate::book::*;

fn repository(store: MemoryStore) -> Repository<RunAggregate, EventuallyStore<MemoryStore>> {
    let appends = AtomicU64::new(0);
    let envelope = move |run: RunId| {
        let append = appends.fetch_add(1, Ordering::Relaxed);
        let meta =
            AppendMeta::new("ACME".into(), "dana", Timestamp::from_micros(1_768_471_200_000_000));
        (Uuid::from_u64_pair(1, append), AppendMeta { correlation_id: Some(run.0), ..meta })
    };
    let public = EventuallyStore::new(Arc::new(store), envelope);
    Repository::new(AggregateRootBuilder::from(RunAggregate), public)
}

#[tokio::test]
async fn a_saved_run_is_loaded_with_the_same_state() {
    let mut runs = repository(MemoryStore::new());
    let mut root = runs.get(run_id()).await.unwrap();
    assert_eq!((root.version(), root.phase()), (0, RunPhase::New));
    root.handle(request()).await.unwrap();
    let begun = RunCommand::Record(vec![started(), preflight(), trade("T1", 0)]);
    root.handle(begun).await.unwrap();
    let mut root = runs.add(root).await.unwrap();
    assert_eq!(root.version(), 4);
    root.handle(record(allocated("L1", 500_000, "T1", 500_000))).await.unwrap();
    runs.add(root).await.unwrap();

    let root = runs.get(run_id()).await.unwrap();
    assert_eq!((root.version(), root.phase()), (5, RunPhase::Started));
    assert_eq!(root.filled(&"T1".into()), Some(usd(500_000)));
    assert_eq!(root.trade_of(&"L1".into()), Some(&"T1".into()));
}

#[tokio::test]
async fn a_rejected_command_changes_neither_root_nor_stream() {
    let mut runs = repository(MemoryStore::new());
    let mut root = runs.get(run_id()).await.unwrap();
    root.handle(request()).await.unwrap();
    let mut root = runs.add(root).await.unwrap();
    let rule = root.handle(completion()).await.unwrap_err();
    assert_eq!(rule, RunRejection::NotStarted { event: "RunCompleted" });
    assert_eq!(root.phase(), RunPhase::Requested);
    assert_eq!(runs.add(root).await.unwrap().version(), 1);
}

#[tokio::test]
async fn of_two_writers_one_gets_a_conflict() {
    let mut runs = repository(MemoryStore::new());
    let mut first = runs.get(run_id()).await.unwrap();
    let mut second = runs.get(run_id()).await.unwrap();
    first.handle(request()).await.unwrap();
    second.handle(request()).await.unwrap();
    runs.add(first).await.unwrap();
    let Err(Error::Store(refused)) = runs.add(second).await else {
        panic!("the second writer was not refused")
    };
    assert!(refused.is_conflict_error(), "{refused}");
    assert!(matches!(refused, EventuallyError::Store(StoreError::Conflict { .. })), "{refused}");
}

#[tokio::test]
async fn the_events_of_a_run_are_never_removed() {
    let mut runs = repository(MemoryStore::new());
    let refused = runs.remove(run_id()).await.unwrap_err();
    assert!(refused.to_string().contains("audit trail"), "{refused}");
}
