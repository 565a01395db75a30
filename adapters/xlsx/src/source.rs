//! Reads the raw tables of a snapshot from a workbook.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use powerfill_snapshot::{
    FaultCode, IgnoredPart, RawSnapshot, RawTable, SourceFault, TableLimit, TooLarge, table_named,
    table_names,
};

use crate::cells::CellValue;
use crate::error::XlsxError;
use crate::hidden::HiddenParts;
use crate::naming::{MAX_ROWS, is_continuation};
use crate::package::{SheetEntry, Workbook, catch_panic};
use crate::walk::{CellAddress, MAX_CELLS, MAX_COLUMNS, covered_cells, visit_cells};

const MERGED: &str = "the cell is merged into another one; unmerge them and give each its value";

/// Reads the sheets that have the name of a table of 1.2, in upper or lower case, with the header
/// in the first row. Lists other sheets as ignored. A hidden sheet with the name of a table is a
/// fault: its readers do not see what it says.
///
/// # Errors
/// Only if the workbook as a whole cannot be read; a sheet that cannot be read becomes a fault of
/// the snapshot.
pub fn read(path: &Path) -> Result<RawSnapshot, XlsxError> {
    read_limited(path, TableLimit::default())
}

/// As [`read`], with tables of at most this size. A larger one is a fault, and is read no further.
///
/// # Errors
/// As of [`read`].
pub fn read_limited(path: &Path, limit: TableLimit) -> Result<RawSnapshot, XlsxError> {
    catch_panic(path, || read_workbook(path, limit))?
}

fn read_workbook(path: &Path, limit: TableLimit) -> Result<RawSnapshot, XlsxError> {
    let mut book = Workbook::open(path)?;
    let sheets = book.sheets();
    let mut snapshot = RawSnapshot::default();
    let mut table_sheets: Vec<(&'static str, &SheetEntry)> = Vec::new();
    for sheet in &sheets {
        match table_named(&sheet.name) {
            Some(table) if sheet.is_hidden && sheet.has_cells => {
                let name = &sheet.name;
                let reason = format!(
                    "the sheet {name} is hidden; unhide it if it belongs to the book, else rename \
                     it or delete it"
                );
                let (table, code) = (table.to_owned(), FaultCode::HiddenData);
                snapshot.faults.push(SourceFault { table, code, reason });
            }
            Some(table) if sheet.has_cells => table_sheets.push((table, sheet)),
            _ => snapshot.ignored.push(IgnoredPart::Sheet(sheet.name.clone())),
        }
    }
    for table in table_names() {
        let mut own = table_sheets.iter().filter(|(name, _)| *name == table);
        let Some((_, sheet)) = own.next() else { continue };
        let read = match own.next() {
            Some((_, second)) => {
                let (first, second) = (&sheet.name, &second.name);
                Err(format!("{first} and {second} have the same name; one sheet is expected")
                    .into())
            }
            None => read_table(&mut book, path, &sheet.name, &sheets, limit),
        };
        match read {
            Ok(table) => snapshot.tables.push(table),
            Err(SheetFault { code, reason }) => {
                snapshot.faults.push(SourceFault { table: table.to_owned(), code, reason });
            }
        }
    }
    Ok(snapshot)
}

/// Why a sheet cannot be read as a table.
struct SheetFault {
    code: FaultCode,
    reason: String,
}

impl SheetFault {
    fn missing_header(reason: String) -> Self {
        Self { code: FaultCode::MissingHeader, reason }
    }
}

impl From<TooLarge> for SheetFault {
    fn from(error: TooLarge) -> Self {
        error.to_string().into()
    }
}

impl From<String> for SheetFault {
    fn from(reason: String) -> Self {
        Self { code: FaultCode::Unreadable, reason }
    }
}

fn read_table(
    book: &mut Workbook,
    path: &Path,
    sheet: &str,
    sheets: &[SheetEntry],
    limit: TableLimit,
) -> Result<RawTable, SheetFault> {
    let covered = covered_cells(book, sheet)?;
    let hidden = match book.has_hidden {
        true => HiddenParts::read(path, sheet),
        false => HiddenParts::default(),
    };
    // A column without a header and without values is skipped. If a value is found further down,
    // the sheet is read again with the column, and the validation rejects it.
    let mut nameless = BTreeSet::new();
    loop {
        let mut reader = TableReader::new(sheet, &covered, &hidden, &nameless);
        reader.limit = limit;
        visit_cells(book, sheet, |address, value| reader.read_cell(address, value))?;
        let more = std::mem::take(&mut reader.new_nameless);
        if more.is_empty() {
            let is_full = reader.row == Some(MAX_ROWS - 1);
            let table = reader.finish()?;
            if is_full && sheets.iter().any(|other| is_continuation(&other.name, sheet, 2)) {
                let reason = format!(
                    "{sheet} is full and continues in another sheet; provide a book of this \
                     size as a folder of CSV files (dir:)"
                );
                return Err(reason.into());
            }
            return Ok(table);
        }
        nameless.extend(more);
    }
}

/// Builds a table from the cells of a sheet.
struct TableReader<'a> {
    sheet: &'a str,
    covered: &'a HashSet<CellAddress>,
    hidden: &'a HiddenParts,
    /// Columns without a header that are known to have values.
    nameless: &'a BTreeSet<u32>,
    limit: TableLimit,
    header: Vec<(String, u32)>,
    table: Option<RawTable>,
    /// The columns of the sheet that the table has, in order.
    columns: Vec<u32>,
    /// The current row of the sheet.
    row: Option<u32>,
    /// How many cells of the current row the table has.
    filled: usize,
    /// Further columns without a header that turned out to have values.
    new_nameless: BTreeSet<u32>,
}

