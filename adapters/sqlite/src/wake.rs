//! What wakes subscribers: the writer of this process, and a look at the file for those of others.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use powerfill_ports::StoreError;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::append::head;
use crate::connection::Readers;

/// How soon an append of another process is seen. A look reads a few bytes of shared memory.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The last position that anyone here knows of. The events themselves are always read from the file.
pub(crate) struct Wake {
    position: watch::Sender<u64>,
    looking: Arc<Mutex<bool>>,
}

impl Wake {
    /// Nothing known, nobody waiting.
    pub(crate) fn new() -> Self {
        Self { position: watch::Sender::new(0), looking: Arc::default() }
    }

    /// For a writer to raise.
    pub(crate) fn sender(&self) -> watch::Sender<u64> {
        self.position.clone()
    }

    /// To wait for a position. The first one who waits starts the look-out for other processes; it ends with the last.
    pub(crate) fn subscribe(&self, readers: &Readers) -> Result<watch::Receiver<u64>, StoreError> {
        let receiver = self.position.subscribe();
        let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if !*looking {
            let conn = readers.open()?;
            let (position, flag) = (self.position.clone(), Arc::clone(&self.looking));
            std::thread::Builder::new()
                .name("sqlite-lookout".to_owned())
                .spawn(move || look_out(&conn, &position, &flag))
                .map_err(|error| StoreError::Failed(format!("no thread to look out: {error}")))?;
            *looking = true;
        }
        Ok(receiver)
    }
}

/// Makes a new position known.
pub(crate) fn raise(position: &watch::Sender<u64>, to: u64) {
    position.send_if_modified(|known| {
        let higher = to > *known;
        *known = to.max(*known);
        higher
    });
}

fn look_out(conn: &Connection, position: &watch::Sender<u64>, looking: &Mutex<bool>) {
    let mut seen: Option<i64> = None;
    loop {
        // A look that fails is made again: whoever waits finds the same fault when it reads.
        let version = conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut version| version.query_row([], |row| row.get(0)))
            .ok();
        if (version.is_none() || version != seen)
            && let Ok(head) = head(conn)
        {
            raise(position, head.position);
            seen = version;
        }
        std::thread::sleep(LOOK_EVERY);
        let mut looking = looking.lock().unwrap_or_else(PoisonError::into_inner);
        if position.receiver_count() == 0 {
            *looking = false;
            return;
        }
    }
}
