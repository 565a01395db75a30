//! The tables of a run as a workbook: first what the run was, then a sheet a table. Cells have types: decimals are
//! numbers with the decimals of their column, dates are dates, names are texts whatever they look like; nothing is a
//! formula. Rows go to disk as they come, so that a table may be larger than memory, and the same run gives the same
//! bytes.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use powerfill_events::run::RunId;
use powerfill_events::values::Day;
use powerfill_tables::csv;
use powerfill_tables::table::{Cell, CellType, RowBatch, TableSpec};
use powerfill_tables::tables::run_history;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, IgnoreError, Workbook, Worksheet, XlsxError as Unwritten,
};

use crate::error::XlsxError;
use crate::naming::{MOST_ROWS, sheet_name};

/// The sheet in front of the tables.
pub const RUN_SHEET: &str = "run";

/// Numbers of up to 15 digits are read back from a workbook as they were written; longer ones are written as text.
const BEYOND_15_DIGITS: u64 = 1_000_000_000_000_000;

/// As Excel has it: a third faster than the usual 6, for a file that is a twentieth larger.
const COMPRESSION: u8 = 3;

/// The widest that a column is made, and the narrowest, in characters.
const WIDEST: usize = 44;
const NARROWEST: usize = 9;
/// What the button of the filter takes beside the name of a column.
const BUTTON: usize = 3;

/// A workbook that takes the tables of one run.
pub struct RunBook {
    run: String,
    book: Workbook,
    formats: Formats,
    tables: Vec<TableSheets>,
    /// The run's row of the history.
    history: Vec<Cell>,
    most_rows: u32,
    /// Where the workbook goes, for errors.
    place: PathBuf,
}

/// The sheets of a table: more than one where it has more rows than a sheet.
struct TableSheets {
    table: &'static TableSpec,
    full: Vec<Worksheet>,
    sheet: Worksheet,
    /// The next row of the sheet.
    row: u32,
    /// What each column needs, in characters.
    widths: Vec<usize>,
}

