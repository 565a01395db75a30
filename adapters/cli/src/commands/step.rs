//! `step`: shows a run as of any of its events, one after another (specification 3.4).

use std::io::{BufRead, IsTerminal, Write};

use powerfill_app::as_of::Timeline;
use powerfill_ports::Store;

use super::open_run;
use super::show::print_as_of;
use crate::args::StepArgs;
use crate::error::{CliError, CliResult};
use crate::output::print_note;
use crate::settings::ProgramSettings;

pub(crate) async fn run(args: StepArgs, settings: &ProgramSettings) -> CliResult<()> {
    let (store, run) = open_run(&args.run.common.store, &args.run.run, settings).await?;
    let timeline = Timeline::open(store.as_ref() as &dyn Store, run).await?;
    let events = timeline.events();
    let is_interactive = std::io::stdin().is_terminal();
    let mut current = 0;
    loop {
        if is_interactive {
            eprint!("event {current} of {events}; a number, +N, -N, Enter for the next, q: ");
            std::io::stderr().flush()?;
        }
        let mut line = String::new();
        let unreadable = |error| CliError::context("cannot read standard input", error);
        if std::io::stdin().lock().read_line(&mut line).map_err(unreadable)? == 0 {
            return Ok(());
        }
        let line = line.trim();
        if line == "q" {
            return Ok(());
        }
        match target(line, current).filter(|event| (1..=events).contains(event)) {
            Some(event) => {
                current = event;
                let (as_of, format) = (timeline.at(event).await?, args.run.common.print.format);
                print_as_of(store.as_ref(), &as_of, events, format).await?;
            }
            None => {
                let message = format!("{line:?} is not one of the events 1 to {events}");
                if !is_interactive {
                    return Err(CliError::environment(message));
                }
                print_note(format_args!("{message}\n"));
            }
        }
    }
}

/// The event that a line names, relative to the current one.
fn target(line: &str, current: u64) -> Option<u64> {
    if line.is_empty() {
        return current.checked_add(1);
    }
    if let Some(forward) = line.strip_prefix('+') {
        return current.checked_add(forward.parse().ok()?);
    }
    match line.strip_prefix('-') {
        Some(back) => current.checked_sub(back.parse().ok()?),
        None => line.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_line_is_a_number_or_a_distance() {
        assert_eq!(target("", 4), Some(5));
        assert_eq!(target("7", 4), Some(7));
        assert_eq!(target("+10", 4), Some(14));
        assert_eq!(target("-3", 4), Some(1));
        assert_eq!(target("-5", 4), None);
        assert_eq!(target("next", 4), None);
    }
}
