//! What a source hands over: tables of text cells, not judged yet (specification 1.2).
//!
//! A source (CSV, an embedded database, a server) knows nothing of the columns; it fills
//! [`RawTable`]s and says what it could not read. Everything else is the business of
//! [`validate`](super::validate()).

use super::address::address;
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
    /// What the source has to say of how it was read, for the log of the run. It is no part of the snapshot.
    pub warnings: Vec<String>,
}

/// A table that a source could not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFault {
    /// The table, as the source spells it.
    pub table: String,
    /// [`FaultCode::Unreadable`], [`FaultCode::MissingHeader`], or [`FaultCode::MissingTable`] from a source that can say
    /// where it should be.
    pub code: FaultCode,
    /// What happened, and where.
    pub reason: String,
}

/// One table as text: a million loans are one text and its offsets, not twenty million strings.
#[derive(Debug)]
pub struct RawTable {
    name: String,
    columns: Vec<String>,
    naming: Naming,
    text: String,
    /// Where each cell ends in `text`, row by row.
    ends: Vec<u32>,
    /// Cells of the row that is being filled.
    filled: usize,
    ragged: Vec<(usize, usize)>,
    unfit: Vec<Unfit>,
}

/// How the report names the rows of a table.
#[derive(Debug)]
enum Naming {
    /// By their numbers, from 1.
    Numbers,
    /// By their keys: the source has no order that a person could count along.
    Keys,
    /// By the cells of a sheet.
    Cells(Box<Cells>),
}

/// Where the cells of a table are: the sheet, and its columns and rows, from 0.
#[derive(Debug)]
struct Cells {
    sheet: String,
    columns: Vec<u32>,
    rows: Vec<u32>,
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
        let naming = if row_numbers { Naming::Numbers } else { Naming::Keys };
        Self::named(name.into(), columns, naming)
    }

    /// An empty table of a sheet that has its header in the first row: the report gives the cell of every fault.
    /// `columns` are the names and where they are, from 0.
    pub fn of_sheet(sheet: impl Into<String>, columns: Vec<(String, u32)>) -> Self {
        let sheet = sheet.into();
        let (names, columns) = columns.into_iter().unzip();
        let cells = Cells { sheet: sheet.clone(), columns, rows: Vec::new() };
        Self::named(sheet, names, Naming::Cells(Box::new(cells)))
    }

    fn named(name: String, columns: Vec<String>, naming: Naming) -> Self {
        let columns = columns.iter().map(|c| c.trim_end_matches(' ').to_owned()).collect();
        Self {
            name,
            columns,
            naming,
            text: String::new(),
            ends: Vec::new(),
            filled: 0,
            ragged: Vec::new(),
            unfit: Vec::new(),
        }
    }

    /// Says which row of its sheet the row is that begins, from 0.
    pub fn begin_row(&mut self, of_sheet: u32) {
        if let Naming::Cells(cells) = &mut self.naming {
            cells.rows.push(of_sheet);
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

    /// How the report names a row, or some of its cells; `None` where by its key. Without a row it is the header that
    /// is meant, which only a sheet has a name for.
    pub(super) fn place(&self, row: Option<usize>, columns: &[usize]) -> Option<String> {
        let Cells { sheet, columns: all, rows } = match &self.naming {
            Naming::Numbers => return Some(row.map_or_else(String::new, |r| (r + 1).to_string())),
            Naming::Keys => return None,
            Naming::Cells(cells) => &**cells,
        };
        let row = row.map_or(0, |row| rows.get(row).copied().unwrap_or_default());
        let cells: Vec<String> = columns.iter().map(|column| address(all[*column], row)).collect();
        match cells.is_empty() {
            true => Some(format!("{sheet}!{0}:{0}", u64::from(row) + 1)),
            false => Some(format!("{sheet}!{}", cells.join(","))),
        }
    }

    /// How many cells a ragged row has; `None` for a row as long as the header.
    pub fn ragged(&self, row: usize) -> Option<usize> {
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
        assert_eq!(table.place(Some(3), &[1]), Some("4".into()));
        assert_eq!(table.place(None, &[1]), Some(String::new()));
    }

    #[test]
    fn cells_of_a_sheet_have_addresses() {
        let mut table = RawTable::of_sheet("loan", vec![("a".into(), 0), ("b".into(), 2)]);
        for row in [1, 16] {
            table.begin_row(row);
            table.push_cell("1").unwrap();
            table.push_cell("2").unwrap();
            table.end_row().unwrap();
        }
        let place = |row, columns: &[usize]| table.place(row, columns).unwrap();
        assert_eq!(place(Some(1), &[1]), "loan!C17");
        assert_eq!(place(Some(0), &[0, 1]), "loan!A2,C2");
        assert_eq!(place(Some(1), &[]), "loan!17:17");
        assert_eq!(place(None, &[1]), "loan!C1");
    }
}
