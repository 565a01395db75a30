//! A second relay of a tenant stands by, and takes over (specification 4.5).

use std::sync::Arc;

use powerfill_app::relay::{RelayMode, RelayNotice};
use powerfill_tests::nats::NatsServer;
use powerfill_tests::waiting::eventually;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{TenantStore, connect};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_stands_by_takes_over() {
    let server = NatsServer::start("");
    let store = TenantStore::with_runs("acme", 1).await;
    let stops = [CancellationToken::new(), CancellationToken::new()];
    let stands_by = watch::Sender::new(None);
    let mut relays = Vec::new();
    for (number, stop) in stops.iter().enumerate() {
        let relay = store.relay(&Arc::new(connect(&server).await), stop);
        let stands_by = stands_by.clone();
        let report = move |notice: RelayNotice<'_>| {
            if matches!(notice, RelayNotice::StandingBy) {
                stands_by.send_replace(Some(number));
            }
        };
        relays.push(tokio::spawn(async move { relay.run(RelayMode::Follow, report).await }));
    }
    eventually("one of two relays stands by", async || {
        store.execute_runs(1).await;
        stands_by.borrow().is_some()
    })
    .await;
    let second = stands_by.borrow().expect("one stands by");
    stops[1 - second].cancel();
    relays.swap_remove(1 - second).await.unwrap().unwrap();
    store.execute_runs(1).await;
    let head = store.store.head().await.unwrap().position;
    eventually("the other relay goes on", async || store.position().await == Some(head)).await;
    stops[second].cancel();
    relays.remove(0).await.unwrap().unwrap();
    store.assert_relayed(&server).await;
}
