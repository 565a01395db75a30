//! Prints changes of the configuration, for the command that made them and for the history.

use powerfill_app::configure::{ConfigOutcome, ConfigRecord};
use powerfill_snapshot::config::{ConfigEvent, RowChange};
use serde_json::{Value, json};

use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::summary::count;

/// The columns of CSV: one row per changed column, or per event without one.
const COLUMNS: [&str; 9] =
    ["version", "event", "table", "key", "column", "before", "after", "reason", "actor"];

/// The largest number of printed lines of a recorded change; the history has all of them.
const MAX_LINES: usize = 40;

/// Prints what a command changed, or would change if it is not `recorded`.
pub(super) fn print(configured: &ConfigOutcome, recorded: bool, format: Format) -> CliResult<()> {
    let first = configured.state.version() + 1 - configured.events.len() as u64;
    let numbered = || (first..).zip(&configured.events);
    match format {
        Format::Text => {
            let rows = rows(&configured.events);
            let (done, version) = match recorded {
                true => ("recorded", configured.state.version()),
                false => ("not recorded", first - 1),
            };
            let mut text = match rows {
                0 => format!("nothing to change, version {version}\n"),
                1 => format!("{done}: 1 row, version {version}\n"),
                _ => format!("{done}: {} rows, version {version}\n", count(rows)),
            };
            let all: String = numbered().map(|(_, event)| lines(event, "  ")).collect();
            let limit = if recorded { MAX_LINES } else { usize::MAX };
            all.lines().take(limit).for_each(|line| text += &format!("{line}\n"));
            if all.lines().nth(limit).is_some() {
                text += "  … the rest is in `powerfill config history`\n";
            }
            print_text(text)
        }
        Format::Json => {
            let events: Vec<Value> = numbered()
                .map(|(version, event)| data(event).map(|data| object(version, event, data)))
                .collect::<CliResult<_>>()?;
            print_json(&json!({ "version": configured.state.version(), "events": events }))
        }
        Format::Csv => {
            let rows: Vec<[String; 9]> =
                numbered().flat_map(|(version, event)| cells(version, event, "")).collect();
            print_csv(&COLUMNS, rows)
        }
    }
}

/// Prints every change of the configuration.
pub(super) fn print_history(records: &[ConfigRecord], format: Format) -> CliResult<()> {
    match format {
        Format::Text => {
            let is_same_command = |one: &ConfigRecord, next: &ConfigRecord| {
                one.command_id.is_some() && one.command_id == next.command_id
            };
            print_text(records.chunk_by(is_same_command).map(command_text).collect::<String>())
        }
        Format::Json => {
            let entry = |record: &ConfigRecord| {
                let mut entry = object(record.version, &record.event, data(&record.event)?);
                entry["recorded_at"] = record.recorded_at.to_string().into();
                entry["actor"] = record.actor.as_str().into();
                entry["command_id"] = json!(record.command_id);
                Ok(entry)
            };
            print_json(&records.iter().map(entry).collect::<CliResult<Vec<Value>>>()?)
        }
        Format::Csv => {
            let mut header = COLUMNS.to_vec();
            header.push("recorded_at");
            let rows: Vec<Vec<String>> = records
                .iter()
                .flat_map(|record| {
                    let at = record.recorded_at.to_string();
                    let rows = cells(record.version, &record.event, &record.actor).into_iter();
                    rows.map(move |row| row.into_iter().chain([at.clone()]).collect())
                })
                .collect();
            print_csv(&header, rows)
        }
    }
}

/// The changes of one command: time, actor, and reason, then one line per row.
fn command_text(records: &[ConfigRecord]) -> String {
    let (Some(first), Some(last)) = (records.first(), records.last()) else { return String::new() };
    let (version, at, actor) = (last.version, first.recorded_at, &first.actor);
    let reason = first.event.reason().map(|why| format!(": {why}")).unwrap_or_default();
    let lines = records.iter().map(|record| lines(&record.event, "       "));
    format!("{version:>6} {at} {actor}{reason}\n{}", lines.collect::<String>())
}

fn rows(events: &[ConfigEvent]) -> u64 {
    events.iter().map(|event| RowChange::of_event(event).len() as u64).sum()
}

fn data(event: &ConfigEvent) -> CliResult<Value> {
    let unprintable = |error| CliError::context("cannot write an event", error);
    let mut payload = Vec::new();
    event.write_payload(&mut payload).map_err(unprintable)?;
    serde_json::from_slice(&payload).map_err(unprintable)
}

fn object(version: u64, event: &ConfigEvent, data: Value) -> Value {
    json!({ "version": version, "event_type": event.event_type().name(), "data": data })
}

/// One line per row: its key, and its columns before and after. Line breaks in rules are escaped.
fn lines(event: &ConfigEvent, indent: &str) -> String {
    let name = event.event_type().name();
    let line = |row: RowChange| {
        // Key columns are in the key; of an added or removed row, NULL columns are left out.
        let is_printed = |(name, before, after): &(&str, Option<&str>, Option<&str>)| {
            let both = before.is_some() && after.is_some();
            both || !row.table.key_columns().contains(name) && before.or(*after) != Some("")
        };
        let columns = row.columns().into_iter().filter(is_printed).map(column);
        let columns: Vec<String> = columns.collect();
        let what =
            if columns.is_empty() { String::new() } else { format!(": {}", columns.join(", ")) };
        let key = row.key.to_string();
        let of = if key.is_empty() { row.table.to_string() } else { key };
        format!("{indent}{name} {of}{what}\n")
    };
    match event {
        ConfigEvent::ConfigImported(imported) => format!(
            "{indent}{name} from {}: {} added, {} changed, {} removed\n",
            imported.source,
            count(imported.added),
            count(imported.changed),
            count(imported.removed)
        ),
        event => RowChange::of_event(event).into_iter().map(line).collect(),
    }
}

fn column((name, before, after): (&str, Option<&str>, Option<&str>)) -> String {
    let shown = |text: &str| match text {
        "" => "NULL".to_owned(),
        text => text.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""),
    };
    match (before, after) {
        (Some(before), Some(after)) => format!("{name} {} → {}", shown(before), shown(after)),
        (Some(only), None) | (None, Some(only)) => format!("{name} {}", shown(only)),
        (None, None) => name.to_owned(),
    }
}

/// One row of CSV per changed column, or one for an event without changed columns.
fn cells(version: u64, event: &ConfigEvent, actor: &str) -> Vec<[String; 9]> {
    let (name, why) = (event.event_type().name(), event.reason().unwrap_or_default());
    let cells = |table: &str, key: &str, column: &str, before: &str, after: &str| {
        [&version.to_string(), name, table, key, column, before, after, why, actor]
            .map(str::to_owned)
    };
    let mut rows = Vec::new();
    for row in RowChange::of_event(event) {
        let key = row.key.to_string();
        for (column, before, after) in row.columns() {
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            rows.push(cells(row.table.name(), &key, column, before, after));
        }
    }
    if let ConfigEvent::ConfigImported(imported) = event {
        rows.push(cells("", "", "source", "", &imported.source));
    }
    rows
}
