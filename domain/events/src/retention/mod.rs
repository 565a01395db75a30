//! The retention of a log: holds on runs, and runs whose payloads are archived (specification 3.5).
//! Its events are a stream of their own, in the same log as the runs.

mod event;

use std::collections::BTreeMap;

use uuid::Uuid;

pub use event::{
    RetentionEvent, RetentionEventType, RunArchived, RunHoldPlaced, RunHoldReleased, RunRestored,
};

use crate::run::RunId;
use crate::values::{TenantId, derive_uuid};

/// The name of the stream. A tenant has one.
pub const STREAM: &str = "retention";

/// The id of an event of a tenant's retention: derived from tenant and version, so that a retry
/// gives the same.
pub fn event_id(tenant: &TenantId, stream_version: u64) -> Uuid {
    let version = stream_version.to_le_bytes();
    derive_uuid("powerfill 2026 retention event id", &[&version, tenant.as_str().as_bytes()])
}

/// The holds and the archived runs after some events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionState {
    version: u64,
    holds: BTreeMap<RunId, String>,
    archived: BTreeMap<RunId, RunArchived>,
}

impl RetentionState {
    /// The number of events.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Applies the next event.
    pub fn apply(&mut self, event: &RetentionEvent) {
        self.version += 1;
        match event {
            RetentionEvent::RunHoldPlaced(held) => {
                self.holds.insert(held.run_id, held.reason.clone());
            }
            RetentionEvent::RunHoldReleased(released) => {
                self.holds.remove(&released.run_id);
            }
            RetentionEvent::RunArchived(archived) => {
                self.archived.insert(archived.run_id, archived.clone());
            }
            RetentionEvent::RunRestored(restored) => {
                self.archived.remove(&restored.run_id);
            }
        }
    }

    /// Why a run is under hold; `None` if it is not.
    pub fn hold(&self, run: RunId) -> Option<&str> {
        self.holds.get(&run).map(String::as_str)
    }

    /// The record of a run that is archived.
    pub fn archived(&self, run: RunId) -> Option<&RunArchived> {
        self.archived.get(&run)
    }

    /// All runs under hold with their reasons, ordered by run id.
    pub const fn holds(&self) -> &BTreeMap<RunId, String> {
        &self.holds
    }

    /// The records of all archived runs, ordered by run id.
    pub const fn all_archived(&self) -> &BTreeMap<RunId, RunArchived> {
        &self.archived
    }
}
