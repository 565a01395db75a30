//! The relay (specification 4.5): each tenant's events to a NATS JetStream stream, once each and in
//! order.
//!
//! * [`Broker`]: a connection to NATS and the stream there
//! * [`Relay`]: one tenant's events, from where the stream has them on
//! * [`subject`]: the subject of an event
//!
//! What makes it exactly once is that every message says which message must be the stream's last:
//! NATS takes it only there, so that nothing is lost in the middle of what is on its way, nothing
//! comes twice, and of two relays one is refused. Where to go on is asked of the stream itself; the
//! position in the store tells how far a relay is, and that there is only one. `Nats-Msg-Id` is the
//! event's id, for the broker and for whoever reads.

mod broker;
mod relay;
pub mod subject;

pub use broker::{Access, Broker, BrokerError, STREAM};
pub use relay::{Relay, RelayError, SUBSCRIBER, Until};
