//! Writes the evidence of a run of a store.

use std::path::Path;

use futures::TryStreamExt;
use powerfill_events::log::{Hash, StoredEvent};
use powerfill_events::run::RunId;
use powerfill_ports::StoreError;
use powerfill_ports::copying::{CopyStore, StoredAppend};
use serde_json::value::RawValue;

use crate::EvidenceError;
use crate::container::EvidenceWriter;
use crate::input::input_parts;
use crate::parts::{
    AppendLine, EVENTS_PER_PART, EventLine, FORMAT, FORMAT_VERSION, Manifest, README, SealedAppend,
    events_part, names,
};
use crate::run_fold::{EvidenceFold, RunFacts};

/// What is exported, and how.
#[derive(Debug, Clone, Copy)]
pub struct ExportRequest<'a> {
    /// The run, which must be over.
    pub run: RunId,
    /// The seal to which the path of seals leads; `None` for that of the run's last append.
    pub seal: Option<&'a SealedAppend>,
    /// The name and version of this program.
    pub program: &'a str,
    /// Whether a file with the name may be replaced.
    pub replaces: bool,
}

/// Writes the evidence of a run to a file, whole or not at all. The same run and seal give the same
/// bytes. Holds about 2,048 events, or one captured snapshot, in memory.
///
/// # Errors
/// The run does not exist, is not over, or does not agree with what was recorded; the seal is not
/// of this log; the file cannot be written.
pub async fn export(
    store: &dyn CopyStore,
    request: ExportRequest<'_>,
    target: &Path,
) -> Result<Manifest, EvidenceError> {
    let run = request.run;
    ensure_over(store, run).await?;
    let mut writer = EvidenceWriter::create(target, request.replaces)?;
    let (facts, path) = write_events(store, &mut writer, request).await?;
    if facts.input_digest.is_empty() {
        return Err(EvidenceError::damaged("event 1", "it is not the request of a run"));
    }
    let canonical = store.captured(&facts.input_digest).await?;
    writer.part(names::INPUT, &canonical)?;
    for (name, csv) in input_parts(&canonical)? {
        writer.part(&name, &csv)?;
    }
    drop(canonical);
    writer.part(names::OPTIONS, &facts.options)?;
    if let Some(mapping) = &facts.mapping {
        writer.part(names::MAPPING, mapping.as_bytes())?;
    }
    if let Some((_, tables)) = &facts.output {
        writer.part(names::TABLES, tables.as_bytes())?;
    }
    let manifest = path.manifest(run, &facts, request.program)?;
    writer.part(names::MANIFEST, &json_line(&manifest, true))?;
    writer.part(names::README, README.as_bytes())?;
    writer.finish()?;
    Ok(manifest)
}

async fn ensure_over(store: &dyn CopyStore, run: RunId) -> Result<(), EvidenceError> {
    match store.run(run).await? {
        Some(queued) if queued.status.is_over() => Ok(()),
        Some(queued) => Err(EvidenceError::NotOver { run, status: queued.status }),
        None => Err(StoreError::NotFound { what: "run", name: run.to_string() }.into()),
    }
}

/// A value as JSON with a line break at its end.
fn json_line(value: &impl serde::Serialize, pretty: bool) -> Vec<u8> {
    let json = if pretty { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    let mut json = json.expect("the parts of evidence are JSON");
    json.push(b'\n');
    json
}

/// Writes the events and the appends.
async fn write_events(
    store: &dyn CopyStore,
    writer: &mut EvidenceWriter,
    request: ExportRequest<'_>,
) -> Result<(RunFacts, SealPath), EvidenceError> {
    let stream = request.run.stream();
    let mut fold = EvidenceFold::new(request.run);
    let mut part = Vec::new();
    let mut ends: Option<(StoredEvent, StoredEvent)> = None;
    let mut batches = store.read(&stream, 1);
    while let Some(batch) = batches.try_next().await? {
        for event in batch {
            fold.apply(&event)?;
            part.extend_from_slice(&json_line(&event_line(&event)?, false));
            if event.stream_version.is_multiple_of(EVENTS_PER_PART) {
                writer.part(&events_part(event.stream_version), &std::mem::take(&mut part))?;
            }
            ends = Some(match ends {
                Some((first, _)) => (first, event),
                None => (event.clone(), event),
            });
        }
    }
    let no_events = || StoreError::NotFound { what: "run", name: request.run.to_string() };
    let (first, last) = ends.ok_or_else(no_events)?;
    if !part.is_empty() {
        writer.part(&events_part(last.stream_version), &part)?;
    }
    let path = SealPath::read(store, &first, &last, request).await?;
    let lines: Vec<u8> = path.appends.iter().flat_map(|line| json_line(line, false)).collect();
    writer.part(names::APPENDS, &lines)?;
    let facts = fold.finish();
    if !facts.tables_agree {
        let what = format!(
            "the output digest of run {} is not that of its events; `powerfill verify` says more",
            request.run
        );
        return Err(EvidenceError::Damaged(what));
    }
    Ok((facts, path))
}

fn event_line(event: &StoredEvent) -> Result<EventLine<'_>, EvidenceError> {
    let payload: &RawValue = serde_json::from_slice(&event.payload).map_err(|error| {
        let version = event.stream_version;
        EvidenceError::Damaged(format!("event {version}: its payload is no JSON: {error}"))
    })?;
    Ok(EventLine {
        version: event.stream_version,
        event_type: &event.event_type,
        schema_version: event.schema_version,
        hash: event.hash,
        payload,
    })
}

