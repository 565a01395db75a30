//! The output tables of a run as a workbook: what it decided and is worth, the fields of the run,
//! then one sheet per table. Each sheet prints in landscape on as many pages as it is long.
//!
//! Cells have types: decimals are numbers with the decimals of their column, dates are dates, and
//! names are texts even if they look like numbers; no cell is a formula. Rows are written to disk
//! at once, so a table may exceed the memory. The same run always gives the same bytes.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use powerfill_events::run::RunId;
use powerfill_events::values::Day;
use powerfill_overview::Overview;
use powerfill_tables::csv;
use powerfill_tables::table::{Cell, CellType, RowBatch, TableRef, TableSpec};
use powerfill_tables::tables::run_history;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, IgnoreError, Workbook, Worksheet, XlsxError as WriterError,
};

use crate::column_formats::ColumnFormats;
use crate::error::XlsxError;
use crate::naming::{MAX_ROWS, readable, sheet_name};
use crate::run_summary::{moves_sheet, summary_sheet};
use crate::totals::Totals;

/// The sheet of the fields of the run, which precedes the tables.
pub const RUN_SHEET: &str = "run";

/// The smallest number with more than 15 digits. Excel keeps 15 digits, so this number and larger
/// ones are written as text.
pub(crate) const TOO_MANY_DIGITS: u64 = 1_000_000_000_000_000;

/// The level that Excel uses: a third faster than the default of 6, with files that are a twentieth
/// larger.
const COMPRESSION: u8 = 3;

/// The largest and the smallest width of a column, in characters.
const MAX_WIDTH: usize = 44;
const MIN_WIDTH: usize = 9;
/// The width of the filter button in a header cell.
const FILTER_BUTTON: usize = 3;

/// A workbook with the tables of one run, to which rows are added.
pub struct RunWorkbook {
    run: String,
    book: Workbook,
    formats: ColumnFormats,
    tables: Vec<TableSheets>,
    /// The run's row in the run history.
    history: Vec<Cell>,
    /// The first sheets, if the workbook is that of a whole run.
    overview: Vec<Worksheet>,
    max_rows: u32,
    /// The file, or a name for standard output; for messages.
    path: PathBuf,
}

/// The sheets of a table: more than one if the table has more rows than a sheet.
struct TableSheets {
    table: TableRef,
    full: Vec<Worksheet>,
    sheet: Worksheet,
    /// The next row of the sheet.
    row: u32,
    /// The needed width of each column, in characters.
    widths: Vec<usize>,
    totals: Totals,
}

impl RunWorkbook {
    /// An empty workbook for these tables, to be saved to `file`, or without one to be returned as
    /// bytes. Until then, rows are in unnamed temporary files: in the folder of `file`, or in that
    /// of the system.
    ///
    /// # Errors
    /// If the temporary files cannot be created.
    pub fn new(run: RunId, file: Option<&Path>, tables: &[TableRef]) -> Result<Self, XlsxError> {
        Self::with_max_rows(run, file, tables, MAX_ROWS)
    }

    fn with_max_rows(
        run: RunId,
        file: Option<&Path>,
        tables: &[TableRef],
        max_rows: u32,
    ) -> Result<Self, XlsxError> {
        let mut book = Workbook::new();
        book.set_zip_compression_level(COMPRESSION);
        let path = file.unwrap_or(Path::new("(standard output)"));
        let unwritable = |error: WriterError| XlsxError::unwritable(path, error);
        if let Some(file) = file {
            book.set_tempdir(folder_of(file)).map_err(unwritable)?;
        }
        let formats = ColumnFormats::new();
        let tables = tables
            .iter()
            .map(|table| {
                Ok(TableSheets {
                    table,
                    full: Vec::new(),
                    sheet: begin_sheet(&mut book, table, 1, &formats)?,
                    row: 1,
                    widths: header(table).map(|name| name.len() + FILTER_BUTTON).collect(),
                    totals: Totals::of(table),
                })
            })
            .collect::<Result<_, WriterError>>()
            .map_err(unwritable)?;
        let (run, path) = (run.to_string(), path.to_owned());
        let (history, overview) = (Vec::new(), Vec::new());
        Ok(Self { run, book, formats, tables, history, overview, max_rows, path })
    }

