//! Asking for a run.

use powerfill_engine::SPEC_VERSION;
use powerfill_events::run::event::RunRequested;
use powerfill_events::run::{AppendMeta, EncodedBatch, Run, RunCommand, RunEvent, RunId, RunState};
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_ports::events::Append;
use powerfill_ports::{Store, ensure_tenant};
use powerfill_snapshot::{RunOptions, Snapshot};
use uuid::Uuid;

use crate::retry::retry_with_backoff;
use crate::{Runner, RunnerError};

/// What a run is asked for with.
pub struct Ask<'a> {
    /// The run's identity, from whoever asks.
    pub run_id: RunId,
    /// The input.
    pub snapshot: &'a Snapshot,
    /// The options, checked; `as_of` may be left to the snapshot.
    pub options: &'a RunOptions,
    /// Who asks.
    pub requested_by: &'a str,
    /// What the source had to say of how it was read.
    pub source_warnings: &'a [String],
}

/// The id of the append that brings a run's stream beyond a version: the same however often it is tried.
pub(crate) fn append_id(run: RunId, expected_version: u64) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key("powerfill 2026 append id");
    hasher.update(run.0.as_bytes());
    hasher.update(&expected_version.to_le_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What the events of a run's append have in common.
pub(crate) fn meta(
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

impl<S: Store + ?Sized + 'static> Runner<S> {
    /// Captures the snapshot, and queues the run together with its `RunRequested`. Answers the snapshot's digest. Asking
    /// again with the same run id and the same input is answered as done.
    ///
    /// # Errors
    /// [`powerfill_ports::StoreError::RunActive`] while the tenant has an active run (BR-8);
    /// [`powerfill_ports::StoreError::AnotherTenant`] where the store is not that of the snapshot's tenant, and nothing is
    /// written; or the store fails.
    pub async fn ask(&self, ask: &Ask<'_>) -> Result<String, RunnerError> {
        let whose = TenantId::from(&ask.snapshot.header.tenant_id);
        retry_with_backoff(|| ensure_tenant(self.store.as_ref(), &whose)).await?;
        let (digest, canonical) = canonical(ask.snapshot);
        retry_with_backoff(|| self.store.capture(&digest, &canonical)).await?;
        drop(canonical);
        let as_of = ask.options.as_of.unwrap_or(ask.snapshot.header.as_of);
        let requested = RunRequested {
            tenant_id: TenantId::from(&ask.snapshot.header.tenant_id),
            options: RunOptions { as_of: Some(as_of), ..ask.options.clone() },
            requested_by: ask.requested_by.to_owned(),
            snapshot_digest: digest.clone(),
            spec_version: SPEC_VERSION.to_owned(),
            source_warnings: ask.source_warnings.to_vec(),
        };
        let tenant = requested.tenant_id.clone();
        let command = RunCommand::Request(Box::new(requested));
        let events: Vec<RunEvent> = Run::decide(&RunState::default(), command)?;
        let request = Append {
            append_id: append_id(ask.run_id, 0),
            stream: ask.run_id.stream(),
            expected_version: 0,
            meta: meta(ask.run_id, &tenant, ask.requested_by, self.clock.now()),
            events: EncodedBatch::encode(&events),
            lease: None,
        };
        retry_with_backoff(|| self.store.enqueue(request.clone())).await?;
        Ok(digest)
    }
}

/// The canonical form of a snapshot and its digest.
fn canonical(snapshot: &Snapshot) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    snapshot.write_canonical(&mut bytes).expect("memory takes every write");
    (blake3::hash(&bytes).to_hex().to_string(), bytes)
}
