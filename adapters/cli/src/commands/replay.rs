//! `replay`: decides a run again from its captured snapshot, and compares the events (specification
//! 3.4).

use std::fmt::Write;
use std::sync::Arc;

use powerfill_app::replay::{EventDifference, ReplayOutcome, ReplayReport, replay};
use powerfill_events::challenge::ChallengeId;
use serde_json::Value;

use super::open_run;
use crate::args::ReplayArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text, text_table};
use crate::progress::ForegroundObserver;
use crate::settings::ProgramSettings;
use crate::summary::count;

pub(crate) async fn run(args: ReplayArgs, settings: &ProgramSettings) -> CliResult<()> {
    let asked = &args.run.run;
    let no_challenge = match asked.parse::<ChallengeId>() {
        Ok(challenge) => return super::challenge::replay(&args, challenge, settings).await,
        Err(error) => error,
    };
    let opened = open_run(&args.run.common.store, asked, settings).await;
    // The name that people gave to a run may begin like that of a challenge.
    let (store, run) = opened.map_err(|error| match asked.starts_with("challenge-") {
        true => error.with_context(no_challenge.to_string()),
        false => error,
    })?;
    // Nothing is written, so Ctrl-C can simply end the process.
    let observer = Arc::new(ForegroundObserver::new(run, None));
    let replayed = replay(store.as_ref(), run, Arc::clone(&observer) as _).await;
    observer.finish();
    let replayed = replayed?;
    match args.run.common.print.format {
        Format::Text => print_text(text(&replayed))?,
        Format::Json => print_json(&replayed)?,
        Format::Csv => csv(&replayed)?,
    }
    if replayed.is_reproduced() { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

fn text(replay: &ReplayReport) -> String {
    let mut out = String::new();
    let events = count(replay.events);
    let _ = match &replay.answer {
        ReplayOutcome::Reproduced => writeln!(out, "Reproduced"),
        ReplayOutcome::ReproducedSoFar { ending } => {
            writeln!(out, "Reproduced, as far as the run went: {ending}")
        }
        ReplayOutcome::Differs(difference) => {
            let version = count(difference.stream_version);
            writeln!(out, "Not reproduced: event {version} differs")
        }
        ReplayOutcome::Damaged { stream_version, append, message } => {
            let event = stream_version.iter().map(|version| format!("event {}, ", count(*version)));
            let append = append.iter().map(|append| format!("append {}, ", count(*append)));
            let place: String = event.chain(append).collect();
            writeln!(
                out,
                "Not replayed, because the recorded run was changed: {place}{message}\n\
                 `powerfill verify {}` checks everything else that is kept of the run",
                replay.run_id
            )
        }
        ReplayOutcome::Unreadable { message, .. } => writeln!(out, "Not reproduced: {message}"),
    };
    if matches!(replay.answer, ReplayOutcome::Damaged { .. }) {
        return out;
    }
    let _ = writeln!(
        out,
        "Run {}: its hashes match; {events} events are the same, byte for byte",
        replay.run_id
    );
    let recorded_by = replay.recorded_by.as_deref().unwrap_or("none");
    let recorded_spec = replay.recorded_spec.as_deref().unwrap_or("none");
    let _ = writeln!(
        out,
        "recorded by engine {recorded_by} (specification {recorded_spec}), \
         replayed by engine {} (specification {})",
        replay.replayed_by, replay.replayed_spec
    );
    if let ReplayOutcome::Differs(difference) = &replay.answer {
        if replay.is_of_another_version() {
            let _ = writeln!(
                out,
                "Another version decided the run: engine {recorded_by} reproduces it, and this one \
                 decides otherwise"
            );
        }
        side_by_side(difference, &mut out);
    }
    out
}

/// Both versions of an event, with marked differences.
fn side_by_side(difference: &EventDifference, out: &mut String) {
    let named = |version: &Option<powerfill_app::replay::EventContent>| match version {
        Some(version) => format!("{} v{}", version.event_type, version.schema_version),
        None => "no event".to_owned(),
    };
    let (recorded, replayed) = (named(&difference.recorded), named(&difference.replayed));
    let mark = if recorded == replayed { "" } else { "*" };
    let type_row = [mark.to_owned(), "event".to_owned(), recorded, replayed];
    let fields = difference.fields.iter().map(|pair| {
        let mark = if pair.differs() { "*" } else { "" };
        let (recorded, replayed) =
            (value_text(pair.recorded.as_ref()), value_text(pair.replayed.as_ref()));
        [mark.to_owned(), pair.field.clone(), recorded, replayed]
    });
    let rows = std::iter::once(type_row).chain(fields);
    let _ = writeln!(out, "{}", text_table(&["", "field", "recorded", "replayed"], rows, &[]));
}

fn value_text(value: Option<&Value>) -> String {
    match value {
        None => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// One row per different field; none if the run is reproduced.
fn csv(replay: &ReplayReport) -> CliResult<()> {
    let mut rows: Vec<[String; 4]> = Vec::new();
    match &replay.answer {
        ReplayOutcome::Reproduced | ReplayOutcome::ReproducedSoFar { .. } => {}
        ReplayOutcome::Differs(difference) => {
            let version = difference.stream_version.to_string();
            let differing = difference.fields.iter().filter(|pair| pair.differs());
            rows.extend(differing.map(|pair| {
                let recorded = value_text(pair.recorded.as_ref());
                [version.clone(), pair.field.clone(), recorded, value_text(pair.replayed.as_ref())]
            }));
        }
        ReplayOutcome::Damaged { stream_version, message, .. } => {
            let version = stream_version.map(|version| version.to_string()).unwrap_or_default();
            rows.push([version, String::new(), message.clone(), String::new()]);
        }
        ReplayOutcome::Unreadable { stream_version, message } => {
            rows.push([stream_version.to_string(), String::new(), message.clone(), String::new()]);
        }
    }
    let header = ["stream_version", "field", "recorded", "replayed"];
    print_csv(&header, rows)
}
