//! SIGTERM and Ctrl-C, heard by what may take long to end.

use std::time::Duration;

use powerfill_app::{Watch, told_to_stop};
use tokio::sync::watch;

use crate::failure::Failure;

/// Whether the process is to end. A second signal ends it at once.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// From when this returns, the signals do not end the process any more.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let unheard = |error| Failure::Environment(format!("signals cannot be heard: {error}"));
        let mut signals = Signals::listen().map_err(unheard)?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            let _ = stop.send(true);
            signals.next().await;
            std::process::exit(130);
        });
        Ok(Self(stopped))
    }

    /// Until the process is to end.
    pub(crate) async fn heard(&self) {
        told_to_stop(self.watched()).await;
    }

    /// What becomes true when the process is to end.
    pub(crate) fn watched(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    /// Waits; whether the process is to end meanwhile.
    pub(crate) async fn within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.heard()).await.is_ok()
    }
}

impl Watch for Stop {
    fn hands_over(&self) -> bool {
        *self.0.borrow()
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
