//! SIGTERM and Ctrl-C, which end a process that serves or works.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::{CliError, CliResult};

/// The token that the first signal cancels; the second one ends the process at once. From the
/// return on, signals do not end the process by themselves anymore.
pub(crate) fn on_signal() -> CliResult<CancellationToken> {
    let unavailable = |error| CliError::environment(format!("signals cannot be received: {error}"));
    let mut signals = Signals::listen().map_err(unavailable)?;
    let shutdown = CancellationToken::new();
    let signaled = shutdown.clone();
    tokio::spawn(async move {
        signals.next().await;
        signaled.cancel();
        signals.next().await;
        std::process::exit(130);
    });
    Ok(shutdown)
}

/// The time that a process has to stop: requests in progress have eight seconds of it, and threads
/// that block another second.
const SHUTDOWN_LIMIT: Duration = Duration::from_millis(9_500);

/// Does the work of a process. After a signal, the process ends within ten seconds with status 0,
/// also if a store, a source, or a broker is silent. A run that was not handed over by then is
/// taken up when its lease ends.
pub(crate) async fn bounded(
    shutdown: &CancellationToken,
    work: impl Future<Output = CliResult<()>>,
) -> CliResult<()> {
    let overdue = async {
        shutdown.cancelled().await;
        sleep(SHUTDOWN_LIMIT).await;
    };
    tokio::select! {
        ended = work => ended,
        () = overdue => {
            tracing::warn!("what did not answer within {SHUTDOWN_LIMIT:?} is given up");
            // The threads that wait for it would not end.
            std::process::exit(0);
        }
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
