//! Relays a tenant's events to a message broker, each exactly once and in order (specification
//! 4.5).
//!
//! The broker tells where to continue, because it accepts an event only right after the one before
//! it. The position in the store shows how far the relay is, and that there is only one.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use powerfill_events::run::RunId;
use powerfill_events::values::TenantId;
use powerfill_ports::broker::{BrokerError, EventBroker, SendOutcome};
use powerfill_ports::retention::read_retention;
use powerfill_ports::retry::RetryPolicy;
use powerfill_ports::{Store, StoreError, StoreResult, ensure_tenant};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// The events that are sent together.
const WINDOW: usize = 256;
/// Jitter keeps relays that a broker refused together from returning together.
const BACKOFF: RetryPolicy =
    RetryPolicy::endless(Duration::from_millis(100), Duration::from_secs(10)).with_jitter();
/// An error that passes within this many pauses is not reported.
const SILENT_PAUSES: u32 = 3;

/// How often a relay that stands by looks at the position of the other one.
const STANDBY_INTERVAL: Duration = Duration::from_secs(1);
/// It takes over once the other relay has sent nothing of a longer log for this many looks.
const STANDBY_LOOKS: u32 = 5;

/// When a relay ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayMode {
    /// At the end that the log has when the relay begins.
    CatchUp,
    /// When it is stopped.
    Follow,
}

/// What a relay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelayEnd {
    /// The position of the last event that the broker has; `None` if it never said.
    pub position: Option<u64>,
    /// Whether that was the end of the log, and not that of the process.
    pub is_complete: bool,
}

/// What a relay reports while it works, each once.
#[derive(Debug)]
pub enum RelayNotice<'a> {
    /// The broker or the store is unavailable, and the relay tries again.
    Waiting(&'a RelayError),
    /// Another relay sends the tenant's events. This one takes over when it falls behind.
    StandingBy,
    /// The other relay has fallen behind, and this one goes on.
    TakingOver,
    /// The broker has no event of the tenant, although this relay sent some: it goes on after
    /// this position.
    BrokerIsEmpty(u64),
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
    /// The payloads of the next events are not in the store any more.
    #[error(
        "the event after {position} is of {stream}, whose payloads are archived in {file}: bring \
         them back with `powerfill restore {file}`, and relay again. A stream without events of \
         the tenant can also begin after them, with --from EVENT"
    )]
    Archived {
        /// The position of the last event that the broker has.
        position: u64,
        /// The stream of the next event.
        stream: String,
        /// The evidence.
        file: String,
    },
    /// The relay was to begin at an event, and the broker has events of the tenant.
    #[error(
        "the stream at {address} has events of tenant {tenant} up to {position}, and earlier ones \
         cannot come after them: delete the stream or purge the tenant's subjects, and start again"
    )]
    NotEmpty {
        /// The address of the broker.
        address: String,
        /// The tenant.
        tenant: TenantId,
        /// The position of its last event there.
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
    /// The first event to send to a broker that has none of the tenant.
    from: Option<u64>,
}

/// How far a relay is.
struct RelayProgress {
    /// The position in the store.
    stored: Option<u64>,
    /// The position of the last event that the broker has.
    position: u64,
}

/// What a relay remembers from one attempt to the next.
#[derive(Default)]
struct RelayMemory {
    /// The furthest event that the broker reported as a duplicate.
    known: u64,
    /// The last position that the broker is known to have.
    position: Option<u64>,
    /// Whether the broker answered before.
    has_answer: bool,
    /// Whether the last attempt sent events.
    has_sent: bool,
    /// Whether another relay was the faster one, and this one has sent no event since.
    stands_by: bool,
}

impl Relay {
    /// A relay that ends when `stop` is canceled.
    pub fn new(
        store: Arc<dyn Store>,
        tenant: TenantId,
        broker: Arc<dyn EventBroker>,
        stop: CancellationToken,
    ) -> Self {
        Self { store, tenant, broker, stop, from: None }
    }

    /// Begins at this event, if the broker has none of the tenant.
    #[must_use]
    pub const fn begin_at(mut self, from: Option<u64>) -> Self {
        self.from = from;
        self
    }

