//! `step`: a run looked at after any of its events, one after another (specification 3.4, as of).

use std::io::{BufRead, IsTerminal, Write};

use powerfill_app::as_of::Timeline;
use powerfill_ports::Store;

use super::find_run;
use super::show::print_as_of;
use crate::args::StepArgs;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::tenancy::Place;

pub(crate) async fn run(args: StepArgs, settings: &Settings) -> Result<(), Failure> {
    let store = Place::resolve(&args.run.store.place, settings)?.open_existing().await?;
    let run = find_run(store.as_ref(), &args.run.run).await?;
    let timeline = Timeline::open(store.as_ref() as &dyn Store, run).await?;
    let events = timeline.events();
    let asks = std::io::stdin().is_terminal();
    let mut here = 0;
    loop {
        if asks {
            eprint!("event {here} of {events}; a number, +N, -N, Enter for the next, q: ");
            std::io::stderr().flush()?;
        }
        let mut line = String::new();
        let unreadable =
            |error| Failure::Environment(format!("standard input cannot be read: {error}"));
        if std::io::stdin().lock().read_line(&mut line).map_err(unreadable)? == 0 {
            return Ok(());
        }
        let line = line.trim();
        if line == "q" {
            return Ok(());
        }
        match target(line, here).filter(|event| (1..=events).contains(event)) {
            Some(event) => {
                here = event;
                print_as_of(&timeline.at(event).await?, events, args.run.store.print.format)?;
            }
            None => {
                let message = format!("{line:?} is none of the events 1 to {events}");
                if !asks {
                    return Err(Failure::Environment(message));
                }
                eprintln!("{message}");
            }
        }
    }
}

/// The event that a line asks for, seen from where one is.
fn target(line: &str, here: u64) -> Option<u64> {
    if line.is_empty() {
        return here.checked_add(1);
    }
    if let Some(forward) = line.strip_prefix('+') {
        return here.checked_add(forward.parse().ok()?);
    }
    match line.strip_prefix('-') {
        Some(back) => here.checked_sub(back.parse().ok()?),
        None => line.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_line_is_a_place_or_a_way() {
        assert_eq!(target("", 4), Some(5));
        assert_eq!(target("7", 4), Some(7));
        assert_eq!(target("+10", 4), Some(14));
        assert_eq!(target("-3", 4), Some(1));
        assert_eq!(target("-5", 4), None);
        assert_eq!(target("next", 4), None);
    }
}
