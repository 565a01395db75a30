//! `events`: prints the stream of a run; with `--follow`, until the run has ended.

use std::io::Write;

use futures::TryStreamExt;
use powerfill_events::cloud_event::CloudEvent;
use powerfill_events::run::EventType;
use powerfill_ports::events::{EventBatches, StoredEvent};
use powerfill_snapshot::near::suggestion;

use super::open_run;
use crate::args::EventsArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{json_escape, print_data};
use crate::settings::ProgramSettings;
use crate::terminal::{cut, terminal_width};

pub(crate) async fn run(args: EventsArgs, settings: &ProgramSettings) -> CliResult<()> {
    for name in &args.types {
        EventType::from_name(name).map_err(|_| {
            let names: Vec<&str> = EventType::ALL.iter().map(|known| known.name()).collect();
            CliError::environment(format!(
                "there is no event type {name}{}; the types are {}",
                suggestion(name, names.iter().copied()),
                names.join(", ")
            ))
        })?;
    }
    let (store, run) = open_run(&args.common.store, &args.run, settings).await?;
    let stream = run.stream();
    let (width, next) = (terminal_width(), args.from.max(1));
    let mut printer = Printer { args: &args, width, next, header: false };
    let batches = match args.types.is_empty() {
        true => store.read(&stream, printer.next),
        false => store.read_types(&stream, printer.next, args.types.clone()),
    };
    if printer.print_all(&stream, batches).await? || !args.follow {
        return Ok(());
    }
    // New events come after the present end of the log; printed versions are skipped.
    let after = store.head().await?.position;
    // A run that has ended here gets no further events after this read.
    let has_ended = store.run(run).await?.is_none_or(|queued| queued.status.is_over());
    let missed = store.read(&stream, printer.next);
    if !printer.print_all(&stream, missed).await? && !has_ended {
        printer.print_all(&stream, store.subscribe(after)).await?;
    }
    Ok(())
}

struct Printer<'a> {
    args: &'a EventsArgs,
    /// The columns of the terminal.
    width: Option<usize>,
    /// The next version to print.
    next: u64,
    header: bool,
}

impl Printer<'_> {
    /// Prints batches until the run has ended, and returns whether it has.
    async fn print_all(&mut self, stream: &str, mut batches: EventBatches<'_>) -> CliResult<bool> {
        while let Some(batch) = batches.try_next().await? {
            if self.print(stream, &batch)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Prints the selected events of the stream. Returns whether the run has ended.
    fn print(&mut self, stream: &str, batch: &[StoredEvent]) -> CliResult<bool> {
        let mut out = Vec::new();
        let mut has_ended = false;
        let csv = self.args.common.print.format == Format::Csv && !self.args.cloudevents;
        if csv && !std::mem::replace(&mut self.header, true) {
            writeln!(out, "stream_version,global_position,recorded_at,event_type,payload")?;
        }
        for event in batch {
            if event.stream != stream {
                continue;
            }
            has_ended |=
                ["RunCompleted", "RunFailed", "RunCancelled"].contains(&&*event.event_type);
            if event.stream_version < self.next {
                continue;
            }
            self.next = event.stream_version + 1;
            let is_selected =
                self.args.types.is_empty() || self.args.types.contains(&event.event_type);
            if is_selected {
                self.line(event, &mut out)?;
            }
        }
        // Payloads are JSON, whose texts have control characters as escapes in every format.
        print_data(&out, json_escape)?;
        Ok(has_ended)
    }

    fn line(&self, event: &StoredEvent, out: &mut impl Write) -> CliResult<()> {
        let payload = String::from_utf8_lossy(&event.payload);
        let version = event.stream_version;
        match self.args.common.print.format {
            _ if self.args.cloudevents => self.json(event, out)?,
            Format::Json => self.json(event, out)?,
            Format::Text => {
                let line = format!("{version:>8} {:<24} {payload}", event.event_type);
                writeln!(out, "{}", self.width.map_or(line.as_str().into(), |w| cut(&line, w)))?;
            }
            Format::Csv => {
                let quoted = payload.replace('"', "\"\"");
                let (position, at) = (event.global_position, event.recorded_at);
                writeln!(out, "{version},{position},{at},{},\"{quoted}\"", event.event_type)?;
            }
        }
        Ok(())
    }

    fn json(&self, event: &StoredEvent, out: &mut impl Write) -> CliResult<()> {
        let damaged = |error| CliError::context(format!("event {}", event.stream_version), error);
        let cloud_event = CloudEvent::try_from(event).map_err(damaged)?;
        serde_json::to_writer(&mut *out, &cloud_event).map_err(std::io::Error::from)?;
        writeln!(out)?;
        Ok(())
    }
}
