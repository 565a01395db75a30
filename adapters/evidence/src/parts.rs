//! The parts of the file, as they are written: JSON, one value per line where there are many.

use powerfill_events::log::{AppendMeta, AppendRecord, Hash};
use powerfill_events::run::RunId;
use powerfill_events::values::{TenantId, Timestamp};
use powerfill_tables::status::RunStatus;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The version of the file's format.
pub const FORMAT_VERSION: u32 = 1;

/// The name of the format, in the manifest.
pub const FORMAT: &str = "powerfill-evidence";

/// What the file is, in words, for a receiver without PowerFill.
pub const README: &str = include_str!("readme.txt");

/// The names of the parts that exist once.
pub mod names {
    /// What the file is.
    pub const README: &str = "README.txt";
    /// Which run, and its digests.
    pub const MANIFEST: &str = "manifest.json";
    /// The appends from the run's first one to the sealed one.
    pub const APPENDS: &str = "appends.jsonl";
    /// The captured snapshot, byte for byte as its digest covers it.
    pub const INPUT: &str = "input.snapshot";
    /// The options of the run.
    pub const OPTIONS: &str = "options.json";
    /// The mapping that made the snapshot from the files of another system, if there was one.
    pub const MAPPING: &str = "mapping.toml";
    /// The hashes of the output tables, as the output digest covers them.
    pub const TABLES: &str = "tables.txt";
    /// The SHA-256 of each part above.
    pub const SUMS: &str = "SHA256SUMS";
}

/// The most events in a part.
pub const EVENTS_PER_PART: u64 = 2_048;

/// The name of the part that has an event.
pub fn events_part(version: u64) -> String {
    format!("events/{:06}.jsonl", version.saturating_sub(1) / EVENTS_PER_PART + 1)
}

/// The name of an input table's part.
pub fn input_part(table: &str) -> String {
    format!("input/{table}.csv")
}

/// The name of a signature's part; the first is number 1.
pub fn signature_part(number: usize) -> String {
    format!("signatures/{number}.sig")
}

/// `manifest.json`: what the evidence is about. Hashes are hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The program that exported the evidence, with its version.
    pub program: String,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The run.
    pub run_id: RunId,
    /// Its status after its last event.
    pub status: RunStatus,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// The number of its events.
    pub events: u64,
    /// The hash of its last event.
    #[serde(with = "hex")]
    pub last_hash: Hash,
    /// BLAKE3 of the captured snapshot.
    pub input_digest: String,
    /// BLAKE3 of `tables.txt`, as the run recorded it; NULL if the run is not Complete.
    pub output_digest: Option<String>,
    /// The seal before the run's first append.
    #[serde(with = "hex")]
    pub seal_before: Hash,
    /// The append at which the path of seals ends, and its seal.
    pub sealed: SealedAppend,
}

/// A seal of the log, as `seal export` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedAppend {
    /// Number of the append.
    pub seq: u64,
    /// Position of its last event.
    pub position: u64,
    /// BLAKE3 over the previous seal and the append, hexadecimal.
    pub seal: String,
}

/// A line of `appends.jsonl`: everything that the seal of an append covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendLine {
    /// Its number in commit order.
    pub seq: u64,
    /// The global position of its first event.
    pub first_position: u64,
    /// The name of its stream.
    pub stream: String,
    /// The number that the store gave the stream.
    pub stream_id: u64,
    /// The version of its first event.
    pub first_version: u64,
    /// The number of its events.
    pub event_count: u64,
    /// The id by which a retry is recognized.
    pub append_id: Uuid,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The user or program that caused it.
    pub actor: String,
    /// When it was appended, in microseconds since 1970.
    pub recorded_at_micros: i64,
    /// The command or event that led to it.
    pub causation_id: Option<Uuid>,
    /// The id that related events share.
    pub correlation_id: Option<Uuid>,
    /// The hash of its last event.
    #[serde(with = "hex")]
    pub last_hash: Hash,
    /// Its seal.
    #[serde(with = "hex")]
    pub seal: Hash,
}

impl AppendLine {
    /// The line of an append.
    pub fn new(record: &AppendRecord, stream: &str, last_hash: Hash, seal: Hash) -> Self {
        let meta = &record.meta;
        Self {
            seq: record.seq,
            first_position: record.first_position,
            stream: stream.to_owned(),
            stream_id: record.stream_id,
            first_version: record.first_version,
            event_count: record.event_count,
            append_id: record.append_id,
            tenant_id: meta.tenant_id.clone(),
            actor: meta.actor.clone(),
            recorded_at_micros: meta.recorded_at.micros(),
            causation_id: meta.causation_id,
            correlation_id: meta.correlation_id,
            last_hash,
            seal,
        }
    }

    /// The seal, as `seal export` writes it.
    pub fn sealed(&self) -> SealedAppend {
        let position = self.record().last_position();
        SealedAppend { seq: self.seq, position, seal: self.seal.to_hex().to_string() }
    }

    /// The row of the append.
    pub fn record(&self) -> AppendRecord {
        AppendRecord {
            seq: self.seq,
            first_position: self.first_position,
            stream_id: self.stream_id,
            first_version: self.first_version,
            event_count: self.event_count,
            append_id: self.append_id,
            meta: AppendMeta {
                tenant_id: self.tenant_id.clone(),
                actor: self.actor.clone(),
                recorded_at: Timestamp::from_micros(self.recorded_at_micros),
                causation_id: self.causation_id,
                correlation_id: self.correlation_id,
            },
        }
    }
}

/// A line of `events/*.jsonl`. The payload is the last member, byte for byte as it was hashed.
#[derive(Debug, Serialize, Deserialize)]
pub struct EventLine<'a> {
    /// The version in the stream.
    pub version: u64,
    /// The name of the event's type.
    #[serde(rename = "type")]
    pub event_type: &'a str,
    /// The version of the payload's schema.
    pub schema_version: u16,
    /// The hash of the event.
    #[serde(with = "hex")]
    pub hash: Hash,
    /// JSON.
    #[serde(borrow)]
    pub payload: &'a RawValue,
}

/// Hashes as 64 hexadecimal digits.
mod hex {
    use powerfill_events::log::Hash;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(hash: &Hash, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hash.to_hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(from)?;
        Hash::from_hex(&text).map_err(D::Error::custom)
    }
}
