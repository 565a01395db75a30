//! PostgreSQL that goes away, stalls, or cuts a connection (specification 5.3). Afterwards no event
//! is lost, doubled, or out of order. A call that returned "unavailable" has done nothing, or is
//! recognized when it is repeated.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use futures::{FutureExt, StreamExt, TryStreamExt};
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::events::{Append, EventStore, StoredEvent};
use powerfill_ports::projections::ProjectionStore;
use powerfill_ports::runs::{ProjectionWriter, RunStatus, RunStore};
use powerfill_postgres::PostgresStore;
use powerfill_tables::table::TableRef;
use powerfill_tests::postgres::{DedicatedServer, Durability, TestDatabase, connect, url};
use powerfill_tests::proxy::{ProxyFault, TcpProxy};
use powerfill_tests::store_suite::StoreLocation;
use powerfill_tests::store_suite::samples::{
    HISTORY, KICKOUTS, candidates, collect, kickouts, moment, request, run, unleased,
};
use powerfill_tests::waiting::{completed, eventually, retry_while_unavailable};

/// The pause of a reader that is slow on purpose.
const SLOW_READER_PAUSE: Duration = Duration::from_millis(20);

/// Subscribes until it has seen `total` events. Pauses after each batch if `is_slow`.
async fn follow(store: PostgresStore, total: usize, is_slow: bool) -> Vec<(u64, String, u64)> {
    let mut seen = Vec::new();
    let mut subscription = store.subscribe(0);
    while seen.len() < total {
        let batch = completed("the next batch of events", subscription.next()).await;
        let batch = batch.expect("a subscription does not end").expect("it outlives the server");
        seen.extend(batch.into_iter().map(|e| (e.global_position, e.stream, e.stream_version)));
        if is_slow {
            tokio::time::sleep(SLOW_READER_PAUSE).await;
        }
    }
    seen
}

