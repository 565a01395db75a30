//! Reads any workbook as texts, to compare an export of another system with a run.

use std::path::Path;

use crate::cells::CellValue;
use crate::error::XlsxError;
use crate::naming::{MAX_ROWS, is_continuation};
use crate::package::{Workbook, catch_panic};
use crate::walk::{CellAddress, MAX_CELLS, MAX_COLUMNS, visit_cells};

/// The cells of a sheet as texts: ISO dates, numbers in their shortest exact form without exponent,
/// and empty texts for blank cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextSheet {
    /// The name, as the workbook spells it.
    pub name: String,
    /// The first row that is not blank; empty if all are blank.
    pub header: Vec<String>,
    /// The further rows that are not blank, each as long as the header.
    pub rows: Vec<Vec<String>>,
}

/// Reads every sheet of a workbook in order, hidden sheets included. A sheet `name (2)` after a
/// full sheet `name` with the same header is its continuation, and both become one. Columns without
/// header and values are left out.
///
/// # Errors
/// If the file is not a workbook, is damaged, encrypted, or too large, or if a cell is a formula
/// that was never calculated.
pub fn read_texts(path: &Path) -> Result<Vec<TextSheet>, XlsxError> {
    catch_panic(path, || read_sheets(path, MAX_ROWS))?
}

pub(crate) fn read_sheets(path: &Path, max_rows: u32) -> Result<Vec<TextSheet>, XlsxError> {
    let mut book = Workbook::open(path)?;
    let mut sheets: Vec<TextSheet> = Vec::new();
    // The number of parts of the last entry of `sheets`, and whether its last part is full.
    let (mut parts, mut last_is_full) = (1, false);
    for entry in book.sheets().into_iter().filter(|entry| entry.has_cells) {
        let mut grid = TextGrid::default();
        let visited = visit_cells(&mut book, &entry.name, |at, value| grid.push(at, value));
        visited.and_then(|()| grid.end_row()).map_err(|reason| XlsxError::Sheet {
            path: path.to_owned(),
            sheet: entry.name.clone(),
            reason,
        })?;
        let is_full = grid.row.is_some_and(|row| row + 1 == max_rows);
        let sheet = grid.into_sheet(entry.name);
        match sheets.last_mut() {
            Some(first)
                if last_is_full
                    && is_continuation(&sheet.name, &first.name, parts + 1)
                    && sheet.header == first.header =>
            {
                first.rows.extend(sheet.rows);
                parts += 1;
            }
            _ => {
                sheets.push(sheet);
                parts = 1;
            }
        }
        last_is_full = is_full;
    }
    Ok(sheets)
}

/// The rows of a sheet that were read so far.
#[derive(Default)]
struct TextGrid {
    /// The current row of the sheet.
    row: Option<u32>,
    cells: Vec<String>,
    rows: Vec<Vec<String>>,
    width: usize,
}

impl TextGrid {
    fn push(&mut self, address: CellAddress, value: CellValue<'_>) -> Result<(), String> {
        if self.row != Some(address.row) {
            self.end_row()?;
            self.row = Some(address.row);
        }
        let column = address.column as usize;
        if column >= MAX_COLUMNS {
            return Err(format!("{address}: beyond column {MAX_COLUMNS}"));
        }
        let text = match value {
            CellValue::Blank => return Ok(()),
            CellValue::Text(text) => text.trim_end_matches(' ').to_owned(),
            CellValue::Rejected(shown, reason) if shown.is_empty() => {
                return Err(format!("{address}: {reason}"));
            }
            CellValue::Rejected(shown, _) => shown,
        };
        self.cells.resize(column, String::new());
        self.cells.push(text);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), String> {
        if self.cells.is_empty() {
            return Ok(());
        }
        self.width = self.width.max(self.cells.len());
        self.rows.push(std::mem::take(&mut self.cells));
        if self.rows.len().saturating_mul(self.width) > MAX_CELLS {
            return Err(format!("more than {MAX_CELLS} cells"));
        }
        Ok(())
    }

    fn into_sheet(self, name: String) -> TextSheet {
        let width = self.width;
        let mut used = vec![false; width];
        for row in &self.rows {
            for (used, cell) in used.iter_mut().zip(row) {
                *used |= !cell.is_empty();
            }
        }
        let used_cells = |mut row: Vec<String>| {
            row.resize(width, String::new());
            let cells = row.into_iter().zip(&used);
            cells.filter(|(_, used)| **used).map(|(cell, _)| cell).collect::<Vec<_>>()
        };
        let mut rows = self.rows.into_iter().map(used_cells);
        let header = rows.next().unwrap_or_default();
        TextSheet { name, header, rows: rows.collect() }
    }
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::Workbook as Book;

    use super::*;

    fn workbook(sheets: &[(&str, &[&[&str]])]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::with_suffix(".xlsx").unwrap();
        let mut book = Book::new();
        for (name, rows) in sheets {
            let sheet = book.add_worksheet().set_name(*name).unwrap();
            for (row, cells) in rows.iter().enumerate() {
                for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty())
                {
                    sheet.write_string(row as u32, column as u16, *cell).unwrap();
                }
            }
        }
        book.save(file.path()).unwrap();
        file
    }

    /// Reads files as if a sheet had room for three rows only.
    #[test]
    fn a_full_sheet_continues_in_the_next_part_and_not_in_a_copy() {
        let full: &[&[&str]] = &[&["id"], &["A"], &["B"]];
        let more: &[&[&str]] = &[&["id"], &["C"]];
        let other: &[&[&str]] = &[&["key"], &["C"]];
        let names = |sheets: &[(&str, &[&[&str]])]| -> Vec<(String, usize)> {
            let read = read_sheets(workbook(sheets).path(), 3).unwrap();
            read.into_iter().map(|sheet| (sheet.name, sheet.rows.len())).collect()
        };
        let pairs = |pairs: &[(&str, usize)]| -> Vec<(String, usize)> {
            pairs.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect()
        };
        assert_eq!(
            names(&[("t", full), ("t (2)", full), ("t (3)", more), ("u", more)]),
            pairs(&[("t", 5), ("u", 1)])
        );
        assert_eq!(names(&[("t", more), ("t (2)", more)]), pairs(&[("t", 1), ("t (2)", 1)]));
        assert_eq!(names(&[("t", full), ("t (2)", other)]), pairs(&[("t", 2), ("t (2)", 1)]));
        assert_eq!(names(&[("t", full), ("t (3)", more)]), pairs(&[("t", 2), ("t (3)", 1)]));
    }
}
