//! What the appends of a run have in common.

use powerfill_events::log::AppendMeta;
use powerfill_events::run::RunId;
use powerfill_events::values::{TenantId, Timestamp, derive_uuid};
use uuid::Uuid;

/// The id of the append onto a version of a run's stream: equal for each attempt and each worker,
/// so that the store recognizes a repetition.
pub(crate) fn append_id(run: RunId, expected_version: u64) -> Uuid {
    let version = expected_version.to_le_bytes();
    derive_uuid("powerfill 2026 append id", &[run.0.as_bytes(), &version])
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
