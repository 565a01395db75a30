//! Prints a comparison of two runs as text: the loans first, then the trades, then the rest.

use std::fmt::Write;

use powerfill_diff::report::{DifferenceRow, difference_row, old_or_new, value_words};
use powerfill_diff::run_differences::RunDifferences;
use powerfill_diff::{Comparison, RowVerdict, SideHead};
use powerfill_events::values::Money;
use powerfill_explain::usd;
use powerfill_tables::table::TableSpec;

use super::text::{classified, not_compared, verdict_counts};
use crate::summary::count;
use crate::words::minutes;

/// The largest number of listed rows per input table.
const INPUT_ROWS: usize = 3;

/// The tables that come first.
const FIRST: [&str; 3] = ["pfill_powerfill_guide", "pfill_kickout_guide_01", "pfill_trade_recap"];

/// The whole report, with at most `most` loans, and as many differences of each kind.
pub(super) fn report(comparison: &Comparison, most: usize) -> String {
    let mut out = String::new();
    for (label, side) in comparison.labels().iter().zip([&comparison.here, &comparison.there]) {
        let _ = writeln!(out, "{label}: {}", title(&side.head));
    }
    loans(comparison, most, &mut out);
    other_decisions(comparison, most, &mut out);
    if let Some(why) = &comparison.run_differences {
        given(why, &mut out);
    }
    out.push('\n');
    tables(comparison, &mut out);
    not_compared(comparison, &mut out);
    classified(comparison, &mut out);
    out
}

/// The title of a run, and below it the day from which it counts, and who requested it when.
fn title(head: &SideHead) -> String {
    let Some(run) = head.run() else { return head.title() };
    let as_of = run.options.as_ref().and_then(|options| options.as_of);
    let as_of = as_of.map_or_else(String::new, |day| format!("as of {day}, "));
    let by = run.requested_by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
    let at = run.requested_at.map_or_else(String::new, |at| format!(" at {}", minutes(at)));
    format!("run {}\n     {as_of}requested{by}{at}", run.run_id)
}

/// One entry per loan: from where to where, and why.
fn loans(comparison: &Comparison, most: usize, out: &mut String) {
    let all = comparison.diverging_loan_count;
    if all == 0 {
        let _ = writeln!(out, "\nEvery loan has the same place.");
        return;
    }
    let shown = comparison.loans.len().min(most) as u64;
    let of = if shown < all { format!(", {} of them here", count(shown)) } else { String::new() };
    let have = if all == 1 { "loan has" } else { "loans have" };
    let _ = writeln!(out, "\n{} {have} another place{of}:", count(all));
    for path in comparison.loans.iter().take(most) {
        let amount = path.loan_amount.as_ref().and_then(|amount| Money::parse(amount).ok());
        let amount = amount.map_or_else(String::new, |amount| format!(" ({})", usd(amount)));
        let _ = writeln!(out, "  {}{amount}: {} → {}", path.loan_id, path.here, path.there);
        if !path.because.is_empty() {
            let _ = writeln!(out, "      it {}", path.because);
        } else if let Some(parted) = &path.parted {
            let _ = writeln!(out, "      they part {parted}");
        }
    }
}

/// The differences of decisions that are not about a loan: of trades first.
fn other_decisions(comparison: &Comparison, most: usize, out: &mut String) {
    // Tables of loans say what a loan could do; the candidates are listed if they were asked for.
    let is_listed = |spec: &TableSpec| {
        let is_of_loans = spec.diff.pair_by.contains(&"loan_id");
        !spec.diff.decision.is_empty() && (!is_of_loans || spec.built_from.is_some())
    };
    let mut tables: Vec<_> =
        comparison.tables.iter().filter(|table| is_listed(table.spec)).collect();
    tables.sort_by_key(|table| !FIRST.contains(&table.spec.name));
    for table in tables {
        let decisions = table.differences.iter().filter(|d| d.verdict != RowVerdict::OtherNumbers);
        let all = decisions.clone().count();
        if all == 0 || most == 0 {
            continue;
        }
        let name = table.spec.name;
        let _ = writeln!(out, "\n{name}: {} other decisions:", count(all as u64));
        for difference in decisions.take(most) {
            let row = difference_row(comparison, table, difference);
            let _ = writeln!(out, "  {}: {}", row.key.join(" | "), cells(&row));
        }
        if all > most {
            let _ = writeln!(out, "  and {} more; --show N lists N", count((all - most) as u64));
        }
    }
}

fn cells(row: &DifferenceRow<'_>) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let decisive = row.cells.iter().filter(|cell| cell.decision);
    let cells = decisive.map(|cell| match row.verdict {
        RowVerdict::OnlyHere => format!("{} {}", cell.column, text(&cell.here)),
        RowVerdict::OnlyThere => format!("{} {}", cell.column, text(&cell.there)),
        RowVerdict::Same | RowVerdict::OtherNumbers | RowVerdict::OtherDecision => {
            format!("{} {} → {}", cell.column, text(&cell.here), text(&cell.there))
        }
    });
    let cells = cells.collect::<Vec<_>>().join(", ");
    let only = match row.verdict {
        RowVerdict::OnlyHere => "only old: ",
        RowVerdict::OnlyThere => "only new: ",
        RowVerdict::Same | RowVerdict::OtherNumbers | RowVerdict::OtherDecision => "",
    };
    let class = row.class.map_or_else(String::new, |class| format!(" [{class}: {}]", row.note));
    format!("{only}{cells}{class}")
}

/// The numbers of rows by verdict, the tables of decisions about loans and trades first.
fn tables(comparison: &Comparison, out: &mut String) {
    let header = ["table", "same", "numbers", "decision", "only old", "only new"];
    let mut tables: Vec<_> = comparison.tables.iter().collect();
    let place = |name: &str| FIRST.iter().position(|first| *first == name);
    tables.sort_by_key(|table| place(table.spec.name).unwrap_or(FIRST.len()));
    verdict_counts(header, tables, out);
}

fn given(why: &RunDifferences, out: &mut String) {
    if why.is_empty() {
        let _ = writeln!(
            out,
            "\nBoth runs were given the same snapshot and options, and decided by the same engine."
        );
        return;
    }
    let _ = writeln!(out, "\nWhat the runs were given:");
    let version = |versions: &[Option<String>; 2]| {
        let [old, new] = versions.clone().map(|v| v.unwrap_or_else(|| "–".to_owned()));
        format!("{old} → {new}")
    };
    if let Some(engine) = &why.engine_version {
        let _ = writeln!(out, "  engine {}", version(engine));
    }
    if let Some(spec) = &why.spec_version {
        let _ = writeln!(out, "  specification {}", version(spec));
    }
    for change in &why.options {
        let (old, new) = (value_words(&change.here), value_words(&change.there));
        let _ = writeln!(out, "  option {} {old} → {new}", change.option);
    }
    for change in &why.snapshot {
        let columns: Vec<String> =
            change.columns.iter().map(|(name, rows)| format!("{name} {}", count(*rows))).collect();
        let columns =
            if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
        let _ = writeln!(
            out,
            "  {}: {} rows changed{columns}, {} only old, {} only new",
            change.table,
            count(change.changed),
            count(change.only_here),
            count(change.only_there)
        );
        for row in change.rows.iter().take(INPUT_ROWS) {
            let fields =
                row.fields.iter().map(|(name, here, there)| format!("{name} {here} → {there}"));
            let what = match row.only {
                Some(side) => format!("only {}", old_or_new(side)),
                None => fields.collect::<Vec<_>>().join(", "),
            };
            let _ = writeln!(out, "    {}: {what}", row.key.join(" | "));
        }
    }
}