/// The appends from the first one of a run to a sealed one, without gaps.
struct SealPath {
    seal_before: Hash,
    appends: Vec<AppendLine>,
    /// The number and the hash of the run's last event.
    events: u64,
    last_hash: Hash,
}

impl SealPath {
    async fn read(
        store: &dyn CopyStore,
        first: &StoredEvent,
        last: &StoredEvent,
        request: ExportRequest<'_>,
    ) -> Result<Self, EvidenceError> {
        let from = append_at(store, first.global_position).await?;
        let end = append_at(store, last.global_position).await?;
        let to = match request.seal {
            None => end,
            Some(seal) if seal.seq < end => {
                let (run, sealed) = (request.run, seal.seq);
                return Err(EvidenceError::SealedBefore { run, sealed, last: end });
            }
            Some(seal) => {
                let stored = store.seal_at(seal.seq).await?;
                if stored.is_none_or(|stored| *stored.to_hex() != *seal.seal) {
                    return Err(EvidenceError::AnotherSeal(seal.seq));
                }
                seal.seq
            }
        };
        let missing = |seq| StoreError::Corrupt(format!("append {seq} is missing").into());
        let seal_before = store.seal_at(from - 1).await?.ok_or_else(|| missing(from - 1))?;
        let mut appends = Vec::new();
        let mut next = from;
        while next <= to {
            let batch = store.appends_after(next - 1).await?;
            if batch.is_empty() {
                return Err(missing(next).into());
            }
            for stored in batch.iter().filter(|stored| stored.record.seq <= to) {
                let last_hash = last_hash(store, stored).await?;
                appends.push(AppendLine::new(
                    &stored.record,
                    &stored.stream,
                    last_hash,
                    stored.seal,
                ));
                next = stored.record.seq + 1;
            }
        }
        let (events, last_hash) = (last.stream_version, last.hash);
        Ok(Self { seal_before, appends, events, last_hash })
    }

    fn manifest(
        &self,
        run: RunId,
        facts: &RunFacts,
        program: &str,
    ) -> Result<Manifest, EvidenceError> {
        let sealed = self.appends.last().expect("the run has an append");
        Ok(Manifest {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            program: program.to_owned(),
            tenant_id: sealed.tenant_id.clone(),
            run_id: run,
            status: facts.status.expect("the run has an event"),
            requested_at: facts.requested_at,
            events: self.events,
            last_hash: self.last_hash,
            input_digest: facts.input_digest.clone(),
            output_digest: facts.output.as_ref().map(|(digest, _)| digest.clone()),
            seal_before: self.seal_before,
            sealed: sealed.sealed(),
        })
    }
}

/// The number of the append that has the event at a position: a binary search, because an append
/// is found by its number.
async fn append_at(store: &dyn CopyStore, position: u64) -> Result<u64, EvidenceError> {
    let (mut low, mut high) = (1, store.head().await?.seq);
    while low <= high {
        let middle = low + (high - low) / 2;
        let appends = store.appends_after(middle - 1).await?;
        let Some(StoredAppend { record, .. }) = appends.first() else { break };
        if position < record.first_position {
            high = middle - 1;
        } else if let Some(found) =
            appends.iter().find(|append| position <= append.record.last_position())
        {
            return Ok(found.record.seq);
        } else {
            low = middle + appends.len() as u64;
        }
    }
    Err(StoreError::Corrupt(format!("no append has position {position}").into()).into())
}

/// The hash of the last event of an append.
async fn last_hash(store: &dyn CopyStore, append: &StoredAppend) -> Result<Hash, EvidenceError> {
    let version = append.record.last_version();
    let event = store.read_between(&append.stream, version, version).try_next().await?;
    let event = event.and_then(|batch| batch.into_iter().next());
    Ok(event.ok_or_else(|| StoreError::missing_event(&append.stream, version))?.hash)
}
