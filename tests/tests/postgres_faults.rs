//! PostgreSQL that goes away, stalls or cuts a connection (specification 5.3): afterwards no event is lost, doubled or
//! out of order, and whoever was told "unavailable" has done nothing, or is recognised.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::events::{Append, EventStore, StoredEvent};
use powerfill_ports::projections::ProjectionStore;
use powerfill_ports::runs::{ProjectionWriter, RunStatus, RunStore};
use powerfill_postgres::PostgresStore;
use powerfill_tables::table::TableSpec;
use powerfill_tests::postgres::{DedicatedServer, Durability, TestDatabase, url};
use powerfill_tests::proxy::{ProxyFault, TcpProxy};
use powerfill_tests::store_suite::StoreLocation;
use powerfill_tests::store_suite::samples::{
    HISTORY, KICKOUTS, candidates, collect, kickouts, moment, request, run, unleased,
};
use tokio::time::timeout;

/// Long enough for any machine; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes a call until the store is there, as the runner does.
async fn patiently<T, F>(mut call: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut pause = Duration::from_millis(10);
    loop {
        match call().await {
            Ok(done) => return done,
            Err(error) if error.is_transient() => tokio::time::sleep(pause).await,
            Err(error) => panic!("{error}"),
        }
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}

/// Reads until it has seen so many events; `slowly` looks away after each batch.
async fn follow(store: PostgresStore, total: usize, slowly: bool) -> Vec<(u64, String, u64)> {
    let mut seen = Vec::new();
    let mut subscription = store.subscribe(0);
    while seen.len() < total {
        let batch = timeout(PATIENCE, subscription.next()).await.expect("events come");
        let batch = batch.expect("does not end").expect("survives the server");
        seen.extend(batch.into_iter().map(|e| (e.global_position, e.stream, e.stream_version)));
        if slowly {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    seen
}

/// Sixteen writers, fast and slow readers, one that begins anew at its position after each batch; the server is
/// restarted, and then crashes, in the middle. Everything that anyone saw is what the table says, in its order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_event_is_missed_or_doubled_while_the_server_restarts() {
    const WRITERS: u128 = 16;
    const APPENDS: u64 = 60;
    const EVENTS: u32 = 4;
    let total = WRITERS as usize * APPENDS as usize * EVENTS as usize;
    let server = Arc::new(DedicatedServer::start(Durability::Synced));
    let place = TestDatabase::of(&server);
    let store = place.open().await;
    let address = url(&place.url().await);
    let other = PostgresStore::open(&address).await.unwrap();

    let readers = [
        tokio::spawn(follow(store.clone(), total, false)),
        tokio::spawn(follow(other.clone(), total, false)),
        tokio::spawn(follow(other.clone(), total, true)),
        tokio::spawn(follow_anew(other.clone(), total)),
    ];
    let done = Arc::new(AtomicI64::new(0));
    let writers: Vec<_> = (1..=WRITERS)
        .map(|writer| {
            let store = if writer % 2 == 0 { store.clone() } else { other.clone() };
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                for round in 0..APPENDS {
                    let append = candidates(run(writer), round * u64::from(EVENTS), EVENTS);
                    patiently(|| store.append(append.clone())).await;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let all = WRITERS as i64 * APPENDS as i64;
    for (part, how) in [(4, "fast"), (2, "immediate")] {
        while done.load(Ordering::Relaxed) < all / part {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let server = Arc::clone(&server);
        let restart = move || {
            server.stop(how);
            server.start();
        };
        tokio::task::spawn_blocking(restart).await.unwrap();
    }
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let table: Vec<(u64, String, u64)> = patiently(|| async {
        let events: Vec<Vec<StoredEvent>> = store.read_all(0).try_collect().await?;
        Ok(events
            .into_iter()
            .flatten()
            .map(|e| (e.global_position, e.stream, e.stream_version))
            .collect())
    })
    .await;
    assert_eq!(table.len(), total);
    assert!(table.iter().zip(1..).all(|((position, ..), dense)| *position == dense));
    let mut versions: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, stream, version) in &table {
        let before = versions.insert(stream, *version).unwrap_or(0);
        assert_eq!(*version, before + 1, "{stream}");
    }
    for reader in readers {
        assert!(reader.await.unwrap() == table, "a reader saw something else");
    }
    let verification = patiently(|| store.verify(None)).await;
    assert_eq!((verification.events, verification.damage), (total as u64, None));
}

/// A reader that remembers its last position and subscribes again after each batch.
async fn follow_anew(store: PostgresStore, total: usize) -> Vec<(u64, String, u64)> {
    let mut seen: Vec<(u64, String, u64)> = Vec::new();
    while seen.len() < total {
        let mut subscription = store.subscribe(seen.last().map_or(0, |(position, ..)| *position));
        let batch = timeout(PATIENCE, subscription.next()).await.expect("events come");
        let batch = batch.expect("does not end").expect("survives the server");
        seen.extend(batch.into_iter().map(|e| (e.global_position, e.stream, e.stream_version)));
    }
    seen
}

/// What a worker does to a store from the request to the end of a run.
async fn a_run(store: &PostgresStore, run: RunId, at: i64) {
    let (asked, until) = (moment(at), moment(at + 1_000));
    let lease = loop {
        match store.enqueue(request(run, asked)).await {
            Ok(_) => break patiently(|| store.claim("worker", asked, until)).await.expect("free"),
            Err(error) if error.is_transient() => {}
            Err(error) => panic!("enqueue: {error}"),
        }
    };
    assert_eq!(lease.run_id, run);
    for (version, count) in [(1, 3), (4, 150)] {
        let append = Append { lease: Some(lease), ..candidates(run, version, count) };
        let appended = patiently(|| store.append(append.clone())).await;
        assert_eq!(appended.stream_version, version + u64::from(count));
    }
    let tables: [&'static TableSpec; 2] = [&KICKOUTS, &HISTORY];
    let writer = ProjectionWriter::Worker(lease);
    patiently(|| store.begin_staging(writer, &tables)).await;
    for (part, loan) in [(1, "L1"), (2, "L2"), (3, "L3")] {
        patiently(|| store.stage(writer, [kickouts([loan])].into(), part)).await;
    }
    patiently(|| store.publish(writer)).await;
    patiently(|| store.renew(lease, until)).await;
    patiently(|| store.set_status(lease, RunStatus::Complete)).await;
}

async fn is_what_came_of(store: &PostgresStore, run: RunId, at: &str) {
    let rows: Vec<_> = store.rows(&KICKOUTS).try_collect().await.unwrap();
    let loans: Vec<String> = rows
        .iter()
        .flat_map(|batch| batch.rows.rows().map(|row| format!("{:?}", row[0])))
        .collect();
    assert_eq!(loans, ["Text(\"L1\")", "Text(\"L2\")", "Text(\"L3\")"], "{at}");
    assert_eq!(store.published().await.unwrap(), Some((run, 3)), "{at}");
    let queued = store.run(run).await.unwrap().unwrap();
    assert_eq!((queued.status, queued.worker), (RunStatus::Complete, None), "{at}");
    assert_eq!(collect(store.read(&run.stream(), 1)).await.len(), 154, "{at}");
}

/// Every message would take a minute; the two tests begin at other ones, and each call is met in many ways.
const STRIDE: usize = 4;

/// A run whose connection is cut at the client's n-th message, for each n. Each call is made again while the store says
/// "unavailable"; nothing is done twice.
async fn cut_at_each_message(cut: ProxyFault, first: usize) {
    let place = TestDatabase::new();
    let direct = place.open().await;
    let port = powerfill_tests::postgres::shared_server().port();
    let mut number = 0;
    for message in (first..).step_by(STRIDE) {
        number += 1;
        let proxy = TcpProxy::to_port(port).await;
        let store = opened_through(&proxy, place.name().await).await;
        proxy.fail_at_message(message, cut);
        let at = format!("{cut:?}, message {message}");
        timeout(PATIENCE, a_run(&store, run(number), number as i64 * 10_000))
            .await
            .unwrap_or_else(|_| panic!("{at}: hangs"));
        is_what_came_of(&direct, run(number), &at).await;
        if !proxy.has_failed() {
            assert!(message > 60, "a run has more than {message} messages");
            break;
        }
    }
    let verification = direct.verify(None).await.unwrap();
    assert_eq!((verification.appends, verification.damage), (number as u64 * 3, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_before_the_server_hears_does_nothing_twice() {
    cut_at_each_message(ProxyFault::DropRequest, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_before_the_answer_does_nothing_twice() {
    cut_at_each_message(ProxyFault::DropResponse, 3).await;
}

async fn opened_through(proxy: &TcpProxy, database: &str) -> PostgresStore {
    let through =
        url(&powerfill_tests::postgres::shared_server().url_on_port(proxy.port(), database));
    PostgresStore::open(&through).await.expect("the store opens")
}

/// What passes is unavailable, what does not is a failure; no password is repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_what_is_wrong_is_understood() {
    let server = DedicatedServer::start(Durability::Unsynced);
    let place = TestDatabase::of(&server);
    let store = place.open().await;
    let admin = server.admin_client(place.name().await).await;

    // A report that holds what a publish replaces.
    store.begin_staging(unleased(run(1)), &[&KICKOUTS]).await.unwrap();
    store.publish(unleased(run(1))).await.unwrap();
    store.begin_staging(unleased(run(2)), &[&KICKOUTS]).await.unwrap();
    admin
        .batch_execute("BEGIN; LOCK TABLE powerfill.pfill_test_kickouts IN SHARE MODE")
        .await
        .unwrap();
    let text = place.url().await;
    let hurried = url(&format!("{text}?options=-c%20lock_timeout%3D50"));
    let hurried = PostgresStore::open(&hurried).await.unwrap();
    let held = hurried.publish(unleased(run(2))).await.unwrap_err();
    assert!(matches!(held, StoreError::Unavailable(_)), "{held}");
    admin.batch_execute("COMMIT").await.unwrap();
    hurried.publish(unleased(run(2))).await.unwrap();

    // Connections that the administrator ends are replaced.
    admin
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
    patiently(|| store.append(candidates(run(1), 0, 1))).await;

    // No room for another connection.
    server.configure("max_connections = 5\nsuperuser_reserved_connections = 0\n");
    server.stop("fast");
    server.start();
    let mut held = Vec::new();
    let refused = loop {
        assert!(held.len() < 10);
        match tokio_postgres::connect(&text, tokio_postgres::NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                held.push(client);
            }
            Err(_) => break PostgresStore::open(&url(&text)).await.unwrap_err(),
        }
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    drop(held);

    // A role or password that is not let in does not get better with time, and is not repeated.
    let wrong = server.tcp_url(place.name().await).replace("of%20the%20tests", "s3cret");
    let refused = PostgresStore::open(&url(&wrong)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Failed(_)), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("s3cret"));

    // A standby, or a server that was told to be read-only.
    let admin = loop {
        if let Ok((client, connection)) =
            tokio_postgres::connect(&text, tokio_postgres::NoTls).await
        {
            tokio::spawn(connection);
            break client;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    admin
        .batch_execute(&format!(
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            place.name().await
        ))
        .await
        .unwrap();
    let store = PostgresStore::open(&url(&text)).await.unwrap();
    let refused = store.append(candidates(run(1), 1, 1)).await.unwrap_err();
    assert!(
        matches!(&refused, StoreError::Failed(text) if text.contains("read-only")),
        "{refused}"
    );
    drop((store, admin));

    // And away altogether.
    server.stop("fast");
    let gone = PostgresStore::open(&url(&text)).await.unwrap_err();
    assert!(matches!(gone, StoreError::Unavailable(_)), "{gone}");
    server.start();
}

/// A server that does not answer holds a subscriber only as long as its own look takes; the next connection goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_survives_a_connection_that_stalls() {
    let place = TestDatabase::new();
    let writer = place.open().await;
    let port = powerfill_tests::postgres::shared_server().port();
    let proxy = TcpProxy::to_port(port).await;
    let reader = opened_through(&proxy, place.name().await).await;
    let waiting = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&waiting);
    writer.append(candidates(run(1), 0, 1)).await.unwrap();
    let following = tokio::spawn(async move {
        let mut seen = Vec::new();
        let mut subscription = reader.subscribe(0);
        while seen.len() < 3 {
            let batch = subscription.next().await.unwrap().unwrap();
            seen.extend(batch.into_iter().map(|event| event.global_position));
            told.store(true, Ordering::Relaxed);
        }
        seen
    });
    while !waiting.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    proxy.stall();
    writer.append(candidates(run(1), 1, 1)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    proxy.disconnect_all();
    writer.append(candidates(run(1), 2, 1)).await.unwrap();
    let seen = timeout(PATIENCE, following).await.expect("goes on").unwrap();
    assert_eq!(seen, [1, 2, 3]);
}
