//! What a run decided and is worth, as one document: the data of the report and of the console.
//! Everything in it follows from a few events of the run and from the rows of its output tables
//! (specification 1.5, part 7), so that it exists for every Complete run.
//!
//! * [`Overview`]: the document
//! * [`OverviewBuilder`]: makes it from events and rows

mod builder;
mod document;
mod flow;
mod head;
mod kickouts;
mod moves;
mod trades;
mod worth;

pub use builder::OverviewBuilder;
pub use document::*;
