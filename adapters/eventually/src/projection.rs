//! The output tables of a run as a [`Projection`] of `eventually` (specification 3.2, 3.3).

use std::sync::Arc;

use eventually::projection::Projection;
use eventually::store::Persisted;
use eventually::versioning::Versioned;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_tables::RunTables;

/// An event with the part of its envelope that the tables use and [`Persisted`] does not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredEvent {
    /// The event.
    pub event: RunEvent,
    /// When it was appended.
    pub recorded_at: Timestamp,
    /// The user or program that caused it.
    pub actor: Arc<str>,
}

/// Why an event is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RunTablesError {
    /// It belongs to another run.
    #[error("an event of run {0} was delivered to the tables of another run")]
    AnotherRun(RunId),
    /// An event before it is missing.
    #[error("event {found} was delivered where event {expected} is next")]
    Gap {
        /// The version that comes next.
        expected: u32,
        /// The version that was delivered.
        found: u32,
    },
}

/// Applies the events of one run. An event that is delivered again changes nothing.
pub struct RunTablesProjection {
    run_id: RunId,
    version: u32,
    tables: RunTables,
}

impl RunTablesProjection {
    /// A projection that has no event yet.
    pub fn new(run_id: RunId) -> Self {
        Self { run_id, version: 0, tables: RunTables::new() }
    }

    /// The tables of the events so far.
    pub fn tables(&mut self) -> &mut RunTables {
        &mut self.tables
    }

    fn apply(
        &mut self,
        delivered: &Persisted<RunId, DeliveredEvent>,
    ) -> Result<(), RunTablesError> {
        let run_id = *delivered.source_id();
        if run_id != self.run_id {
            return Err(RunTablesError::AnotherRun(run_id));
        }
        let (expected, found) = (self.version + 1, delivered.version());
        if found > expected {
            return Err(RunTablesError::Gap { expected, found });
        }
        if found == expected {
            let DeliveredEvent { event, recorded_at, actor } = &**delivered;
            let (stream_version, recorded_at) = (u64::from(found), *recorded_at);
            self.tables.apply(&RecordedEvent { run_id, stream_version, recorded_at, actor, event });
            self.version = found;
        }
        Ok(())
    }
}

impl Projection for RunTablesProjection {
    type SourceId = RunId;
    type Event = DeliveredEvent;
    type Error = RunTablesError;

    fn project<'a>(
        &'a mut self,
        event: Persisted<RunId, DeliveredEvent>,
    ) -> BoxFuture<'a, Result<(), RunTablesError>> {
        ready(self.apply(&event)).boxed()
    }
}
