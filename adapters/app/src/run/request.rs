//! Requests of runs.

use powerfill_engine::SPEC_VERSION;
use powerfill_events::log::EncodedBatch;
use powerfill_events::run::event::{CapturedTable, RunOrigin, RunRequested, SourceMapping};
use powerfill_events::run::{Run, RunCommand, RunId, RunState};
use powerfill_events::values::TenantId;
use powerfill_ports::ensure_tenant;
use powerfill_ports::events::Append;
use powerfill_snapshot::{RunOptions, Snapshot};

use super::Runner;
use super::envelope::{append_id, append_meta};
use crate::AppResult;
use crate::retry::retry_with_backoff;

/// A run to be queued.
pub struct RunRequest<'a> {
    /// The new run, chosen by the caller, so that a repeated request is recognized.
    pub run_id: RunId,
    /// The input.
    pub snapshot: &'a Snapshot,
    /// Checked options; without `as_of`, the run takes that of the snapshot.
    pub options: &'a RunOptions,
    /// The actor of the request.
    pub requested_by: &'a str,
    /// Notes of the source about how it was read.
    pub source_warnings: &'a [String],
    /// The mapping that made the input.
    pub mapping: Option<&'a SourceMapping>,
    /// What the run comes from. The request adds the captured tables to its provenance.
    pub origin: RunOrigin,
}

impl Runner {
    /// Captures the snapshot, queues the run together with its `RunRequested`, and returns the
    /// snapshot's digest. A repetition with the same run id and the same input succeeds and changes
    /// nothing.
    ///
    /// # Errors
    /// [`RunActive`](powerfill_ports::StoreError::RunActive) while the tenant has an active run
    /// (BR-8); [`AnotherTenant`](powerfill_ports::StoreError::AnotherTenant), before anything is
    /// written, if the store is not that of the snapshot's tenant; the store fails.
    pub async fn request(&self, request: &RunRequest<'_>) -> AppResult<String> {
        let tenant = TenantId::from(&request.snapshot.header.tenant_id);
        retry_with_backoff(|| ensure_tenant(self.store.as_ref(), &tenant)).await?;
        let (digest, canonical) = canonical(request.snapshot);
        retry_with_backoff(|| self.store.capture(&digest, &canonical)).await?;
        let origin = with_tables(request.origin.clone(), &canonical)?;
        drop(canonical);
        let as_of = request.options.as_of.unwrap_or(request.snapshot.header.as_of);
        let requested = RunRequested {
            tenant_id: tenant.clone(),
            options: RunOptions { as_of: Some(as_of), ..request.options.clone() },
            requested_by: request.requested_by.to_owned(),
            snapshot_digest: digest.clone(),
            spec_version: SPEC_VERSION.to_owned(),
            source_warnings: request.source_warnings.to_vec(),
            mapping: request.mapping.cloned(),
            origin,
        };
        let command = RunCommand::Request(Box::new(requested));
        let events = Run::decide(&RunState::default(), command)?;
        let (run, actor) = (request.run_id, request.requested_by);
        let append = Append {
            append_id: append_id(run, 0),
            stream: run.stream(),
            expected_version: 0,
            meta: append_meta(run, &tenant, actor, self.clock.now()),
            events: EncodedBatch::encode(&events),
            lease: None,
        };
        let is_scenario = request.origin.scenario.is_some();
        retry_with_backoff(|| self.store.enqueue(append.clone(), is_scenario)).await?;
        Ok(digest)
    }
}

/// Adds the tables of the captured snapshot to where it was read.
fn with_tables(mut origin: RunOrigin, canonical: &[u8]) -> AppResult<RunOrigin> {
    if let Some(provenance) = &mut origin.provenance {
        let parts = Snapshot::parts_of_canonical(canonical)?.into_iter();
        provenance.tables = parts
            .map(|part| CapturedTable {
                table: part.table.to_owned(),
                rows: part.rows as u64,
                digest: blake3::hash(part.bytes).to_hex().to_string(),
            })
            .collect();
    }
    Ok(origin)
}

/// The canonical form of a snapshot, after its digest.
fn canonical(snapshot: &Snapshot) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    snapshot.write_canonical(&mut bytes).expect("a vector takes every write");
    (blake3::hash(&bytes).to_hex().to_string(), bytes)
}
