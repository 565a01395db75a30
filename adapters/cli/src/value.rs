//! What a run is worth, as text (specification, part 7).

use std::fmt::Write;

use powerfill_events::values::Money;
use powerfill_explain::usd;
use powerfill_tables::table::{Cell, RowBatch};

use crate::output::{cell_text, text_table};
use crate::summary::count;

/// The rows of `pfill_value_summary` that people look at first: the whole run and the waterfall.
pub(crate) fn text(rows: &RowBatch) -> String {
    let mut out = String::new();
    let Some(all) = of_grouping(rows, "run").next() else { return out };
    let loans = |what: &str, column: &str| format!("{what} of {} loans", number(rows, all, column));
    let lines = [
        ("proceeds".to_owned(), "proceeds_amount"),
        ("  of them pay-ups".to_owned(), "payup_amount"),
        ("carry".to_owned(), "carry_amount"),
        ("value".to_owned(), "value_amount"),
        (loans("pick-up", "pick_up_loans"), "pick_up_amount"),
        (loans("give-up", "give_up_loans"), "give_up_amount"),
    ];
    let lines = lines.map(|(what, column)| [what, dollars(rows, all, column)]);
    let title = format!("Worth of {} loans", number(rows, all, "loans"));
    let _ = writeln!(out, "\n{}", text_table(&[&title, "dollars"], lines, &[1]));
    let steps = of_grouping(rows, "waterfall").map(|row| {
        let name = cell_text(cell(rows, row, "group_name")).replace('_', " ");
        [name, number(rows, row, "loans"), dollars(rows, row, "value_amount")]
    });
    let header = ["From the present trades to this run", "loans", "dollars"];
    let _ = writeln!(out, "\n{}", text_table(&header, steps, &[1, 2]));
    out
}

fn of_grouping<'a>(rows: &'a RowBatch, name: &'a str) -> impl Iterator<Item = &'a [Cell]> {
    rows.rows().filter(move |row| cell_text(cell(rows, row, "grouping")) == name)
}

fn cell<'a>(rows: &RowBatch, row: &'a [Cell], column: &str) -> &'a Cell {
    rows.table.position(column).map_or(&Cell::Null, |at| &row[at])
}

fn number(rows: &RowBatch, row: &[Cell], column: &str) -> String {
    match cell(rows, row, column) {
        Cell::Int(number) => count(u64::try_from(*number).unwrap_or_default()),
        _ => String::new(),
    }
}

fn dollars(rows: &RowBatch, row: &[Cell], column: &str) -> String {
    match cell(rows, row, column) {
        Cell::Fixed(cents, _) => usd(Money::from_units(*cents)),
        _ => String::new(),
    }
}
