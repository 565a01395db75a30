//! Any workbook as texts: what was exported from another system, to be compared with a run.

use std::path::Path;

use crate::cells::Value;
use crate::error::XlsxError;
use crate::naming::{MOST_ROWS, goes_on};
use crate::package::{Workbook, contained};
use crate::walk::{MOST_CELLS, MOST_COLUMNS, Place, walk};

/// A sheet as texts: dates ISO, numbers without exponent in their shortest exact form, blank cells empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// As the workbook spells it.
    pub name: String,
    /// The first row that is not blank; empty where the sheet is.
    pub header: Vec<String>,
    /// The rows below that are not blank, as long as the header.
    pub rows: Vec<Vec<String>>,
}

/// Reads every sheet of a workbook, hidden ones included, in its order. A sheet `name (2)` behind a `name` that is full
/// carries it on and is joined to it. Columns without a header and without a value are left out.
///
/// # Errors
/// Where the file is no workbook, is damaged, encrypted or too large, or where a cell is a formula that was never
/// calculated.
pub fn read_texts(path: &Path) -> Result<Vec<Sheet>, XlsxError> {
    contained(path, || read_sheets(path, MOST_ROWS))?
}

pub(crate) fn read_sheets(path: &Path, most_rows: u32) -> Result<Vec<Sheet>, XlsxError> {
    let mut book = Workbook::open(path)?;
    let mut sheets: Vec<Sheet> = Vec::new();
    // Of the last sheet that carries no other on: how many parts it has by now, and whether the last one is full.
    let (mut parts, mut full) = (1, false);
    for listed in book.sheets().into_iter().filter(|listed| listed.has_cells) {
        let mut grid = Grid::default();
        let read = walk(&mut book, &listed.name, |place, value| grid.take(place, value));
        read.and_then(|()| grid.end_row()).map_err(|reason| XlsxError::Sheet {
            path: path.to_owned(),
            sheet: listed.name.clone(),
            reason,
        })?;
        let is_full = grid.row.is_some_and(|row| row + 1 == most_rows);
        let read = grid.sheet(listed.name);
        match sheets.last_mut() {
            Some(first)
                if full
                    && goes_on(&read.name, &first.name, parts + 1)
                    && read.header == first.header =>
            {
                first.rows.extend(read.rows);
                parts += 1;
            }
            _ => {
                sheets.push(read);
                parts = 1;
            }
        }
        full = is_full;
    }
    Ok(sheets)
}

/// The rows of a sheet as they come.
#[derive(Default)]
struct Grid {
    /// The present row of the sheet.
    row: Option<u32>,
    cells: Vec<String>,
    rows: Vec<Vec<String>>,
    width: usize,
    filled: usize,
}

impl Grid {
    fn take(&mut self, place: Place, value: Value<'_>) -> Result<(), String> {
        if self.row != Some(place.row) {
            self.end_row()?;
            self.row = Some(place.row);
        }
        let column = place.column as usize;
        if column >= MOST_COLUMNS {
            return Err(format!("{place}: beyond column {MOST_COLUMNS}"));
        }
        let text = match value {
            Value::Blank => return Ok(()),
            Value::Text(text) => text.trim_end_matches(' ').to_owned(),
            Value::Unfit(shown, reason) if shown.is_empty() => {
                return Err(format!("{place}: {reason}"));
            }
            Value::Unfit(shown, _) => shown,
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
        self.filled = self.rows.len().saturating_mul(self.width);
        if self.filled > MOST_CELLS {
            return Err(format!("more than {MOST_CELLS} cells"));
        }
        Ok(())
    }

    fn sheet(self, name: String) -> Sheet {
        let width = self.width;
        let mut used = vec![false; width];
        for row in &self.rows {
            for (used, cell) in used.iter_mut().zip(row) {
                *used |= !cell.is_empty();
            }
        }
        let whole = |mut row: Vec<String>| {
            row.resize(width, String::new());
            let cells = row.into_iter().zip(&used);
            cells.filter(|(_, used)| **used).map(|(cell, _)| cell).collect::<Vec<_>>()
        };
        let mut rows = self.rows.into_iter().map(whole);
        let header = rows.next().unwrap_or_default();
        Sheet { name, header, rows: rows.collect() }
    }
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::Workbook as Book;

    use super::*;

    fn written(sheets: &[(&str, &[&[&str]])]) -> tempfile::NamedTempFile {
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

    /// The same file as if a sheet had room for three rows only.
    #[test]
    fn a_sheet_behind_a_full_one_carries_it_on_and_a_copy_does_not() {
        let full: &[&[&str]] = &[&["id"], &["A"], &["B"]];
        let more: &[&[&str]] = &[&["id"], &["C"]];
        let other: &[&[&str]] = &[&["key"], &["C"]];
        let names = |sheets: &[(&str, &[&[&str]])]| -> Vec<(String, usize)> {
            let read = read_sheets(written(sheets).path(), 3).unwrap();
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