/// Sixteen writers, fast and slow readers, and one that subscribes again at its position after each
/// batch. The server is restarted, and then crashes, when a quarter and half of the appends are
/// done. Each reader must have seen exactly what the table contains, in its order.
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
        tokio::spawn(follow_with_resubscriptions(other.clone(), total)),
    ];
    let done = Arc::new(AtomicI64::new(0));
    let writers: Vec<_> = (1..=WRITERS)
        .map(|writer| {
            let store = if writer % 2 == 0 { store.clone() } else { other.clone() };
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                for round in 0..APPENDS {
                    let append = candidates(run(writer), round * u64::from(EVENTS), EVENTS);
                    retry_while_unavailable(|| store.append(append.clone())).await;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let all = WRITERS as i64 * APPENDS as i64;
    for (part, how) in [(4, "fast"), (2, "immediate")] {
        let is_reached = async || done.load(Ordering::Relaxed) >= all / part;
        eventually(format!("1/{part} of the appends"), is_reached).await;
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
    let table: Vec<(u64, String, u64)> = retry_while_unavailable(async || {
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
        assert!(reader.await.unwrap() == table, "a reader saw other events than the table has");
    }
    let verification = retry_while_unavailable(|| store.verify(None)).await;
    assert_eq!((verification.events, verification.damage), (total as u64, None));
}

/// A reader that remembers its last position and subscribes again after each batch.
async fn follow_with_resubscriptions(
    store: PostgresStore,
    total: usize,
) -> Vec<(u64, String, u64)> {
    let mut seen: Vec<(u64, String, u64)> = Vec::new();
    while seen.len() < total {
        let mut subscription = store.subscribe(seen.last().map_or(0, |(position, ..)| *position));
        let batch = completed("the next batch of events", subscription.next()).await;
        let batch = batch.expect("a subscription does not end").expect("it outlives the server");
        seen.extend(batch.into_iter().map(|e| (e.global_position, e.stream, e.stream_version)));
    }
    seen
}

/// The calls of a worker from the request to the end of a run.
async fn execute_run(store: &PostgresStore, run: RunId, at: i64) {
    let (requested, until) = (moment(at), moment(at + 1_000));
    let lease = loop {
        match store.enqueue(request(run, requested), false).await {
            Ok(_) => {
                break retry_while_unavailable(|| store.claim("worker", requested, until))
                    .await
                    .expect("free");
            }
            Err(error) if error.is_transient() => {}
            Err(error) => panic!("enqueue: {error}"),
        }
    };
    assert_eq!(lease.run_id, run);
    for (version, count) in [(1, 3), (4, 150)] {
        let append = Append { lease: Some(lease), ..candidates(run, version, count) };
        let appended = retry_while_unavailable(|| store.append(append.clone())).await;
        assert_eq!(appended.stream_version, version + u64::from(count));
    }
    let tables: [TableRef; 2] = [&KICKOUTS, &HISTORY];
    let writer = ProjectionWriter::Worker(lease);
    retry_while_unavailable(|| store.begin_staging(writer, &tables)).await;
    for (part, loan) in [(1, "L1"), (2, "L2"), (3, "L3")] {
        retry_while_unavailable(|| store.stage(writer, [kickouts([loan])].into(), part)).await;
    }
    retry_while_unavailable(|| store.publish(writer, &[])).await;
    retry_while_unavailable(|| store.renew(lease, until)).await;
    retry_while_unavailable(|| store.set_status(lease, RunStatus::Complete)).await;
}

async fn assert_result(store: &PostgresStore, run: RunId, at: &str) {
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

/// A cut at every message would take minutes. The two tests start at different messages, so that
/// each call is cut in many ways.
const STRIDE: usize = 4;

/// A run whose connection is cut at the client's n-th message, for many n. Each call is repeated
/// while the store is unavailable; nothing may be done twice.
async fn cut_at_each_message(cut: ProxyFault, first: usize) {
    let place = TestDatabase::new();
    let direct = place.open().await;
    let port = powerfill_tests::postgres::shared_server().port();
    let mut number = 0;
    for message in (first..).step_by(STRIDE) {
        number += 1;
        let proxy = TcpProxy::to_port(port).await;
        let store = open_through(&proxy, place.name().await).await;
        proxy.fail_at_message(message, cut);
        let at = format!("{cut:?}, message {message}");
        completed(&at, execute_run(&store, run(number), number as i64 * 10_000)).await;
        assert_result(&direct, run(number), &at).await;
        if !proxy.has_failed() {
            assert!(message > 60, "a run has only {message} messages");
            break;
        }
    }
    let verification = direct.verify(None).await.unwrap();
    assert_eq!((verification.appends, verification.damage), (number as u64 * 3, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_before_a_request_does_nothing_twice() {
    cut_at_each_message(ProxyFault::DropRequest, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_before_a_response_does_nothing_twice() {
    cut_at_each_message(ProxyFault::DropResponse, 3).await;
}

async fn open_through(proxy: &TcpProxy, database: &str) -> PostgresStore {
    let through =
        url(&powerfill_tests::postgres::shared_server().url_on_port(proxy.port(), database));
    PostgresStore::open(&through).await.expect("the store opens")
}

/// An error that may pass is "unavailable", any other is "failed". No message contains a password.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_of_the_server_are_classified() {
    let server = DedicatedServer::start(Durability::Unsynced);
    let place = TestDatabase::of(&server);
    let store = place.open().await;
    let admin = server.admin_client(place.name().await).await;

    // A report that has locked a table which is being replaced.
    store.begin_staging(unleased(run(1)), &[&KICKOUTS]).await.unwrap();
    store.publish(unleased(run(1)), &[]).await.unwrap();
    store.begin_staging(unleased(run(2)), &[&KICKOUTS]).await.unwrap();
    admin
        .batch_execute("BEGIN; LOCK TABLE powerfill.pfill_test_kickouts IN SHARE MODE")
        .await
        .unwrap();
    let text = place.url().await;
    let impatient = url(&format!("{text}?options=-c%20lock_timeout%3D50"));
    let impatient = PostgresStore::open(&impatient).await.unwrap();
    let refused = impatient.publish(unleased(run(2)), &[]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    admin.batch_execute("COMMIT").await.unwrap();
    impatient.publish(unleased(run(2)), &[]).await.unwrap();

    // Connections that the administrator terminates are replaced.
    admin
        .batch_execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
    retry_while_unavailable(|| store.append(candidates(run(1), 0, 1))).await;

    // The server has no room for another connection.
    server.configure("max_connections = 5\nsuperuser_reserved_connections = 0\n");
    server.stop("fast");
    server.start();
    let mut connections = Vec::new();
    let refused = loop {
        assert!(connections.len() < 10);
        match tokio_postgres::connect(&text, tokio_postgres::NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                connections.push(client);
            }
            Err(_) => break PostgresStore::open(&url(&text)).await.unwrap_err(),
        }
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    drop(connections);

    // A wrong password stays wrong, and is not repeated in the message.
    let wrong = server.tcp_url(place.name().await).replace("of%20the%20tests", "s3cret");
    let refused = PostgresStore::open(&url(&wrong)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Failed(_)), "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("s3cret"));

    // A standby, or a server that is configured as read-only. The connections above end first.
    eventually("the server has room for a connection", async || {
        tokio_postgres::connect(&text, tokio_postgres::NoTls).await.is_ok()
    })
    .await;
    let admin = connect(&text).await;
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
        matches!(&refused, StoreError::ReadOnly(fault) if fault.to_string().contains("read-only")),
        "{refused}"
    );
    drop((store, admin));

    // A server that is not running.
    server.stop("fast");
    let gone = PostgresStore::open(&url(&text)).await.unwrap_err();
    assert!(matches!(gone, StoreError::Unavailable(_)), "{gone}");
    server.start();
}

/// A server that does not answer delays a subscriber until its poll times out. It then continues on
/// the next connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_survives_a_connection_that_stalls() {
    let place = TestDatabase::new();
    let writer = place.open().await;
    let port = powerfill_tests::postgres::shared_server().port();
    let proxy = TcpProxy::to_port(port).await;
    let reader = open_through(&proxy, place.name().await).await;
    let has_begun = Arc::new(AtomicBool::new(false));
    let begun = Arc::clone(&has_begun);
    writer.append(candidates(run(1), 0, 1)).await.unwrap();
    let following = tokio::spawn(async move {
        let mut seen = Vec::new();
        let mut subscription = reader.subscribe(0);
        while seen.len() < 3 {
            let batch = subscription.next().await.unwrap().unwrap();
            seen.extend(batch.into_iter().map(|event| event.global_position));
            begun.store(true, Ordering::Relaxed);
        }
        seen
    });
    eventually("the first event arrives", async || has_begun.load(Ordering::Relaxed)).await;
    proxy.stall();
    writer.append(candidates(run(1), 1, 1)).await.unwrap();
    completed("the proxy holds the notification back", proxy.wait_until_holding()).await;
    proxy.disconnect_all();
    writer.append(candidates(run(1), 2, 1)).await.unwrap();
    let seen = completed("the subscriber continues", following).await.unwrap();
    assert_eq!(seen, [1, 2, 3]);
}

/// A server that falls silent while calls are in progress, and stays silent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_a_silent_server_end() {
    let place = TestDatabase::new();
    place.open().await;
    let proxy = TcpProxy::to_port(powerfill_tests::postgres::shared_server().port()).await;
    let store = open_through(&proxy, place.name().await).await;
    store.append(candidates(run(1), 0, 1)).await.unwrap();
    proxy.stall();
    let append = candidates(run(1), 1, 1);
    let verified = async { store.verify(None).await.map(|_| ()) };
    let appended = async { store.append(append.clone()).await.map(|_| ()) };
    let read = async { store.read_all(0).try_collect::<Vec<_>>().await.map(|_| ()) };
    let shown = async { store.rows(&KICKOUTS).try_collect::<Vec<_>>().await.map(|_| ()) };
    let silent = [verified.boxed(), appended.boxed(), read.boxed(), shown.boxed()];
    for ended in completed("the calls end", join_all(silent)).await {
        assert!(matches!(ended, Err(StoreError::Unavailable(_))), "{ended:?}");
    }
    // New calls do not even wait, until the server answers again.
    let refused = store.head().await.unwrap_err();
    assert!(refused.to_string().contains("does not answer"), "{refused}");
    proxy.resume();
    retry_while_unavailable(|| store.append(append.clone())).await;
    let verification = retry_while_unavailable(|| store.verify(None)).await;
    assert_eq!((verification.events, verification.damage), (2, None));
}

/// A call that waits for a lock is not taken for one to a silent server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_call_to_a_server_that_answers_goes_on() {
    let place = TestDatabase::new();
    let store = place.open().await;
    store.append(candidates(run(1), 0, 1)).await.unwrap();
    let admin = connect(&place.url().await).await;
    admin.batch_execute("BEGIN; LOCK TABLE powerfill.es_head").await.unwrap();
    let waiting = tokio::spawn(async move { store.head().await });
    let asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                 AND query LIKE '%does the server answer%' AND pid <> pg_backend_pid()
                 AND state = 'idle'";
    // Inside a transaction, the view of activities would stay as it was.
    let observer = connect(&place.url().await).await;
    eventually("the server was asked", async || {
        observer.query_one(asked, &[]).await.unwrap().get::<_, i64>(0) > 0
    })
    .await;
    admin.batch_execute("COMMIT").await.unwrap();
    let head = completed("the call ends", waiting).await.unwrap().unwrap();
    assert_eq!(head.position, 1);
}
