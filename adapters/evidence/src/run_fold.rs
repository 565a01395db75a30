//! What follows from the events of a run: its status, its options, and the hashes of its tables.

use powerfill_events::run::event::RunCompleted;
use powerfill_events::run::{RecordedEvent, RunEvent, RunId};
use powerfill_events::values::Timestamp;
use powerfill_ports::events::StoredEvent;
use powerfill_tables::RunTables;
use powerfill_tables::status::RunStatus;
use powerfill_tables::tables::projectors;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::EvidenceError;

/// Applies the events of a run in order.
pub(crate) struct EvidenceFold {
    run: RunId,
    tables: RunTables,
    facts: RunFacts,
}

/// What follows from the events of a run.
#[derive(Debug, Default)]
pub(crate) struct RunFacts {
    /// The status after the last event.
    pub(crate) status: Option<RunStatus>,
    /// When the run was requested.
    pub(crate) requested_at: Timestamp,
    /// BLAKE3 of the captured snapshot.
    pub(crate) input_digest: String,
    /// The options, as the request has them, and a line break.
    pub(crate) options: Vec<u8>,
    /// The text of the mapping that made the snapshot; `None` without one.
    pub(crate) mapping: Option<String>,
    /// The output digest that the run recorded, and the text that it covers, made again from the
    /// events; `None` if the run is not Complete.
    pub(crate) output: Option<(String, String)>,
    /// Whether the rebuilt tables have the rows and the digest that the run recorded.
    pub(crate) tables_agree: bool,
}

impl EvidenceFold {
    pub(crate) fn new(run: RunId) -> Self {
        let facts = RunFacts { tables_agree: true, ..RunFacts::default() };
        Self { run, tables: RunTables::of_stored_run(projectors()), facts }
    }

    /// Applies the next event.
    ///
    /// # Errors
    /// [`EvidenceError::Damaged`] if it cannot be read, [`EvidenceError::UnknownTable`].
    pub(crate) fn apply(&mut self, stored: &StoredEvent) -> Result<(), EvidenceError> {
        let event = RunEvent::decode_stored(stored).map_err(|error| {
            EvidenceError::Damaged(format!("event {}: {error}", stored.stream_version))
        })?;
        match &event {
            RunEvent::RunRequested(requested) => {
                self.facts.requested_at = stored.recorded_at;
                self.facts.input_digest.clone_from(&requested.snapshot_digest);
                self.facts.options = options_of(&stored.payload);
                self.facts.mapping = requested.mapping.as_ref().map(|mapping| mapping.text.clone());
            }
            RunEvent::RunCompleted(completed) => self.complete(completed)?,
            _ => {}
        }
        self.facts.status = Some(RunStatus::reached_with(&event));
        self.tables.apply(&RecordedEvent {
            run_id: self.run,
            stream_version: stored.stream_version,
            recorded_at: stored.recorded_at,
            actor: &stored.actor,
            event: &event,
        });
        // Only the hashes are needed.
        drop(self.tables.drain());
        Ok(())
    }

    fn complete(&mut self, completed: &RunCompleted) -> Result<(), EvidenceError> {
        self.facts.tables_agree = self.tables.complete_as(&completed.tables)? == *completed;
        let lines = self
            .tables
            .digests(&completed.tables)?
            .into_iter()
            .map(|digest| format!("{}  {}\n", digest.hash().to_hex(), digest.table().name));
        self.facts.output = Some((completed.output_digest.clone(), lines.collect()));
        Ok(())
    }

    /// What the events say together.
    pub(crate) fn finish(self) -> RunFacts {
        self.facts
    }
}

/// The options in the payload of a request, byte for byte. A later program reads them with more
/// options than they have, so that they are not encoded again.
fn options_of(request: &[u8]) -> Vec<u8> {
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(borrow)]
        options: &'a RawValue,
    }
    let options = serde_json::from_slice(request).map(|Request { options }| options.get());
    format!("{}\n", options.unwrap_or("null")).into_bytes()
}