    /// Puts sheets for people first: the summary of the run, and its moves between pools.
    ///
    /// # Errors
    /// If a text is too long for a cell.
    pub fn add_overview(&mut self, overview: &Overview) -> Result<(), XlsxError> {
        let sheets = [summary_sheet(overview), moves_sheet(overview)];
        let sheets = sheets.into_iter().collect::<Result<_, _>>();
        self.overview = sheets.map_err(|error| XlsxError::unwritable(&self.path, error))?;
        Ok(())
    }

    /// Adds rows; ignores rows of tables that the workbook does not have.
    ///
    /// # Errors
    /// If the rows cannot be written, or a text is too long for a cell.
    pub fn add(&mut self, rows: &RowBatch) -> Result<(), XlsxError> {
        let path = self.path.clone();
        catch_writer_panic(&path, || self.add_rows(rows))
    }

    fn add_rows(&mut self, rows: &RowBatch) -> Result<(), WriterError> {
        if std::ptr::eq(rows.table, &run_history::TABLE)
            && let Some(row) = rows.rows().last()
        {
            self.history = row.to_vec();
        }
        let mut tables = self.tables.iter_mut();
        let Some(to) = tables.find(|sheets| std::ptr::eq(sheets.table, rows.table)) else {
            return Ok(());
        };
        for row in rows.rows() {
            if to.row == self.max_rows {
                let part = to.full.len() as u32 + 2;
                let next = begin_sheet(&mut self.book, to.table, part, &self.formats)?;
                let mut full = std::mem::replace(&mut to.sheet, next);
                end_sheet(&mut full, to.table, to.row, &to.widths)?;
                to.full.push(full);
                to.row = 1;
            }
            to.totals.add(row);
            to.sheet.write_string(to.row, 0, &self.run)?;
            for (at, cell) in row.iter().enumerate() {
                let width = write_cell(&mut to.sheet, to.row, at as u16 + 1, cell)?;
                to.widths[at + 1] = to.widths[at + 1].max(width);
            }
            to.row += 1;
        }
        Ok(())
    }

    /// Saves the workbook with the tables that `keep` selects: writes a temporary file and renames
    /// it, so that a former file is replaced as a whole.
    ///
    /// # Errors
    /// If it cannot be written; then a former file stays, and no temporary file is left.
    pub fn save(self, keep: impl Fn(&TableSpec) -> bool) -> Result<(), XlsxError> {
        let path = self.path.clone();
        let partial = folder_of(&path).join(format!(".partial-{}.xlsx", self.run));
        let saved = catch_writer_panic(&path, || {
            let mut file = File::create(&partial)?;
            self.finish(keep)?.save_to_writer(&mut file)?;
            file.flush()?;
            Ok(std::fs::rename(&partial, &path)?)
        });
        saved.inspect_err(|_| {
            // The file may not exist. If it stays, the next attempt for the run overwrites it.
            let _ = std::fs::remove_file(&partial);
        })
    }

    /// The bytes of the workbook with the tables that `keep` selects.
    ///
    /// # Errors
    /// If the temporary files cannot be read.
    pub fn into_bytes(self, keep: impl Fn(&TableSpec) -> bool) -> Result<Vec<u8>, XlsxError> {
        let path = self.path.clone();
        catch_writer_panic(&path, || {
            let mut bytes = Cursor::new(Vec::new());
            self.finish(keep)?.save_to_writer(&mut bytes)?;
            Ok(bytes.into_inner())
        })
    }

    fn finish(mut self, keep: impl Fn(&TableSpec) -> bool) -> Result<Workbook, WriterError> {
        let run = self.run_sheet()?;
        for sheet in std::mem::take(&mut self.overview) {
            self.book.push_worksheet(sheet);
        }
        self.book.push_worksheet(run);
        for mut sheets in self.tables.into_iter().filter(|sheets| keep(sheets.table)) {
            if sheets.row < self.max_rows {
                let TableSheets { sheet, row, widths, totals, .. } = &mut sheets;
                totals.write(sheet, *row, &self.formats, widths)?;
            }
            end_sheet(&mut sheets.sheet, sheets.table, sheets.row, &sheets.widths)?;
            sheets.full.into_iter().for_each(|full| self.book.push_worksheet(full));
            self.book.push_worksheet(sheets.sheet);
        }
        Ok(self.book)
    }

