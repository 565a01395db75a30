//! A stream that is not as the relay left it: new, full, or of another one's subjects.

use std::sync::Arc;

use async_nats::jetstream::stream;
use powerfill_app::relay::{RelayEnd, RelayError, RelayMode, RelayNotice};
use powerfill_nats::{NatsAccess, NatsBroker, NatsError, STREAM};
use powerfill_tests::nats::NatsServer;
use tokio_util::sync::CancellationToken;

use crate::{TenantStore, connect, nats_error, position};

#[tokio::test]
async fn a_new_stream_is_reported_and_gets_earlier_events_if_asked() {
    let server = NatsServer::start("");
    let store = TenantStore::with_runs("acme", 1).await;
    let before = store.relay_all(&server).await.unwrap();
    let relay_from = async |from: Option<u64>| {
        let broker = Arc::new(connect(&server).await);
        let relay = store.relay(&broker, &CancellationToken::new()).begin_at(from);
        let mut empty = Vec::new();
        let ended = relay
            .run(RelayMode::CatchUp, |notice| {
                if let RelayNotice::BrokerIsEmpty(position) = notice {
                    empty.push(position);
                }
            })
            .await;
        (ended, empty)
    };
    let (refused, _) = relay_from(Some(1)).await;
    let is_refused =
        matches!(refused, Err(RelayError::NotEmpty { position, .. }) if position == before);
    assert!(is_refused, "{refused:?}");

    // The stream is deleted; the relay goes on, and says what the new one lacks.
    let jetstream = server.jetstream().await;
    jetstream.delete_stream(STREAM).await.unwrap();
    store.execute_runs(1).await;
    let (ended, empty) = relay_from(None).await;
    let end = ended.unwrap();
    assert_eq!(empty, [before]);
    let first = jetstream.get_stream(STREAM).await.unwrap().get_raw_message(1).await.unwrap();
    assert_eq!(position(&first.payload), (before + 1).to_string());

    jetstream.delete_stream(STREAM).await.unwrap();
    let (ended, empty) = relay_from(Some(1)).await;
    assert_eq!((ended.unwrap(), empty), (end, Vec::new()));
    store.assert_relayed(&server).await;
}

/// A stream that refuses messages: the relay knows which events it has, and that there are more.
#[tokio::test]
async fn a_relay_that_is_stopped_before_the_end_says_how_far_it_came() {
    let server = NatsServer::start("");
    let store = TenantStore::with_runs("acme", 1).await;
    let end = store.relay_all(&server).await.unwrap();
    server.refuse_messages(STREAM, end as usize).await;
    store.execute_runs(1).await;
    let (stop, broker) = (CancellationToken::new(), Arc::new(connect(&server).await));
    let relay = store.relay(&broker, &stop);
    let ended = relay
        .run(RelayMode::CatchUp, |notice| {
            assert!(matches!(notice, RelayNotice::Waiting(_)), "{notice:?}");
            stop.cancel();
        })
        .await;
    assert_eq!(ended.unwrap(), RelayEnd { position: Some(end), is_complete: false });
}

#[tokio::test]
async fn a_server_that_cannot_have_the_stream_is_refused_with_a_remedy() {
    let server = NatsServer::start("");
    let config = stream::Config {
        name: "ORDERS".to_owned(),
        subjects: vec!["powerfill.orders.>".to_owned()],
        ..stream::Config::default()
    };
    server.jetstream().await.create_stream(config).await.unwrap();
    let access = NatsAccess { url: server.url(), ..NatsAccess::default() };
    let Err(error) = NatsBroker::connect(&access).await else { panic!("the stream was accepted") };
    assert!(matches!(nats_error(&error), NatsError::Stream { .. }), "{error:?}");
    assert!(error.to_string().contains("another stream has subjects of powerfill.>"), "{error}");
}
