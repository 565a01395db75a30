//! `seal export` and `seal check`: a copy of the seal of the log's last append reveals a log that
//! was truncated or rewritten (specification 3.2).

use std::fs;
use std::path::Path;

use powerfill_events::log::seal_start;
use powerfill_evidence::parts::SealedAppend;
use powerfill_ports::Store;
use powerfill_ports::events::LogHead;
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
    let store = TenantStore::resolve(&args.common.store, settings)?.open_existing().await?;
    let LogHead { seq, position, seal } = store.head().await?;
    let seal = SealedAppend { seq, position, seal: seal.to_hex().to_string() };
    let Some(out) = &args.out else { return print_json(&seal) };
    let mut text = serde_json::to_vec_pretty(&seal).map_err(std::io::Error::from)?;
    text.push(b'\n');
    fs::write(out, text)
        .map_err(|error| CliError::context(format!("cannot write {}", out.display()), error))?;
    let events = count(position);
    print_text(format_args!(
        "{}: {events} events in {} appends are sealed\n",
        out.display(),
        count(seq)
    ))
}

async fn check(args: SealCheckArgs, settings: &ProgramSettings) -> Result<(), CliError> {
    let store = TenantStore::resolve(&args.common.store, settings)?.open_existing().await?;
    let seal = read(&args.seal)?;
    let head = store.head().await?;
    let difference = difference(store.as_ref(), &seal).await?;
    let since = head.position.saturating_sub(seal.position);
    let answer = if difference.is_none() { "held" } else { "not held" };
    match args.common.print.format {
        Format::Text => {
            let (seq, position) = (count(seal.seq), count(seal.position));
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
            "seq": seal.seq,
            "position": seal.position,
            "events_since": since,
        }))?,
        Format::Csv => {
            print_csv(&["answer", "found"], [[answer, difference.as_deref().unwrap_or_default()]])?;
        }
    }
    if difference.is_none() { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

pub(super) fn read(path: &Path) -> Result<SealedAppend, CliError> {
    let context = format!("{} is not a file of `powerfill seal export`", path.display());
    let text = fs::read(path).map_err(|error| CliError::context(&context, error))?;
    serde_json::from_slice(&text).map_err(|error| CliError::context(context, error))
}

/// How the log differs from the seal. A stored seal proves nothing if it does not match the events,
/// so the whole log is verified too.
async fn difference(store: &dyn Store, seal: &SealedAppend) -> Result<Option<String>, CliError> {
    let stored = match seal.seq {
        0 => Some(seal_start()),
        seq => store.seal_at(seq).await?,
    };
    let seq = count(seal.seq);
    let Some(stored) = stored else {
        let head = store.head().await?;
        return Ok(Some(format!(
            "append {seq} was sealed, up to event {}, and the log ends at append {} and event {}: \
             it was truncated",
            count(seal.position),
            count(head.seq),
            count(head.position)
        )));
    };
    if stored.to_hex().as_str() != seal.seal {
        return Ok(Some(format!(
            "append {seq} is not the one that was sealed: the log was rewritten at this append \
             or before it"
        )));
    }
    Ok(store.verify(None).await?.damage.as_ref().map(damage_text))
}
