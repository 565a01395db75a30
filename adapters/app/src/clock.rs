//! The injected clock. The stores and everything else below this crate take times as arguments.

use std::time::{SystemTime, UNIX_EPOCH};

use powerfill_events::values::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment, in microseconds since 1970.
    fn now(&self) -> Timestamp;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX))
    }
}
