//! An empty snapshot as a workbook, made from the declarations of the tables.

use std::path::Path;

use powerfill_events::input::{InputColumn, InputTable, InputType};
use powerfill_snapshot::TABLES;
use rust_xlsxwriter::{
    DataValidation, ExcelDateTime, Format, Note, Workbook, Worksheet, XlsxError as WriterError,
};

use crate::error::XlsxError;
use crate::naming::{MAX_ROWS, sheet_name};

/// The sheet that lists the columns of all tables.
pub const COLUMNS_SHEET: &str = "columns";

/// The width of a column beyond its name, in characters.
const PADDING: usize = 4;

/// Writes a sheet with a header per table, with a note on each column, and a sheet that lists the
/// columns. With `examples`, each table has a row.
///
/// # Errors
/// [`XlsxError::Unwritable`].
pub fn write_template(path: &Path, examples: bool) -> Result<(), XlsxError> {
    let unwritable = |error: WriterError| XlsxError::unwritable(path, error);
    let mut book = Workbook::new();
    for table in TABLES {
        write_table(book.add_worksheet(), table, examples).map_err(unwritable)?;
    }
    write_columns(book.add_worksheet()).map_err(unwritable)?;
    book.save(path).map_err(unwritable)
}

fn write_table(
    sheet: &mut Worksheet,
    table: &InputTable,
    examples: bool,
) -> Result<(), WriterError> {
    let header = Format::new().set_bold();
    sheet.set_name(sheet_name(table.name, 1))?;
    for (at, column) in (0..).zip(table.columns) {
        let format = format_of(column);
        sheet.set_column_format(at, &format)?;
        sheet.set_column_width(at, (column.name.len() + PADDING) as f64)?;
        sheet.write_string_with_format(0, at, column.name, &header)?;
        sheet.insert_note(0, at, &Note::new(note(column)).set_width(280).set_height(120))?;
        if let InputType::OneOf(words) = column.input_type {
            let words = DataValidation::new().allow_list_strings(words)?;
            sheet.add_data_validation(1, at, MAX_ROWS - 1, at, &words)?;
        }
        if examples {
            write_example(sheet, at, column, &format)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

/// Texts keep their zeros, and dates are written as 1.1 has them.
fn format_of(column: &InputColumn) -> Format {
    match column.input_type {
        InputType::Text | InputType::Rule | InputType::OneOf(_) => {
            Format::new().set_num_format("@")
        }
        InputType::Day => Format::new().set_num_format("yyyy-mm-dd"),
        InputType::Decimal { .. } | InputType::Number | InputType::Whole => Format::new(),
    }
}

fn write_example(
    sheet: &mut Worksheet,
    at: u16,
    column: &InputColumn,
    format: &Format,
) -> Result<(), WriterError> {
    let text = column.sample();
    let is_number = matches!(
        column.input_type,
        InputType::Decimal { .. } | InputType::Number | InputType::Whole
    );
    match text.parse::<f64>() {
        _ if text.is_empty() => {}
        Ok(number) if is_number => _ = sheet.write_number_with_format(1, at, number, format)?,
        _ if matches!(column.input_type, InputType::Day) => {
            let day = ExcelDateTime::parse_from_str(&text)?;
            sheet.write_datetime_with_format(1, at, &day, format)?;
        }
        _ => _ = sheet.write_string_with_format(1, at, &text, format)?,
    }
    Ok(())
}

fn note(column: &InputColumn) -> String {
    let mut note = format!("{}\n\n{}", one_line(column.description), column.type_in_words());
    let unit = column.measure.unit();
    if !unit.is_empty() {
        note += &format!("\nUnit: {unit}");
    }
    note += &match column.empty_in_words().as_str() {
        "no" => "\nRequired".to_owned(),
        empty => format!("\nEmpty: {empty}"),
    };
    match column.sample().as_str() {
        "" => {}
        example => note += &format!("\nExample: {example}"),
    }
    note
}

fn write_columns(sheet: &mut Worksheet) -> Result<(), WriterError> {
    let (header, text) = (Format::new().set_bold(), Format::new().set_num_format("@"));
    sheet.set_name(COLUMNS_SHEET)?;
    let names = ["table", "column", "type", "unit", "empty", "example", "description"];
    let widths = [32.0, 26.0, 40.0, 26.0, 16.0, 20.0, 80.0];
    for ((at, name), width) in (0..).zip(names).zip(widths) {
        sheet.set_column_width(at, width)?;
        sheet.write_string_with_format(0, at, name, &header)?;
    }
    let columns = TABLES.iter().flat_map(|table| table.columns.iter().map(|c| (*table, c)));
    for (row, (table, column)) in (1..).zip(columns) {
        let cells = [
            table.name.to_owned(),
            column.name.to_owned(),
            column.type_in_words(),
            column.measure.unit().to_owned(),
            column.empty_in_words(),
            column.sample(),
            one_line(column.description),
        ];
        for (at, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string_with_format(row, at, cell, &text)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use powerfill_snapshot::{IgnoredPart, validate};

    use super::*;
    use crate::read;

    #[test]
    fn the_examples_are_a_snapshot_without_faults() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, filled) = (folder.path().join("empty.xlsx"), folder.path().join("book.xlsx"));
        write_template(&filled, true).unwrap();
        let validated = validate(read(&filled).unwrap()).unwrap();
        assert!(validated.warnings.is_empty(), "{}", validated.warnings);
        write_template(&empty, false).unwrap();
        let raw = read(&empty).unwrap();
        assert_eq!(raw.ignored, [IgnoredPart::Sheet(COLUMNS_SHEET.into())]);
        assert_eq!(raw.tables.len(), TABLES.len());
        assert!(raw.tables.iter().all(|table| table.rows() == 0));
    }
}
