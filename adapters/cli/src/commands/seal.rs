//! `seal export` and `seal check`: a copy of the seal of the log's last append reveals a log that
//! was truncated or rewritten (specification 3.2).

use std::fs;
use std::path::Path;

use powerfill_app::verify::seal_difference;
use powerfill_events::log::{Hash, LogHead};
use powerfill_evidence::parts::SealedAppend;
use powerfill_ports::Store;
use serde_json::json;

use super::verify::damage_text;
use crate::CommandFuture;
use crate::args::{SealCheckArgs, SealCommand, SealExportArgs};
use crate::error::CliError;
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;

pub(crate) fn run(command: SealCommand, settings: &ProgramSettings) -> CommandFuture<'_> {
    match command {
        SealCommand::Export(args) => Box::pin(export(args, settings)),
        SealCommand::Check(args) => Box::pin(check(args, settings)),
    }
}

async fn export(args: SealExportArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let store = TenantStore::resolve(&args.common.store, settings)?.open_for_reading().await?;
    let head = store.head().await?;
    let (seq, position) = (head.seq, head.position);
    let seal = SealedAppend { seq, position, seal: head.seal.to_hex().to_string() };
    let Some(out) = &args.out else { return print_json(&seal) };
    let mut text = serde_json::to_vec_pretty(&seal).map_err(std::io::Error::from)?;
    text.push(b'\n');
    fs::write(out, text)
        .map_err(|error| CliError::context(format!("cannot write {}", out.display()), error))?;
    let events = count(head.position);
    print_text(format_args!(
        "{}: {events} events in {} appends are sealed\n",
        out.display(),
        count(head.seq)
    ))
}

async fn check(args: SealCheckArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let store = TenantStore::resolve(&args.common.store, settings)?.open_for_reading().await?;
    let sealed = read_head(&args.seal)?;
    let head = store.head().await?;
    let difference = difference(store.as_ref(), sealed).await?;
    let since = head.position.saturating_sub(sealed.position);
    let answer = if difference.is_none() { "held" } else { "not held" };
    match args.common.print.format {
        Format::Text => {
            let (seq, position) = (count(sealed.seq), count(sealed.position));
            match &difference {
                None => print_text(format_args!(
                    "The log contains append {seq}, up to event {position}, as sealed; {} \
                     events since\n",
                    count(since)
                ))?,
                Some(difference) => {
                    print_text(format_args!("NOT AS SEALED: {difference}\n"))?;
                }
            }
        }
        Format::Json => print_json(&json!({
            "answer": answer,
            "found": difference,
            "seq": sealed.seq,
            "position": sealed.position,
            "events_since": since,
        }))?,
        Format::Csv => {
            print_csv(&["answer", "found"], [[answer, difference.as_deref().unwrap_or_default()]])?;
        }
    }
    if difference.is_none() { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

pub(super) fn read(path: &Path) -> Result<SealedAppend, CliError> {
    let text = fs::read(path).map_err(|error| CliError::context(not_a_seal(path), error))?;
    serde_json::from_slice(&text).map_err(|error| CliError::context(not_a_seal(path), error))
}

/// The end of the log that a file of `seal export` names.
pub(super) fn read_head(path: &Path) -> Result<LogHead, CliError> {
    let SealedAppend { seq, position, seal } = read(path)?;
    let seal = Hash::from_hex(&seal).map_err(|error| CliError::context(not_a_seal(path), error))?;
    Ok(LogHead { seq, position, seal })
}

fn not_a_seal(path: &Path) -> String {
    format!("{} is not a file of `powerfill seal export`", path.display())
}

/// How the log differs from the seal. A stored seal proves nothing if it does not match the events,
/// so the whole log is verified too.
async fn difference(store: &dyn Store, sealed: LogHead) -> Result<Option<String>, CliError> {
    match seal_difference(store, sealed).await? {
        None => Ok(store.verify(None).await?.damage.as_ref().map(damage_text)),
        difference => Ok(difference),
    }
}
