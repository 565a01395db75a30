//! Events of the configuration that a tenant manages (specification 1.2, 3.1), with the rows that
//! they carry.

pub mod event;
pub mod rows;
mod table;

pub use event::{ConfigEvent, ConfigEventType};
pub use rows::{
    CarryBucketRow, ConfigRow, ConstraintRow, NodeKey, PoolLockRow, PreflightRow, RuleLinkRow,
    RuleRow,
};
pub use table::ConfigTable;

use uuid::Uuid;

use crate::values::{TenantId, derive_uuid};

/// The name of the stream. A tenant has one, in the same log as its runs.
pub const STREAM: &str = "config";

/// The id of an event of a tenant's configuration: derived from tenant and version, so that a retry
/// gives the same.
pub fn event_id(tenant: &TenantId, stream_version: u64) -> Uuid {
    let version = stream_version.to_le_bytes();
    let context = "powerfill 2026 configuration event id";
    derive_uuid(context, &[&version, tenant.as_str().as_bytes()])
}
