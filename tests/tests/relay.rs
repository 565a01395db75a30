//! The relay against a NATS server: every event once and in order, whatever ends in between (specification 4.5, 5.3).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_nats::jetstream::stream;
use futures::TryStreamExt;
use powerfill_app::{Ask, Clock, NoObserver, RunControl, Runner};
use powerfill_events::run::RunId;
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_nats::{Access, Broker, BrokerError, Relay, RelayError, STREAM, SUBSCRIBER, Until};
use powerfill_ports::Store;
use powerfill_ports::cloud_event::CloudEvent;
use powerfill_ports::events::StoredEvent;
use powerfill_snapshot::{GivenOptions, validate};
use powerfill_sqlite::SqliteStore;
use powerfill_tests::nats::NatsServer;
use powerfill_tests::postgres::TestDatabase;
use powerfill_tests::seeded::SeededRng;
use powerfill_tests::store_suite::StoreLocation;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A clock that moves with each look.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1_000, Ordering::Relaxed))
    }
}

/// A run of a conformance case, for a tenant.
async fn ran(store: &Arc<dyn Store>, tenant: &str, case: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance").join(case);
    let raw = powerfill_csv::read_folder(&folder.join("snapshot")).unwrap();
    let mut snapshot = validate(raw).unwrap().snapshot;
    snapshot.header.tenant_id = tenant.into();
    let options = std::fs::read_to_string(folder.join("options.json")).unwrap();
    let options = GivenOptions::from_json(&options).resolve().unwrap();
    let clock = Arc::new(Ticking(AtomicI64::new(1_800_000_000_000_000)));
    let lease = Duration::from_secs(30);
    let runner = Runner::new(Arc::clone(store), clock, "worker".to_owned(), lease);
    let run_id = RunId(Uuid::now_v7());
    let ask = Ask {
        run_id,
        snapshot: &snapshot,
        options: &options,
        requested_by: "vera",
        source_warnings: &[],
    };
    runner.ask(&ask).await.unwrap();
    runner.work(None, RunControl::default(), Arc::new(NoObserver)).await.unwrap().unwrap();
}

/// A store in a folder of its own.
struct Desk {
    _folder: tempfile::TempDir,
    store: Arc<dyn Store>,
    tenant: String,
}

impl Desk {
    async fn of(tenant: &str, runs: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path().join("store.db")).unwrap());
        let desk = Self { _folder: folder, store, tenant: tenant.to_owned() };
        desk.runs(runs).await;
        desk
    }

    async fn runs(&self, count: usize) {
        for _ in 0..count {
            ran(&self.store, &self.tenant, "12-kickout-reasons").await;
        }
    }

    fn relay(&self, broker: &Arc<Broker>, stop: &CancellationToken) -> Relay {
        let (store, tenant) = (Arc::clone(&self.store), TenantId::from(self.tenant.as_str()));
        Relay::new(store, tenant, Arc::clone(broker), stop.clone())
    }

    async fn to_the_end(&self, server: &NatsServer) -> Result<u64, RelayError> {
        let broker = Arc::new(connect(server).await);
        self.relay(&broker, &CancellationToken::new()).run(Until::TheEnd).await
    }

    async fn events(&self) -> Vec<StoredEvent> {
        self.store.read_all(0).try_concat().await.unwrap()
    }

    /// The stream has the tenant's events: all, once, in order, each as the store's own CloudEvent.
    async fn is_all_there(&self, server: &NatsServer) {
        let own = format!("powerfill.{}.", self.tenant);
        let sent = server.messages(STREAM).await;
        let sent: Vec<_> =
            sent.iter().filter(|message| message.subject.as_str().starts_with(&own)).collect();
        let events = self.events().await;
        let positions: Vec<String> =
            sent.iter().map(|message| position(&message.payload)).collect();
        let wanted: Vec<String> =
            events.iter().map(|event| event.global_position.to_string()).collect();
        assert_eq!(positions, wanted);
        for (event, message) in events.iter().zip(sent) {
            let cloud_event = CloudEvent::try_from(event).unwrap();
            assert_eq!(*message.payload, *serde_json::to_vec(&cloud_event).unwrap());
            let id = message.headers.get("Nats-Msg-Id").unwrap();
            assert_eq!(id.as_str(), cloud_event.id.to_string());
            assert_eq!(*message.subject, *format!("{own}run.{}", event.event_type));
        }
    }
}

fn position(payload: &[u8]) -> String {
    let event: serde_json::Value = serde_json::from_slice(payload).unwrap();
    event["globalposition"].as_str().unwrap().to_owned()
}

