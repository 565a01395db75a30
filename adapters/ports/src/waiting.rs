//! Tells people what a call waits for.

use std::fmt::Display;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A wait that ends sooner is not announced.
pub const SILENT: Duration = Duration::from_millis(1_500);
/// One line says enough about a wait and its repetitions.
const QUIET: Duration = Duration::from_secs(330);

static LAST: Mutex<Option<Instant>> = Mutex::new(None);

/// Says on the log what a call of this process waits for, and for how long at most. Does nothing
/// if another wait was announced in the last minutes.
pub fn announce(what: &dyn Display, at_most: &str) {
    let now = Instant::now();
    let mut last = LAST.lock();
    if last.is_none_or(|last| now.duration_since(last) >= QUIET) {
        *last = Some(now);
        tracing::warn!("waiting: {what} (up to {at_most})");
    }
}
