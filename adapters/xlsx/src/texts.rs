//! Reads any workbook as texts, for a mapping.

use std::path::Path;

use powerfill_events::input::{CellDisplay, RawTable, TableLimit, TooLarge};
use powerfill_mapping::{FirstRow, ForeignTable, HeadedTable, HeaderError, Mapping, MappingUse};
use rust_decimal::Decimal;

use crate::cells::CellValue;
use crate::error::XlsxError;
use crate::hidden::HiddenParts;
use crate::naming::{MAX_ROWS, is_continuation};
use crate::package::{Workbook, catch_panic};
use crate::totals::is_total_label;
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
    let grids = read_grids(path, max_rows, TableLimit::default(), |_| true)?;
    grids.into_iter().map(|grid| Ok(grid.refuse_empty(path)?.into_sheet())).collect()
}

/// Reads the wanted sheets of a workbook for a mapping. The others are listed by name.
///
/// # Errors
/// As [`read_texts`]. In a source, a cell without an exact text is a fault of its own.
pub fn read_foreign(
    path: &Path,
    mapping: &Mapping,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<(Vec<ForeignTable>, Vec<String>), XlsxError> {
    let file = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let unreadable = |source| XlsxError::Io { path: path.to_owned(), source };
    let digest = blake3::hash(&std::fs::read(path).map_err(unreadable)?).to_hex().to_string();
    let (mut tables, mut others) = (Vec::new(), Vec::new());
    let wanted = |name: &str| is_wanted(name);
    let grids = catch_panic(path, || read_grids(path, MAX_ROWS, mapping.limit(), wanted))??;
    let is_source = mapping.schema().mapping_use == MappingUse::Source;
    for grid in grids {
        let grid = if is_source { grid } else { grid.refuse_empty(path)? };
        if !is_wanted(&grid.name) {
            others.push(grid.name);
        } else if !grid.rows.is_empty() {
            let mut form = mapping.form(&[&grid.name, &format!("{file}/{}", grid.name), &file]);
            let first: Vec<FirstRow> =
                grid.rows.iter().take(HEADER_ROWS).map(GridRow::to_first_row).collect();
            let header_lines = form.detect_header(&first);
            let name = grid.name.clone();
            let in_sheet = |error| match error {
                HeaderError::TooLarge(limit) => XlsxError::too_large(path, &name, limit),
                error => XlsxError::in_sheet(path, &name, error),
            };
            let mut headed = HeadedTable::of_sheet(&name, form);
            for row in &grid.rows {
                let cells = row.cells.iter().map(|cell| match is_source {
                    true => cell.of_source(),
                    false => (cell.text.as_str(), None),
                });
                let cells: Vec<(&str, Option<&str>)> = cells.collect();
                headed.push(row.position, &cells).map_err(in_sheet)?;
            }
            let (table, mut notes) = headed.finish().map_err(in_sheet)?;
            if grid.is_hidden {
                notes.insert(0, "the sheet is hidden".to_owned());
            }
            if is_source && grid.may_hide {
                notes.extend(hidden_notes(&HiddenParts::read(path, &name), &grid.rows, &table));
            }
            let (file, digest) = (file.clone(), digest.clone());
            tables.push(ForeignTable { file, is_sheet: true, digest, notes, header_lines, table });
        }
    }
    Ok((tables, others))
}

/// What a sheet hides of a table, and was read.
fn hidden_notes(hidden: &HiddenParts, rows: &[GridRow], table: &RawTable) -> Vec<String> {
    let hidden_rows = rows.iter().filter(|row| hidden.rows.contains(&row.position)).count();
    let columns = (0..).zip(table.columns());
    let columns = columns.filter(|(at, name)| !name.is_empty() && hidden.has_column(*at));
    let columns: Vec<&str> = columns.map(|(_, name)| name.as_str()).collect();
    let mut notes = Vec::new();
    if hidden_rows > 0 {
        notes.push(format!("hidden or filtered rows that were read: {hidden_rows}"));
    }
    if !columns.is_empty() {
        notes.push(format!("hidden columns that were read: {}", columns.join(", ")));
    }
    notes
}

/// The cells of a sheet; of one that is not wanted, only its name.
struct SheetGrid {
    name: String,
    is_hidden: bool,
    /// Whether it may have hidden rows or columns.
    may_hide: bool,
    rows: Vec<GridRow>,
    width: usize,
}

struct GridRow {
    /// The position in the sheet, from 0.
    position: u32,
    cells: Vec<GridCell>,
}

impl GridRow {
    fn to_first_row(&self) -> FirstRow {
        let cells = self.cells.iter().map(|cell| cell.text.clone()).collect();
        FirstRow { position: self.position, cells }
    }
}

/// The number of rows in which the header is looked for.
const HEADER_ROWS: usize = 20;

/// A cell of a sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct GridCell {
    text: String,
    /// What the cell displays by its number format, exactly: `6.5%` for 0.065, `0042` for 42.
    displayed: Option<String>,
    /// Why the text is not exact.
    inexact: Option<&'static str>,
}