    /// The summary of the run: its row in the run history, one line per field, option, and row
    /// count.
    fn run_sheet(&mut self) -> Result<Worksheet, WriterError> {
        let mut lines = vec![("run_id".to_owned(), self.run.clone())];
        for (column, cell) in run_history::TABLE.columns.iter().zip(&self.history) {
            let text = cell_text(cell);
            match (column.cell_type, serde_json::from_str(&text)) {
                (CellType::Json, Ok(serde_json::Value::Object(fields))) => {
                    for (name, value) in fields {
                        let value = match value {
                            serde_json::Value::Null => String::new(),
                            serde_json::Value::String(text) => text,
                            other => other.to_string(),
                        };
                        lines.push((format!("{} {name}", column.name), value));
                    }
                }
                _ => lines.push((column.name.to_owned(), text)),
            }
            if let (Cell::Timestamp(at), "requested_at") = (cell, column.name) {
                let created = ExcelDateTime::from_timestamp(at.micros().div_euclid(1_000_000))?;
                let properties = DocProperties::new()
                    .set_title(format!("PowerFill run {}", self.run))
                    .set_creation_datetime(&created);
                self.book.set_properties(&properties);
            }
        }
        let mut sheet = Worksheet::new();
        sheet.set_name(RUN_SHEET)?.set_freeze_panes(1, 0)?;
        print_wide(&mut sheet);
        sheet.write_string_with_format(0, 0, "field", &self.formats.header)?;
        sheet.write_string_with_format(0, 1, "value", &self.formats.header)?;
        let mut widths = [MIN_WIDTH; 2];
        for (at, (name, value)) in lines.iter().enumerate() {
            let row = at as u32 + 1;
            sheet.write_string(row, 0, name)?;
            if !value.is_empty() {
                sheet.write_string_with_format(row, 1, value, &self.formats.text)?;
            }
            widths = [widths[0].max(name.len()), widths[1].max(value.chars().count())];
        }
        // Wide enough for a whole digest.
        sheet
            .set_column_width(0, widths[0] as f64)?
            .set_column_width(1, widths[1].min(70) as f64)?;
        sheet.ignore_error_range(1, 1, lines.len() as u32, 1, IgnoreError::NumberStoredAsText)?;
        Ok(sheet)
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Calls a function of the writer, which panics when a temporary file cannot be written. A panic
/// becomes an error.
fn catch_writer_panic<T>(
    path: &Path,
    write: impl FnOnce() -> Result<T, WriterError>,
) -> Result<T, XlsxError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(write))
        .map_err(|_| XlsxError::WriterPanicked { path: path.to_owned() })?
        .map_err(|error| XlsxError::unwritable(path, error))
}

/// The names of the columns, with blanks between words.
fn header(table: &TableSpec) -> impl Iterator<Item = String> {
    std::iter::once("run_id").chain(table.columns.iter().map(|column| column.name)).map(readable)
}

/// Prints in landscape, as wide as the page, on as many pages as the sheet is long.
pub(crate) fn print_wide(sheet: &mut Worksheet) {
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
}

fn begin_sheet(
    book: &mut Workbook,
    table: &TableSpec,
    part: u32,
    formats: &ColumnFormats,
) -> Result<Worksheet, WriterError> {
    let mut sheet = book.new_worksheet_with_constant_memory()?;
    sheet.set_name(sheet_name(table.name, part))?.set_freeze_panes(1, 0)?;
    sheet.set_repeat_rows(0, 0)?;
    print_wide(&mut sheet);
    for (column, name) in header(table).enumerate() {
        sheet.write_string_with_format(0, column as u16, &name, &formats.header)?;
    }
    // Formats of whole columns: looking up the format of each cell takes a fifth of the time.
    sheet.set_column_format(0, &formats.text)?;
    for (at, column) in table.columns.iter().enumerate() {
        sheet.set_column_format(at as u16 + 1, formats.of(column.cell_type))?;
    }
    Ok(sheet)
}

