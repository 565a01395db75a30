//! What happened to the kept payloads of runs. Field names and spellings are the published schema:
//! a version that was written never changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::log::{Upcaster, event_types};
use crate::run::RunId;

/// The upcasters of an event. Every event has its first version.
const fn upcasters(_: RetentionEventType) -> &'static [Upcaster] {
    &[]
}

event_types! {
    /// An event of the stream of a log's retention.
    RetentionEvent,
    /// The type of an event of the retention, by its name.
    RetentionEventType,
    /// The groups of the retention's events.
    RetentionEventGroup,
    retention_event_pattern in retention, upcast by upcasters;

    Holds {
        /// A run was put under hold: it must not be archived.
        RunHoldPlaced(RunHoldPlaced),
        /// The hold of a run was released.
        RunHoldReleased(RunHoldReleased),
    }
    Archive {
        /// The evidence of a run was written and verified; its payloads leave the store.
        RunArchived(RunArchived),
        /// The payloads of an archived run came back into the store.
        RunRestored(RunRestored),
    }
}

/// See [`RetentionEvent::RunHoldPlaced`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunHoldPlaced {
    /// The run.
    #[schemars(with = "uuid::Uuid")]
    pub run_id: RunId,
    /// Why, in the words of who did it.
    pub reason: String,
}

/// See [`RetentionEvent::RunHoldReleased`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunHoldReleased {
    /// The run.
    #[schemars(with = "uuid::Uuid")]
    pub run_id: RunId,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// See [`RetentionEvent::RunArchived`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunArchived {
    /// The run.
    #[schemars(with = "uuid::Uuid")]
    pub run_id: RunId,
    /// The file of evidence, as the command named it.
    pub file: String,
    /// SHA-256 of the file, hexadecimal.
    pub file_sha256: String,
    /// The number of the run's events.
    pub events: u64,
    /// The hash of the run's last event, hexadecimal.
    pub last_hash: String,
    /// The digest of the captured snapshot, which leaves the store too unless another run needs it.
    pub snapshot_digest: String,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// See [`RetentionEvent::RunRestored`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunRestored {
    /// The run.
    #[schemars(with = "uuid::Uuid")]
    pub run_id: RunId,
    /// The file of evidence, as the command named it.
    pub file: String,
}
