//! What a source hands over: tables of text cells, not judged yet (specification 1.2).
//!
//! A source (CSV, an embedded database, a server) knows nothing of the columns; it fills
//! [`RawTable`]s and says what it could not read. Everything else is the business of
//! [`validate`](super::validate()).

use super::report::FaultCode;

/// The tables of a source and what went wrong in reading them.
#[derive(Debug, Default)]
pub struct RawSnapshot {
    /// The tables that could be read, in any order; names compare as text, and tables with names that are not of 1.2
    /// are left alone.
    pub tables: Vec<RawTable>,
    /// The tables that could not.
    pub faults: Vec<SourceFault>,
    /// What lies beside the tables and was left alone, for the log: files or tables with other
    /// names.
    pub ignored: Vec<String>,
}

/// A table that a source could not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFault {
    /// The table, as the source spells it.
    pub table: String,
    /// [`FaultCode::Unreadable`] or [`FaultCode::MissingHeader`].
    pub code: FaultCode,
    /// What happened, and where.
    pub reason: String,
}

/// One table as text: a million loans are one text and its offsets, not twenty million strings.
#[derive(Debug)]
pub struct RawTable {
    name: String,
    columns: Vec<String>,
    row_numbers: bool,
    text: String,
    /// Where each cell ends in `text`, row by row.
    ends: Vec<u32>,
    /// Cells of the row that is being filled.
    filled: usize,
    ragged: Vec<(usize, usize)>,
    unfit: Vec<Unfit>,
}

#[derive(Debug)]
struct Unfit {
    row: usize,
    column: usize,
    reason: String,
}

/// A table has more text than its offsets can address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the table has more than 4 GiB of text")]
pub struct TooLarge;

impl RawTable {
    /// An empty table. `row_numbers` says whether its rows have an order that a person can count
    /// along, as the lines of a file have; otherwise the report names rows by their keys.
    pub fn new(name: impl Into<String>, columns: Vec<String>, row_numbers: bool) -> Self {
        let columns = columns.iter().map(|c| c.trim_end_matches(' ').to_owned()).collect();
        Self {
            name: name.into(),
            columns,
            row_numbers,
            text: String::new(),
            ends: Vec::new(),
            filled: 0,
            ragged: Vec::new(),
            unfit: Vec::new(),
        }
    }

    /// Adds the next cell of the row; an empty one is NULL. Trailing blanks do not count (1.1).
    /// Cells beyond the header are counted and dropped.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn push_cell(&mut self, cell: &str) -> Result<(), TooLarge> {
        self.filled += 1;
        if self.filled <= self.columns.len() {
            self.text.push_str(cell.trim_end_matches(' '));
            self.ends.push(u32::try_from(self.text.len()).map_err(|_| TooLarge)?);
        }
        Ok(())
    }

    /// Adds a cell that cannot be taken for what it is: a binary float, a blob. The validation
    /// refuses it with `reason` and a code that suits its column.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn push_unfit(&mut self, cell: &str, reason: impl Into<String>) -> Result<(), TooLarge> {
        let (row, column) = (self.rows(), self.filled);
        self.push_cell(cell)?;
        self.unfit.push(Unfit { row, column, reason: reason.into() });
        Ok(())
    }

    /// Ends the row. A row with more or fewer cells than the header is kept as ragged.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn end_row(&mut self) -> Result<(), TooLarge> {
        let cells = self.filled;
        if cells != self.columns.len() {
            self.ragged.push((self.rows() - usize::from(cells > self.columns.len()), cells));
            for _ in cells..self.columns.len() {
                self.push_cell("")?;
            }
        }
        self.filled = 0;
        Ok(())
    }

    /// Its name, as the source spells it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header, as the source spells it, without trailing blanks.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many complete rows there are.
    pub fn rows(&self) -> usize {
        self.ends.len().checked_div(self.columns.len()).unwrap_or(0)
    }

    /// The text of a cell, both positions from 0.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        let at = row * self.columns.len() + column;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[start..self.ends[at] as usize]
    }

    pub(super) fn has_row_numbers(&self) -> bool {
        self.row_numbers
    }

    /// How many cells a ragged row has; `None` for a row as long as the header.
    pub(super) fn ragged(&self, row: usize) -> Option<usize> {
        self.ragged.binary_search_by_key(&row, |(row, _)| *row).ok().map(|at| self.ragged[at].1)
    }

    /// Why a cell cannot be taken for what it is.
    pub(super) fn unfit(&self, row: usize, column: usize) -> Option<&str> {
        let place = |unfit: &Unfit| (unfit.row, unfit.column);
        let at = self.unfit.binary_search_by_key(&(row, column), place).ok()?;
        Some(&self.unfit[at].reason)
    }

    /// Whether any cell has a NUL character, which no database's text can hold.
    pub(super) fn has_nul(&self) -> bool {
        self.text.as_bytes().contains(&0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_cells_trimmed_and_remembers_ragged_and_unfit_ones() {
        let mut table = RawTable::new("t", vec!["a ".into(), "b".into()], true);
        for (row, unfit) in
            [(vec!["1 ", " x"], false), (vec!["2"], false), (vec!["3", "y", "z"], true)]
        {
            for cell in row {
                table.push_cell(cell).unwrap();
            }
            table.end_row().unwrap();
            if unfit {
                table.push_cell("4").unwrap();
                table.push_unfit("0.5", "a float").unwrap();
                table.end_row().unwrap();
            }
        }
        assert_eq!(table.columns(), ["a", "b"]);
        assert_eq!(table.rows(), 4);
        assert_eq!((table.cell(0, 0), table.cell(0, 1)), ("1", " x"));
        assert_eq!((table.cell(1, 0), table.cell(1, 1)), ("2", ""));
        assert_eq!([0, 1, 2, 3].map(|row| table.ragged(row)), [None, Some(1), Some(3), None]);
        assert_eq!(table.unfit(3, 1), Some("a float"));
        assert_eq!(table.unfit(3, 0), None);
    }
}