impl<'a> TableReader<'a> {
    fn new(
        sheet: &'a str,
        covered: &'a HashSet<CellAddress>,
        hidden: &'a HiddenParts,
        nameless: &'a BTreeSet<u32>,
    ) -> Self {
        Self {
            sheet,
            covered,
            hidden,
            nameless,
            limit: TableLimit::default(),
            header: Vec::new(),
            table: None,
            columns: Vec::new(),
            row: None,
            filled: 0,
            new_nameless: BTreeSet::new(),
        }
    }

    fn read_cell(&mut self, address: CellAddress, value: CellValue<'_>) -> Result<(), SheetFault> {
        if address.row == 0 {
            let name = match value {
                CellValue::Text(name) => name.into_owned(),
                CellValue::Rejected(text, _) | CellValue::Displayed(text, ..) => text,
                CellValue::Blank => return Ok(()),
            };
            self.header.push((name, address.column));
            return Ok(());
        }
        if self.row != Some(address.row) {
            self.begin_row(address)?;
        }
        let Ok(at) = self.columns.binary_search(&address.column) else {
            self.new_nameless.insert(address.column);
            return Ok(());
        };
        self.fill_blanks(at)?;
        let Some(table) = &mut self.table else { return Ok(()) };
        self.filled = at + 1;
        match value {
            CellValue::Text(text) => table.push_cell(&text)?,
            CellValue::Rejected(shown, reason) => table.push_unfit(&shown, reason)?,
            CellValue::Displayed(text, display, shown) => {
                table.push_shown(&text, display, shown)?;
            }
            CellValue::Blank => table.push_cell("")?,
        }
        Ok(())
    }

    fn begin_row(&mut self, address: CellAddress) -> Result<(), SheetFault> {
        if self.table.is_none() {
            self.begin_table(address)?;
        }
        self.end_row()?;
        self.row = Some(address.row);
        if let Some(table) = &mut self.table {
            if (table.rows() + 1).saturating_mul(self.columns.len()) > MAX_CELLS {
                let reason = format!("{}!{address}: more than {MAX_CELLS} cells", self.sheet);
                return Err(reason.into());
            }
            table.begin_row(address.row);
            if self.hidden.rows.contains(&address.row) {
                table.mark_hidden_row();
            }
        }
        Ok(())
    }

    /// Creates the table from the header, which is complete.
    fn begin_table(&mut self, first: CellAddress) -> Result<(), SheetFault> {
        if self.header.is_empty() {
            let sheet = self.sheet;
            return Err(SheetFault::missing_header(format!(
                "the header is expected in the first row, which is empty; the first value is in \
                 {sheet}!{first}"
            )));
        }
        let mut header = std::mem::take(&mut self.header);
        header.extend(self.nameless.iter().map(|column| (String::new(), *column)));
        header.sort_by_key(|(_, column)| *column);
        if header.len() > MAX_COLUMNS {
            return Err(format!("the header has more than {MAX_COLUMNS} columns").into());
        }
        self.columns = header.iter().map(|(_, column)| *column).collect();
        let mut table = RawTable::of_sheet(self.sheet, header).within(self.limit);
        for (at, column) in self.columns.iter().enumerate() {
            if self.hidden.has_column(*column) {
                table.mark_hidden_column(at);
            }
        }
        self.table = Some(table);
        Ok(())
    }

    /// Adds empty cells to the row, up to a column of the table.
    fn fill_blanks(&mut self, at: usize) -> Result<(), SheetFault> {
        let (Some(table), Some(row)) = (&mut self.table, self.row) else { return Ok(()) };
        for column in &self.columns[self.filled..at] {
            let address = CellAddress { row, column: *column };
            match !self.covered.is_empty() && self.covered.contains(&address) {
                true => table.push_unfit("", MERGED)?,
                false => table.push_cell("")?,
            }
        }
        self.filled = at;
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), SheetFault> {
        if self.row.is_none() {
            return Ok(());
        }
        self.fill_blanks(self.columns.len())?;
        self.filled = 0;
        if let Some(table) = &mut self.table {
            table.end_row()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<RawTable, SheetFault> {
        if self.table.is_none() && !self.header.is_empty() {
            self.begin_table(CellAddress { row: 1, column: 0 })?;
        }
        self.end_row()?;
        self.table.ok_or_else(|| {
            SheetFault::missing_header(
                "the sheet is empty: a header is expected in its first row".into(),
            )
        })
    }
}
