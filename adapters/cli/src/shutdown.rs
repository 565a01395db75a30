//! SIGTERM and Ctrl-C, which end a process that serves or works.

use tokio_util::sync::CancellationToken;

use crate::error::CliError;

/// The token that the first signal cancels; the second one ends the process at once. From the
/// return on, signals do not end the process by themselves anymore.
pub(crate) fn on_signal() -> Result<CancellationToken, CliError> {
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
