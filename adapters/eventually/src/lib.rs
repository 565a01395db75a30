//! PowerFill behind the traits of `eventually` (specification 3.1 to 3.3), so that code written to
//! them plugs in.
//!
//! * [`RunAggregate`], [`ConfigAggregate`]: the aggregates
//! * [`EventuallyStore`]: an event store over any
//!   [`EventStore`](powerfill_ports::events::EventStore)
//! * [`RunTablesProjection`]: the output tables as a projection

mod aggregates;
mod following;
mod store;

pub use aggregates::{ConfigAggregate, RunAggregate};
pub use following::{DeliveredEvent, RunTablesError, RunTablesProjection};
pub use store::{Envelope, EventuallyError, EventuallyStore};
