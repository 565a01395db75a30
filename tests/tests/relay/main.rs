//! The relay with a NATS server: every event arrives once and in order, also if the relay or the
//! server ends at any moment (specification 4.5, 5.3).

mod archived;
mod standby;
mod stream;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Config;
use futures::TryStreamExt;
use powerfill_app::relay::{Relay, RelayError, RelayMode};
use powerfill_app::{Clock, NoObserver, RunControl, Runner};
use powerfill_events::cloud_event::CloudEvent;
use powerfill_events::run::RunId;
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_fixtures::cases;
use powerfill_nats::{NatsAccess, NatsBroker, NatsError, STREAM, SUBSCRIBER};
use powerfill_ports::Store;
use powerfill_ports::broker::{BrokerError, EventBroker};
use powerfill_ports::events::StoredEvent;
use powerfill_sqlite::SqliteStore;
use powerfill_tests::nats::NatsServer;
use powerfill_tests::postgres::TestDatabase;
use powerfill_tests::proxy::{ProxyFault, TcpProxy};
use powerfill_tests::requests::plain_request;
use powerfill_tests::seeded::SeededRng;
use powerfill_tests::store_suite::StoreLocation;
use powerfill_tests::waiting::eventually;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A clock that advances by a millisecond with each call.
struct TickingClock(AtomicI64);

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

/// Executes a run of a conformance case for a tenant.
async fn execute_run(store: &Arc<dyn Store>, tenant: &str, case: &str) {
    let (mut snapshot, options) = cases::input(&cases::case(case));
    snapshot.header.tenant_id = tenant.into();
    let clock = Arc::new(TickingClock(AtomicI64::new(1_800_000_000_000_000)));
    let lease = Duration::from_secs(30);
    let runner = Runner::new(Arc::clone(store), clock, "worker".to_owned(), lease);
    let ask = plain_request(RunId(Uuid::now_v7()), &snapshot, &options);
    runner.request(&ask).await.unwrap();
    runner.work(None, RunControl::default(), Arc::new(NoObserver)).await.unwrap().unwrap();
}

struct TenantStore {
    _folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    tenant: String,
}

impl TenantStore {
    /// A store in a new file, with this many runs.
    async fn with_runs(tenant: &str, runs: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("store.db")).unwrap());
        let tenant_store = Self { _folder: folder, store, tenant: tenant.to_owned() };
        tenant_store.execute_runs(runs).await;
        tenant_store
    }

    async fn execute_runs(&self, count: usize) {
        for _ in 0..count {
            execute_run(&self.store, &self.tenant, "12-kickout-reasons").await;
        }
    }

    fn relay(&self, broker: &Arc<NatsBroker>, stop: &CancellationToken) -> Relay {
        let (store, tenant) = (Arc::clone(&self.store), TenantId::from(self.tenant.as_str()));
        Relay::new(store, tenant, broker.clone(), stop.clone())
    }

    /// Relays everything up to the end of the log.
    async fn relay_all(&self, server: &NatsServer) -> Result<u64, RelayError> {
        let broker = Arc::new(connect(server).await);
        let end =
            self.relay(&broker, &CancellationToken::new()).run(RelayMode::CatchUp, |_| {}).await?;
        assert!(end.is_complete);
        Ok(end.position.expect("the broker answered"))
    }

    /// The position of the relay.
    async fn position(&self) -> Option<u64> {
        self.store.subscriber(SUBSCRIBER).await.unwrap()
    }

    async fn events(&self) -> Vec<StoredEvent> {
        self.store.read_all(0).try_concat().await.unwrap()
    }

    /// The stream has all events of the tenant, once, in order, each as the store's own CloudEvent.
    async fn assert_relayed(&self, server: &NatsServer) {
        let prefix = format!("powerfill.{}.", self.tenant);
        let sent = server.messages(STREAM).await;
        let sent: Vec<_> =
            sent.iter().filter(|message| message.subject.as_str().starts_with(&prefix)).collect();
        let events = self.events().await;
        let positions: Vec<String> =
            sent.iter().map(|message| position(&message.payload)).collect();
        let expected: Vec<String> =
            events.iter().map(|event| event.global_position.to_string()).collect();
        assert_eq!(positions, expected);
        for (event, message) in events.iter().zip(sent) {
            let cloud_event = CloudEvent::try_from(event).unwrap();
            assert_eq!(*message.payload, *serde_json::to_vec(&cloud_event).unwrap());
            let id = message.headers.get("Nats-Msg-Id").unwrap();
            assert_eq!(id.as_str(), cloud_event.id.to_string());
            assert_eq!(*message.subject, *format!("{prefix}run.{}", event.event_type));
        }
    }
}