async fn connect(server: &NatsServer) -> Broker {
    let access = Access { url: server.url(), ..Access::default() };
    for _ in 0..100 {
        match Broker::connect(&access).await {
            Ok(broker) => return broker,
            // It answers before JetStream is ready.
            Err(BrokerError::Passing { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no broker: {}", server.log());
}

#[tokio::test]
async fn every_event_arrives_once_and_as_it_is() {
    let server = NatsServer::start("");
    let desk = Desk::of("acme", 2).await;
    let end = desk.events().await.len() as u64;
    assert_eq!(desk.to_the_end(&server).await.unwrap(), end);
    desk.is_all_there(&server).await;
    assert_eq!(desk.store.subscriber(SUBSCRIBER).await.unwrap(), Some(end));
    // Again there is nothing to send; later there is more.
    assert_eq!(desk.to_the_end(&server).await.unwrap(), end);
    desk.runs(1).await;
    assert!(desk.to_the_end(&server).await.unwrap() > end);
    desk.is_all_there(&server).await;
}

#[tokio::test]
async fn a_database_is_relayed_as_it_grows() {
    let server = NatsServer::start("");
    let database = TestDatabase::new();
    let store: Arc<dyn Store> = Arc::new(database.open().await);
    let desk = Desk { _folder: tempfile::tempdir().unwrap(), store, tenant: "acme".to_owned() };
    desk.runs(1).await;
    let (stop, broker) = (CancellationToken::new(), Arc::new(connect(&server).await));
    let relay = desk.relay(&broker, &stop);
    let relaying = tokio::spawn(async move { relay.run(Until::Stopped).await });
    desk.runs(3).await;
    let end = desk.events().await.len() as u64;
    while desk.store.subscriber(SUBSCRIBER).await.unwrap() != Some(end) {
        assert!(!relaying.is_finished());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    assert_eq!(relaying.await.unwrap().unwrap(), end);
    desk.is_all_there(&server).await;
}

#[tokio::test]
async fn a_relay_that_ends_at_any_moment_loses_and_doubles_nothing() {
    let server = NatsServer::start("");
    let desk = Desk::of("acme", 6).await;
    let mut chance = SeededRng::new(11);
    let end = desk.events().await.len() as u64;
    let mut ended = 0;
    while desk.store.subscriber(SUBSCRIBER).await.unwrap() != Some(end) {
        let broker = Arc::new(connect(&server).await);
        let stop = CancellationToken::new();
        let relay = desk.relay(&broker, &stop);
        let relaying = tokio::spawn(async move { relay.run(Until::TheEnd).await });
        tokio::time::sleep(Duration::from_micros(chance.in_range(0, 8_000))).await;
        relaying.abort();
        let _ = relaying.await;
        ended += 1;
        assert!(ended < 2_000, "it does not move on");
    }
    desk.is_all_there(&server).await;
}

#[tokio::test]
async fn a_broker_that_is_killed_in_the_middle_gets_every_event_once() {
    let mut server = NatsServer::start("");
    let desk = Arc::new(Desk::of("acme", 1).await);
    let (stop, broker) = (CancellationToken::new(), Arc::new(connect(&server).await));
    let relay = desk.relay(&broker, &stop);
    let relaying = tokio::spawn(async move { relay.run(Until::Stopped).await });
    for _ in 0..4 {
        let growing = Arc::clone(&desk);
        let growing = tokio::spawn(async move { growing.runs(3).await });
        tokio::time::sleep(Duration::from_millis(40)).await;
        server.kill();
        growing.await.unwrap();
        server.launch();
    }
    let end = desk.events().await.len() as u64;
    while desk.store.subscriber(SUBSCRIBER).await.unwrap() != Some(end) {
        assert!(!relaying.is_finished(), "{:?}", relaying.await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    relaying.await.unwrap().unwrap();
    desk.is_all_there(&server).await;
}

#[tokio::test]
async fn where_the_window_for_duplicates_has_passed_nothing_comes_twice() {
    let server = NatsServer::start("");
    let window = Duration::from_millis(100);
    let config = stream::Config {
        name: STREAM.to_owned(),
        subjects: vec!["powerfill.>".to_owned()],
        duplicate_window: window,
        ..stream::Config::default()
    };
    server.jetstream().await.create_stream(config).await.unwrap();
    let desk = Desk::of("acme", 1).await;
    let end = desk.to_the_end(&server).await.unwrap();
    // As if it had died before it kept where it was.
    assert!(desk.store.advance(SUBSCRIBER, Some(end), 3).await.unwrap());
    tokio::time::sleep(window * 3).await;
    desk.runs(1).await;
    desk.to_the_end(&server).await.unwrap();
    desk.is_all_there(&server).await;
}

#[tokio::test]
async fn two_relays_of_one_tenant_double_nothing() {
    let server = NatsServer::start("");
    let desk = Desk::of("acme", 6).await;
    let stop = CancellationToken::new();
    let (one, other) = (Arc::new(connect(&server).await), Arc::new(connect(&server).await));
    let (one, other) = (desk.relay(&one, &stop), desk.relay(&other, &stop));
    let (one, other) = tokio::join!(one.run(Until::TheEnd), other.run(Until::TheEnd));
    for ended in [&one, &other] {
        assert!(matches!(ended, Ok(_) | Err(RelayError::AnotherRelay(_))), "{ended:?}");
    }
    assert!(one.is_ok() || other.is_ok());
    desk.is_all_there(&server).await;
}

#[tokio::test]
async fn tenants_share_the_stream() {
    let server = NatsServer::start("");
    let (one, other) = (Desk::of("acme", 4).await, Desk::of("best", 4).await);
    let (stop, broker) = (CancellationToken::new(), Arc::new(connect(&server).await));
    let stranger = Arc::new(connect(&server).await);
    let third = Desk::of("core", 4).await;
    let relays =
        (one.relay(&broker, &stop), other.relay(&broker, &stop), third.relay(&stranger, &stop));
    let ends = tokio::join!(
        relays.0.run(Until::TheEnd),
        relays.1.run(Until::TheEnd),
        relays.2.run(Until::TheEnd)
    );
    ends.0.unwrap();
    ends.1.unwrap();
    ends.2.unwrap();
    for desk in [one, other, third] {
        desk.is_all_there(&server).await;
    }
}

#[tokio::test]
async fn another_store_of_the_tenant_sends_nothing() {
    let server = NatsServer::start("");
    let (one, other) = (Desk::of("acme", 1).await, Desk::of("acme", 2).await);
    let end = one.to_the_end(&server).await.unwrap();
    match other.to_the_end(&server).await {
        Err(RelayError::AnotherHistory { position, .. }) => assert_eq!(position, end),
        ended => panic!("{ended:?}"),
    }
    // As well one that was set back.
    let set_back = Desk::of("acme", 0).await;
    let ended = set_back.to_the_end(&server).await;
    assert!(matches!(ended, Err(RelayError::AnotherHistory { .. })), "{ended:?}");
    one.is_all_there(&server).await;
}

#[tokio::test]
async fn a_stream_of_somebody_else_is_left_alone() {
    let server = NatsServer::start("");
    let config = stream::Config {
        name: STREAM.to_owned(),
        subjects: vec!["orders.>".to_owned()],
        ..stream::Config::default()
    };
    server.jetstream().await.create_stream(config).await.unwrap();
    let access = Access { url: server.url(), ..Access::default() };
    let Err(error) = Broker::connect(&access).await else { panic!("it was taken") };
    let said = error.to_string();
    assert!(said.contains("orders.>") && said.contains("powerfill.>"), "{said}");
}

#[tokio::test]
async fn secrets_open_and_are_not_told() {
    let server = NatsServer::start("authorization { user: relay, password: s3cret }");
    let at = |user: &str| {
        let url = format!("nats://{user}127.0.0.1:{}", server.port());
        Access { url, ..Access::default() }
    };
    for user in ["", "relay:wr0ng@"] {
        let Err(error) = Broker::connect(&at(user)).await else { panic!("it was let in") };
        assert!(matches!(error, BrokerError::Refused { .. }), "{error:?}");
        let said = format!("{error} {error:?}");
        assert!(!said.contains("wr0ng") && !said.contains("s3cret"), "{said}");
    }
    let broker = Broker::connect(&at("relay:s3cret@")).await.unwrap();
    assert_eq!(broker.place(), server.url());
    // A certificate that nobody can prove.
    let tls = Access { url: server.url().replace("nats:", "tls:"), ..Access::default() };
    let Err(error) = Broker::connect(&tls).await else { panic!("it was let in without TLS") };
    assert!(!error.to_string().is_empty());
}

#[tokio::test]
async fn an_event_that_is_too_large_is_named() {
    let server = NatsServer::start("max_payload: 1024");
    let desk = Desk::of("acme", 1).await;
    let ended = desk.to_the_end(&server).await;
    let Err(RelayError::Broker(BrokerError::TooLarge { position, bytes, .. })) = ended else {
        panic!("{ended:?}")
    };
    assert!(position >= 1 && bytes > 512);
}

#[tokio::test]
async fn what_is_taken_out_of_the_stream_stops_nobody() {
    let server = NatsServer::start("");
    let desk = Desk::of("acme", 1).await;
    let end = desk.to_the_end(&server).await.unwrap();
    let stream = server.jetstream().await.get_stream(STREAM).await.unwrap();
    // The last ones: NATS remembers their ids, and takes them for duplicates.
    for sequence in end - 2..=end {
        stream.delete_message(sequence).await.unwrap();
    }
    assert_eq!(desk.to_the_end(&server).await.unwrap(), end);
    // All of them: the kept position says how far it was.
    stream.purge().await.unwrap();
    desk.runs(1).await;
    let further = desk.to_the_end(&server).await.unwrap();
    let mut sent = Vec::new();
    let last = stream.get_info().await.unwrap().state;
    for sequence in last.first_sequence..=last.last_sequence {
        let message = stream.get_raw_message(sequence).await.unwrap();
        sent.push(position(&message.payload).parse::<u64>().unwrap());
    }
    assert_eq!(sent, (end + 1..=further).collect::<Vec<_>>());
}
