//! An event as a projection sees it.

use super::{RunEvent, RunId};
use crate::values::Timestamp;

/// An event with the part of its envelope that a projection may use. Projections read nothing else
/// (3.3).
#[derive(Debug, Clone, Copy)]
pub struct RecordedEvent<'a> {
    /// The run.
    pub run_id: RunId,
    /// Its version in the stream, from 1, without gaps.
    pub stream_version: u64,
    /// When it was appended.
    pub recorded_at: Timestamp,
    /// The user or program that caused it.
    pub actor: &'a str,
    /// The event.
    pub event: &'a RunEvent,
}
