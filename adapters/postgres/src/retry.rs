//! How often, and with which pauses, failed calls to the server are repeated.

use std::time::Duration;

use backon::ExponentialBuilder;

/// For subscribers and the listening connection: repeated until the server is back. The first pause
/// is shorter than a reconnection takes; the last one bounds how late a subscriber notices that the
/// server is back.
pub(crate) const RECONNECT: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(50))
    .with_max_delay(Duration::from_secs(5))
    .without_max_times();

/// For finding out whether a transaction was committed. The caller bounds the total time.
pub(crate) const COMMIT_CHECK: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(50))
    .with_max_delay(Duration::from_secs(2))
    .without_max_times();

/// For reading a source: 4 attempts, with pauses of 0.2, 0.4, and 0.8 s. Nothing depends on the
/// source yet, so that the user may as well start again.
pub(crate) const SOURCE: ExponentialBuilder =
    ExponentialBuilder::new().with_min_delay(Duration::from_millis(200)).with_max_times(3);
