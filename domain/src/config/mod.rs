//! The configuration that a tenant manages: the constraint tree with its rules, the carry curve, the lockdown guide and
//! the settings of preflight (specification 1.2, 4.2, 4.3), as an aggregate. Every change is an event with its actor; the tables are
//! what the events amount to, now or as of any of them.

pub mod aggregate;
mod carry;
pub mod codec;
pub mod command;
mod difference;
pub mod event;
mod history;
pub mod rejection;
pub mod rows;
pub mod state;
mod table;
mod tables;

pub use aggregate::Config;
pub use carry::{CarryWarning, carry_warnings};
pub use command::{ConfigChange, ConfigCommand, GivenRow, LeftOut, Precondition};
pub use event::{ConfigEvent, ConfigEventType};
pub use history::RowChange;
pub use rejection::ConfigRejection;
pub use rows::{
    CarryBucketRow, ConfigRow, ConstraintRow, PoolLockRow, PreflightRow, RowCells, RuleLinkRow,
    RuleRow,
};
pub use state::{ConfigState, Held, Rows};
pub use table::{ConfigTable, RowKey};
pub use tables::{ConfigTables, columns};

use uuid::Uuid;

use crate::values::TenantId;

/// The name of the stream: one a tenant, in the log of its runs.
pub const STREAM: &str = "config";

/// The id of an event of a tenant's configuration: derived from tenant and version, so that a retry gives the same.
pub fn event_id(tenant: &TenantId, stream_version: u64) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("powerfill 2026 configuration event id");
    hasher.update(&stream_version.to_le_bytes());
    hasher.update(tenant.as_str().as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests;
