//! What the appends of a run have in common.

use powerfill_events::run::{AppendMeta, RunId};
use powerfill_events::values::{TenantId, Timestamp};
use uuid::Uuid;

/// The id of the append onto a version of a run's stream: equal for each attempt and each worker,
/// so that the store recognizes a repetition.
pub(crate) fn append_id(run: RunId, expected_version: u64) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("powerfill 2026 append id");
    hasher.update(run.0.as_bytes());
    hasher.update(&expected_version.to_le_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The envelope fields of an append: caused by the run's request.
pub(crate) fn append_meta(
    run: RunId,
    tenant: &TenantId,
    actor: &str,
    recorded_at: Timestamp,
) -> AppendMeta {
    AppendMeta {
        tenant_id: tenant.clone(),
        actor: actor.to_owned(),
        recorded_at,
        causation_id: Some(run.event_id(1)),
        correlation_id: Some(run.0),
    }
}