impl RunBook {
    /// An empty workbook of the given tables, which will go to `place`. Rows wait in unnamed files in the folder of the
    /// place, or, where there is no place, in that of the system for such files.
    ///
    /// # Errors
    /// Where these files cannot be made.
    pub fn new(
        run: RunId,
        place: Option<&Path>,
        of: &[&'static TableSpec],
    ) -> Result<Self, XlsxError> {
        Self::with_rows(run, place, of, MOST_ROWS)
    }

    fn with_rows(
        run: RunId,
        place: Option<&Path>,
        of: &[&'static TableSpec],
        most_rows: u32,
    ) -> Result<Self, XlsxError> {
        let mut book = Workbook::new();
        book.set_zip_compression_level(COMPRESSION);
        let shown = place.unwrap_or(Path::new("(standard output)"));
        let unwritable = |error: Unwritten| XlsxError::unwritable(shown, &error);
        if let Some(place) = place {
            book.set_tempdir(folder_of(place)).map_err(unwritable)?;
        }
        let formats = Formats::new();
        let tables = of
            .iter()
            .map(|table| {
                Ok(TableSheets {
                    table,
                    full: Vec::new(),
                    sheet: begin(&mut book, table, 1, &formats)?,
                    row: 1,
                    widths: header(table).map(|name| name.len() + BUTTON).collect(),
                })
            })
            .collect::<Result<_, Unwritten>>()
            .map_err(unwritable)?;
        let (run, place) = (run.to_string(), shown.to_owned());
        Ok(Self { run, book, formats, tables, history: Vec::new(), most_rows, place })
    }

    /// Takes the next rows; those of tables that the workbook is not of are left out.
    ///
    /// # Errors
    /// Where they cannot be written, or a text is longer than a cell may be.
    pub fn take(&mut self, rows: &RowBatch) -> Result<(), XlsxError> {
        let place = self.place.clone();
        contained(&place, || self.take_rows(rows))
    }

    fn take_rows(&mut self, rows: &RowBatch) -> Result<(), Unwritten> {
        if std::ptr::eq(rows.table, &run_history::TABLE)
            && let Some(row) = rows.rows().last()
        {
            self.history = row.to_vec();
        }
        let Some(to) = self.tables.iter_mut().find(|to| std::ptr::eq(to.table, rows.table)) else {
            return Ok(());
        };
        for row in rows.rows() {
            if to.row == self.most_rows {
                let part = to.full.len() as u32 + 2;
                let next = begin(&mut self.book, to.table, part, &self.formats)?;
                let mut full = std::mem::replace(&mut to.sheet, next);
                end(&mut full, to.table, to.row, &to.widths)?;
                to.full.push(full);
                to.row = 1;
            }
            to.sheet.write_string(to.row, 0, &self.run)?;
            for (at, cell) in row.iter().enumerate() {
                let width = write_cell(&mut to.sheet, to.row, at as u16 + 1, cell)?;
                to.widths[at + 1] = to.widths[at + 1].max(width);
            }
            to.row += 1;
        }
        Ok(())
    }

    /// Writes the workbook to its place, aside first and then whole, in place of a former one. Tables that `keep` does
    /// not name are left out.
    ///
    /// # Errors
    /// Where it cannot be written; what was at the place stays then, and nothing is left aside.
    pub fn save(self, keep: impl Fn(&TableSpec) -> bool) -> Result<(), XlsxError> {
        let place = self.place.clone();
        let aside = folder_of(&place).join(format!(".partial-{}.xlsx", self.run));
        let saved = contained(&place, || {
            let mut file = File::create(&aside)?;
            self.finish(keep)?.save_to_writer(&mut file)?;
            file.flush()?;
            Ok(std::fs::rename(&aside, &place)?)
        });
        saved.inspect_err(|_| {
            // There may be nothing; a leftover would be overwritten by the next attempt for the same run.
            let _ = std::fs::remove_file(&aside);
        })
    }

    /// The bytes of the workbook.
    ///
    /// # Errors
    /// Where rows that wait on disk cannot be read back.
    pub fn into_bytes(self, keep: impl Fn(&TableSpec) -> bool) -> Result<Vec<u8>, XlsxError> {
        let place = self.place.clone();
        contained(&place, || {
            let mut bytes = Cursor::new(Vec::new());
            self.finish(keep)?.save_to_writer(&mut bytes)?;
            Ok(bytes.into_inner())
        })
    }

    fn finish(mut self, keep: impl Fn(&TableSpec) -> bool) -> Result<Workbook, Unwritten> {
        let run = self.run_sheet()?;
        self.book.push_worksheet(run);
        for mut sheets in self.tables.into_iter().filter(|sheets| keep(sheets.table)) {
            end(&mut sheets.sheet, sheets.table, sheets.row, &sheets.widths)?;
            sheets.full.into_iter().for_each(|full| self.book.push_worksheet(full));
            self.book.push_worksheet(sheets.sheet);
        }
        Ok(self.book)
    }

    /// What the run was: the row of the history, a line a field, options and counts of rows a line each.
    fn run_sheet(&mut self) -> Result<Worksheet, Unwritten> {
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
        sheet.write_string_with_format(0, 0, "field", &self.formats.header)?;
        sheet.write_string_with_format(0, 1, "value", &self.formats.header)?;
        let mut widths = [NARROWEST; 2];
        for (at, (name, value)) in lines.iter().enumerate() {
            let row = at as u32 + 1;
            sheet.write_string(row, 0, name)?;
            if !value.is_empty() {
                sheet.write_string_with_format(row, 1, value, &self.formats.text)?;
            }
            widths = [widths[0].max(name.len()), widths[1].max(value.chars().count())];
        }
        // A digest is to be seen whole.
        sheet
            .set_column_width(0, widths[0] as f64)?
            .set_column_width(1, widths[1].min(70) as f64)?;
        sheet.ignore_error_range(1, 1, lines.len() as u32, 1, IgnoreError::NumberStoredAsText)?;
        Ok(sheet)
    }
}

fn folder_of(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Rows that wait on disk are written with a panic where the disk is full.
fn contained<T>(
    place: &Path,
    write: impl FnOnce() -> Result<T, Unwritten>,
) -> Result<T, XlsxError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(write))
        .map_err(|_| XlsxError::unwritable(place, &"the disk may be full"))?
        .map_err(|error| XlsxError::unwritable(place, &error))
}

/// The names of the columns, as in the files of CSV.
fn header(table: &TableSpec) -> impl Iterator<Item = &'static str> {
    std::iter::once("run_id").chain(table.columns.iter().map(|column| column.name))
}

fn begin(
    book: &mut Workbook,
    table: &TableSpec,
    part: u32,
    formats: &Formats,
) -> Result<Worksheet, Unwritten> {
    let mut sheet = book.new_worksheet_with_constant_memory()?;
    sheet.set_name(sheet_name(table.name, part))?.set_freeze_panes(1, 0)?;
    for (column, name) in header(table).enumerate() {
        sheet.write_string_with_format(0, column as u16, name, &formats.header)?;
    }
    // Formats of columns, since looking up that of each cell would take a fifth of the time.
    sheet.set_column_format(0, &formats.text)?;
    for (at, column) in table.columns.iter().enumerate() {
        sheet.set_column_format(at as u16 + 1, formats.of(column.cell_type))?;
    }
    Ok(sheet)
}

