//! Finds the header and the data of a file or a sheet, row by row.

use powerfill_events::input::{RawTable, TooLarge};
use powerfill_events::values::fold;

use crate::formats::trim;
use crate::mapping::{FileForm, HeaderPlace};

/// Why the rows of a file or a sheet are no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// No row is a header.
    #[error("a header is expected; every row is blank")]
    Missing,
    /// A row has more cells than the header.
    #[error(
        "row {row} has {found} fields, the header has {expected}; if the header is in another row, the mapping can say so: header = 3"
    )]
    TooManyFields {
        /// The row, from 1; in a file of text, the line.
        row: u32,
        /// The number of fields in the row.
        found: usize,
        /// The number of columns.
        expected: usize,
    },
    /// The table cannot be addressed.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// A table whose header and rows come one after the other.
#[derive(Debug)]
pub struct HeadedTable {
    form: FileForm,
    /// The rows of the header that came so far.
    header: Vec<Vec<String>>,
    table: Option<RawTable>,
    /// The file of text; the sheet if `None`.
    file: Option<String>,
    name: String,
    totals: u64,
    beside: u64,
}

impl HeadedTable {
    /// A table of a file of text.
    pub fn of_file(name: &str, file: &str, form: FileForm) -> Self {
        Self::new(name, Some(file.to_owned()), form)
    }

    /// A table of a sheet.
    pub fn of_sheet(name: &str, form: FileForm) -> Self {
        Self::new(name, None, form)
    }

    fn new(name: &str, file: Option<String>, form: FileForm) -> Self {
        Self {
            form,
            header: Vec::new(),
            table: None,
            file,
            name: name.to_owned(),
            totals: 0,
            beside: 0,
        }
    }

    /// Creates the table. A column without a name gets none, and is known by its position.
    fn begin(&mut self, mut names: Vec<String>) {
        if let Some(columns) = &self.form.columns {
            let unnamed = names.split_off(columns.len().min(names.len()));
            names = columns.iter().cloned().chain(unnamed).collect();
        }
        // A delimiter after the last name makes no column.
        while self.form.header != HeaderPlace::Absent
            && names.last().is_some_and(|name| trim(name).is_empty())
        {
            names.pop();
        }
        let name = self.name.clone();
        let table = match &self.file {
            Some(file) => RawTable::of_file(name, names, file),
            None => {
                let columns = names.into_iter().zip(0..).collect();
                RawTable::of_sheet(name, columns)
            }
        };
        self.table = Some(table.within(self.form.limit));
    }

    /// Adds a row, which has this position in its file or sheet, from 0. A cell without exact text
    /// has a reason.
    ///
    /// # Errors
    /// A file of text has a row with more fields than the header; the table is too large.
    pub fn push<'c>(
        &mut self,
        position: u32,
        cells: &[(&'c str, Option<&'c str>)],
    ) -> Result<(), HeaderError> {
        let row = position.saturating_add(1);
        let is_blank = cells.iter().all(|(cell, reason)| trim(cell).is_empty() && reason.is_none());
        if self.is_header(row, is_blank) {
            self.push_header(row, cells);
            return Ok(());
        }
        if self.form.header == HeaderPlace::Absent && self.table.is_none() && !is_blank {
            // Fields after the named ones have no name.
            self.begin(vec![String::new(); cells.len()]);
        }
        let Some(table) = &mut self.table else { return Ok(()) };
        if is_blank || self.form.first_row.is_some_and(|first| row < first) {
            return Ok(());
        }
        let first = cells.iter().map(|(cell, _)| trim(cell)).find(|cell| !cell.is_empty());
        let is_total = |text: &str| {
            let text = fold(text);
            self.form.totals.iter().any(|total| text.starts_with(total.as_str()))
        };
        if !self.form.totals.is_empty() && first.is_some_and(is_total) {
            self.totals += 1;
            return Ok(());
        }
        let width = table.columns().len();
        let beside =
            cells.iter().skip(width).filter(|(cell, _)| !trim(cell).is_empty()).count() as u64;
        if beside > 0 && self.file.is_some() {
            let found = cells.len();
            return Err(HeaderError::TooManyFields { row, found, expected: width });
        }
        self.beside += beside;
        table.begin_row(position);
        let blank = ("", None);
        for (cell, reason) in cells.iter().copied().chain(std::iter::repeat(blank)).take(width) {
            match reason {
                Some(reason) => table.push_unfit(cell, reason)?,
                None => table.push_cell(cell)?,
            }
        }
        table.end_row()?;
        Ok(())
    }

    fn is_header(&self, row: u32, is_blank: bool) -> bool {
        match &self.form.header {
            HeaderPlace::Absent => false,
            HeaderPlace::First | HeaderPlace::Detected => self.table.is_none() && !is_blank,
            HeaderPlace::Rows(rows) => rows.contains(&row),
        }
    }

    fn push_header(&mut self, row: u32, cells: &[(&str, Option<&str>)]) {
        let names =
            cells.iter().map(|(cell, _)| cell.split_whitespace().collect::<Vec<_>>().join(" "));
        self.header.push(names.collect());
        let is_last = match &self.form.header {
            HeaderPlace::Rows(rows) => rows.iter().max() == Some(&row),
            _ => true,
        };
        if is_last {
            let names = joined(std::mem::take(&mut self.header));
            self.begin(names);
        }
    }

    /// Whether the header was found.
    pub fn has_header(&self) -> bool {
        self.table.is_some()
    }

    /// The number of rows so far.
    pub fn rows(&self) -> usize {
        self.table.as_ref().map_or(0, RawTable::rows)
    }

    /// The number of columns; 0 before the header.
    pub fn width(&self) -> usize {
        self.table.as_ref().map_or(0, |table| table.columns().len())
    }

    /// The table, and what was left out of it.
    ///
    /// # Errors
    /// [`HeaderError::Missing`].
    pub fn finish(self) -> Result<(RawTable, Vec<String>), HeaderError> {
        let table = self.table.ok_or(HeaderError::Missing)?;
        let mut notes = Vec::new();
        if self.totals > 0 {
            notes.push(format!("rows of totals left out: {}", self.totals));
        }
        if self.beside > 0 {
            notes.push(format!("cells to the right of the header left out: {}", self.beside));
        }
        Ok((table, notes))
    }
}

/// The names of a header of several rows: from top to bottom, a name above blanks counts for all of
/// them.
fn joined(rows: Vec<Vec<String>>) -> Vec<String> {
    let width = rows.iter().map(Vec::len).max().unwrap_or_default();
    let last = rows.len().saturating_sub(1);
    let mut names = vec![String::new(); width];
    for (at, row) in rows.into_iter().enumerate() {
        let mut above = String::new();
        for (column, name) in names.iter_mut().enumerate() {
            let own = row.get(column).map(String::as_str).unwrap_or_default();
            if !own.is_empty() {
                own.clone_into(&mut above);
            }
            let part = if at < last { above.as_str() } else { own };
            if !name.is_empty() && !part.is_empty() {
                name.push(' ');
            }
            name.push_str(part);
        }
    }
    names
}
