//! `brief`: what changed between two runs, on one screen (specification part 9).

use std::fmt::Write;

use powerfill_app::brief::{brief, latest_two};
use powerfill_diff::brief::{
    Brief, BriefHead, BriefNote, BriefTrade, GivenChanges, LoanChangeGroup, TableChange,
};
use powerfill_diff::report::value_words;
use powerfill_events::values::Money;
use powerfill_explain::usd;

use super::{find_run, retention};
use crate::args::BriefArgs;
use crate::error::{CliError, CliResult};
use crate::format::Format;
use crate::output::{print_csv, print_json, print_text};
use crate::settings::ProgramSettings;
use crate::summary::count;
use crate::tenancy::TenantStore;
use crate::terminal::cut;
use crate::words::{minutes, short_id};

/// The width of the text.
const WIDTH: usize = 80;

/// The trades that a line names before it counts the rest.
const NAMED: usize = 4;

pub(crate) async fn run(args: BriefArgs, settings: &ProgramSettings) -> CliResult<()> {
    let store = TenantStore::resolve(&args.store, settings)?.open_for_reading().await?;
    let store: &dyn powerfill_ports::Store = store.as_ref();
    let runs = match (&args.then, &args.now) {
        (None, _) => latest_two(store).await.map_err(CliError::environment)?,
        (Some(then), None) => [
            find_run(store, then).await?,
            latest_two(store).await.map_err(CliError::environment)?[1],
        ],
        (Some(then), Some(now)) => [find_run(store, then).await?, find_run(store, now).await?],
    };
    for run in runs {
        retention::ensure_payloads(store, run).await?;
    }
    let brief = brief(store, runs).await.map_err(CliError::environment)?;
    match args.print.format {
        _ if args.json => print_json(&brief),
        Format::Json => print_json(&brief),
        Format::Text => print_text(text(&brief)),
        Format::Csv => print_csv(&["step", "loans", "amount"], bridge_records(&brief)),
    }
}

/// The bridge as records, from the earlier value to the later one.
fn bridge_records(brief: &Brief) -> Vec<[String; 3]> {
    let end = |step: &str, amount: Money| [step.to_owned(), String::new(), amount.to_string()];
    let steps = brief.bridge.steps.iter().map(|step| {
        let loans = step.loans.map_or_else(String::new, |loans| loans.to_string());
        [step.step.to_owned(), loans, step.amount.to_string()]
    });
    let mut records = vec![end("then", brief.bridge.then_amount)];
    records.extend(steps);
    records.push(end("now", brief.bridge.now_amount));
    records
}

/// The brief on one screen.
fn text(brief: &Brief) -> String {
    let mut out = String::new();
    head("Then", &brief.then, &mut out);
    head("Now ", &brief.now, &mut out);
    loans(brief, &mut out);
    trades(brief, &mut out);
    given(&brief.given, &mut out);
    bridge(brief, &mut out);
    if !brief.to_look_at.is_empty() {
        let _ = writeln!(out, "\nTo look at");
    }
    for (note, number) in brief.to_look_at.iter().zip(1..) {
        let _ = writeln!(out, "{}", note_line(number, note));
    }
    out
}

fn head(title: &str, head: &BriefHead, out: &mut String) {
    let id = short_id(head.run_id);
    let as_of = head.as_of.map_or_else(String::new, |day| format!(" as of {day}"));
    let by = head.requested_by.as_ref().map_or_else(String::new, |by| format!(", by {by}"));
    let at = head.requested_at.map_or_else(String::new, |at| format!(" on {}", minutes(at)));
    let _ = writeln!(out, "{}", cut(&format!("{title}  run {id}{as_of}{by}{at}"), WIDTH));
    let counts = format!(
        "      {} placed, {} pinned, {} kicked out",
        count(head.placed),
        count(head.pinned),
        count(head.kicked_out)
    );
    let trades: Vec<String> =
        head.trades.iter().map(|(status, trades)| format!("{} {status}", count(*trades))).collect();
    let _ = writeln!(out, "{}", cut(&format!("{counts}; trades: {}", trades.join(", ")), WIDTH));
}