    /// Sends what the broker does not have, in order. While the broker or the store is unavailable,
    /// it tries again, and reports that once. A relay that follows the log stands by while another
    /// one is at work.
    ///
    /// # Errors
    /// The first error that does not pass by itself.
    pub async fn run(
        &self,
        mode: RelayMode,
        mut report: impl FnMut(RelayNotice<'_>) + Send,
    ) -> Result<RelayEnd, RelayError> {
        ensure_tenant(self.store.as_ref(), &self.tenant).await?;
        let (mut pauses, mut failures) = (BACKOFF.pauses(), 0);
        let mut memory = RelayMemory::default();
        loop {
            memory.has_sent = false;
            let error = match self.attempt(mode, &mut memory, &mut report).await {
                Ok(is_complete) => {
                    return Ok(RelayEnd { position: memory.position, is_complete });
                }
                Err(RelayError::AnotherRelay(_)) if mode == RelayMode::Follow => {
                    if !std::mem::replace(&mut memory.stands_by, true) {
                        report(RelayNotice::StandingBy);
                    }
                    match self.stand_by().await {
                        Ok(true) => {
                            report(RelayNotice::TakingOver);
                            continue;
                        }
                        Ok(false) => {
                            return Ok(RelayEnd { position: memory.position, is_complete: false });
                        }
                        Err(error) => error.into(),
                    }
                }
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            if memory.has_sent {
                pauses.reset();
                failures = 0;
            }
            if failures == SILENT_PAUSES {
                report(RelayNotice::Waiting(&error));
            }
            failures += 1;
            let pause = pauses.next().unwrap_or_default();
            if self.stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return Ok(RelayEnd { position: memory.position, is_complete: false });
            }
        }
    }

    /// Waits until the other relay falls behind: the log is longer than its position, which does
    /// not move. Returns whether it did; `false` if this relay is stopped.
    async fn stand_by(&self) -> StoreResult<bool> {
        let (mut last, mut looks) = (None, 0);
        while looks < STANDBY_LOOKS {
            if self.stop.run_until_cancelled(sleep(STANDBY_INTERVAL)).await.is_none() {
                return Ok(false);
            }
            let stored = self.store.subscriber(self.broker.subscriber()).await?;
            let head = self.store.head().await?.position;
            let is_behind = stored.unwrap_or_default() < head;
            looks = if is_behind && stored == last { looks + 1 } else { 0 };
            last = stored;
        }
        Ok(true)
    }

    /// Sends events from the broker's position on, until the end or the first error. Returns
    /// whether it came to the end.
    async fn attempt(
        &self,
        mode: RelayMode,
        memory: &mut RelayMemory,
        report: &mut (impl FnMut(RelayNotice<'_>) + Send),
    ) -> Result<bool, RelayError> {
        let mut progress = self.progress(memory, report).await?;
        memory.position = Some(progress.position);
        self.store_position(&mut progress).await?;
        let mut batches = match mode {
            RelayMode::CatchUp => self.store.read_all(progress.position),
            RelayMode::Follow => self.store.subscribe(progress.position),
        };
        loop {
            let Some(batch) = self.stop.run_until_cancelled(batches.next()).await else {
                return Ok(false);
            };
            let batch = match batch {
                None => return Ok(true),
                Some(Err(StoreError::Archived(stream))) => {
                    return Err(self.archived(stream, progress.position).await?);
                }
                Some(batch) => batch?,
            };
            for window in batch.chunks(WINDOW) {
                if let SendOutcome::Duplicate(position) = self.broker.send(window).await? {
                    return Err(self.duplicate(position, memory).into());
                }
                progress.position =
                    window.last().map_or(progress.position, |event| event.global_position);
                (memory.position, memory.has_sent) = (Some(progress.position), true);
                memory.stands_by = false;
                self.store_position(&mut progress).await?;
                if self.stop.is_cancelled() {
                    return Ok(false);
                }
            }
        }
    }

    /// Where the payloads of the next events are.
    async fn archived(&self, stream: String, position: u64) -> StoreResult<RelayError> {
        let retention = read_retention(self.store.as_ref()).await?;
        let run = RunId::from_stream(&stream);
        let archived = run.and_then(|run| retention.archived(run));
        let file = archived.map_or("FILE", |archived| &archived.file).to_owned();
        Ok(RelayError::Archived { position, stream, file })
    }

    /// The broker had an event before. A broker that was emptied so that events are sent again
    /// still remembers them for a while; otherwise the next attempt goes on after the event.
    fn duplicate(&self, position: u64, memory: &mut RelayMemory) -> BrokerError {
        let address = self.broker.address().to_owned();
        let what = if self.from.is_some() {
            format!(
                "it still remembers event {position}, and refuses it until its window for \
                 duplicates ends (two minutes, if the stream has no other)"
            )
        } else {
            memory.known = position;
            format!("event {position} was there already")
        };
        BrokerError::Transient { address, source: what.into() }
    }

    /// Asks the broker for its position. The stored position counts only if the broker has no event
    /// of the tenant any more.
    async fn progress(
        &self,
        memory: &mut RelayMemory,
        report: &mut (impl FnMut(RelayNotice<'_>) + Send),
    ) -> Result<RelayProgress, RelayError> {
        let stored = self.store.subscriber(self.broker.subscriber()).await?;
        let last = self.broker.last_event(&self.tenant).await?;
        let is_first = !std::mem::replace(&mut memory.has_answer, true);
        let position = match (last, self.from) {
            (None, Some(from)) => from.saturating_sub(1),
            (None, None) => {
                let position = stored.unwrap_or_default();
                if is_first && position > 0 {
                    report(RelayNotice::BrokerIsEmpty(position));
                }
                position
            }
            (Some(last), Some(_)) if is_first => {
                let (address, tenant) = (self.broker.address().to_owned(), self.tenant.clone());
                return Err(RelayError::NotEmpty { address, tenant, position: last.position });
            }
            (Some(last), _) => {
                self.ensure_same_history(last.position, last.hash.as_deref(), stored).await?;
                last.position
            }
        };
        Ok(RelayProgress { stored, position: position.max(memory.known) })
    }

    /// Checks that the store has the broker's last event, with the same hash. The hash covers all
    /// events before it in its stream. An archived event has no hash any more; a run is archived
    /// only when the stored position is behind it.
    async fn ensure_same_history(
        &self,
        position: u64,
        hash: Option<&str>,
        stored: Option<u64>,
    ) -> Result<(), RelayError> {
        let another = || RelayError::AnotherHistory {
            address: self.broker.address().to_owned(),
            tenant: self.tenant.clone(),
            position,
        };
        let before = position.checked_sub(1).ok_or_else(another)?;
        let batch = match self.store.read_all(before).try_next().await {
            Err(StoreError::Archived(_)) if stored.is_some_and(|stored| stored >= position) => {
                return Ok(());
            }
            batch => batch?,
        };
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
