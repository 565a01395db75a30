//! Tries as text, within 80 columns.

use std::fmt::Write;

use powerfill_app::tries::{TriesReport, TryReport};
use powerfill_diff::outcome::{Mover, RunOutcome};
use powerfill_events::values::Money;
use powerfill_explain::usd;
use powerfill_snapshot::RunOptions;

use crate::summary::count;
use crate::terminal::cut;

/// Tries beside the base in one table of 80 columns.
const PER_TABLE: usize = 3;
/// Columns for the names of the numbers, and for each number.
const LABEL: usize = 10;
const COLUMN: usize = 17;

/// A number of a run, by its name.
enum Number {
    Dollars(fn(&RunOutcome) -> Money),
    Count(fn(&RunOutcome) -> u64),
}

const NUMBERS: [(&str, Number); 9] = [
    ("proceeds", Number::Dollars(|outcome| outcome.proceeds)),
    ("carry", Number::Dollars(|outcome| outcome.carry)),
    ("value", Number::Dollars(|outcome| outcome.value)),
    ("pick-up", Number::Dollars(|outcome| outcome.pick_up)),
    ("placed", Number::Count(|outcome| outcome.placed)),
    ("kicked out", Number::Count(|outcome| outcome.kicked_out)),
    ("filled", Number::Count(|outcome| outcome.filled)),
    ("under", Number::Count(|outcome| outcome.under)),
    ("switches", Number::Count(|outcome| outcome.switches)),
];

impl Number {
    fn text(&self, outcome: &RunOutcome) -> String {
        match self {
            Self::Dollars(dollars) => usd(dollars(outcome)),
            Self::Count(number) => count(number(outcome)),
        }
    }

    /// The difference from the base, with its sign; empty for none.
    fn difference(&self, base: &RunOutcome, outcome: &RunOutcome) -> String {
        match self {
            Self::Dollars(dollars) => signed(dollars(outcome) - dollars(base)),
            Self::Count(number) => {
                let (here, there) = (number(outcome), number(base));
                match here.cmp(&there) {
                    std::cmp::Ordering::Equal => String::new(),
                    std::cmp::Ordering::Less => format!("-{}", count(there - here)),
                    std::cmp::Ordering::Greater => format!("+{}", count(here - there)),
                }
            }
        }
    }
}

/// Dollars with their sign; empty for zero.
fn signed(dollars: Money) -> String {
    match dollars.units() {
        0 => String::new(),
        1.. => format!("+{}", usd(dollars)),
        _ => usd(dollars),
    }
}

/// The base and the tries side by side, then the loans that move most.
pub(super) fn side_by_side(base: &str, options: &RunOptions, report: &TriesReport) -> String {
    let as_of = options.as_of.map_or_else(String::new, |day| format!(", as of {day}"));
    let mut out = format!("base: {base}{as_of}\n");
    let name = |at: usize| format!("try {}", at + 1);
    for (at, tried) in report.tries.iter().enumerate() {
        let _ = writeln!(out, "{}: {}", name(at), described(tried));
        if let Some(failure) = &tried.outcome.failure {
            let _ = writeln!(out, "  refused: {}", failure.message);
        }
    }
    if let Some(failure) = &report.base.failure {
        let _ = writeln!(out, "the base is refused: {}", failure.message);
    }
    let all: Vec<(usize, &TryReport)> = report.tries.iter().enumerate().collect();
    for tries in all.chunks(PER_TABLE) {
        out.push('\n');
        let mut header = format!("{:LABEL$}{:>COLUMN$}", "", "base");
        for (at, _) in tries {
            let _ = write!(header, "{:>COLUMN$}", name(*at));
        }
        let _ = writeln!(out, "{header}\n{}", "─".repeat(header.chars().count()));
        for (label, number) in &NUMBERS {
            number_lines(label, number, &report.base, tries, &mut out);
        }
        let moved = tries.iter().map(|(_, tried)| count(tried.moved));
        let moved: String = moved.map(|moved| format!("{moved:>COLUMN$}")).collect();
        let _ = writeln!(out, "{:LABEL$}{:COLUMN$}{moved}", "moved", "");
    }
    for (at, tried) in all {
        movers(&name(at), tried, &mut out);
    }
    out
}

/// The name of a try, and its edits where the name does not say them.
fn described(tried: &TryReport) -> String {
    let edits = tried.edits.join(" ");
    match (tried.name == edits, edits.is_empty()) {
        (_, true) => format!("{} (no edit)", tried.name).trim_start().to_owned(),
        (true, _) => edits,
        (false, _) => format!("{}: {edits}", tried.name),
    }
}

