//! `copy-store`: a whole store into another one, with every hash and seal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use powerfill_app::copy::{CopyError, CopyProgress, CopyReport, copy_store};
use serde_json::json;

use super::verify::found;
use crate::args::CopyStoreArgs;
use crate::failure::Failure;
use crate::format::Format;
use crate::output::{print_csv, print_json, say};
use crate::summary::count;

pub(crate) async fn run(args: CopyStoreArgs) -> Result<(), Failure> {
    let from = args.from.clone().readable("FROM")?;
    let to = args.to.clone().readable("TO")?;
    if from.is_same(&to) {
        return Err(Failure::Environment(format!("{from} and {to} are the same store")));
    }
    let (original, copy) = (from.open_existing().await?, to.open().await?);
    let bar = bar();
    let copied = copy_store(original.as_ref(), copy.as_ref(), &|at| show(&bar, at)).await;
    bar.finish_and_clear();
    let copied = copied.map_err(|error| match error {
        CopyError::RunActive { .. } | CopyError::AnotherLog { .. } => {
            Failure::Environment(error.to_string())
        }
        error => Failure::Environment(format!("{error}; what is copied stays: copy once more")),
    })?;
    let damage = found(&copied.verdict);
    match args.print.format {
        Format::Text => say(text(&copied, damage.as_deref()))?,
        Format::Json => print_json(&json!({
            "seq": copied.head.seq,
            "position": copied.head.position,
            "seal": copied.head.seal.to_hex().as_str(),
            "appends_copied": copied.head.seq - copied.had,
            "appends_behind": copied.behind,
            "found": damage,
        }))?,
        Format::Csv => {
            let (seq, behind) = (copied.head.seq.to_string(), copied.behind.to_string());
            let seal = copied.head.seal.to_hex();
            let cells = [&seq, seal.as_str(), &behind, damage.as_deref().unwrap_or_default()];
            print_csv(&["seq", "seal", "appends_behind", "found"], [cells])?;
        }
    }
    if damage.is_none() && copied.behind == 0 { Ok(()) } else { Err(Failure::Answered) }
}

fn text(copied: &CopyReport, damage: Option<&str>) -> String {
    let CopyReport { head, had, verdict, behind } = copied;
    if let Some(damage) = damage {
        return format!("The copy is DAMAGED: {damage}\n");
    }
    let before = match had {
        0 => String::new(),
        had => format!(", {} of them from before", count(*had)),
    };
    let mut text = format!(
        "{} appends{before}, {} events, {} snapshots; the copy verifies\nseal of append {}, the same in both: {}\n",
        count(head.seq),
        count(head.position),
        count(verdict.log.snapshots),
        count(head.seq),
        head.seal.to_hex()
    );
    if *behind > 0 {
        let more = count(*behind);
        text.push_str(&format!("The original has {more} appends more by now: copy once more\n"));
    }
    text
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} {msg} {elapsed}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn show(bar: &ProgressBar, at: CopyProgress) {
    let (done, of, what) = match at {
        CopyProgress::Snapshots { done, of } => (done, of, "snapshots"),
        CopyProgress::Events { done, of } => (done, of, "events"),
        CopyProgress::Runs { done, of } => (done, of, "runs' tables and indexes"),
        CopyProgress::Verifying => return bar.set_message("verifying the copy"),
    };
    bar.set_length(of);
    bar.set_position(done);
    bar.set_message(what);
}
