//! Printing: tables for people, JSON and CSV for programs.

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use powerfill_events::run::RunId;
use powerfill_tables::csv;
use powerfill_tables::table::{Cell, CellType, RowBatch, TableSpec};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::CliError;

/// Prints a table for people; the columns at the indexes in `right` are aligned to the right.
pub(crate) fn print_table<R, C>(header: &[&str], rows: R, right: &[usize]) -> Result<(), CliError>
where
    R: IntoIterator<Item = C>,
    C: IntoIterator<Item = String>,
{
    print_text(format_args!("{}\n", text_table(header, rows, right)))
}

/// A table for people; the columns at the indexes in `right` are aligned to the right.
pub(crate) fn text_table<R, C>(header: &[&str], rows: R, right: &[usize]) -> Table
where
    R: IntoIterator<Item = C>,
    C: IntoIterator<Item = String>,
{
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(|name| (*name).to_owned()));
    for row in rows {
        table.add_row(row);
    }
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Prints a text. Unlike `print!`, it does not panic if the reader of the pipe has ended.
pub(crate) fn print_text(text: impl std::fmt::Display) -> Result<(), CliError> {
    io::stdout().lock().write_all(visible(&text.to_string()).as_bytes())?;
    Ok(())
}

/// A text in which characters that a terminal obeys, or that turn the direction of writing, are
/// escapes: ids and names come from files of others.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    let is_hostile = |c: char| match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    };
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let escaped = |c: char| match is_hostile(c) {
        true => c.escape_unicode().to_string(),
        false => c.to_string(),
    };
    Cow::Owned(text.chars().map(escaped).collect())
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// Prints records as CSV with a header.
pub(crate) fn print_csv<R>(header: &[&str], rows: R) -> Result<(), CliError>
where
    R: IntoIterator<Item: IntoIterator<Item: AsRef<[u8]>>>,
{
    let mut out = ::csv::Writer::from_writer(io::stdout().lock());
    out.write_record(header).map_err(io::Error::from)?;
    for row in rows {
        out.write_record(row).map_err(io::Error::from)?;
    }
    out.flush()?;
    Ok(())
}

/// A cell as its canonical text; empty for NULL.
pub(crate) fn cell_text(cell: &Cell) -> String {
    let mut text = Vec::new();
    csv::write_text(cell, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Prints rows of an output table as CSV, `run_id` first.
pub(crate) fn print_rows_csv(run: RunId, rows: &RowBatch) -> Result<(), CliError> {
    let mut text = Vec::new();
    csv::write_file_header(rows.table, &mut text);
    csv::write_file_rows(run, rows, &mut text);
    io::stdout().lock().write_all(&text)?;
    Ok(())
}

/// Prints rows of an output table as a JSON array of objects; decimals are strings.
pub(crate) fn print_rows_json(rows: &RowBatch) -> Result<(), CliError> {
    print_json(&json_rows(rows))
}

/// Rows of an output table as JSON objects; decimals are strings.
pub(crate) fn json_rows(rows: &RowBatch) -> Vec<Value> {
    rows.rows().map(|row| object(rows.table, row).into()).collect()
}

fn object(table: &TableSpec, row: &[Cell]) -> Map<String, Value> {
    let value = |cell: &Cell, cell_type: CellType| match (cell, cell_type) {
        (Cell::Null, _) => Value::Null,
        (Cell::Int(number), _) => Value::from(*number),
        (cell, CellType::Json) => {
            let text = cell_text(cell);
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        (cell, _) => Value::String(cell_text(cell)),
    };
    let columns = table.columns.iter().zip(row);
    columns.map(|(column, cell)| (column.name.to_owned(), value(cell, column.cell_type))).collect()
}

/// Prints rows of an output table for people.
pub(crate) fn print_rows_text(rows: &RowBatch) -> Result<(), CliError> {
    let header: Vec<&str> = rows.table.columns.iter().map(|column| column.name).collect();
    let is_number = |t: CellType| matches!(t, CellType::Int | CellType::Decimal(_));
    let columns = rows.table.columns.iter().enumerate();
    let right: Vec<usize> =
        columns.filter(|(_, column)| is_number(column.cell_type)).map(|(at, _)| at).collect();
    let texts = rows.rows().map(|row| row.iter().map(cell_text).collect::<Vec<_>>());
    print_table(&header, texts, &right)
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn a_terminal_obeys_nothing_of_a_text() {
        assert_eq!(visible("loan é\t1\n"), "loan é\t1\n");
        assert_eq!(visible("a\u{1b}[2Jb\rc\u{202e}d"), "a\\u{1b}[2Jb\\u{d}c\\u{202e}d");
    }
}