fn position(payload: &[u8]) -> String {
    let event: serde_json::Value = serde_json::from_slice(payload).unwrap();
    event["globalposition"].as_str().unwrap().to_owned()
}

async fn connect(server: &NatsServer) -> NatsBroker {
    connect_to(&server.url()).await
}

async fn connect_to(url: &str) -> NatsBroker {
    let access = NatsAccess { url: url.to_owned(), ..NatsAccess::default() };
    let mut connected = None;
    // The server accepts connections before JetStream is ready.
    eventually("JetStream is ready", async || match NatsBroker::connect(&access).await {
        Ok(broker) => {
            connected = Some(broker);
            true
        }
        Err(BrokerError::Transient { .. }) => false,
        Err(error) => panic!("{error}"),
    })
    .await;
    connected.expect("the condition holds only with a broker")
}

#[tokio::test]
async fn every_event_arrives_once_and_unchanged() {
    let server = NatsServer::start("");
    let store = TenantStore::with_runs("acme", 2).await;
    let end = store.events().await.len() as u64;
    assert_eq!(store.relay_all(&server).await.unwrap(), end);
    store.assert_relayed(&server).await;
    assert_eq!(store.position().await, Some(end));
    // There is nothing more to send until the next run.
    assert_eq!(store.relay_all(&server).await.unwrap(), end);
    store.execute_runs(1).await;
    assert!(store.relay_all(&server).await.unwrap() > end);
    store.assert_relayed(&server).await;
}

#[tokio::test]
async fn a_database_is_relayed_as_it_grows() {
    let server = NatsServer::start("");
    let database = TestDatabase::new();
    let store: Arc<dyn Store> = Arc::new(database.open().await);
    let store =
        TenantStore { _folder: tempfile::tempdir().unwrap(), store, tenant: "acme".to_owned() };
    store.execute_runs(1).await;
    let (stop, broker) = (CancellationToken::new(), Arc::new(connect(&server).await));
    let relay = store.relay(&broker, &stop);
    let relaying = tokio::spawn(async move { relay.run(RelayMode::Follow, |_| {}).await });
    store.execute_runs(3).await;
    let end = store.events().await.len() as u64;
    eventually("all events are relayed", async || {
        assert!(!relaying.is_finished());
        store.position().await == Some(end)
    })
    .await;
    stop.cancel();
    assert_eq!(relaying.await.unwrap().unwrap().position, Some(end));
    store.assert_relayed(&server).await;
}

/// The relay is dropped at a message that it sends to the broker, which is lost, answered in vain,
/// or held back. The seed fixes the messages, so that a failure replays.
#[tokio::test]
async fn a_relay_that_ends_at_any_moment_loses_and_doubles_nothing() {
    let server = NatsServer::start("");
    let store = TenantStore::with_runs("acme", 6).await;
    let mut rng = SeededRng::new(11);
    let end = store.events().await.len() as u64;
    let faults = [ProxyFault::DropRequest, ProxyFault::DropResponse, ProxyFault::Stall];
    let mut attempts = 0;
    while store.position().await != Some(end) {
        let proxy = TcpProxy::to_port(server.port()).await;
        let broker = connect_to(&format!("nats://127.0.0.1:{}", proxy.port())).await;
        let stop = CancellationToken::new();
        let relay = store.relay(&Arc::new(broker), &stop);
        // The range grows, so that an attempt gets as far as it must at some time.
        let message = rng.in_range(1, 4 + attempts / 2);
        proxy.fail_at_message(message as usize, *rng.pick(&faults));
        tokio::select! {
            () = proxy.wait_for_fault() => {}
            ended = relay.run(RelayMode::CatchUp, |_| {}) => {
                ended.unwrap();
            }
        }
        attempts += 1;
        assert!(attempts < 2_000, "the relay makes no progress");
    }
    assert!(attempts > 1, "no relay was ended early");
    store.assert_relayed(&server).await;
}

