//! The traits of `eventually` for any store: its `Repository` works, and conflicts and refusals are
//! errors of its types.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use eventually::aggregate::{Aggregate, AggregateRootBuilder};
use eventually::repository::{Error as RepositoryError, Repository};
use eventually::store::{AppendError, EventStore as _, Expected, Select};
use eventually::subscription::EventSubscriber;
use eventually::versioning::Versioned;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use powerfill_events::run::{RunEvent, RunId};
use powerfill_eventually::{EventuallyError, EventuallyStore};
use powerfill_ports::events::EventStore;
use uuid::Uuid;

use super::SuiteStore;
use super::samples::{cancelled, candidates, meta, pass_completed, pool_lock, run};

fn public<S: EventStore>(store: S) -> EventuallyStore<S> {
    let appends = AtomicU64::new(0);
    EventuallyStore::new(Arc::new(store), move |run: RunId| {
        let number = u128::from(appends.fetch_add(1, Ordering::Relaxed));
        (Uuid::from_u128(run.0.as_u128() ^ (number << 64)), meta())
    })
}

/// A minimal aggregate: it counts passes until the run is cancelled.
#[derive(Clone)]
struct Passes;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Count {
    allocated: u64,
    over: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the run is over")]
struct Over;

impl Aggregate for Passes {
    type Id = RunId;
    type State = Count;
    type Event = RunEvent;
    type Command = RunEvent;
    type Error = Over;

    fn apply(state: Count, event: RunEvent) -> Result<Count, Over> {
        Ok(match event {
            RunEvent::PassCompleted(pass) => {
                Count { allocated: state.allocated + pass.allocated, ..state }
            }
            _ => Count { over: true, ..state },
        })
    }

    fn handle<'a, 's: 'a>(
        &'a self,
        _: &'s RunId,
        state: &'s Count,
        command: RunEvent,
    ) -> BoxFuture<'a, Result<Option<Vec<RunEvent>>, Over>> {
        let over = state.over;
        Box::pin(async move { if over { Err(Over) } else { Ok(Some(vec![command])) } })
    }
}

/// Handle, add, get, handle again, get again.
pub async fn an_eventually_repository_works(store: impl SuiteStore) {
    let builder = AggregateRootBuilder::from(Passes);
    let mut repository = Repository::new(builder.clone(), public(store.clone()));
    let mut root = builder.build(run(1));
    root.handle(pass_completed(3)).await.unwrap().handle(pass_completed(4)).await.unwrap();
    let mut root = repository.add(root).await.unwrap();
    assert_eq!(root.version(), 2);
    root.handle(cancelled("ann")).await.unwrap();
    assert!(root.handle(pass_completed(1)).await.is_err());
    repository.add(root).await.unwrap();
    let found = repository.get(run(1)).await.unwrap();
    assert_eq!((found.version(), found.state()), (3, &Count { allocated: 7, over: true }));
    assert_eq!(repository.get(run(2)).await.unwrap().version(), 0);
    let verification = store.verify(None).await.unwrap();
    assert_eq!((verification.events, verification.damage), (3, None));
}

/// Of two roots at the same version, the second gets a conflict. An append that expects any version
/// gets none.
pub async fn an_eventually_conflict_is_a_conflict(store: impl SuiteStore) {
    let mut store = public(store);
    let builder = AggregateRootBuilder::from(Passes);
    let mut repository = Repository::new(builder.clone(), store.clone());
    let (mut one, mut two) = (builder.build(run(1)), builder.build(run(1)));
    one.handle(pass_completed(1)).await.unwrap();
    two.handle(pass_completed(2)).await.unwrap();
    repository.add(one).await.unwrap();
    match repository.add(two).await {
        Err(RepositoryError::Store(error)) => assert!(error.is_conflict_error(), "{error}"),
        other => panic!("{:?}", other.map(|root| root.version())),
    }
    let any = store.append(run(1), Expected::Any, vec![pass_completed(5)]).await;
    assert_eq!(any.unwrap(), 2);
    assert_eq!(store.append(run(1), Expected::Any, Vec::new()).await.unwrap(), 2);
}

/// A subscription begins when it is made; `stream_all` returns the events before.
pub async fn an_eventually_subscription_is_live(store: impl SuiteStore) {
    let mut store = public(store);
    store.append(run(1), Expected::Exact(0), vec![pass_completed(1)]).await.unwrap();
    let subscriber = store.clone();
    let mut live = subscriber.subscribe_all().await.unwrap();
    store
        .append(run(2), Expected::Exact(0), vec![pass_completed(2), cancelled("x")])
        .await
        .unwrap();
    for number in 2..=3 {
        let event = live.next().await.unwrap().unwrap();
        assert_eq!((event.sequence_number(), event.source_id()), (number, &run(2)));
    }
    for (select, expected) in [(Select::All, vec![1, 2, 3]), (Select::From(2), vec![2, 3])] {
        let events: Vec<_> = store.stream_all(select).await.unwrap().try_collect().await.unwrap();
        let numbers: Vec<u32> = events.iter().map(|event| event.sequence_number()).collect();
        assert_eq!(numbers, expected);
    }
    let from: Vec<_> =
        store.stream(run(2), Select::From(2)).await.unwrap().try_collect().await.unwrap();
    assert_eq!(from.len(), 1);
    assert_eq!((from[0].version(), from[0].clone().take()), (2, cancelled("x")));
}

/// `remove` is refused.
pub async fn an_audited_stream_is_never_removed(store: impl SuiteStore) {
    let mut store = public(store);
    store.append(run(1), Expected::Exact(0), vec![pass_completed(1)]).await.unwrap();
    let refused = store.remove(run(1)).await;
    assert!(matches!(refused, Err(EventuallyError::RemoveRefused(id)) if id == run(1)));
    let events: Vec<_> =
        store.stream(run(1), Select::All).await.unwrap().try_collect().await.unwrap();
    assert_eq!(events.len(), 1);
}

/// The traits give access to runs only.
pub async fn an_eventually_reader_of_all_runs_gets_no_configuration(store: impl SuiteStore) {
    store.append(pool_lock(0, true)).await.unwrap();
    store.append(candidates(run(1), 0, 2)).await.unwrap();
    store.append(pool_lock(1, false)).await.unwrap();
    let all: Vec<_> =
        public(store).stream_all(Select::All).await.unwrap().try_collect().await.unwrap();
    assert_eq!(all.iter().map(|event| event.version()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(all.iter().map(|event| event.sequence_number()).collect::<Vec<_>>(), [2, 3]);
}