/// Adds the filter and the column widths, which depend on the rows.
fn end_sheet(
    sheet: &mut Worksheet,
    table: &TableSpec,
    rows: u32,
    widths: &[usize],
) -> Result<(), WriterError> {
    let last_column = table.columns.len() as u16;
    sheet.autofilter(0, 0, rows - 1, last_column)?;
    for (column, width) in widths.iter().enumerate() {
        let width = (*width).clamp(MIN_WIDTH, MAX_WIDTH) as f64;
        sheet.set_column_width(column as u16, width)?;
    }
    if rows > 1 {
        // Ids that look like numbers are text; Excel would mark each one as an error.
        let error = IgnoreError::NumberStoredAsText;
        sheet.ignore_error_range(1, 0, rows - 1, last_column, error)?;
    }
    Ok(())
}

/// Writes a value and returns its width in characters.
fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
) -> Result<usize, WriterError> {
    let is_short = match cell {
        Cell::Null => return Ok(0),
        Cell::Int(units) | Cell::Fixed(units, _) => units.unsigned_abs() < TOO_MANY_DIGITS,
        Cell::Decimal(number) => number.mantissa().unsigned_abs() < u128::from(TOO_MANY_DIGITS),
        Cell::Day(day) => {
            if let Some(date) = date(*day) {
                sheet.write_number(row, column, date.to_excel())?;
                return Ok(10);
            }
            false
        }
        Cell::Text(_) | Cell::Name(_) | Cell::Timestamp(_) => false,
    };
    let text = cell_text(cell);
    let width = text.chars().count();
    let number = if is_short { text.parse::<f64>().ok() } else { None };
    if let Some(number) = number {
        sheet.write_number(row, column, number)?;
    } else if width > 0 {
        sheet.write_string(row, column, text)?;
    }
    Ok(width)
}

/// The day as an Excel date. None before March 1900, because Excel counts a day that did not exist:
/// such a day is written as text.
fn date(day: Day) -> Option<ExcelDateTime> {
    let text = day.to_string();
    let first = "1900-03-01";
    let is_excel_day = text.len() == first.len() && text.as_str() >= first;
    is_excel_day.then(|| ExcelDateTime::parse_from_str(&text).ok()).flatten()
}

fn cell_text(cell: &Cell) -> String {
    let mut text = Vec::new();
    csv::write_text(cell, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use powerfill_tables::table::Column;

    use super::*;
    use crate::texts::read_sheets;

    static TABLE: TableSpec =
        TableSpec::bare("pfill_a_table_of_a_name_that_is_cut", &[Column::int("seq")]);

    /// Writes as if a sheet had room for four rows: a header and three more.
    #[test]
    fn a_table_longer_than_a_sheet_continues_in_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.xlsx");
        let run = "00000000-0000-7000-8000-000000000001".parse().unwrap();
        for (rows, sheets) in [(0_i64, 1), (3, 1), (4, 2), (6, 2), (7, 3)] {
            let mut book = RunWorkbook::with_max_rows(run, Some(&file), &[&TABLE], 4).unwrap();
            for seq in 0..rows {
                let mut batch = RowBatch::new(&TABLE);
                batch.push([seq.into()]);
                book.add(&batch).unwrap();
            }
            book.save(|_| true).unwrap();
            let parts = read_sheets(&file, MAX_ROWS).unwrap();
            assert_eq!(parts.len(), 1 + sheets, "{rows}");
            assert_eq!(parts[1].name, "pfill_a_table_of_a_name_that_is");
            if sheets > 1 {
                assert_eq!(parts[2].name, "pfill_a_table_of_a_name_tha (2)");
                assert_eq!(parts[2].header, ["Run ID", "Seq"]);
            }
            let joined = read_sheets(&file, 4).unwrap();
            assert_eq!(joined.len(), 2, "{rows}");
            let read: Vec<i64> = joined[1].rows.iter().map(|row| row[1].parse().unwrap()).collect();
            assert_eq!(read, (0..rows).collect::<Vec<_>>());
        }
    }
}
