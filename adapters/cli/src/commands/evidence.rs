//! `evidence export`, `evidence verify`, and `evidence sign`: a run as one file that a receiver
//! checks without the store (specification 3.4).

use std::path::Path;

use powerfill_evidence::signature::{SignatureSource, read_signers};
use powerfill_evidence::{
    EvidenceError, EvidenceReport, Expectation, ExportRequest, export, sign, verify,
};
use serde_json::json;

use super::{find_readable_run, seal};
use crate::CommandFuture;
use crate::args::{EvidenceCommand, EvidenceExportArgs, EvidenceSignArgs, EvidenceVerifyArgs};
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;

/// The program that the manifest names.
pub(super) const PROGRAM: &str = concat!("powerfill ", env!("CARGO_PKG_VERSION"));

pub(crate) fn run(command: EvidenceCommand, settings: &ProgramSettings) -> CommandFuture<'_> {
    match command {
        EvidenceCommand::Export(args) => Box::pin(export_run(args, settings)),
        EvidenceCommand::Verify(args) => Box::pin(verify_args(args)),
        EvidenceCommand::Sign(args) => Box::pin(std::future::ready(sign_file(&args))),
    }
}

async fn export_run(args: EvidenceExportArgs, settings: &ProgramSettings) -> CliResult<()> {
    let store = TenantStore::resolve(&args.common.store, settings)?.open_for_reading().await?;
    let run = find_readable_run(store.as_ref(), &args.run).await?;
    let seal = args.seal.as_deref().map(seal::read_sealed).transpose()?;
    let request =
        ExportRequest { run, seal: seal.as_ref(), program: PROGRAM, replaces: args.force };
    let manifest = export(store.as_ref(), request, &args.out).await?;
    let file = args.out.display();
    match args.common.print.format {
        Format::Text => print_text(format_args!(
            "{file}: run {run}, {} events, with the seal of append {}\n",
            count(manifest.events),
            count(manifest.sealed.seq)
        )),
        Format::Json => print_json(&json!({ "file": args.out, "manifest": manifest })),
        Format::Csv => {
            let (run, events) = (run.to_string(), manifest.events.to_string());
            print_csv(&["file", "run_id", "events"], [[&*file.to_string(), &*run, &*events]])
        }
    }
}

async fn verify_args(args: EvidenceVerifyArgs) -> CliResult<()> {
    let seal = args.seal.as_deref().map(seal::read_sealed).transpose()?;
    let signers = args.signer.as_deref().map(read_signers).transpose()?;
    let expectation = Expectation { seal: seal.as_ref(), signers: signers.as_deref() };
    verify_file(&args.file, expectation, args.print.format).await
}

/// Checks a file of evidence, and prints the result.
pub(super) async fn verify_file(
    file: &Path,
    expectation: Expectation<'_>,
    format: Format,
) -> CliResult<()> {
    let (report, answer, found) = match verify(file, expectation) {
        Ok(report) => (Some(report), "whole", None),
        Err(EvidenceError::Damaged(what)) => (None, "damaged", Some(what)),
        Err(EvidenceError::Unproven(what)) => (None, "unproven", Some(what)),
        Err(error) => return Err(error.into()),
    };
    match format {
        Format::Text => print_text(text(report.as_ref(), answer, found.as_deref()))?,
        Format::Json => {
            let signatures = report.iter().flat_map(|report| &report.signatures);
            let signatures = signatures
                .map(|signed| json!({ "key": signed.fingerprint, "signer": signed.signer }));
            let signatures: Vec<_> = signatures.collect();
            print_json(&json!({
                "answer": answer,
                "found": found,
                "manifest": report.as_ref().map(|report| &report.manifest),
                "signatures": signatures,
            }))?;
        }
        Format::Csv => {
            print_csv(&["answer", "found"], [[answer, found.as_deref().unwrap_or_default()]])?;
        }
    }
    if report.is_some() { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

fn text(report: Option<&EvidenceReport>, answer: &str, found: Option<&str>) -> String {
    let Some(EvidenceReport { manifest, appends, sealed_appends, signatures }) = report else {
        return format!("{}: {}\n", answer.to_uppercase(), found.unwrap_or_default());
    };
    let signatures = signatures.iter().map(|signed| match &signed.signer {
        Some(signer) => format!("signed by {signer}, {}\n", signed.fingerprint),
        None => format!("signed by {}\n", signed.fingerprint),
    });
    let signatures: String = signatures.collect();
    format!(
        "run {}: {}, {} events in {} appends\n\
         of tenant {}, requested {}, exported by {}\n\
         input   {}\n\
         output  {}\n\
         seals   {} appends up to append {}:\n        {}\n\
         {}everything matches\n",
        manifest.run_id,
        manifest.status.name(),
        count(manifest.events),
        count(*appends as u64),
        manifest.tenant_id,
        manifest.requested_at,
        manifest.program,
        manifest.input_digest,
        manifest.output_digest.as_deref().unwrap_or("none, because the run is not Complete"),
        count(*sealed_appends as u64),
        count(manifest.sealed.seq),
        manifest.sealed.seal,
        if signatures.is_empty() { "not signed\n" } else { &signatures },
    )
}

fn sign_file(args: &EvidenceSignArgs) -> CliResult<()> {
    let key = args.source.key.as_deref().map(SignatureSource::Key);
    let source = key.or(args.source.signature.as_deref().map(SignatureSource::Signature));
    let source = source.ok_or_else(|| CliError::environment("name a --key or a --signature"))?;
    let signed = sign(&args.file, source)?;
    print_text(format_args!("{}: signed by {}\n", args.file.display(), signed.fingerprint))
}