/// What can be said of a sheet only when its rows are there.
fn end(
    sheet: &mut Worksheet,
    table: &TableSpec,
    rows: u32,
    widths: &[usize],
) -> Result<(), Unwritten> {
    let last_column = table.columns.len() as u16;
    sheet.autofilter(0, 0, rows - 1, last_column)?;
    for (column, width) in widths.iter().enumerate() {
        let width = (*width).clamp(NARROWEST, WIDEST) as f64;
        sheet.set_column_width(column as u16, width)?;
    }
    if rows > 1 {
        // An id of digits is meant to be text; Excel would mark each one with a green corner.
        let error = IgnoreError::NumberStoredAsText;
        sheet.ignore_error_range(1, 0, rows - 1, last_column, error)?;
    }
    Ok(())
}

/// Writes a value; gives the characters that it takes.
fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
) -> Result<usize, Unwritten> {
    let is_short = match cell {
        Cell::Null => return Ok(0),
        Cell::Int(units) | Cell::Fixed(units, _) => units.unsigned_abs() < BEYOND_15_DIGITS,
        Cell::Decimal(number) => number.mantissa().unsigned_abs() < u128::from(BEYOND_15_DIGITS),
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

/// The day as Excel has it. Before March 1900 Excel counts a day that there was not; such a day is written as text.
fn date(day: Day) -> Option<ExcelDateTime> {
    let text = day.to_string();
    let first = "1900-03-01";
    let excels = text.len() == first.len() && text.as_str() >= first;
    excels.then(|| ExcelDateTime::parse_from_str(&text).ok()).flatten()
}

fn cell_text(cell: &Cell) -> String {
    let mut text = Vec::new();
    csv::write_text(cell, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// How values are shown.
struct Formats {
    header: Format,
    text: Format,
    int: Format,
    day: Format,
    /// By the number of decimals.
    decimals: Vec<Format>,
}

impl Formats {
    /// The most decimals of a column of an output table: those of a price.
    const MOST_DECIMALS: usize = 8;

    fn new() -> Self {
        let format = |code: &str| Format::new().set_num_format(code);
        let decimals = (0..=Self::MOST_DECIMALS).map(|scale| match scale {
            0 => format("0"),
            2 => format("#,##0.00"),
            scale => format(&format!("0.{}", "0".repeat(scale))),
        });
        Self {
            header: Format::new().set_bold(),
            text: format("@"),
            int: format("0"),
            day: format("yyyy-mm-dd"),
            decimals: decimals.collect(),
        }
    }

    fn of(&self, cell_type: CellType) -> &Format {
        match cell_type {
            CellType::Int => &self.int,
            CellType::Day => &self.day,
            CellType::Decimal(scale) => &self.decimals[usize::from(scale).min(Self::MOST_DECIMALS)],
            CellType::Text | CellType::Timestamp | CellType::Json => &self.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use powerfill_tables::table::Column;

    use super::*;
    use crate::texts::read_sheets;

    static TABLE: TableSpec =
        TableSpec::bare("pfill_a_table_of_a_name_that_is_cut", &[Column::int("seq")]);

    /// As if a sheet had room for four rows: a header and three more.
    #[test]
    fn a_table_that_is_longer_than_a_sheet_goes_on_in_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("run.xlsx");
        let run = "00000000-0000-7000-8000-000000000001".parse().unwrap();
        for (rows, sheets) in [(0_i64, 1), (3, 1), (4, 2), (6, 2), (7, 3)] {
            let mut book = RunBook::with_rows(run, Some(&place), &[&TABLE], 4).unwrap();
            for seq in 0..rows {
                let mut batch = RowBatch::new(&TABLE);
                batch.push([seq.into()]);
                book.take(&batch).unwrap();
            }
            book.save(|_| true).unwrap();
            let apart = read_sheets(&place, MOST_ROWS).unwrap();
            assert_eq!(apart.len(), 1 + sheets, "{rows}");
            assert_eq!(apart[1].name, "pfill_a_table_of_a_name_that_is");
            if sheets > 1 {
                assert_eq!(apart[2].name, "pfill_a_table_of_a_name_tha (2)");
                assert_eq!(apart[2].header, ["run_id", "seq"]);
            }
            let joined = read_sheets(&place, 4).unwrap();
            assert_eq!(joined.len(), 2, "{rows}");
            let read: Vec<i64> = joined[1].rows.iter().map(|row| row[1].parse().unwrap()).collect();
            assert_eq!(read, (0..rows).collect::<Vec<_>>());
        }
    }
}
