//! NATS JetStream as a broker for a relay (specification 4.5).
//!
//! * [`NatsBroker`]: a connection to NATS and the stream there
//! * [`subject`]: the subjects of events
//!
//! Each message names the message that must be right before it in the stream, and NATS refuses it
//! anywhere else. So no event is lost or doubled when a batch arrives in part, and of two relays
//! one is refused. `Nats-Msg-Id` is the event's id; exactly once does not depend on the time window
//! in which NATS recognizes it.

mod broker;
mod error;
pub mod subject;

pub use broker::{NatsAccess, NatsBroker, STREAM, SUBSCRIBER};
pub use error::NatsError;
