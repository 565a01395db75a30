//! `copy-store`: copies a whole store to another one, with every hash and seal.

use indicatif::ProgressBar;
use powerfill_app::copy::{CopyError, CopyProgress, CopyReport, copy_store};
use serde_json::json;

use super::verify::damage_of;
use crate::args::CopyStoreArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::progress::progress_bar;
use crate::summary::count;
use crate::urls::StoreUrl;

pub(crate) async fn run(args: CopyStoreArgs) -> CliResult<()> {
    let from: StoreUrl = args.from.parse("FROM")?;
    let to: StoreUrl = args.to.parse("TO")?;
    if from.is_same(&to) {
        return Err(CliError::environment(format!("{from} and {to} are the same store")));
    }
    let (original, copy) = (from.open_for_reading().await?, to.open().await?);
    let bar = progress_bar();
    let copied =
        copy_store(original.as_ref(), copy.as_ref(), &|progress| show_progress(&bar, progress))
            .await;
    bar.finish_and_clear();
    let copied = copied.map_err(|error| match error {
        CopyError::RunActive { .. } | CopyError::AnotherLog { .. } | CopyError::Archived { .. } => {
            CliError::environment(error)
        }
        error => CliError::context("the copy is incomplete; copy again to continue", error),
    })?;
    let damage = damage_of(&copied.verdict);
    match args.print.format {
        Format::Text => print_text(text(&copied, damage.as_deref()))?,
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
    if damage.is_none() && copied.behind == 0 { Ok(()) } else { Err(CliError::NegativeAnswer) }
}

fn text(copied: &CopyReport, damage: Option<&str>) -> String {
    let CopyReport { head, had, verdict, behind } = copied;
    if let Some(damage) = damage {
        return format!("The copy is DAMAGED: {damage}\n");
    }
    let before = match had {
        0 => String::new(),
        had => format!(", {} of them from an earlier copy", count(*had)),
    };
    let mut text = format!(
        "{} appends{before}, {} events, {} snapshots; the copy verifies\n\
         seal of append {}, the same in both: {}\n",
        count(head.seq),
        count(head.position),
        count(verdict.log.snapshots),
        count(head.seq),
        head.seal.to_hex()
    );
    if *behind > 0 {
        let more = count(*behind);
        text.push_str(&format!("The original has {more} more appends by now: copy again\n"));
    }
    text
}

fn show_progress(bar: &ProgressBar, progress: CopyProgress) {
    let (done, of, what) = match progress {
        CopyProgress::Snapshots { done, of } => (done, of, "snapshots"),
        CopyProgress::Events { done, of } => (done, of, "events"),
        CopyProgress::Runs { done, of } => (done, of, "runs' tables and indexes"),
        CopyProgress::Verifying => return bar.set_message("verifying the copy"),
    };
    bar.set_length(of);
    bar.set_position(done);
    bar.set_message(what);
}
