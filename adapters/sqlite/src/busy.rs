//! Waiting for the write lock of another process.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::{Duration, Instant};

use powerfill_ports::waiting::{SILENT, announce};
use rusqlite::Connection;

/// How long a statement waits for the transaction of another process. The longest transaction is
/// one append or one publication.
const LIMIT: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// Callers repeat a call that another process delays: ten attempts, and the pauses between them.
pub(crate) const AT_MOST: &str = "5 min";

thread_local! {
    /// When the present wait of this thread began.
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
    /// The file that this thread writes.
    static FILE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Makes the statements of a connection wait, and names the file if this thread waits long.
pub(crate) fn wait_for_other_processes(conn: &mut Connection) -> rusqlite::Result<()> {
    conn.busy_handler(Some(wait))
}

/// The file of the connections that this thread uses.
pub(crate) fn set_file(path: &Path) {
    FILE.with_borrow_mut(|file| *file = path.display().to_string());
}

/// Whether to try again, after a pause.
fn wait(attempts: i32) -> bool {
    let now = Instant::now();
    let since = SINCE.get().filter(|_| attempts > 0).unwrap_or(now);
    SINCE.set(Some(since));
    let waited = now.duration_since(since);
    if waited >= LIMIT {
        return false;
    }
    if waited >= SILENT {
        FILE.with_borrow(|file| {
            announce(&format_args!("another process is writing to {file}"), AT_MOST);
        });
    }
    let pause = Duration::from_millis(1 + u64::from(attempts.unsigned_abs()));
    std::thread::sleep(pause.min(LONGEST_PAUSE));
    true
}
