//! One tenant's events to the stream.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use powerfill_events::cloud_event::{CloudEvent, CloudEventError};
use powerfill_events::stream::Stream;
use powerfill_events::values::TenantId;
use powerfill_ports::events::StoredEvent;
use powerfill_ports::retry::RetryPolicy;
use powerfill_ports::{Store, StoreError, ensure_tenant};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, BrokerError, Sent};
use crate::subject::event_subject;

/// The name by which the relay keeps its position in the store.
pub const SUBSCRIBER: &str = "nats";

/// Events that are on their way together.
const WINDOW: usize = 256;

/// Jitter keeps relays that a broker refused together from returning together.
const BACKOFF: RetryPolicy =
    RetryPolicy::endless(Duration::from_millis(100), Duration::from_secs(10)).with_jitter();
/// A fault that passes within this many pauses is not worth a warning.
const SILENT_PAUSES: u32 = 3;

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// To the end of the log as it is when it begins.
    TheEnd,
    /// For ever, until it is told to stop.
    Stopped,
}

/// Why a relay ends.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The broker.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is no event of PowerFill.
    #[error(transparent)]
    Event(#[from] CloudEventError),
    /// The stream has events that this store does not have, or others.
    #[error(
        "the stream at {place} has event {position} of tenant {tenant}, which is not the one of this store: the store is \
         another one, or older than the stream; nothing was sent"
    )]
    AnotherHistory {
        /// The broker.
        place: String,
        /// The tenant.
        tenant: TenantId,
        /// The position.
        position: u64,
    },
    /// Somebody else moves the position.
    #[error("another relay is at work for tenant {0}; end one of them")]
    AnotherRelay(TenantId),
}

impl RelayError {
    /// Whether it may go well another time.
    const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Broker(BrokerError::Passing { .. }) | Self::Store(StoreError::Unavailable(_))
        )
    }
}

/// A tenant's way to the stream.
pub struct Relay {
    store: Arc<dyn Store>,
    tenant: TenantId,
    broker: Arc<Broker>,
    stop: CancellationToken,
}

/// How far it is.
struct Progress {
    /// What the store keeps.
    kept: Option<u64>,
    /// The last event that is in the stream.
    position: u64,
}

impl Relay {
    /// A relay of a tenant's store, which ends when `stop` is cancelled.
    pub fn new(
        store: Arc<dyn Store>,
        tenant: TenantId,
        broker: Arc<Broker>,
        stop: CancellationToken,
    ) -> Self {
        Self { store, tenant, broker, stop }
    }

    /// Sends what the stream does not have yet, in order, and goes on as `until` says. A broker or
    /// a store that is away is tried again until it is back; that is said once. Answers the
    /// position that it reached.
    ///
    /// # Errors
    /// [`RelayError`]: what another try would not mend.
    pub async fn run(&self, until: Until) -> Result<u64, RelayError> {
        ensure_tenant(self.store.as_ref(), &self.tenant).await?;
        let (mut pauses, mut failures) = (BACKOFF.pauses(), 0);
        // The furthest event that the stream said it had already.
        let mut known = 0;
        loop {
            let mut reached = None;
            let error = match self.follow(until, &mut known, &mut reached).await {
                Ok(position) => return Ok(position),
                Err(error) if error.is_passing() => error,
                Err(error) => return Err(error),
            };
            if reached.is_some() {
                pauses.reset();
                failures = 0;
            }
            if failures == SILENT_PAUSES {
                tracing::warn!("{}: {error}; trying again until it goes", self.tenant);
            }
            failures += 1;
            let pause = pauses.next().unwrap_or_default();
            if self.stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return Ok(reached.unwrap_or_default());
            }
        }
    }

    /// From where the stream is on, until the end, or something goes wrong.
    async fn follow(
        &self,
        until: Until,
        known: &mut u64,
        reached: &mut Option<u64>,
    ) -> Result<u64, RelayError> {
        let mut progress = self.progress(*known).await?;
        self.keep(&mut progress).await?;
        let mut batches = match until {
            Until::TheEnd => self.store.read_all(progress.position),
            Until::Stopped => self.store.subscribe(progress.position),
        };
        loop {
            let batch = self.stop.run_until_cancelled(batches.next()).await.flatten();
            let Some(batch) = batch.transpose()? else { return Ok(progress.position) };
            for window in batch.chunks(WINDOW) {
                let messages = window.iter().map(message).collect::<Result<_, _>>()?;
                match self.broker.send(messages).await? {
                    Sent::All => {}
                    Sent::Known(position) => {
                        *known = position;
                        return Err(self.parted(position).into());
                    }
                }
                progress.position =
                    window.last().map_or(progress.position, |event| event.global_position);
                *reached = Some(progress.position);
                self.keep(&mut progress).await?;
                if self.stop.is_cancelled() {
                    return Ok(progress.position);
                }
            }
        }
    }

    /// Where the stream is, which knows it best; the kept position counts where it has nothing of
    /// the tenant any more.
    async fn progress(&self, known: u64) -> Result<Progress, RelayError> {
        let kept = self.store.subscriber(SUBSCRIBER).await?;
        let position = match self.broker.last_of(self.tenant.as_str()).await? {
            None => kept.unwrap_or_default(),
            Some(last) => {
                self.must_be_ours(last.position, last.hash.as_deref()).await?;
                last.position
            }
        };
        Ok(Progress { kept, position: position.max(known) })
    }

    /// The event at the stream's end is the one that the store has there, down to its hash, which
    /// covers all before it in its stream.
    async fn must_be_ours(&self, position: u64, hash: Option<&str>) -> Result<(), RelayError> {
        let another = || RelayError::AnotherHistory {
            place: self.broker.place().to_owned(),
            tenant: self.tenant.clone(),
            position,
        };
        let before = position.checked_sub(1).ok_or_else(another)?;
        let batch = self.store.read_all(before).try_next().await?;
        let event = batch.and_then(|batch| batch.into_iter().next()).ok_or_else(another)?;
        if hash == Some(event.hash.to_string().as_str()) { Ok(()) } else { Err(another()) }
    }

    /// Says in the store how far it is.
    async fn keep(&self, progress: &mut Progress) -> Result<(), RelayError> {
        let position = progress.position;
        if progress.kept == Some(position) {
            return Ok(());
        }
        if !self.store.advance(SUBSCRIBER, progress.kept, position).await? {
            return Err(RelayError::AnotherRelay(self.tenant.clone()));
        }
        progress.kept = Some(position);
        Ok(())
    }

    fn parted(&self, position: u64) -> BrokerError {
        let fault = format!("event {position} was there already");
        BrokerError::Passing { place: self.broker.place().to_owned(), fault }
    }
}

/// An event as a message: its subject, its id, and its CloudEvent.
fn message(event: &StoredEvent) -> Result<(&StoredEvent, String, String, Bytes), CloudEventError> {
    let stream = Stream::from_name(&event.stream)
        .ok_or_else(|| CloudEventError::UnknownStream(event.stream.clone()))?;
    let cloud_event = CloudEvent::try_from(event)?;
    let text = serde_json::to_vec(&cloud_event).map_err(|source| CloudEventError::Payload {
        stream: event.stream.clone(),
        stream_version: event.stream_version,
        source,
    })?;
    Ok((event, event_subject(stream, event), cloud_event.id.to_string(), text.into()))
}