impl GridCell {
    fn new(text: String) -> Self {
        Self { text, ..Self::default() }
    }

    /// The text for a source, which has what the desk sees; and why it is not exact.
    fn of_source(&self) -> (&str, Option<&str>) {
        (self.displayed.as_deref().unwrap_or(&self.text), self.inexact)
    }
}

/// A number a hundredfold, with a per cent sign.
fn as_percentage(number: &str) -> Option<String> {
    let number: Decimal = number.parse().ok()?;
    let hundredfold = number.checked_mul(Decimal::ONE_HUNDRED)?;
    Some(format!("{}%", hundredfold.normalize()))
}

fn read_grids(
    path: &Path,
    max_rows: u32,
    limit: TableLimit,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<SheetGrid>, XlsxError> {
    let mut book = Workbook::open(path)?;
    let mut grids: Vec<SheetGrid> = Vec::new();
    // The number of parts of the last entry of `grids`, and whether its last part is full.
    let (mut parts, mut last_is_full) = (1, false);
    for entry in book.sheets().into_iter().filter(|entry| entry.has_cells) {
        let is_part = |first: &SheetGrid| is_continuation(&entry.name, &first.name, parts + 1);
        let continues = last_is_full && grids.last().is_some_and(is_part);
        let mut reader = GridReader::new(limit);
        if continues || is_wanted(&entry.name) {
            let visited = visit_cells(&mut book, &entry.name, |at, value| reader.push(at, value));
            let read = visited.and_then(|()| reader.end_row());
            read.map_err(|reason| match reader.excess {
                Some(limit) => XlsxError::too_large(path, &entry.name, limit),
                None => XlsxError::in_sheet(path, &entry.name, reason),
            })?;
        }
        let is_full = reader.row.is_some_and(|row| row + 1 == max_rows);
        // The totals under a table of a run are no row of it.
        let first = |row: &GridRow| row.cells.first().is_some_and(|c| is_total_label(&c.text));
        reader.rows.pop_if(|row| first(row));
        let (name, is_hidden) = (entry.name.clone(), entry.is_hidden);
        let (rows, width, may_hide) = (reader.rows, reader.width, book.has_hidden);
        let grid = SheetGrid { name, is_hidden, may_hide, rows, width };
        let has_same_header = |first: &SheetGrid| {
            let header = |grid: &SheetGrid| grid.rows.first().map(|row| row.cells.clone());
            header(first) == header(&grid)
        };
        match grids.last_mut() {
            Some(first) if continues && has_same_header(first) => {
                first.rows.extend(grid.rows.into_iter().skip(1));
                first.width = first.width.max(grid.width);
                parts += 1;
            }
            _ => {
                grids.push(grid);
                parts = 1;
            }
        }
        last_is_full = is_full;
    }
    Ok(grids)
}

/// The rows of a sheet that were read so far.
struct GridReader {
    limit: TableLimit,
    /// The bytes of text in all cells.
    bytes: usize,
    /// The limit that was exceeded.
    excess: Option<TooLarge>,
    /// The current row of the sheet.
    row: Option<u32>,
    cells: Vec<GridCell>,
    rows: Vec<GridRow>,
    width: usize,
}

impl GridReader {
    fn new(limit: TableLimit) -> Self {
        let (row, cells, rows) = (None, Vec::new(), Vec::new());
        Self { limit, bytes: 0, excess: None, row, cells, rows, width: 0 }
    }

    fn push(&mut self, address: CellAddress, value: CellValue<'_>) -> Result<(), String> {
        if self.row != Some(address.row) {
            self.end_row()?;
            self.row = Some(address.row);
        }
        let column = address.column as usize;
        if column >= MAX_COLUMNS {
            return Err(format!("{address}: beyond column {MAX_COLUMNS}"));
        }
        let cell = match value {
            CellValue::Blank => return Ok(()),
            CellValue::Text(text) => GridCell::new(text.trim_end_matches(' ').to_owned()),
            CellValue::Displayed(text, CellDisplay::Percent, _) => {
                GridCell { displayed: as_percentage(&text), ..GridCell::new(text) }
            }
            CellValue::Displayed(text, CellDisplay::LeadingZeros, shown) => {
                GridCell { displayed: Some(shown), ..GridCell::new(text) }
            }
            CellValue::Displayed(text, CellDisplay::Thousands, _) => GridCell::new(text),
            CellValue::Rejected(shown, reason) => {
                GridCell { inexact: Some(reason), ..GridCell::new(shown) }
            }
        };
        self.bytes += cell.text.len();
        if let Err(limit) = self.limit.admit_text(self.bytes as u64) {
            return self.refuse(limit);
        }
        self.cells.resize(column, GridCell::default());
        self.cells.push(cell);
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), String> {
        let Some(position) = self.row.filter(|_| !self.cells.is_empty()) else { return Ok(()) };
        self.width = self.width.max(self.cells.len());
        self.rows.push(GridRow { position, cells: std::mem::take(&mut self.cells) });
        if self.rows.len().saturating_mul(self.width) > MAX_CELLS {
            return Err(format!("more than {MAX_CELLS} cells"));
        }
        // Rows of the header, and those above it, do not count.
        match self.rows.len() > self.limit.rows.saturating_add(HEADER_ROWS) {
            true => self.refuse(TooLarge::Rows(self.limit.rows)),
            false => Ok(()),
        }
    }

    fn refuse(&mut self, limit: TooLarge) -> Result<(), String> {
        self.excess = Some(limit);
        Err(limit.to_string())
    }
}

impl SheetGrid {
    /// Refuses a sheet with a cell that shows nothing and has a value.
    fn refuse_empty(self, path: &Path) -> Result<Self, XlsxError> {
        for row in &self.rows {
            for (column, cell) in (0..).zip(&row.cells) {
                if let Some(reason) = cell.inexact.filter(|_| cell.text.is_empty()) {
                    let address = CellAddress { row: row.position, column };
                    let reason = format!("{address}: {reason}");
                    return Err(XlsxError::in_sheet(path, &self.name, reason));
                }
            }
        }
        Ok(self)
    }

    fn into_sheet(self) -> TextSheet {
        let width = self.width;
        let mut used = vec![false; width];
        for row in &self.rows {
            for (used, cell) in used.iter_mut().zip(&row.cells) {
                *used |= !cell.text.is_empty();
            }
        }
        let used_cells = |row: GridRow| {
            let mut cells: Vec<String> = row.cells.into_iter().map(|cell| cell.text).collect();
            cells.resize(width, String::new());
            let cells = cells.into_iter().zip(&used);
            cells.filter(|(_, used)| **used).map(|(cell, _)| cell).collect::<Vec<_>>()
        };
        let mut rows = self.rows.into_iter().map(used_cells);
        let header = rows.next().unwrap_or_default();
        TextSheet { name: self.name, header, rows: rows.collect() }
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
