//! Printing: tables for people, JSON and CSV for programs.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use powerfill_events::run::RunId;
use powerfill_tables::csv;
use powerfill_tables::table::{Cell, CellType, Column, RowBatch};
use serde::Serialize;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

use crate::error::CliResult;
use crate::selection::SelectedRows;
use crate::summary::count;
use crate::terminal::terminal_width;

/// Prints a table for people; the columns at the indexes in `right` are aligned to the right.
pub(crate) fn print_table<R, C>(header: &[&str], rows: R, right: &[usize]) -> CliResult<()>
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
    match terminal_width().and_then(|width| u16::try_from(width).ok()) {
        Some(width) => {
            // Breaks long cells, if the table is wider than the terminal.
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
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
pub(crate) fn print_text(text: impl std::fmt::Display) -> CliResult<()> {
    io::stdout().lock().write_all(visible(&text.to_string()).as_bytes())?;
    Ok(())
}

/// A text in which characters that a terminal obeys, or that turn the direction of writing, are
/// escapes: ids and names come from files of others.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, unicode_escape)
}

/// An escape such as `\u{1b}`.
pub(crate) fn unicode_escape(c: char) -> String {
    c.escape_unicode().to_string()
}

/// An escape such as `\u001b`: the same text in JSON.
pub(crate) fn json_escape(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}

/// A text with escapes for the characters that a terminal obeys.
fn escaped(text: &str, escape: fn(char) -> String) -> Cow<'_, str> {
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
        true => escape(c),
        false => c.to_string(),
    };
    Cow::Owned(text.chars().map(escaped).collect())
}

/// Prints a text whose lines are as long as their content. On a terminal, they are broken between
/// words, and go on under the beginning of their text.
pub(crate) fn print_wrapped(text: &impl std::fmt::Display) -> CliResult<()> {
    match terminal_width() {
        Some(width) => print_text(wrapped(&text.to_string(), width)),
        None => print_text(text),
    }
}

/// A text with lines of at most `width` columns, if its words permit it.
fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let indent = " ".repeat(line.len() - line.trim_start().len() + 4);
        let options = textwrap::Options::new(width).subsequent_indent(&indent).break_words(false);
        for part in textwrap::wrap(line, options) {
            out += part.trim_end();
            out.push('\n');
        }
    }
    out
}

/// Prints a note, a warning, or an error on standard error.
pub(crate) fn print_note(text: impl std::fmt::Display) {
    // There is no one to tell that standard error cannot be written.
    let _ = io::stderr().lock().write_all(visible(&text.to_string()).as_bytes());
}

/// Prints a value as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> CliResult<()> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    print_data(text.as_bytes(), json_escape)?;
    io::stdout().lock().write_all(b"\n")?;
    Ok(())
}

/// Prints what programs read: exactly, but on a terminal with escapes for what a terminal obeys.
pub(crate) fn print_data(text: &[u8], escape: fn(char) -> String) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if !out.is_terminal() {
        return out.write_all(text);
    }
    let text = String::from_utf8_lossy(text);
    out.write_all(escaped(&text, escape).as_bytes())
}

/// Prints records as CSV with a header.
pub(crate) fn print_csv<R>(header: &[&str], rows: R) -> CliResult<()>
where
    R: IntoIterator<Item: IntoIterator<Item: AsRef<str>>>,
{
    let mut out = ::csv::Writer::from_writer(Vec::new());
    out.write_record(header).map_err(io::Error::from)?;
    for row in rows {
        for cell in row {
            out.write_field(&*csv::harmless(cell.as_ref())).map_err(io::Error::from)?;
        }
        out.write_record(None::<&[u8]>).map_err(io::Error::from)?;
    }
    let text = out.into_inner().map_err(|error| error.into_error())?;
    print_data(&text, unicode_escape)?;
    Ok(())
}

