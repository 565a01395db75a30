//! What wakes subscribers: LISTEN on a connection of its own, for all subscribers of this process. What was appended is
//! always read from the tables; a notification that got lost costs time, never an event.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use powerfill_ports::StoreError;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client};

use crate::Inner;
use crate::bytes_in::number;
use crate::fault::fault;

/// How soon an append is seen whose writer died between its commit and its notification. A look reads one row.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A look that takes longer is one on a connection that stalls.
const LOOK_FOR: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The pause before the next attempt, growing.
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    /// Waits, longer each time.
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

/// The last position that anyone here knows of.
pub(crate) struct Wake {
    position: Arc<watch::Sender<u64>>,
    listening: Arc<Mutex<bool>>,
}

impl Wake {
    /// Nothing known, nobody waiting.
    pub(crate) fn new() -> Self {
        Self { position: Arc::new(watch::Sender::new(0)), listening: Arc::default() }
    }

    /// Makes a new position known.
    pub(crate) fn raise(&self, to: u64) {
        raise(&self.position, to);
    }

    /// To wait for a position. The first one who waits starts to listen; that ends with the last.
    pub(crate) fn subscribe(&self, inner: &Arc<Inner>) -> watch::Receiver<u64> {
        let receiver = self.position.subscribe();
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if !*listening {
            let (position, flag) = (Arc::clone(&self.position), Arc::clone(&self.listening));
            tokio::spawn(listen(Arc::downgrade(inner), position, flag));
            *listening = true;
        }
        receiver
    }
}

fn raise(position: &watch::Sender<u64>, to: u64) {
    position.send_if_modified(|known| {
        let higher = to > *known;
        *known = to.max(*known);
        higher
    });
}

/// Whether nobody waits any more; then the next who does starts anew.
fn is_done(position: &watch::Sender<u64>, listening: &Mutex<bool>) -> bool {
    let mut listening = listening.lock().unwrap_or_else(PoisonError::into_inner);
    if position.receiver_count() == 0 {
        *listening = false;
    }
    !*listening
}

async fn listen(
    inner: Weak<Inner>,
    position: Arc<watch::Sender<u64>>,
    listening: Arc<Mutex<bool>>,
) {
    let mut backoff = Backoff::new();
    while !is_done(&position, &listening) {
        let Some(inner) = inner.upgrade() else { return };
        let told = Arc::new(Notify::new());
        let tell = Arc::clone(&told);
        let connected = inner.connections.listening(move |message| {
            // The end of the connection wakes too: the look then fails.
            if matches!(message, None | Some(AsyncMessage::Notification(_))) {
                tell.notify_one();
            }
        });
        let connected = connected.await;
        drop(inner);
        if let Ok(client) = connected
            && client.batch_execute("LISTEN powerfill_events").await.is_ok()
        {
            backoff = Backoff::new();
            look_out(&client, &told, &position, &listening).await;
        }
        // Whoever waits finds the same fault when it reads, and says so where it does not pass.
        backoff.wait().await;
    }
}

/// Looks at the head after each notification, until the connection is lost or nobody waits.
async fn look_out(
    client: &Client,
    told: &Notify,
    position: &watch::Sender<u64>,
    listening: &Mutex<bool>,
) {
    loop {
        match timeout(LOOK_FOR, head_position(client)).await {
            Ok(Ok(head)) => raise(position, head),
            Ok(Err(_)) | Err(_) => return,
        }
        // Told or not, the table is looked at.
        let _ = timeout(LOOK_EVERY, told.notified()).await;
        if is_done(position, listening) {
            return;
        }
    }
}

async fn head_position(client: &Client) -> Result<u64, StoreError> {
    let row = client.query_one("SELECT position FROM es_head WHERE id = 1", &[]).await;
    number(&row.map_err(fault)?, 0)
}
