//! The tables of a snapshot as a workbook.

use std::path::Path;

use powerfill_snapshot::RawTable;
use rust_xlsxwriter::{Format, Workbook, XlsxError as WriterError};

use crate::error::XlsxError;
use crate::naming::{MAX_ROWS, sheet_name};

/// Writes one sheet per table, with every column. Each cell is a text, so that no value is changed
/// and a reader gets the same snapshot back.
///
/// # Errors
/// If the file cannot be written, or a table has more rows than a sheet.
pub fn write_tables(path: &Path, tables: &[RawTable]) -> Result<(), XlsxError> {
    let written = || -> Result<(), WriterError> {
        let (mut book, header) = (Workbook::new(), Format::new().set_bold());
        let text = Format::new().set_num_format("@");
        for table in tables {
            let mut sheet = book.new_worksheet_with_constant_memory()?;
            sheet.set_name(sheet_name(table.name(), 1))?.set_freeze_panes(1, 0)?;
            for (at, name) in (0..).zip(table.columns()) {
                sheet.set_column_format(at, &text)?;
                sheet.write_string_with_format(0, at, name, &header)?;
            }
            if table.rows() >= MAX_ROWS as usize {
                return Err(WriterError::RowColumnLimitError);
            }
            for row in 0..table.rows() {
                for column in 0..table.columns().len() {
                    let cell = table.cell(row, column);
                    if !cell.is_empty() {
                        sheet.write_string(row as u32 + 1, column as u16, cell)?;
                    }
                }
            }
            book.push_worksheet(sheet);
        }
        book.save(path)
    };
    written().map_err(|error| XlsxError::unwritable(path, error))
}
