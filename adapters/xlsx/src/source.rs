//! A workbook as the raw tables of a snapshot.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use powerfill_snapshot::{FaultCode, RawSnapshot, RawTable, SourceFault, TooLarge, table_names};

use crate::cells::Value;
use crate::error::XlsxError;
use crate::naming::{MOST_ROWS, goes_on, input_table};
use crate::package::{Listed, Workbook, contained};
use crate::walk::{MOST_CELLS, MOST_COLUMNS, Place, merged, walk};

const MERGED: &str = "the cell is merged into another one; unmerge them and give each its value";

/// Reads the sheets that have the name of a table of 1.2, in any case, the header in their first row. Other sheets and
/// hidden ones are left alone and listed as ignored.
///
/// # Errors
/// Only where the workbook as a whole cannot be read; a sheet that cannot be is a fault of its table.
pub fn read(path: &Path) -> Result<RawSnapshot, XlsxError> {
    contained(path, || read_book(path))?
}

fn read_book(path: &Path) -> Result<RawSnapshot, XlsxError> {
    let mut book = Workbook::open(path)?;
    let sheets = book.sheets();
    let mut snapshot = RawSnapshot::default();
    let mut found: Vec<(&'static str, &Listed)> = Vec::new();
    for sheet in &sheets {
        match input_table(&sheet.name) {
            Some(_) if sheet.is_hidden => {
                snapshot.ignored.push(format!("the hidden sheet {}", sheet.name));
            }
            Some(table) if sheet.has_cells => found.push((table, sheet)),
            _ => snapshot.ignored.push(format!("the sheet {}", sheet.name)),
        }
    }
    for table in table_names() {
        let mut of_table = found.iter().filter(|(name, _)| *name == table);
        let Some((_, sheet)) = of_table.next() else { continue };
        let unfit = match of_table.next() {
            Some((_, twin)) => {
                let reason =
                    format!("{} and {} are there; one of them is expected", sheet.name, twin.name);
                Err(Unfit { code: FaultCode::Unreadable, reason })
            }
            None => read_table(&mut book, &sheet.name, &sheets),
        };
        match unfit {
            Ok(table) => snapshot.tables.push(table),
            Err(Unfit { code, reason }) => {
                snapshot.faults.push(SourceFault { table: table.to_owned(), code, reason });
            }
        }
    }
    Ok(snapshot)
}

/// Why a sheet is no table.
struct Unfit {
    code: FaultCode,
    reason: String,
}

impl Unfit {
    fn missing_header(reason: String) -> Self {
        Self { code: FaultCode::MissingHeader, reason }
    }
}

impl From<TooLarge> for Unfit {
    fn from(error: TooLarge) -> Self {
        error.to_string().into()
    }
}

impl From<String> for Unfit {
    fn from(reason: String) -> Self {
        Self { code: FaultCode::Unreadable, reason }
    }
}

fn read_table(book: &mut Workbook, sheet: &str, sheets: &[Listed]) -> Result<RawTable, Unfit> {
    let merged = merged(book, sheet)?;
    // A column without a header is left out where it is empty. Where it has a value, which comes out further below, the
    // sheet is read once more with it, and the validation refuses it.
    let mut nameless = BTreeSet::new();
    loop {
        let mut reading = Reading::new(sheet, &merged, &nameless);
        walk(book, sheet, |place, value| reading.take(place, value))?;
        let more = std::mem::take(&mut reading.stray);
        if more.is_empty() {
            let full = reading.row == Some(MOST_ROWS - 1);
            let table = reading.finish()?;
            if full && sheets.iter().any(|other| goes_on(&other.name, sheet, 2)) {
                let reason = format!(
                    "{sheet} is full and goes on in another sheet; give so large a book as a folder of CSV files (dir:)"
                );
                return Err(reason.into());
            }
            return Ok(table);
        }
        nameless.extend(more);
    }
}

/// A table as its cells come in.
struct Reading<'a> {
    sheet: &'a str,
    merged: &'a HashSet<Place>,
    /// Columns without a header that have a value.
    nameless: &'a BTreeSet<u32>,
    header: Vec<(String, u32)>,
    table: Option<RawTable>,
    /// Where the columns of the table are in the sheet.
    columns: Vec<u32>,
    /// The present row of the sheet, and how many of its cells are in the table.
    row: Option<u32>,
    filled: usize,
    /// More columns without a header that have a value.
    stray: BTreeSet<u32>,
}

