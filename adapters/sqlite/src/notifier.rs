//! Wakes subscribers: at once for appends of this process, and by polling for appends of others.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use powerfill_ports::{StoreError, StoreFault, StoreResult};
use rusqlite::Connection;
use tokio::sync::watch;

use crate::connection::ReaderPool;
use crate::log::head;

/// How soon an append of another process is seen. A poll reads a few bytes of shared memory.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The last position that this process knows of. The events themselves are always read from the
/// file.
pub(crate) struct AppendNotifier {
    position: watch::Sender<u64>,
    is_polling: Arc<Mutex<bool>>,
}

impl AppendNotifier {
    /// Knows no position, and does not poll.
    pub(crate) fn new() -> Self {
        Self { position: watch::Sender::new(0), is_polling: Arc::default() }
    }

    /// For a writer, which calls [`raise`].
    pub(crate) fn sender(&self) -> watch::Sender<u64> {
        self.position.clone()
    }

    /// For a subscriber. The first subscriber starts the thread that polls for appends of other
    /// processes; the thread ends after the last subscriber.
    pub(crate) fn subscribe(&self, readers: &ReaderPool) -> StoreResult<watch::Receiver<u64>> {
        let receiver = self.position.subscribe();
        let mut is_polling = self.is_polling.lock();
        if !*is_polling {
            let conn = readers.open()?;
            let (position, flag) = (self.position.clone(), Arc::clone(&self.is_polling));
            std::thread::Builder::new()
                .name("sqlite-notifier".to_owned())
                .spawn(move || poll(&conn, &position, &flag))
                .map_err(|error| {
                    StoreError::Failed(StoreFault::caused_by(error).context("no thread to poll"))
                })?;
            *is_polling = true;
        }
        Ok(receiver)
    }
}

/// Announces a position, if it is higher than the one announced last.
pub(crate) fn raise(position: &watch::Sender<u64>, to: u64) {
    position.send_if_modified(|known| {
        let is_higher = to > *known;
        *known = to.max(*known);
        is_higher
    });
}

fn poll(conn: &Connection, position: &watch::Sender<u64>, is_polling: &Mutex<bool>) {
    let mut last_version: Option<i64> = None;
    loop {
        // A poll that fails is repeated. Subscribers get the same error when they read.
        let version = conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut version| version.query_row([], |row| row.get(0)))
            .ok();
        if (version.is_none() || version != last_version)
            && let Ok(head) = head(conn)
        {
            raise(position, head.position);
            last_version = version;
        }
        std::thread::sleep(POLL_INTERVAL);
        let mut is_polling = is_polling.lock();
        if position.receiver_count() == 0 {
            *is_polling = false;
            return;
        }
    }
}