/// A cell as its canonical text; empty for NULL.
pub(crate) fn cell_text(cell: &Cell) -> String {
    let mut text = Vec::new();
    csv::write_text(cell, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Prints rows of an output table as CSV, `run_id` first.
pub(crate) fn print_rows_csv(run: RunId, rows: &RowBatch) -> CliResult<()> {
    let mut text = Vec::new();
    csv::write_file_header(rows.table, &mut text);
    csv::write_file_rows(run, rows, &mut text);
    print_data(&text, unicode_escape)?;
    Ok(())
}

/// Prints rows of an output table as a JSON array of objects; decimals are strings.
pub(crate) fn print_rows_json(rows: &RowBatch) -> CliResult<()> {
    print_json(&json_rows(rows))
}

/// Rows of an output table as JSON objects; decimals are strings.
pub(crate) fn json_rows(rows: &RowBatch) -> Vec<Value> {
    rows.rows().map(|row| object(rows.table.columns, row)).collect()
}

fn object<'a>(
    columns: impl IntoIterator<Item = &'a Column>,
    cells: impl IntoIterator<Item = &'a Cell>,
) -> Value {
    let cells = columns.into_iter().zip(cells);
    let object: Map<String, Value> =
        cells.map(|(column, cell)| (column.name.to_owned(), json_value(column, cell))).collect();
    object.into()
}

fn json_value(column: &Column, cell: &Cell) -> Value {
    match (cell, column.cell_type) {
        (Cell::Null, _) => Value::Null,
        (Cell::Int(number), _) => Value::from(*number),
        (cell, CellType::Json) => {
            let text = cell_text(cell);
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        (cell, _) => Value::String(cell_text(cell)),
    }
}

/// Chosen rows as JSON objects; decimals are strings.
pub(crate) fn selected_json(rows: &SelectedRows<'_>) -> Vec<Value> {
    let cells = |row: &Vec<&Cell>| object(rows.columns.iter().copied(), row.iter().copied());
    rows.rows.iter().map(cells).collect()
}

const fn is_number(column: &Column) -> bool {
    matches!(column.cell_type, CellType::Int | CellType::Decimal(_))
}

/// Prints rows of an output table for people. On a terminal, the table has the columns that fit,
/// without those that are empty in every row, and numbers have thousands separators.
pub(crate) fn print_rows_text(rows: &SelectedRows<'_>) -> CliResult<()> {
    let width = terminal_width();
    let text = |column: &Column, cell: &Cell| match width {
        Some(_) if is_number(column) => grouped(&cell_text(cell)),
        _ => cell_text(cell),
    };
    let cells: Vec<Vec<String>> = rows
        .rows
        .iter()
        .map(|row| rows.columns.iter().zip(row).map(|(column, cell)| text(column, cell)).collect())
        .collect();
    let shown = match width {
        Some(width) => fitting(&rows.columns, &cells, width),
        None => (0..rows.columns.len()).collect(),
    };
    let header: Vec<&str> = shown.iter().map(|at| rows.columns[*at].name).collect();
    let columns = shown.iter().enumerate();
    let right: Vec<usize> = columns
        .filter(|(_, at)| is_number(rows.columns[**at]))
        .map(|(position, _)| position)
        .collect();
    let row = |row: &Vec<String>| shown.iter().map(|at| row[*at].clone()).collect::<Vec<_>>();
    print_table(&header, cells.iter().map(row), &right)?;
    let hidden = (0..rows.columns.len()).filter(|at| !shown.contains(at));
    let hidden: Vec<&str> = hidden.map(|at| rows.columns[at].name).collect();
    match hidden.is_empty() {
        true => Ok(()),
        false => print_wrapped(&format!(
            "{} rows. Not shown: {}. --columns chooses; --format csv has all.",
            count(rows.rows.len() as u64),
            hidden.join(", ")
        )),
    }
}

/// The columns that fit, from the left; those without a value in any row give way first.
fn fitting(columns: &[&Column], cells: &[Vec<String>], width: usize) -> Vec<usize> {
    // A border and two blanks per column, and the last border.
    const AROUND: usize = 3;
    let widths = columns.iter().enumerate().map(|(at, column)| {
        let of_cells = cells.iter().map(|row| row[at].width()).max().unwrap_or_default();
        of_cells.max(column.name.width()) + AROUND
    });
    let widths: Vec<usize> = widths.collect();
    let all: Vec<usize> = (0..columns.len()).collect();
    if widths.iter().sum::<usize>() < width {
        return all;
    }
    let has_value = |at: &usize| cells.iter().any(|row| !row[*at].is_empty());
    let mut left = width.saturating_sub(1);
    let mut shown: Vec<usize> = Vec::new();
    for at in all.into_iter().filter(has_value) {
        if widths[at] > left && !shown.is_empty() {
            break;
        }
        left = left.saturating_sub(widths[at]);
        shown.push(at);
    }
    shown
}

/// A decimal number with thousands separators.
pub(crate) fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut out = sign.to_owned();
    for (at, digit) in digits.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_before_the_point() {
        for (number, text) in [
            ("", ""),
            ("7", "7"),
            ("-1234.5678", "-1,234.5678"),
            ("100000.00", "100,000.00"),
            ("123456789", "123,456,789"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn long_lines_go_on_under_the_beginning_of_their_text() {
        assert_eq!(wrapped("  one two three\n\nfour\n", 12), "  one two\n      three\n\nfour\n");
    }

    #[test]
    fn a_terminal_obeys_nothing_of_a_text() {
        assert_eq!(visible("loan é\t1\n"), "loan é\t1\n");
        assert_eq!(visible("a\u{1b}[2Jb\rc\u{202e}d"), "a\\u{1b}[2Jb\\u{d}c\\u{202e}d");
    }
}