#[tokio::test]
async fn a_broker_that_is_killed_in_the_middle_gets_every_event_once() {
    let mut server = NatsServer::start("");
    let store = Arc::new(TenantStore::with_runs("acme", 1).await);
    let (stop, broker) = (CancellationToken::new(), Arc::new(connect(&server).await));
    let relay = store.relay(&broker, &stop);
    let relaying = tokio::spawn(async move { relay.run(RelayMode::Follow, |_| {}).await });
    for _ in 0..4 {
        let before = store.position().await;
        let growing = Arc::clone(&store);
        let growing = tokio::spawn(async move { growing.execute_runs(3).await });
        let moves = async || store.position().await > before;
        eventually("the relay moves on", moves).await;
        server.kill();
        growing.await.unwrap();
        server.launch();
    }
    let end = store.events().await.len() as u64;
    eventually("all events are relayed", async || {
        assert!(!relaying.is_finished());
        store.position().await == Some(end)
    })
    .await;
    stop.cancel();
    relaying.await.unwrap().unwrap();
    store.assert_relayed(&server).await;
}

/// Waits until the server has forgotten the message ids that it has seen before. It forgets them in
/// their order.
async fn wait_for_end_of_duplicate_window(server: &NatsServer) {
    let jetstream = server.jetstream().await;
    let is_duplicate = async || {
        let probe = PublishMessage::build().message_id("probe");
        let sent = jetstream.send_publish("powerfill.probe", probe).await.unwrap();
        sent.await.unwrap().duplicate
    };
    assert!(!is_duplicate().await);
    eventually("the window for duplicates ends", async || !is_duplicate().await).await;
}

#[tokio::test]
async fn after_the_window_for_duplicates_nothing_arrives_twice() {
    let server = NatsServer::start("");
    let window = Duration::from_millis(100);
    let config = Config {
        name: STREAM.to_owned(),
        subjects: vec!["powerfill.>".to_owned()],
        duplicate_window: window,
        ..Config::default()
    };
    server.jetstream().await.create_stream(config).await.unwrap();
    let store = TenantStore::with_runs("acme", 1).await;
    let end = store.relay_all(&server).await.unwrap();
    // As if the relay had died before it stored its position.
    assert!(store.store.advance(SUBSCRIBER, Some(end), 3).await.unwrap());
    wait_for_end_of_duplicate_window(&server).await;
    store.execute_runs(1).await;
    store.relay_all(&server).await.unwrap();
    store.assert_relayed(&server).await;
}

#[tokio::test]
async fn two_relays_of_one_tenant_double_nothing() {
    let server = NatsServer::start("");
    let store = TenantStore::with_runs("acme", 6).await;
    let stop = CancellationToken::new();
    let (one, other) = (Arc::new(connect(&server).await), Arc::new(connect(&server).await));
    let (one, other) = (store.relay(&one, &stop), store.relay(&other, &stop));
    let (one, other) =
        tokio::join!(one.run(RelayMode::CatchUp, |_| {}), other.run(RelayMode::CatchUp, |_| {}));
    for ended in [&one, &other] {
        assert!(matches!(ended, Ok(_) | Err(RelayError::AnotherRelay(_))), "{ended:?}");
    }
    assert!(one.is_ok() || other.is_ok());
    store.assert_relayed(&server).await;
}

#[tokio::test]
async fn tenants_share_the_stream() {
    let server = NatsServer::start("");
    let (one, other) =
        (TenantStore::with_runs("acme", 4).await, TenantStore::with_runs("best", 4).await);
    let (stop, broker) = (CancellationToken::new(), Arc::new(connect(&server).await));
    let stranger = Arc::new(connect(&server).await);
    let third = TenantStore::with_runs("core", 4).await;
    let relays =
        (one.relay(&broker, &stop), other.relay(&broker, &stop), third.relay(&stranger, &stop));
    let ends = tokio::join!(
        relays.0.run(RelayMode::CatchUp, |_| {}),
        relays.1.run(RelayMode::CatchUp, |_| {}),
        relays.2.run(RelayMode::CatchUp, |_| {})
    );
    ends.0.unwrap();
    ends.1.unwrap();
    ends.2.unwrap();
    for store in [one, other, third] {
        store.assert_relayed(&server).await;
    }
}

