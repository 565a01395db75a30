//! What the input says about one loan or one trade, as plain data: participation (2.1), nodes
//! (2.4), limits (2.5), rejected pairs (2.6), and the answers to what-if questions.
//!
//! The engine computes these facts from a snapshot; `explain` prints them. This crate lets
//! `explain` know the data without knowing the snapshot or the engine.

#![warn(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod limit;
mod loan;
mod node;
mod pair;
mod participation;
mod trade;
pub mod what_if;

pub use limit::LimitFacts;
pub use loan::LoanFacts;
pub use node::{NodeFacts, NodeFailure, NodeValue, TreeLevel};
pub use pair::{MissingPrice, RejectedPair, RejectionCause};
pub use participation::{
    LockSource, ParticipationFacts, ParticipationFailure, PoolFacts, PoolTrade,
};
pub use trade::{FailureCause, FailureCount, NodeMatchCounts, UnmatchedLoans};
