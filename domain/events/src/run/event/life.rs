//! Payloads of the events that open, check, and end a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reasons::{FindingCode, Step};
use crate::run::options::RunOptions;
use crate::values::{Severity, TenantId, Timestamp};

/// See [`RunEvent::RunRequested`](super::RunEvent::RunRequested).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunRequested {
    /// Whose book.
    pub tenant_id: TenantId,
    /// As resolved: defaults filled in, as_of included.
    pub options: RunOptions,
    /// Who asked.
    pub requested_by: String,
    /// BLAKE3 of the snapshot's canonical form, hexadecimal.
    pub snapshot_digest: String,
    /// The specification that the run follows.
    pub spec_version: String,
    /// What the source had to say of how it was read: the snapshot may be of several moments.
    /// Mostly nothing.
    pub source_warnings: Vec<String>,
    /// The mapping that made the snapshot from the files of another system (4.1). NULL: none.
    pub mapping: Option<SourceMapping>,
    /// What the run comes from.
    pub origin: RunOrigin,
}

/// Where a run's input was read, and why the run differs from one that the desk requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
// Every field admits NULL, so an object of other fields would be read as an origin.
#[serde(deny_unknown_fields)]
pub struct RunOrigin {
    /// Where the snapshot was read, or that of which the edits of a scenario made this one. NULL: a
    /// version that did not record it.
    pub provenance: Option<SourceProvenance>,
    /// The edits of a scenario. NULL: an official run.
    pub scenario: Option<Scenario>,
    /// The stream of the challenge whose allocation was adopted. NULL: the passes decided.
    pub challenge: Option<String>,
}

/// Where a snapshot was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceProvenance {
    /// The kind of the source: `dir`, `xlsx`, `sqlite`, `postgres`, `mssql`, or `mismo`.
    pub kind: String,
    /// Its place, without secrets.
    pub place: String,
    /// The files that were there, by name; none for a server.
    pub files: Vec<SourceFile>,
    /// The version of the managed configuration whose tables took the place of the source's. NULL:
    /// the source's own tables.
    pub configuration_version: Option<u64>,
    /// The input tables as they were captured, in the order of 1.2.
    pub tables: Vec<CapturedTable>,
}

/// A file of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The time of its last change, RFC 3339. NULL: the system does not know it.
    #[schemars(with = "Option<String>")]
    pub modified_at: Option<Timestamp>,
}

/// An input table of a captured snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CapturedTable {
    /// Its name.
    pub table: String,
    /// The number of its rows.
    pub rows: u64,
    /// BLAKE3 of its part of the canonical form, hexadecimal: the same rows give the same digest.
    pub digest: String,
}

/// A try that was kept: a run on changed input, which is never official.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Why it was tried.
    pub note: Option<String>,
    /// The run whose captured input was edited. NULL: the input was read from a source.
    pub base_run: Option<String>,
    /// The edits of the input (8.2), in the order in which they apply.
    pub edits: Vec<String>,
}

/// The mapping of a source, as it was when the snapshot was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceMapping {
    /// The name of its file.
    pub file: String,
    /// BLAKE3 of its text, hexadecimal.
    pub digest: String,
    /// Its text.
    pub text: String,
    /// The files that it was applied to.
    pub files: Vec<MappedFile>,
    /// How they were read, and what was left out.
    pub notes: Vec<String>,
}

/// A file, a sheet, or a table of a database that a mapping was applied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MappedFile {
    /// Its name.
    pub name: String,
    /// BLAKE3 of the file, or of the sorted rows of a table, hexadecimal.
    pub digest: String,
}

/// See [`RunEvent::RunStarted`](super::RunEvent::RunStarted).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunStarted {
    /// The engine that decides.
    pub engine_version: String,
    /// How many loans are `Eligible`, `Locked`, `Held(…)`, `OutOfScope(…)`.
    pub loans: BTreeMap<String, u64>,
    /// How many trades are `Included`, or excluded by reason.
    pub trades: BTreeMap<String, u64>,
}

/// See [`RunEvent::PreflightCompleted`](super::RunEvent::PreflightCompleted).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreflightCompleted {
    /// In the order of the checks, then by subject.
    pub findings: Vec<Finding>,
}

/// A finding of preflight (2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Which check.
    pub code: FindingCode,
    /// Whether it refuses the run.
    pub severity: Severity,
    /// What it is about; NULL where the check has no subject.
    pub subject: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

/// See [`RunEvent::InvariantsVerified`](super::RunEvent::InvariantsVerified).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvariantsVerified {
    /// What was checked, how many of it, in the order of 2.12.
    pub checks: Vec<InvariantCheck>,
}

/// One invariant of 2.12.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InvariantCheck {
    /// Its number in 2.12.
    pub invariant: u8,
    /// What it says.
    pub statement: String,
    /// How many loans, trades, blocks, candidates or postings were looked at.
    pub checked: u64,
}

/// See [`RunEvent::RunCompleted`](super::RunEvent::RunCompleted).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunCompleted {
    /// Rows per output table.
    pub counts: BTreeMap<String, u64>,
    /// BLAKE3 of the output tables in `tables`, hexadecimal.
    pub output_digest: String,
    /// The tables that `output_digest` covers, in its order. What a later program adds is not
    /// among them, so the digest of this run stays what it is.
    pub tables: Vec<TableVersion>,
}

/// An output table as the program had it that completed a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableVersion {
    /// The table's name.
    pub table: String,
    /// The version of its columns; columns of later versions are not covered.
    pub version: u32,
}

/// See [`RunEvent::RunFailed`](super::RunEvent::RunFailed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunFailed {
    /// Where.
    pub step: Step,
    /// What kind of failure.
    pub code: String,
    /// What happened and what to do.
    pub message: String,
}

/// See [`RunEvent::RunCancelled`](super::RunEvent::RunCancelled).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunCancelled {
    /// Who asked for it.
    pub cancelled_by: String,
    /// The step that it was in.
    pub step: Step,
}