#[tokio::test]
async fn another_store_of_the_tenant_sends_nothing() {
    let server = NatsServer::start("");
    let (one, other) =
        (TenantStore::with_runs("acme", 1).await, TenantStore::with_runs("acme", 2).await);
    let end = one.relay_all(&server).await.unwrap();
    match other.relay_all(&server).await {
        Err(RelayError::AnotherHistory { position, .. }) => assert_eq!(position, end),
        ended => panic!("{ended:?}"),
    }
    // The same holds for a store that was restored from a backup.
    let restored = TenantStore::with_runs("acme", 0).await;
    let ended = restored.relay_all(&server).await;
    assert!(matches!(ended, Err(RelayError::AnotherHistory { .. })), "{ended:?}");
    one.assert_relayed(&server).await;
}

#[tokio::test]
async fn a_stream_with_other_subjects_is_refused() {
    let server = NatsServer::start("");
    let config = Config {
        name: STREAM.to_owned(),
        subjects: vec!["orders.>".to_owned()],
        ..Config::default()
    };
    server.jetstream().await.create_stream(config).await.unwrap();
    let access = NatsAccess { url: server.url(), ..NatsAccess::default() };
    let Err(error) = NatsBroker::connect(&access).await else { panic!("the stream was accepted") };
    let text = error.to_string();
    assert!(text.contains("orders.>") && text.contains("powerfill.>"), "{text}");
}

/// The error of NATS that no other attempt resolves.
fn nats_error(error: &BrokerError) -> &NatsError {
    match error {
        BrokerError::Failed(error) => error.downcast_ref().expect("an error of NATS"),
        BrokerError::Transient { .. } => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn credentials_are_checked_and_never_printed() {
    let server = NatsServer::start("authorization { user: relay, password: s3cret }");
    let at = |user: &str| {
        let url = format!("nats://{user}127.0.0.1:{}", server.port());
        NatsAccess { url, ..NatsAccess::default() }
    };
    for user in ["", "relay:wr0ng@"] {
        let Err(error) = NatsBroker::connect(&at(user)).await else {
            panic!("the user was accepted")
        };
        assert!(matches!(nats_error(&error), NatsError::Refused { .. }), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("wr0ng") && !text.contains("s3cret"), "{text}");
    }
    let broker = NatsBroker::connect(&at("relay:s3cret@")).await.unwrap();
    assert_eq!(broker.address(), server.url());
    // The server has no certificate.
    let tls = NatsAccess { url: server.url().replace("nats:", "tls:"), ..NatsAccess::default() };
    let Err(error) = NatsBroker::connect(&tls).await else {
        panic!("the connection was accepted without TLS")
    };
    assert!(!error.to_string().is_empty());
}

#[tokio::test]
async fn an_event_that_is_too_large_is_reported() {
    let server = NatsServer::start("max_payload: 1024");
    let store = TenantStore::with_runs("acme", 1).await;
    let ended = store.relay_all(&server).await;
    let Err(RelayError::Broker(error)) = ended else { panic!("{ended:?}") };
    let NatsError::TooLarge { position, bytes, .. } = nats_error(&error) else {
        panic!("{error:?}")
    };
    assert!(*position >= 1 && *bytes > 512);
}

#[tokio::test]
async fn deleted_messages_do_not_stop_the_relay() {
    let server = NatsServer::start("");
    let store = TenantStore::with_runs("acme", 1).await;
    let end = store.relay_all(&server).await.unwrap();
    let stream = server.jetstream().await.get_stream(STREAM).await.unwrap();
    // Without the last messages: NATS remembers their ids, and treats them as duplicates.
    for sequence in end - 2..=end {
        stream.delete_message(sequence).await.unwrap();
    }
    assert_eq!(store.relay_all(&server).await.unwrap(), end);
    // Without any message: the stored position is used.
    stream.purge().await.unwrap();
    store.execute_runs(1).await;
    let further = store.relay_all(&server).await.unwrap();
    let mut sent = Vec::new();
    let last = stream.get_info().await.unwrap().state;
    for sequence in last.first_sequence..=last.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        sent.push(position(&message.payload).parse::<u64>().unwrap());
    }
    assert_eq!(sent, (end + 1..=further).collect::<Vec<_>>());
}
