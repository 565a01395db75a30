//! The identity of a run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::derive_uuid;

/// The id of a run: a UUID of version 7, given by the caller. Nothing here makes one up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct RunId(pub Uuid);

impl RunId {
    /// The name of its stream, `run-<run_id>`.
    pub fn stream(self) -> String {
        format!("run-{}", self.0)
    }

    /// The run whose stream has this name.
    pub fn from_stream(stream: &str) -> Option<Self> {
        stream.strip_prefix("run-")?.parse().ok()
    }

    /// The id of an event of this run: derived from run and version, so that a retry gives the same
    /// (3.1).
    pub fn event_id(self, stream_version: u64) -> Uuid {
        let version = stream_version.to_le_bytes();
        derive_uuid("powerfill 2026 event id", &[self.0.as_bytes(), &version])
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}
