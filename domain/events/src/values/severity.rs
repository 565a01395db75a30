//! How severe a fault of the input or a finding is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How severe a fault of the input or a finding of preflight is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Refuses the snapshot, or the run.
    Error,
    /// Refuses nothing.
    Warning,
}

impl Severity {
    /// As reports write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}
