//! A file of evidence as its readers see it: the manifest, the appends with checked seals, and the
//! events with checked hashes.

use std::collections::BTreeMap;
use std::path::Path;

use powerfill_events::log::{
    AppendRecord, BlockEvent, Hash, MetaHash, StoredEvent, chain, chain_start, seal, seal_start,
};
use serde::Deserialize;

use crate::EvidenceError;
use crate::container::EvidenceReader;
use crate::parts::{
    AppendLine, EVENTS_PER_PART, EventLine, FORMAT, FORMAT_VERSION, Manifest, events_part, names,
};

/// An open file of evidence.
pub(crate) struct EvidenceFile {
    pub(crate) reader: EvidenceReader,
    pub(crate) manifest: Manifest,
    /// The appends from the run's first one to the sealed one.
    pub(crate) appends: Vec<AppendLine>,
    run_appends: Vec<RunAppend>,
    /// The hash of the last event of each part that was read, by the number of the part.
    tails: BTreeMap<u64, Hash>,
}

struct RunAppend {
    record: AppendRecord,
    meta: MetaHash,
    last_hash: Hash,
}

impl EvidenceFile {
    /// Opens a file, and checks its manifest and its seals.
    ///
    /// # Errors
    /// [`EvidenceError::Damaged`] at the first thing that is wrong; [`EvidenceError::Newer`]; the
    /// file cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self, EvidenceError> {
        let mut reader = EvidenceReader::open(path)?;
        let manifest = manifest(&reader.part(names::MANIFEST)?)?;
        let appends = appends(&reader.part(names::APPENDS)?)?;
        check_seals(&manifest, &appends)?;
        let stream = manifest.run_id.stream();
        let run_appends = appends.iter().filter(|line| line.stream == stream).map(|line| {
            let record = line.record();
            let meta = MetaHash::new(&stream, &record.meta);
            RunAppend { record, meta, last_hash: line.last_hash }
        });
        let run_appends: Vec<RunAppend> = run_appends.collect();
        check_run(&manifest, &appends, &run_appends)?;
        Ok(Self { reader, manifest, appends, run_appends, tails: BTreeMap::new() })
    }

    /// The number of the part that has an event; the first is number 1.
    pub(crate) const fn part_of(version: u64) -> u64 {
        version.saturating_sub(1) / EVENTS_PER_PART + 1
    }

    /// The number of parts with events.
    pub(crate) const fn part_count(&self) -> u64 {
        Self::part_of(self.manifest.events)
    }

    /// The number of the run's appends.
    pub(crate) const fn run_append_count(&self) -> usize {
        self.run_appends.len()
    }

    /// The events of a part, each with a hash that was computed again.
    ///
    /// # Errors
    /// [`EvidenceError::Damaged`] at the first event that is wrong.
    pub(crate) fn events(&mut self, part: u64) -> Result<Vec<StoredEvent>, EvidenceError> {
        let stream = self.manifest.run_id.stream();
        let mut prev_hash = self.tail(part - 1)?;
        let mut version = (part - 1) * EVENTS_PER_PART + 1;
        let name = events_part(version);
        let content = self.reader.part(&name)?;
        let mut events = Vec::new();
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            let damaged =
                |what: &str| EvidenceError::damaged(&name, format!("event {version}: {what}"));
            let line: EventLine<'_> =
                serde_json::from_slice(line).map_err(|error| damaged(&error.to_string()))?;
            if line.version != version {
                return Err(damaged(&format!("event {} stands in its place", line.version)));
            }
            let append = self.append_of(version).ok_or_else(|| damaged("no append has it"))?;
            let payload = line.payload.get().as_bytes();
            let event = BlockEvent {
                event_type: line.event_type,
                schema_version: line.schema_version,
                payload,
            };
            let (event_type, schema_version) = (line.event_type, line.schema_version);
            let hash =
                chain(&prev_hash, &append.meta, version, event_type, schema_version, payload);
            if hash != line.hash {
                return Err(damaged(
                    "its hash does not match its envelope, its payload, and the event before it",
                ));
            }
            if version == append.record.last_version() && hash != append.last_hash {
                let seq = append.record.seq;
                return Err(damaged(&format!("it is not the last event that append {seq} sealed")));
            }
            let links = [prev_hash, hash];
            events.push(StoredEvent::in_append(&append.record, &stream, version, event, links));
            prev_hash = hash;
            version += 1;
        }
        if version <= self.manifest.events.min(part * EVENTS_PER_PART) {
            return Err(EvidenceError::damaged(&name, format!("event {version} is missing")));
        }
        self.tails.insert(part, prev_hash);
        Ok(events)
    }

    /// The hash of the last event of a part; before the first part, that of the stream's name.
    fn tail(&mut self, part: u64) -> Result<Hash, EvidenceError> {
        #[derive(Deserialize)]
        struct Line<'a> {
            hash: &'a str,
        }
        if part == 0 {
            return Ok(chain_start(&self.manifest.run_id.stream()));
        }
        if let Some(tail) = self.tails.get(&part) {
            return Ok(*tail);
        }
        let name = events_part(part * EVENTS_PER_PART);
        let content = self.reader.part(&name)?;
        let line = content.strip_suffix(b"\n").unwrap_or(&content);
        let line = line.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let hash = serde_json::from_slice(line).ok();
        let hash = hash.and_then(|Line { hash }| Hash::from_hex(hash).ok());
        hash.ok_or_else(|| EvidenceError::damaged(&name, "its last line is no event"))
    }

    fn append_of(&self, version: u64) -> Option<&RunAppend> {
        let at = self.run_appends.partition_point(|append| append.record.last_version() < version);
        self.run_appends.get(at)
    }
}

