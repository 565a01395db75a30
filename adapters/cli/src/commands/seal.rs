//! `seal export` and `seal check`: the seal of the log's last append, kept elsewhere, shows a log
//! that was cut off or written anew (specification 3.2).

use std::fs;
use std::path::Path;

use powerfill_ports::Store;
use powerfill_ports::events::LogHead;
use powerfill_ports::seal::seal_start;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::verify::damage_text;
use crate::CommandFuture;
use crate::args::{SealCheckArgs, SealCommand, SealExportArgs};
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_csv, print_json, say};
use crate::settings::Settings;
use crate::summary::count;
use crate::tenancy::Place;

/// What is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    /// Number of the append.
    seq: u64,
    /// Position of its last event.
    position: u64,
    /// BLAKE3 over the seal before and the append, hexadecimal.
    seal: String,
}

pub(crate) fn run(command: SealCommand, settings: &Settings) -> CommandFuture<'_> {
    match command {
        SealCommand::Export(args) => Box::pin(export(args, settings)),
        SealCommand::Check(args) => Box::pin(check(args, settings)),
    }
}

async fn export(args: SealExportArgs, settings: &Settings) -> Result<(), Failure> {
    let store = Place::resolve(&args.store.place, settings)?.open_existing().await?;
    let LogHead { seq, position, seal } = store.head().await?;
    let seal = Seal { seq, position, seal: seal.to_hex().to_string() };
    let Some(out) = &args.out else { return print_json(&seal) };
    let mut text = serde_json::to_vec_pretty(&seal).map_err(std::io::Error::from)?;
    text.push(b'\n');
    let unwritable =
        |error| Failure::Environment(format!("{} cannot be written: {error}", out.display()));
    fs::write(out, text).map_err(unwritable)?;
    let events = count(position);
    say(format_args!("{}: {events} events in {} appends are sealed\n", out.display(), count(seq)))
}

async fn check(args: SealCheckArgs, settings: &Settings) -> Result<(), Failure> {
    let store = Place::resolve(&args.store.place, settings)?.open_existing().await?;
    let seal = read(&args.seal)?;
    let head = store.head().await?;
    let found = departure(store.as_ref(), &seal).await?;
    let since = head.position.saturating_sub(seal.position);
    let answer = if found.is_none() { "held" } else { "not held" };
    match args.store.print.format {
        Format::Text => {
            let (seq, position) = (count(seal.seq), count(seal.position));
            match &found {
                None => say(format_args!(
                    "The log holds append {seq}, up to event {position}, as it was sealed; {} events since\n",
                    count(since)
                ))?,
                Some(found) => say(format_args!("NOT AS SEALED: {found}\n"))?,
            }
        }
        Format::Json => print_json(&json!({
            "answer": answer, "found": found, "seq": seal.seq, "position": seal.position, "events_since": since,
        }))?,
        Format::Csv => {
            print_csv(&["answer", "found"], [[answer, found.as_deref().unwrap_or_default()]])?;
        }
    }
    if found.is_none() { Ok(()) } else { Err(Failure::Answered) }
}

fn read(path: &Path) -> Result<Seal, Failure> {
    let wrong = |what: String| {
        let what =
            format!("{}: {what}; give a file that `powerfill seal export` wrote", path.display());
        Failure::Environment(what)
    };
    let text = fs::read(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))
}

/// How the log departs from the seal. The stored seals count only where they are those of the rows,
/// so that the whole log is verified too.
async fn departure(store: &dyn Store, seal: &Seal) -> Result<Option<String>, Failure> {
    let stored = match seal.seq {
        0 => Some(seal_start()),
        seq => store.seal_at(seq).await?,
    };
    let seq = count(seal.seq);
    let Some(stored) = stored else {
        let head = store.head().await?;
        return Ok(Some(format!(
            "append {seq} was sealed, up to event {}, and the log ends at append {} and event {}: its tail was cut off",
            count(seal.position),
            count(head.seq),
            count(head.position)
        )));
    };
    if stored.to_hex().as_str() != seal.seal {
        return Ok(Some(format!(
            "append {seq} is not the one that was sealed: the log was written anew at it or before it"
        )));
    }
    Ok(store.verify(None).await?.damage.as_ref().map(damage_text))
}
