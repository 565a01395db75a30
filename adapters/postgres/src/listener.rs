//! Wakes subscribers: LISTEN on a connection of its own, for all subscribers of this process. The
//! events are always read from the tables; a lost notification costs time and never an event.

use std::sync::{Arc, Weak};
use std::time::Duration;

use backon::BackoffBuilder;
use parking_lot::Mutex;
use powerfill_ports::StoreResult;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client};

use crate::Inner;
use crate::errors::store_error;
use crate::pool::in_time;
use crate::retry::RECONNECT;
use crate::values::unsigned;

/// How soon an append is seen whose writer died between its commit and its notification. A poll
/// reads one row.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// A poll that takes longer means that the connection stalls. It is then replaced.
const POLL_TIMEOUT: Duration = Duration::from_secs(10);

/// The last position that this process knows of.
pub(crate) struct AppendListener {
    position: Arc<watch::Sender<u64>>,
    is_listening: Arc<Mutex<bool>>,
}

impl AppendListener {
    /// Knows no position, and does not listen.
    pub(crate) fn new() -> Self {
        Self { position: Arc::new(watch::Sender::new(0)), is_listening: Arc::default() }
    }

    /// Announces a position that this process has appended.
    pub(crate) fn raise(&self, to: u64) {
        raise(&self.position, to);
    }

    /// For a subscriber. The first subscriber starts the task that listens; the task ends after the
    /// last subscriber.
    pub(crate) fn subscribe(&self, inner: &Arc<Inner>) -> watch::Receiver<u64> {
        let receiver = self.position.subscribe();
        let mut is_listening = self.is_listening.lock();
        if !*is_listening {
            let (position, flag) = (Arc::clone(&self.position), Arc::clone(&self.is_listening));
            tokio::spawn(listen(Arc::downgrade(inner), position, flag));
            *is_listening = true;
        }
        receiver
    }
}

/// Announces a position, if it is higher than the one announced last.
fn raise(position: &watch::Sender<u64>, to: u64) {
    position.send_if_modified(|known| {
        let is_higher = to > *known;
        *known = to.max(*known);
        is_higher
    });
}

/// Whether there is no subscriber any more. The next subscriber then starts a new task.
fn is_unused(position: &watch::Sender<u64>, is_listening: &Mutex<bool>) -> bool {
    let mut is_listening = is_listening.lock();
    if position.receiver_count() == 0 {
        *is_listening = false;
    }
    !*is_listening
}

async fn listen(
    inner: Weak<Inner>,
    position: Arc<watch::Sender<u64>>,
    is_listening: Arc<Mutex<bool>>,
) {
    let mut pauses = RECONNECT.build();
    while !is_unused(&position, &is_listening) {
        let Some(inner) = inner.upgrade() else { return };
        let notified = Arc::new(Notify::new());
        let notify = Arc::clone(&notified);
        let connected = inner.pool.connect_with_messages(move |message| {
            // The end of the connection wakes the task, too: its poll then fails.
            if matches!(message, None | Some(AsyncMessage::Notification(_))) {
                notify.notify_one();
            }
        });
        let connected = connected.await;
        drop(inner);
        if let Ok(client) = connected
            && in_time(client.batch_execute("LISTEN powerfill_events")).await.is_ok()
        {
            pauses = RECONNECT.build();
            poll(&client, &notified, &position, &is_listening).await;
        }
        // Subscribers get the same error when they read, and report it if it is permanent.
        tokio::time::sleep(pauses.next().unwrap_or(POLL_INTERVAL)).await;
    }
}

/// Reads the head after each notification, and at the latest after [`POLL_INTERVAL`], until the
/// connection is lost or there is no subscriber.
async fn poll(
    client: &Client,
    notified: &Notify,
    position: &watch::Sender<u64>,
    is_listening: &Mutex<bool>,
) {
    loop {
        match timeout(POLL_TIMEOUT, head_position(client)).await {
            Ok(Ok(head)) => raise(position, head),
            Ok(Err(_)) | Err(_) => return,
        }
        let _ = timeout(POLL_INTERVAL, notified.notified()).await;
        if is_unused(position, is_listening) {
            return;
        }
    }
}

async fn head_position(client: &Client) -> StoreResult<u64> {
    let row = client.query_one("SELECT position FROM es_head WHERE id = 1", &[]).await;
    unsigned(&row.map_err(store_error)?, 0)
}
