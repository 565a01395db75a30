//! Prints a comparison with an export as text.

use std::fmt::Write;

use powerfill_diff::column_set::columns_of;
use powerfill_diff::compare::TableComparison;
use powerfill_diff::report::{DifferenceRow, difference_row};
use powerfill_diff::{Comparison, RowVerdict, SideHead};

use super::path_words;
use crate::output::text_table;
use crate::summary::count;

/// The whole report, with at most `most` differences of each kind.
pub(super) fn report(comparison: &Comparison, most: usize) -> String {
    let mut out = String::new();
    let (here, there) = (side(&comparison.here.head), side(&comparison.there.head));
    let _ = writeln!(out, "here:  {here}\nthere: {there}\n");
    let header = ["table", "same", "other numbers", "other decision", "only here", "only there"];
    verdict_counts(header, &comparison.tables, &mut out);
    for verdict in RowVerdict::DIFFERENCES {
        differences(comparison, verdict, most, &mut out);
    }
    not_compared(comparison, &mut out);
    classified(comparison, &mut out);
    out
}

/// The title of a side, and for a run the time of its recording.
fn side(head: &SideHead) -> String {
    let recorded = head.run().and_then(|run| run.recorded_at);
    let recorded = recorded.map_or_else(String::new, |at| format!(", recorded {at}"));
    head.title() + &recorded
}

/// The numbers of rows by verdict.
pub(super) fn verdict_counts<'a>(
    header: [&str; 6],
    tables: impl IntoIterator<Item = &'a TableComparison>,
    out: &mut String,
) {
    let rows = tables.into_iter().map(|table| {
        let of = |verdict| count(table.counts.count(verdict));
        [
            table.spec.name.to_owned(),
            of(RowVerdict::Same),
            of(RowVerdict::OtherNumbers),
            of(RowVerdict::OtherDecision),
            of(RowVerdict::OnlyHere),
            of(RowVerdict::OnlyThere),
        ]
    });
    let _ = writeln!(out, "{}", text_table(&header, rows, &[1, 2, 3, 4, 5]));
}

const fn title(verdict: RowVerdict) -> &'static str {
    match verdict {
        RowVerdict::Same => "Same",
        RowVerdict::OtherNumbers => "Same decision, other numbers",
        RowVerdict::OtherDecision => "Other decision",
        RowVerdict::OnlyHere => "Only here",
        RowVerdict::OnlyThere => "Only there",
    }
}

fn differences(comparison: &Comparison, verdict: RowVerdict, most: usize, out: &mut String) {
    let of_verdict = comparison.tables.iter().flat_map(|table| {
        let differences = table.differences.iter().filter(move |d| d.verdict == verdict);
        differences.map(move |difference| (table, difference))
    });
    let all = of_verdict.clone().count();
    if all == 0 || most == 0 {
        return;
    }
    let _ = writeln!(
        out,
        "\n{}, {} of {}:",
        title(verdict),
        count(all.min(most) as u64),
        count(all as u64)
    );
    for (table, difference) in of_verdict.take(most) {
        let shown = difference_row(comparison, table, difference);
        let _ = writeln!(out, "  {} {}: {}", shown.table, shown.key.join(" | "), cells(&shown));
        let path = shown
            .loan_id()
            .and_then(|loan| comparison.loans.iter().find(|path| path.loan_id == loan));
        if let Some(path) = path.filter(|_| verdict != RowVerdict::OtherNumbers) {
            let _ = writeln!(out, "    {}", path_words(path));
            if !path.because.is_empty() {
                let _ = writeln!(out, "    here it {}", path.because);
            }
        }
    }
}

fn cells(shown: &DifferenceRow<'_>) -> String {
    let cells = shown.cells.iter().map(|cell| {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        match shown.verdict {
            RowVerdict::OnlyHere => format!("{} {}", cell.column, text(&cell.here)),
            RowVerdict::OnlyThere => format!("{} {}", cell.column, text(&cell.there)),
            RowVerdict::Same | RowVerdict::OtherNumbers | RowVerdict::OtherDecision => {
                format!("{} {} → {}", cell.column, text(&cell.here), text(&cell.there))
            }
        }
    });
    let mut text = cells.collect::<Vec<_>>().join(", ");
    if let Some(class) = shown.class {
        let _ = write!(text, " [{class}: {}]", shown.note);
    }
    text
}

pub(super) fn not_compared(comparison: &Comparison, out: &mut String) {
    let mut lines: Vec<String> =
        comparison.left_out.iter().map(|(table, reason)| format!("{table}: {reason}")).collect();
    if let SideHead::Export(export) = &comparison.there.head {
        let unmapped = export.files.iter().filter(|file| file.table.is_none());
        lines.extend(unmapped.map(|file| format!("{}: no table that is compared", file.name)));
    }
    for table in &comparison.tables {
        let name = table.spec.name;
        let columns: Vec<&str> = columns_of(table.missing).map(|at| table.column(at)).collect();
        if !columns.is_empty() {
            lines.push(format!("{name}: one side does not have {}", columns.join(", ")));
        }
        if !table.there.unknown_columns.is_empty() {
            lines.push(format!(
                "{name}: no column of the table: {}",
                table.there.unknown_columns.join(", ")
            ));
        }
        for unread in &table.there.unreadable {
            lines.push(format!(
                "{name}: {} cells of {} do not read; the first, in row {}, is {:?}",
                count(unread.cells),
                unread.column,
                unread.row,
                unread.text
            ));
        }
    }
    if !lines.is_empty() {
        let _ = writeln!(out, "\nNot compared:");
        for line in lines {
            let _ = writeln!(out, "  {line}");
        }
    }
}

pub(super) fn classified(comparison: &Comparison, out: &mut String) {
    let classified = &comparison.classified;
    for stale in &classified.stale {
        let _ = writeln!(
            out,
            "\nThe classification in line {} matches nothing any more: {}",
            stale.line, stale.note
        );
    }
    let classes: Vec<String> =
        classified.classes.iter().map(|(class, n)| format!(", {} {class}", count(*n))).collect();
    let pending = match classified.pending {
        0 => String::new(),
        pending => format!(" ({} with an entry to be filled in)", count(pending)),
    };
    let _ = writeln!(
        out,
        "\n{} rows same, {} unclassified{pending}{}",
        count(comparison.same()),
        count(classified.unclassified),
        classes.concat()
    );
}
