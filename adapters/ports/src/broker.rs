//! Message brokers, to which a relay sends a tenant's events (specification 4.5).

use std::error::Error;

use async_trait::async_trait;
use powerfill_events::log::StoredEvent;
use powerfill_events::values::TenantId;

/// The last event of a tenant that a broker has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastEvent {
    /// The global position of the event.
    pub position: u64,
    /// The hash of the event, hexadecimal, if the message has one.
    pub hash: Option<String>,
}

/// The result of sending events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendOutcome {
    /// The broker has all events.
    All,
    /// The broker had the event with this position before, and may lack those after it.
    Duplicate(u64),
}

/// Why a broker does not accept events.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Another attempt may succeed: the broker is unavailable, or another sender wrote meanwhile.
    #[error("{address}: {source}")]
    Transient {
        /// The address of the broker, without secrets.
        address: String,
        /// What happened.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Another attempt fails too.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

/// A broker that keeps the events of tenants in order.
#[async_trait]
pub trait EventBroker: Send + Sync {
    /// The name under which a relay to this kind of broker keeps its position in a store.
    fn subscriber(&self) -> &'static str;

    /// The address, without secrets.
    fn address(&self) -> &str;

    /// The last event of a tenant that the broker has; `None` if it has none.
    ///
    /// # Errors
    /// [`BrokerError`], also if the last message of the tenant is not from PowerFill.
    async fn last_event(&self, tenant: &TenantId) -> Result<Option<LastEvent>, BrokerError>;

    /// Sends events of one tenant with consecutive positions, and waits until the broker has them.
    /// The broker must accept an event only right after the one before it, so that no event is lost
    /// or doubled when an attempt ends early.
    ///
    /// # Errors
    /// [`BrokerError`]. The broker may have the first events then, and no other.
    async fn send(&self, events: &[StoredEvent]) -> Result<SendOutcome, BrokerError>;
}