fn loans(brief: &Brief, out: &mut String) {
    let _ = writeln!(out, "\n{:<18}{:>8}{:>20}{:>20}", "Loans", "loans", "amount", "value");
    for (name, group) in brief.loans.groups() {
        let LoanChangeGroup { loans, loan_amount, value_amount, kicked_out, .. } = group;
        let note = match (name, kicked_out) {
            ("new", 1..) => format!("  {} are out", count(*kicked_out)),
            ("gone", 1..) => format!("  {} were out", count(*kicked_out)),
            _ => String::new(),
        };
        let (amount, value) = (usd(*loan_amount), usd(*value_amount));
        let line = format!("  {name:<16}{:>8}{amount:>20}{value:>20}{note}", count(*loans));
        let _ = writeln!(out, "{}", cut(&line, WIDTH));
    }
}

fn trades(brief: &Brief, out: &mut String) {
    let changes = &brief.trades;
    let groups = [
        ("new", &changes.new),
        ("gone", &changes.gone),
        ("filled", &changes.filled),
        ("fallen short", &changes.fallen_short),
    ];
    let parts = groups.iter().filter(|(_, trades)| !trades.is_empty());
    let parts: Vec<String> = parts.map(|(what, trades)| named(what, trades)).collect();
    let parts = if parts.is_empty() { "the same".to_owned() } else { parts.join("; ") };
    let _ = writeln!(out, "\n{}", wrapped("Trades  ", &parts));
}

/// `new 2 (T1, T2)`.
fn named(what: &str, trades: &[BriefTrade]) -> String {
    let names: Vec<&str> = trades.iter().take(NAMED).map(|trade| trade.trade_id.as_str()).collect();
    let more = if trades.len() > NAMED { ", …" } else { "" };
    format!("{what} {} ({}{more})", count(trades.len() as u64), names.join(", "))
}

fn given(given: &GivenChanges, out: &mut String) {
    let mut parts: Vec<String> = Vec::new();
    if given.other_engine {
        parts.push("another engine".to_owned());
    }
    parts.extend(given.options.iter().map(|change| {
        format!("{} {} → {}", change.option, value_words(&change.here), value_words(&change.there))
    }));
    for tables in [&given.configuration, &given.prices, &given.trades, &given.others] {
        parts.extend(tables.iter().map(table_words));
    }
    let parts = if parts.is_empty() { "the same".to_owned() } else { parts.join("; ") };
    let _ = writeln!(out, "{}", wrapped("Given   ", &parts));
}

/// `pfill_constraints 2 changed, 1 added`.
fn table_words(change: &TableChange) -> String {
    let counts =
        [("changed", change.changed), ("added", change.added), ("removed", change.removed)];
    let counts = counts.iter().filter(|(_, rows)| *rows > 0);
    let counts: Vec<String> =
        counts.map(|(what, rows)| format!("{} {what}", count(*rows))).collect();
    format!("{} {}", change.table, counts.join(", "))
}

fn bridge(brief: &Brief, out: &mut String) {
    let _ = writeln!(out, "\n{:<26}{:>8}{:>20}", "Value bridge", "loans", "dollars");
    let mut line = |name: &str, loans: Option<u64>, amount: Money| {
        let loans = loans.map_or_else(String::new, count);
        let _ = writeln!(out, "  {name:<24}{loans:>8}{:>20}", usd(amount));
    };
    line("then", None, brief.bridge.then_amount);
    for step in &brief.bridge.steps {
        line(&step.step.replace('_', " "), step.loans, step.amount);
    }
    line("now", None, brief.bridge.now_amount);
}

fn note_line(number: usize, note: &BriefNote) -> String {
    cut(&format!("{number:>3} {}", note.text), WIDTH).into_owned()
}

/// A text in lines that fit the screen, at most three, the later ones below the text.
fn wrapped(title: &str, text: &str) -> String {
    const LINES: usize = 3;
    let indent = " ".repeat(title.chars().count());
    let mut lines = vec![title.to_owned()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        let (used, is_first) = (line.chars().count(), line.trim().is_empty() || *line == title);
        if used + word.chars().count() + 1 > WIDTH && !is_first {
            lines.push(format!("{indent}{word}"));
        } else {
            if !is_first {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        let last = lines.last_mut().expect("there are three lines");
        *last = cut(&format!("{last} …"), WIDTH).into_owned();
    }
    lines.join("\n")
}
