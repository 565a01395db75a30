//! `events`: the stream of a run, as lines; with `--follow` until the run is over.

use std::io::Write;

use futures::TryStreamExt;
use powerfill_events::run::EventType;
use powerfill_ports::cloud_event::CloudEvent;
use powerfill_ports::events::StoredEvent;

use super::find_run;
use crate::args::EventsArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::settings::Settings;
use crate::tenancy::Place;

pub(crate) async fn run(args: EventsArgs, settings: &Settings) -> Result<(), Failure> {
    for name in &args.types {
        EventType::from_name(name).map_err(|_| {
            let names: Vec<&str> = EventType::ALL.iter().map(|known| known.name()).collect();
            Failure::Environment(format!("no event type {name}; there are {}", names.join(", ")))
        })?;
    }
    let store = Place::resolve(&args.store.place, settings)?.open_existing().await?;
    let run = find_run(store.as_ref(), &args.run).await?;
    let stream = run.stream();
    let mut printer = Printer { args: &args, next: args.from.max(1), header: false };
    let mut batches = store.read(&stream, printer.next);
    while let Some(batch) = batches.try_next().await? {
        if printer.print(&stream, &batch)? {
            return Ok(());
        }
    }
    if args.follow {
        // Only events after the log's present end can be new; the stream's own versions leave out
        // what was printed.
        let after = store.head().await?.position;
        // A run that was over before this look at its stream has no event after it.
        let over = store.run(run).await?.is_none_or(|queued| queued.status.is_over());
        let mut missed = store.read(&stream, printer.next);
        while let Some(batch) = missed.try_next().await? {
            if printer.print(&stream, &batch)? {
                return Ok(());
            }
        }
        if over {
            return Ok(());
        }
        let mut live = store.subscribe(after);
        while let Some(batch) = live.try_next().await? {
            if printer.print(&stream, &batch)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

struct Printer<'a> {
    args: &'a EventsArgs,
    /// The version that comes next.
    next: u64,
    header: bool,
}

impl Printer<'_> {
    /// Prints what is asked for of the events of the stream; whether the run is over.
    fn print(&mut self, stream: &str, batch: &[StoredEvent]) -> Result<bool, Failure> {
        let mut out = std::io::stdout().lock();
        let mut over = false;
        let csv = self.args.store.print.format == Format::Csv && !self.args.cloudevents;
        if csv && !std::mem::replace(&mut self.header, true) {
            writeln!(out, "stream_version,global_position,recorded_at,event_type,payload")?;
        }
        for event in batch {
            if event.stream != stream {
                continue;
            }
            over |= ["RunCompleted", "RunFailed", "RunCancelled"].contains(&&*event.event_type);
            if event.stream_version < self.next {
                continue;
            }
            self.next = event.stream_version + 1;
            let wanted = self.args.types.is_empty() || self.args.types.contains(&event.event_type);
            if wanted {
                self.line(event, &mut out)?;
            }
        }
        Ok(over)
    }

    fn line(&self, event: &StoredEvent, out: &mut impl Write) -> Result<(), Failure> {
        let payload = String::from_utf8_lossy(&event.payload);
        let version = event.stream_version;
        match self.args.store.print.format {
            _ if self.args.cloudevents => self.json(event, out)?,
            Format::Json => self.json(event, out)?,
            Format::Text => writeln!(out, "{version:>8} {:<24} {payload}", event.event_type)?,
            Format::Csv => {
                let quoted = payload.replace('"', "\"\"");
                let (position, at) = (event.global_position, event.recorded_at);
                writeln!(out, "{version},{position},{at},{},\"{quoted}\"", event.event_type)?;
            }
        }
        Ok(())
    }

    fn json(&self, event: &StoredEvent, out: &mut impl Write) -> Result<(), Failure> {
        let damaged =
            |error| Failure::Environment(format!("event {}: {error}", event.stream_version));
        let cloud_event = CloudEvent::try_from(event).map_err(damaged)?;
        serde_json::to_writer(&mut *out, &cloud_event).map_err(std::io::Error::from)?;
        writeln!(out)?;
        Ok(())
    }
}
