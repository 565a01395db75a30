//! PowerFill as implementations of the traits of `eventually` (specification 3.1 to 3.3), for code
//! that uses these traits.
//!
//! * [`RunAggregate`], [`ConfigAggregate`]: the aggregates
//! * [`EventuallyStore`]: an event store over any
//!   [`EventStore`](powerfill_ports::events::EventStore)
//! * [`RunTablesProjection`]: the output tables as a projection

mod aggregates;
mod projection;
mod store;

pub use aggregates::{ConfigAggregate, RunAggregate};
pub use projection::{DeliveredEvent, RunTablesError, RunTablesProjection};
pub use store::{Envelope, EventuallyError, EventuallyStore};
