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

use crate::values::TenantId;

/// The name of the stream: one a tenant, in the log of its runs.
pub const STREAM: &str = "config";

/// The id of an event of a tenant's configuration: derived from tenant and version, so that a retry
/// gives the same.
pub fn event_id(tenant: &TenantId, stream_version: u64) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("powerfill 2026 configuration event id");
    hasher.update(&stream_version.to_le_bytes());
    hasher.update(tenant.as_str().as_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
