//! How a run is stopped before its end: one token, and the reason.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Why the work on a run stops early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// This person cancelled the run.
    Cancelled(String),
    /// This worker leaves the run to the next worker, which continues it at once.
    HandOver,
    /// The lease was lost: another worker may hold the run.
    LeaseLost,
    /// Further decisions have no use: the run has ended, or it could not be stored.
    Over,
}

/// Stops one run, from any thread. Only the first reason counts.
#[derive(Debug, Clone)]
pub struct RunControl {
    token: CancellationToken,
    reason: Arc<OnceLock<StopReason>>,
    /// The reason where the token was cancelled from outside.
    signal: StopReason,
}

impl Default for RunControl {
    fn default() -> Self {
        Self::stopped_by(&CancellationToken::new(), StopReason::Over)
    }
}

impl RunControl {
    /// The control of a run that also stops, for `reason`, when the signal is given.
    pub fn stopped_by(signal: &CancellationToken, reason: StopReason) -> Self {
        Self { token: signal.child_token(), reason: Arc::default(), signal: reason }
    }

    /// Cancels the run in the name of this person.
    pub fn cancel(&self, by: impl Into<String>) {
        self.stop(StopReason::Cancelled(by.into()));
    }

    /// Leaves the run to the next worker.
    pub fn hand_over(&self) {
        self.stop(StopReason::HandOver);
    }

    pub(crate) fn stop(&self, reason: StopReason) {
        if !self.token.is_cancelled() {
            let _ = self.reason.set(reason);
            self.token.cancel();
        }
    }

    /// Whether the run is to stop.
    pub fn is_stopped(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Why the run is to stop; `None` while it goes on.
    pub fn reason(&self) -> Option<&StopReason> {
        self.is_stopped().then(|| self.reason.get().unwrap_or(&self.signal))
    }

    /// The person who cancelled the run.
    pub(crate) fn cancelled_by(&self) -> Option<String> {
        match self.reason() {
            Some(StopReason::Cancelled(by)) => Some(by.clone()),
            _ => None,
        }
    }

    pub(crate) fn is_handed_over(&self) -> bool {
        self.reason() == Some(&StopReason::HandOver)
    }

    /// Waits until the run is to stop.
    pub async fn stopped(&self) {
        self.token.cancelled().await;
    }
}