impl<'a> Reading<'a> {
    fn new(sheet: &'a str, merged: &'a HashSet<Place>, nameless: &'a BTreeSet<u32>) -> Self {
        Self {
            sheet,
            merged,
            nameless,
            header: Vec::new(),
            table: None,
            columns: Vec::new(),
            row: None,
            filled: 0,
            stray: BTreeSet::new(),
        }
    }

    fn take(&mut self, place: Place, value: Value<'_>) -> Result<(), Unfit> {
        if place.row == 0 {
            let name = match value {
                Value::Text(name) => name.into_owned(),
                Value::Unfit(shown, _) => shown,
                Value::Blank => return Ok(()),
            };
            self.header.push((name, place.column));
            return Ok(());
        }
        if self.row != Some(place.row) {
            self.begin_row(place)?;
        }
        let Ok(at) = self.columns.binary_search(&place.column) else {
            self.stray.insert(place.column);
            return Ok(());
        };
        self.blanks_to(at)?;
        let Some(table) = &mut self.table else { return Ok(()) };
        self.filled = at + 1;
        match value {
            Value::Text(text) => table.push_cell(&text)?,
            Value::Unfit(shown, reason) => table.push_unfit(&shown, reason)?,
            Value::Blank => table.push_cell("")?,
        }
        Ok(())
    }

    fn begin_row(&mut self, place: Place) -> Result<(), Unfit> {
        if self.table.is_none() {
            self.begin_table(place)?;
        }
        self.end_row()?;
        self.row = Some(place.row);
        if let Some(table) = &mut self.table {
            if (table.rows() + 1).saturating_mul(self.columns.len()) > MOST_CELLS {
                return Err(format!("{}!{place}: more than {MOST_CELLS} cells", self.sheet).into());
            }
            table.begin_row(place.row);
        }
        Ok(())
    }

    /// Takes the header as complete.
    fn begin_table(&mut self, first: Place) -> Result<(), Unfit> {
        if self.header.is_empty() {
            let sheet = self.sheet;
            return Err(Unfit::missing_header(format!(
                "the header is expected in the first row, which is empty; the first value is in {sheet}!{first}"
            )));
        }
        let mut header = std::mem::take(&mut self.header);
        header.extend(self.nameless.iter().map(|column| (String::new(), *column)));
        header.sort_by_key(|(_, column)| *column);
        if header.len() > MOST_COLUMNS {
            return Err(format!("the header has more than {MOST_COLUMNS} columns").into());
        }
        self.columns = header.iter().map(|(_, column)| *column).collect();
        self.table = Some(RawTable::of_sheet(self.sheet, header));
        Ok(())
    }

    /// Fills the row with empty cells, up to a column of the table.
    fn blanks_to(&mut self, at: usize) -> Result<(), Unfit> {
        let (Some(table), Some(row)) = (&mut self.table, self.row) else { return Ok(()) };
        for column in &self.columns[self.filled..at] {
            let covered =
                !self.merged.is_empty() && self.merged.contains(&Place { row, column: *column });
            match covered {
                true => table.push_unfit("", MERGED)?,
                false => table.push_cell("")?,
            }
        }
        self.filled = at;
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Unfit> {
        if self.row.is_none() {
            return Ok(());
        }
        self.blanks_to(self.columns.len())?;
        self.filled = 0;
        if let Some(table) = &mut self.table {
            table.end_row()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<RawTable, Unfit> {
        if self.table.is_none() && !self.header.is_empty() {
            self.begin_table(Place { row: 1, column: 0 })?;
        }
        self.end_row()?;
        self.table.ok_or_else(|| {
            Unfit::missing_header(
                "the sheet is empty: a header is expected in its first row".into(),
            )
        })
    }
}