fn manifest(content: &[u8]) -> Result<Manifest, EvidenceError> {
    #[derive(Deserialize)]
    struct Format {
        format: String,
        format_version: u32,
    }
    let damaged = |what: String| EvidenceError::damaged(names::MANIFEST, what);
    let Format { format, format_version } =
        serde_json::from_slice(content).map_err(|error| damaged(error.to_string()))?;
    if format != FORMAT {
        return Err(damaged(format!("the format is {format:?}, not {FORMAT}")));
    }
    if format_version > FORMAT_VERSION {
        return Err(EvidenceError::Newer(format_version));
    }
    serde_json::from_slice(content).map_err(|error| damaged(error.to_string()))
}

fn appends(content: &[u8]) -> Result<Vec<AppendLine>, EvidenceError> {
    let lines = content.split_inclusive(|byte| *byte == b'\n').zip(1..);
    let append = |(line, number): (&[u8], u64)| {
        serde_json::from_slice(line).map_err(|error| {
            EvidenceError::damaged(names::APPENDS, format!("line {number}: {error}"))
        })
    };
    lines.map(append).collect()
}

/// Computes each seal again.
fn check_seals(manifest: &Manifest, appends: &[AppendLine]) -> Result<(), EvidenceError> {
    let mut before = manifest.seal_before;
    let mut next: Option<(u64, u64)> = None;
    for line in appends {
        let record = line.record();
        let damaged = |what: &str| {
            EvidenceError::damaged(names::APPENDS, format!("append {}: {what}", record.seq))
        };
        if record.event_count == 0 {
            return Err(damaged("it has no events"));
        }
        if next.is_some_and(|next| next != (record.seq, record.first_position)) {
            return Err(damaged("it does not follow the append before it"));
        }
        if record.seq == 1 && before != seal_start() {
            return Err(damaged("it is the first of the log, and a seal stands before it"));
        }
        if seal(&before, &record, &line.last_hash) != line.seal {
            return Err(damaged("its seal does not match its row and the seal before it"));
        }
        if line.tenant_id != manifest.tenant_id {
            return Err(damaged("it belongs to another tenant than the manifest says"));
        }
        before = line.seal;
        next = record.seq.checked_add(1).zip(record.last_position().checked_add(1));
    }
    if appends.last().map(AppendLine::sealed).as_ref() != Some(&manifest.sealed) {
        let what = "the last append is not the sealed one that the manifest names";
        return Err(EvidenceError::damaged(names::APPENDS, what));
    }
    Ok(())
}

/// Checks that the run has all of its events, and that the path of seals begins with it.
fn check_run(
    manifest: &Manifest,
    appends: &[AppendLine],
    run_appends: &[RunAppend],
) -> Result<(), EvidenceError> {
    let damaged = |what: &str| Err(EvidenceError::damaged(names::APPENDS, what));
    let stream = manifest.run_id.stream();
    let Some((first, last)) = run_appends.first().zip(run_appends.last()) else {
        return damaged("the run of the manifest has no append");
    };
    if appends.first().is_none_or(|line| line.stream != stream) {
        return damaged("the first append is not that of the run");
    }
    let stream_id = first.record.stream_id;
    if appends.iter().any(|line| (line.stream == stream) != (line.stream_id == stream_id)) {
        return damaged("the run's stream has more than one number, or its number another name");
    }
    let mut version = 0;
    for RunAppend { record, .. } in run_appends {
        if record.first_version != version + 1 {
            let (seq, next) = (record.seq, version + 1);
            return damaged(&format!("append {seq} does not begin with event {next} of the run"));
        }
        version = record.last_version();
    }
    if (version, last.last_hash) != (manifest.events, manifest.last_hash) {
        return damaged("the run does not end with the event that the manifest names");
    }
    Ok(())
}
