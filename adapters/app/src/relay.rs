//! Relays a tenant's events to a message broker, each exactly once and in order (specification
//! 4.5).
//!
//! The broker tells where to continue, because it accepts an event only right after the one before
//! it. The position in the store shows how far the relay is, and that there is only one.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use powerfill_events::values::TenantId;
use powerfill_ports::broker::{BrokerError, EventBroker, SendOutcome};
use powerfill_ports::retry::RetryPolicy;
use powerfill_ports::{Store, StoreError, ensure_tenant};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The events that are sent together.
const WINDOW: usize = 256;
/// Jitter keeps relays that a broker refused together from returning together.
const BACKOFF: RetryPolicy =
    RetryPolicy::endless(Duration::from_millis(100), Duration::from_secs(10)).with_jitter();
/// An error that passes within this many pauses is not reported.
const SILENT_PAUSES: u32 = 3;

/// When a relay ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayMode {
    /// At the end that the log has when the relay begins.
    CatchUp,
    /// When it is stopped.
    Follow,
}

/// Why a relay fails.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The broker fails or refuses.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker has an event that this store does not have at the same position.
    #[error(
        "the stream at {address} has event {position} of tenant {tenant}, which is not the one of \
         this store: the store is another one, or older than the stream; nothing was sent"
    )]
    AnotherHistory {
        /// The address of the broker.
        address: String,
        /// The tenant.
        tenant: TenantId,
        /// The position.
        position: u64,
    },
    /// Another process moves the position in the store.
    #[error("another relay is at work for tenant {0}; end one of them")]
    AnotherRelay(TenantId),
}

impl RelayError {
    /// Whether another attempt may succeed.
    const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Broker(BrokerError::Transient { .. }) | Self::Store(StoreError::Unavailable(_))
        )
    }
}

/// Sends the events of one tenant to a broker.
pub struct Relay {
    store: Arc<dyn Store>,
    tenant: TenantId,
    broker: Arc<dyn EventBroker>,
    stop: CancellationToken,
}

/// How far a relay is.
struct RelayProgress {
    /// The position in the store.
    stored: Option<u64>,
    /// The position of the last event that the broker has.
    position: u64,
}

impl Relay {
    /// A relay that ends when `stop` is canceled.
    pub fn new(
        store: Arc<dyn Store>,
        tenant: TenantId,
        broker: Arc<dyn EventBroker>,
        stop: CancellationToken,
    ) -> Self {
        Self { store, tenant, broker, stop }
    }

    /// Sends what the broker does not have, in order, and returns the position that it reached.
    /// While the broker or the store is unavailable, it tries again, and reports that once.
    ///
    /// # Errors
    /// The first error that does not pass by itself.
    pub async fn run(
        &self,
        mode: RelayMode,
        mut report: impl FnMut(&RelayError) + Send,
    ) -> Result<u64, RelayError> {
        ensure_tenant(self.store.as_ref(), &self.tenant).await?;
        let (mut pauses, mut failures) = (BACKOFF.pauses(), 0);
        // The furthest event that the broker reported as a duplicate.
        let mut known = 0;
        loop {
            let mut reached = None;
            let error = match self.attempt(mode, &mut known, &mut reached).await {
                Ok(position) => return Ok(position),
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            if reached.is_some() {
                pauses.reset();
                failures = 0;
            }
            if failures == SILENT_PAUSES {
                report(&error);
            }
            failures += 1;
            let pause = pauses.next().unwrap_or_default();
            if self.stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return Ok(reached.unwrap_or_default());
            }
        }
    }

    /// Sends events from the broker's position on, until the end or the first error.
    async fn attempt(
        &self,
        mode: RelayMode,
        known: &mut u64,
        reached: &mut Option<u64>,
    ) -> Result<u64, RelayError> {
        let mut progress = self.progress(*known).await?;
        self.store_position(&mut progress).await?;
        let mut batches = match mode {
            RelayMode::CatchUp => self.store.read_all(progress.position),
            RelayMode::Follow => self.store.subscribe(progress.position),
        };
        loop {
            let batch = self.stop.run_until_cancelled(batches.next()).await.flatten();
            let Some(batch) = batch.transpose()? else { return Ok(progress.position) };
            for window in batch.chunks(WINDOW) {
                if let SendOutcome::Duplicate(position) = self.broker.send(window).await? {
                    *known = position;
                    let address = self.broker.address().to_owned();
                    let source = format!("event {position} was there already").into();
                    return Err(BrokerError::Transient { address, source }.into());
                }
                progress.position =
                    window.last().map_or(progress.position, |event| event.global_position);
                *reached = Some(progress.position);
                self.store_position(&mut progress).await?;
                if self.stop.is_cancelled() {
                    return Ok(progress.position);
                }
            }
        }
    }

    /// Asks the broker for its position. The stored position counts only if the broker has no event
    /// of the tenant any more.
    async fn progress(&self, known: u64) -> Result<RelayProgress, RelayError> {
        let stored = self.store.subscriber(self.broker.subscriber()).await?;
        let position = match self.broker.last_event(&self.tenant).await? {
            None => stored.unwrap_or_default(),
            Some(last) => {
                self.ensure_same_history(last.position, last.hash.as_deref()).await?;
                last.position
            }
        };
        Ok(RelayProgress { stored, position: position.max(known) })
    }

    /// Checks that the store has the broker's last event, with the same hash. The hash covers all
    /// events before it in its stream.
    async fn ensure_same_history(
        &self,
        position: u64,
        hash: Option<&str>,
    ) -> Result<(), RelayError> {
        let another = || RelayError::AnotherHistory {
            address: self.broker.address().to_owned(),
            tenant: self.tenant.clone(),
            position,
        };
        let before = position.checked_sub(1).ok_or_else(another)?;
        let batch = self.store.read_all(before).try_next().await?;
        let event = batch.and_then(|batch| batch.into_iter().next()).ok_or_else(another)?;
        if hash == Some(event.hash.to_string().as_str()) { Ok(()) } else { Err(another()) }
    }

    /// Stores the position, if it moved.
    async fn store_position(&self, progress: &mut RelayProgress) -> Result<(), RelayError> {
        let RelayProgress { stored, position } = *progress;
        if stored == Some(position) {
            return Ok(());
        }
        if !self.store.advance(self.broker.subscriber(), stored, position).await? {
            return Err(RelayError::AnotherRelay(self.tenant.clone()));
        }
        progress.stored = Some(position);
        Ok(())
    }
}
