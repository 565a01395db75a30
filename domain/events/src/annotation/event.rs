//! What people wrote about a run. Field names and spellings are the published schema: a version
//! that was written never changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::log::{Upcaster, event_types};

/// The upcasters of an event. Every event has its first version.
const fn upcasters(_: AnnotationEventType) -> &'static [Upcaster] {
    &[]
}

event_types! {
    /// An event of the stream of a run's annotations.
    AnnotationEvent,
    /// The type of an event of the annotations, by its name.
    AnnotationEventType,
    /// The groups of the annotations' events.
    AnnotationEventGroup,
    annotation_event_pattern in annotation, upcast by upcasters;

    Annotations {
        /// A run got a name, or lost it.
        RunNamed(RunNamed),
        /// A note about a run was written.
        RunNoted(RunNoted),
    }
}

/// See [`AnnotationEvent::RunNamed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunNamed {
    /// The name; NULL: the run has none any more.
    pub name: Option<String>,
}

/// See [`AnnotationEvent::RunNoted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunNoted {
    /// The note, in the words of who wrote it.
    pub note: String,
}
