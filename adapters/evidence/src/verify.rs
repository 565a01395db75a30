//! Checks a file of evidence without a store, and names the first thing that is wrong.

use std::path::Path;

use crate::EvidenceError;
use crate::evidence_file::EvidenceFile;
use crate::input::input_parts;
use crate::parts::{Manifest, SealedAppend, names};
use crate::run_fold::{EvidenceFold, RunFacts};
use crate::signature::{CheckedSignature, Signer, check_signatures};

/// What evidence must fulfill beyond being whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expectation<'a> {
    /// An exported seal of the log, which the path of seals must contain.
    pub seal: Option<&'a SealedAppend>,
    /// The keys of which one must have signed.
    pub signers: Option<&'a [Signer]>,
}

/// The content of evidence that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceReport {
    /// What the evidence is about.
    pub manifest: Manifest,
    /// The number of the run's appends.
    pub appends: usize,
    /// The number of appends whose seals lead to the sealed one.
    pub sealed_appends: usize,
    /// The signatures, all of them valid.
    pub signatures: Vec<CheckedSignature>,
}

/// Checks every byte of a file: the sum of each part, each hash and seal, the digests of the input
/// and of the output tables, and the signatures. Holds about 2,048 events, or one captured
/// snapshot, in memory.
///
/// # Errors
/// [`EvidenceError::Damaged`] with the first thing that is wrong; [`EvidenceError::Unproven`] if
/// it does not fulfill the expectation; the file cannot be read.
pub fn verify(path: &Path, expectation: Expectation<'_>) -> Result<EvidenceReport, EvidenceError> {
    let mut file = EvidenceFile::open(path)?;
    let facts = check_events(&mut file)?;
    check_manifest(&file.manifest, &facts)?;
    check_input(&mut file, &facts)?;
    check_tables(&mut file, &facts)?;
    for name in file.reader.parts() {
        // The parts above were compared with their sums before; these are read for their sums.
        file.reader.part(&name)?;
    }
    let signatures = check_signatures(&file.reader, expectation.signers)?;
    file.reader.check_whole()?;
    if let Some(seal) = expectation.seal {
        check_seal(&file, seal)?;
    }
    let (appends, sealed_appends) = (file.run_append_count(), file.appends.len());
    Ok(EvidenceReport { manifest: file.manifest, appends, sealed_appends, signatures })
}

fn check_events(file: &mut EvidenceFile) -> Result<RunFacts, EvidenceError> {
    let mut fold = EvidenceFold::new(file.manifest.run_id);
    for part in 1..=file.part_count() {
        for event in file.events(part)? {
            fold.apply(&event)?;
        }
    }
    let parts = file.reader.parts();
    let event_parts = parts.iter().filter(|name| name.starts_with("events/"));
    if event_parts.count() as u64 != file.part_count() {
        let what = "there are events behind the last one of the run".to_owned();
        return Err(EvidenceError::Damaged(what));
    }
    Ok(fold.finish())
}

fn check_manifest(manifest: &Manifest, facts: &RunFacts) -> Result<(), EvidenceError> {
    let output_digest = facts.output.as_ref().map(|(digest, _)| digest);
    let wrong = [
        ("status", facts.status == Some(manifest.status)),
        ("requested_at", facts.requested_at == manifest.requested_at),
        ("input_digest", facts.input_digest == manifest.input_digest),
        ("output_digest", output_digest == manifest.output_digest.as_ref()),
    ];
    match wrong.iter().find(|(_, is_equal)| !is_equal) {
        Some((member, _)) => {
            let what = format!("{member} is not what the events of the run say");
            Err(EvidenceError::damaged(names::MANIFEST, what))
        }
        None => Ok(()),
    }
}

fn check_input(file: &mut EvidenceFile, facts: &RunFacts) -> Result<(), EvidenceError> {
    let canonical = file.reader.part(names::INPUT)?;
    if blake3::hash(&canonical).to_hex().as_str() != facts.input_digest {
        let what = "it does not have the digest that the run's request names";
        return Err(EvidenceError::damaged(names::INPUT, what));
    }
    for (name, csv) in input_parts(&canonical)? {
        if file.reader.part(&name)? != csv {
            let what = "it is not the table of the captured snapshot";
            return Err(EvidenceError::damaged(&name, what));
        }
    }
    if file.reader.part(names::OPTIONS)? != facts.options {
        let what = "these are not the options of the run's request";
        return Err(EvidenceError::damaged(names::OPTIONS, what));
    }
    let mapping = match file.reader.has(names::MAPPING) {
        true => Some(file.reader.part(names::MAPPING)?),
        false => None,
    };
    if mapping.as_deref() != facts.mapping.as_deref().map(str::as_bytes) {
        let what = "this is not the mapping of the run's request";
        return Err(EvidenceError::damaged(names::MAPPING, what));
    }
    Ok(())
}

fn check_tables(file: &mut EvidenceFile, facts: &RunFacts) -> Result<(), EvidenceError> {
    let Some((digest, tables)) = &facts.output else { return Ok(()) };
    let stored = file.reader.part(names::TABLES)?;
    if blake3::hash(&stored).to_hex().as_str() != digest {
        let what = "its hash is not the output digest that the run recorded";
        return Err(EvidenceError::damaged(names::TABLES, what));
    }
    if !facts.tables_agree || stored != tables.as_bytes() {
        let what = "the tables that the events give have other hashes";
        return Err(EvidenceError::damaged(names::TABLES, what));
    }
    Ok(())
}

/// Checks that the path of seals contains an exported one.
fn check_seal(file: &EvidenceFile, seal: &SealedAppend) -> Result<(), EvidenceError> {
    let seq = seal.seq;
    let what = match file.appends.iter().find(|line| line.seq == seq) {
        Some(line) if line.sealed() == *seal => return Ok(()),
        Some(_) => format!("append {seq} is not the one that was sealed: the log was rewritten"),
        None => {
            let first = file.appends.first().map_or(0, |line| line.seq);
            format!(
                "the seal is that of append {seq}, and the evidence has the appends {first} to {}: \
                 export it again with --seal",
                file.manifest.sealed.seq
            )
        }
    };
    Err(EvidenceError::Unproven(what))
}
