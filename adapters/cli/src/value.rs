//! What a run is worth, as text (specification, part 7).

use std::fmt::Write;

use powerfill_explain::usd;
use powerfill_tables::named_row::{NamedRow, named_rows};
use powerfill_tables::table::RowBatch;

use crate::output::text_table;
use crate::summary::count;

/// The rows of `pfill_value_summary` that people look at first: the whole run and the waterfall.
pub(crate) fn text(rows: &RowBatch) -> String {
    let mut out = String::new();
    let Some(all) = of_grouping(rows, "run").next() else { return out };
    let loans = |what: &str, column: &str| format!("{what} of {} loans", number(all, column));
    let lines = [
        ("proceeds".to_owned(), "proceeds_amount"),
        ("  of them pay-ups".to_owned(), "payup_amount"),
        ("carry".to_owned(), "carry_amount"),
        ("value".to_owned(), "value_amount"),
        (loans("pick-up", "pick_up_loans"), "pick_up_amount"),
        (loans("give-up", "give_up_loans"), "give_up_amount"),
    ];
    let lines = lines.map(|(what, column)| [what, dollars(all, column)]);
    let title = format!("Worth of {} loans", number(all, "loans"));
    let _ = writeln!(out, "\n{}", text_table(&[&title, "dollars"], lines, &[1]));
    let steps = of_grouping(rows, "waterfall").map(|row| {
        let name = row.str("group_name").replace('_', " ");
        [name, number(row, "loans"), dollars(row, "value_amount")]
    });
    let header = ["From the present trades to this run", "loans", "dollars"];
    let _ = writeln!(out, "\n{}", text_table(&header, steps, &[1, 2]));
    out
}

fn of_grouping<'a>(rows: &'a RowBatch, name: &'a str) -> impl Iterator<Item = NamedRow<'a>> {
    named_rows(rows).filter(move |row| row.str("grouping") == name)
}

fn number(row: NamedRow<'_>, column: &str) -> String {
    row.count(column).map(count).unwrap_or_default()
}

fn dollars(row: NamedRow<'_>, column: &str) -> String {
    row.fixed(column).map(usd).unwrap_or_default()
}