fn number_lines(
    label: &str,
    number: &Number,
    base: &RunOutcome,
    tries: &[(usize, &TryReport)],
    out: &mut String,
) {
    let _ = write!(out, "{label:LABEL$}{:>COLUMN$}", number.text(base));
    for (_, tried) in tries {
        let _ = write!(out, "{:>COLUMN$}", number.text(&tried.outcome));
    }
    out.push('\n');
    let differences: Vec<String> =
        tries.iter().map(|(_, tried)| number.difference(base, &tried.outcome)).collect();
    if differences.iter().any(|difference| !difference.is_empty()) {
        let line: String = differences.iter().map(|one| format!("{one:>COLUMN$}")).collect();
        let _ = writeln!(out, "{:LABEL$}{:COLUMN$}{line}", "", "");
    }
}

fn movers(name: &str, tried: &TryReport, out: &mut String) {
    if tried.movers.is_empty() {
        return;
    }
    let (shown, moved) = (tried.movers.len(), count(tried.moved));
    let of = if shown as u64 == tried.moved { String::new() } else { format!(" of {moved}") };
    let _ = writeln!(out, "\n{name}: the loans that move, by change of value: {shown}{of}");
    for Mover { loan_id, from_trade_id, to_trade_id, value_change, .. } in &tried.movers {
        let trade =
            |trade: &Option<String>| cut(trade.as_deref().unwrap_or("no trade"), 21).into_owned();
        let dollars = match value_change.units() {
            0 => "0.00".to_owned(),
            _ => signed(*value_change),
        };
        let _ = writeln!(
            out,
            "  {:<16} {:<21} {:<21} {dollars:>16}",
            cut(loan_id, 16),
            trade(from_trade_id),
            trade(to_trade_id),
        );
    }
}

/// What the order of the turns costs.
pub(super) fn priorities(report: &TriesReport) -> String {
    let mut out = format!(
        "Each turn together with its next one, against the order as it is\n\n\
         {:16}{:>20}{:>20}{:>10}{:>12}\n{}\n",
        "priorities",
        "value",
        "the order costs",
        "placed",
        "switches",
        "─".repeat(78)
    );
    let mut line = |name: &str, outcome: &RunOutcome, cost: &str| {
        let _ = writeln!(
            out,
            "{:16}{:>20}{cost:>20}{:>10}{:>12}",
            cut(name, 16),
            usd(outcome.value),
            count(outcome.placed),
            count(outcome.switches),
        );
    };
    line("as they are", &report.base, "");
    for tried in &report.tries {
        let cost = usd(tried.outcome.value - report.base.value);
        line(&tried.name, &tried.outcome, &cost);
    }
    out
}

/// Switches against value, as a curve.
pub(super) fn stability(report: &TriesReport) -> String {
    const BAR: u64 = 20;
    let most = report.tries.iter().map(|tried| tried.outcome.switches).max().unwrap_or_default();
    let mut out = format!(
        "{:>10}{:>20}{:>18}{:>10}  switches\n{}\n",
        "threshold",
        "value",
        "pick-up",
        "",
        "─".repeat(80)
    );
    for tried in &report.tries {
        let outcome = &tried.outcome;
        let length = (outcome.switches * BAR).div_ceil(most.max(1));
        let bar = "█".repeat(usize::try_from(length).unwrap_or_default());
        let _ = writeln!(
            out,
            "{:>10}{:>20}{:>18}{:>10}  {bar}",
            tried.name,
            usd(outcome.value),
            usd(outcome.pick_up),
            count(outcome.switches),
        );
    }
    out
}

pub(super) const CSV_COLUMNS: [&str; 12] = [
    "try",
    "edits",
    "proceeds",
    "carry",
    "value",
    "pick_up",
    "placed",
    "kicked_out",
    "filled",
    "under",
    "switches",
    "moved",
];

/// One row for the base, and one per try.
pub(super) fn csv_rows(report: &TriesReport) -> Vec<Vec<String>> {
    let row = |name: &str, edits: &[String], outcome: &RunOutcome, moved: u64| {
        let mut row = vec![name.to_owned(), edits.join(" ")];
        row.extend(NUMBERS.iter().map(|(_, number)| match number {
            Number::Dollars(dollars) => dollars(outcome).to_string(),
            Number::Count(number) => number(outcome).to_string(),
        }));
        row.push(moved.to_string());
        row
    };
    let tries = report.tries.iter();
    let tries = tries.map(|tried| row(&tried.name, &tried.edits, &tried.outcome, tried.moved));
    [row("base", &[], &report.base, 0)].into_iter().chain(tries).collect()
}
