//! A relay and a subscriber at events whose payloads are archived (specification 3.5).

use std::path::Path;
use std::sync::Arc;

use futures::TryStreamExt;
use powerfill_app::relay::{RelayError, RelayMode};
use powerfill_events::run::RunId;
use powerfill_events::values::Timestamp;
use powerfill_evidence::archive::{
    ArchiveOutcome, ArchiveRequest, Archiver, RetentionActor, restore,
};
use powerfill_nats::STREAM;
use powerfill_ports::StoreError;
use powerfill_ports::copying::CopyStore;
use powerfill_ports::events::EventStore;
use powerfill_sqlite::SqliteStore;
use powerfill_tests::all_runs::AllRuns;
use powerfill_tests::nats::NatsServer;
use powerfill_tests::postgres::TestDatabase;
use powerfill_tests::store_suite::StoreLocation;
use tokio_util::sync::CancellationToken;

use crate::{TenantStore, connect, execute_run};

fn actor() -> RetentionActor<'static> {
    RetentionActor { name: "records", now: Timestamp::from_micros(1_900_000_000_000_000) }
}

async fn archive(store: &dyn CopyStore, run: RunId, folder: &Path) -> ArchiveOutcome {
    let request = ArchiveRequest { actor: actor(), folder, program: "powerfill test" };
    let mut archiver = Archiver::open(store, request).await.unwrap();
    archiver.archive(run, None).await.unwrap()
}

/// Relays everything to a server without events of the tenant, from the first event on.
async fn relay_again(store: &TenantStore, server: &NatsServer) -> RelayError {
    let broker = Arc::new(connect(server).await);
    let relay = store.relay(&broker, &CancellationToken::new()).begin_at(Some(1));
    relay.run(RelayMode::CatchUp, |_| {}).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_goes_on_behind_archived_events_and_stops_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(SqliteStore::open(folder.path().join("store.db")).unwrap());
    let store = TenantStore {
        _folder: tempfile::tempdir().unwrap(),
        store: file.clone(),
        tenant: "acme".to_owned(),
    };
    let server = NatsServer::start("");
    store.execute_runs(2).await;
    let end = store.relay_all(&server).await.unwrap();
    store.execute_runs(1).await;
    let [latest, second, first] = &file.all_runs().await.unwrap()[..] else { panic!("3 runs") };
    let (second, first) = (second.run_id, first.run_id);
    assert!(matches!(
        archive(file.as_ref(), latest.run_id, folder.path()).await,
        ArchiveOutcome::Kept(_)
    ));
    let ArchiveOutcome::Archived(evidence) = archive(file.as_ref(), second, folder.path()).await
    else {
        panic!("it is archived");
    };
    // The broker's last event is archived, and what follows it is not.
    assert!(store.relay_all(&server).await.unwrap() > end);

    let beginning = file.stream_version(&first.stream()).await.unwrap();
    let another = NatsServer::start("");
    let error = relay_again(&store, &another).await;
    let text = error.to_string();
    let RelayError::Archived { position, stream, .. } = error else { panic!("{text}") };
    assert_eq!((position, stream), (beginning, second.stream()));
    assert!(text.contains(&format!("powerfill restore {}", evidence.display())), "{text}");
    assert_eq!(another.messages(STREAM).await.len() as u64, beginning);
    restore(file.as_ref(), &evidence, actor()).await.unwrap();
    let all = store.relay_all(&another).await.unwrap();
    assert_eq!(another.messages(STREAM).await.len() as u64, all);
}

/// Every reader gets the events before archived ones, and then says which are archived.
async fn readers_stop(store: Arc<dyn CopyStore>) {
    let folder = tempfile::tempdir().unwrap();
    let as_store: Arc<dyn powerfill_ports::Store> = store.clone();
    for _ in 0..3 {
        execute_run(&as_store, "acme", "12-kickout-reasons").await;
    }
    let [_, second, first] = &as_store.all_runs().await.unwrap()[..] else { panic!("3 runs") };
    let (second, first) = (second.run_id, first.run_id);
    archive(store.as_ref(), second, folder.path()).await;
    let beginning = store.stream_version(&first.stream()).await.unwrap();
    for mut batches in [store.read_all(0), store.subscribe(0)] {
        let mut read = 0;
        let error = loop {
            match batches.try_next().await {
                Ok(batch) => read += batch.expect("the log is longer").len() as u64,
                Err(error) => break error,
            }
        };
        assert_eq!(read, beginning);
        assert!(matches!(&error, StoreError::Archived(stream) if *stream == second.stream()));
        assert!(error.to_string().contains("powerfill restore FILE"), "{error}");
        assert!(batches.try_next().await.unwrap().is_none(), "it has ended");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_a_file_get_everything_before_archived_events() {
    let folder = tempfile::tempdir().unwrap();
    readers_stop(Arc::new(SqliteStore::open(folder.path().join("store.db")).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_a_database_get_everything_before_archived_events() {
    let database = TestDatabase::new();
    readers_stop(Arc::new(database.open().await)).await;
}
