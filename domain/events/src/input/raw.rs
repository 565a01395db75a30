//! A table of text, as a source hands it over before anything is validated (specification 1.2).
//! Sources fill it, the validation types it, and a comparison reads exports from it.

use super::address::address;
use super::limit::{TableLimit, TooLarge};

/// One table as text. A million loans are one text and its offsets, not twenty million strings.
#[derive(Debug)]
pub struct RawTable {
    name: String,
    columns: Vec<String>,
    naming: RowNaming,
    text: String,
    /// Where each cell ends in `text`, row by row.
    ends: Vec<u32>,
    limit: TableLimit,
    /// The number of cells of the row that is being filled.
    filled: usize,
    ragged: Vec<(usize, usize)>,
    unfit: Vec<UnfitCell>,
    shown: Vec<ShownCell>,
    hidden_rows: Vec<usize>,
    hidden_columns: Vec<usize>,
}

/// How the report of the validation names the rows of a table.
#[derive(Debug)]
enum RowNaming {
    /// By their numbers, from 1.
    Numbers,
    /// By their keys, because the rows of the source have no order.
    Keys,
    /// By the cells of a sheet.
    Cells(Box<SheetCells>),
    /// By where a mapping took them from: the origin, and the row's position there.
    Origins(Vec<RowOrigin>, Vec<(u32, u32)>),
}

/// Where a mapping takes rows from: a file of text, a sheet, or a table of a database.
#[derive(Debug, Clone)]
pub struct RowOrigin {
    /// The file or the sheet; `None` for a table of a database, whose rows have no order.
    name: Option<String>,
    /// By column of the mapped table: the column of the sheet, from 0. Empty for a file of text.
    columns: Vec<Option<u32>>,
}

impl RowOrigin {
    /// Rows of a file of text: `tape.csv:17` is its line 17.
    pub fn file(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), columns: Vec::new() }
    }

    fn place(&self, row: u32, columns: &[usize]) -> Option<String> {
        let name = self.name.as_ref()?;
        let in_sheet = |at: &usize| self.columns.get(*at).copied().flatten();
        let cells: Vec<String> =
            columns.iter().filter_map(in_sheet).map(|column| address(column, row)).collect();
        Some(match (cells.is_empty(), self.columns.is_empty()) {
            (_, true) => format!("{name}:{}", u64::from(row) + 1),
            (true, false) => format!("{name}!{0}:{0}", u64::from(row) + 1),
            (false, false) => format!("{name}!{}", cells.join(",")),
        })
    }
}

/// The sheet of a table, and the positions of its columns and rows, from 0.
#[derive(Debug)]
struct SheetCells {
    sheet: String,
    columns: Vec<u32>,
    rows: Vec<u32>,
}

#[derive(Debug)]
struct UnfitCell {
    row: usize,
    column: usize,
    reason: String,
}

/// How a source displays a number other than it stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellDisplay {
    /// As a percentage: 0.065 as 6.5 %.
    Percent,
    /// Divided by a thousand, once or more: 300000 as 300.
    Thousands,
    /// With leading zeros: 42 as 0042.
    LeadingZeros,
}

/// A cell that its source displays other than it stores it. The stored text is the cell's.
#[derive(Debug)]
pub struct ShownCell {
    /// The row, from 0.
    pub row: usize,
    /// The column, from 0.
    pub column: usize,
    /// What the display changes.
    pub display: CellDisplay,
    /// What a user sees.
    pub shown: String,
}

impl RawTable {
    /// An empty table. With `row_numbers` the rows have an order, as the lines of a file have, and
    /// reports number them from 1. Otherwise reports name rows by their keys.
    pub fn new(name: impl Into<String>, columns: Vec<String>, row_numbers: bool) -> Self {
        let naming = if row_numbers { RowNaming::Numbers } else { RowNaming::Keys };
        Self::named(name.into(), columns, naming)
    }

    /// An empty table of a sheet with its header in the first row, so that reports give the cell of
    /// every fault. `columns` are the names with their positions, from 0.
    pub fn of_sheet(sheet: impl Into<String>, columns: Vec<(String, u32)>) -> Self {
        let sheet = sheet.into();
        let (names, columns) = columns.into_iter().unzip();
        let cells = SheetCells { sheet: sheet.clone(), columns, rows: Vec::new() };
        Self::named(sheet, names, RowNaming::Cells(Box::new(cells)))
    }

    /// An empty table of a file of text, so that reports give the line of every fault.
    pub fn of_file(name: impl Into<String>, columns: Vec<String>, file: &str) -> Self {
        let naming = RowNaming::Origins(vec![RowOrigin::file(file)], Vec::new());
        Self::named(name.into(), columns, naming)
    }

    /// An empty table whose rows a mapping takes from these origins.
    pub fn mapped(name: &str, columns: Vec<String>, origins: Vec<RowOrigin>) -> Self {
        Self::named(name.to_owned(), columns, RowNaming::Origins(origins, Vec::new()))
    }

    /// This table as the origin of a mapped table. `columns` are, by column of the mapped table,
    /// the positions here.
    pub fn origin(&self, columns: &[Option<usize>]) -> RowOrigin {
        match &self.naming {
            RowNaming::Numbers => RowOrigin::file(&self.name),
            RowNaming::Keys => RowOrigin { name: None, columns: Vec::new() },
            RowNaming::Cells(cells) => RowOrigin {
                name: Some(cells.sheet.clone()),
                columns: columns.iter().map(|at| at.map(|at| cells.columns[at])).collect(),
            },
            RowNaming::Origins(origins, _) => {
                origins.first().cloned().unwrap_or_else(|| RowOrigin::file(&self.name))
            }
        }
    }

    /// The position of a row in its file or sheet, from 0.
    pub fn position(&self, row: usize) -> u32 {
        let position = match &self.naming {
            RowNaming::Numbers | RowNaming::Keys => None,
            RowNaming::Cells(cells) => cells.rows.get(row).copied(),
            RowNaming::Origins(_, rows) => rows.get(row).map(|(_, row)| *row),
        };
        position.unwrap_or_else(|| u32::try_from(row).unwrap_or(u32::MAX))
    }

    fn named(name: String, columns: Vec<String>, naming: RowNaming) -> Self {
        let columns = columns.iter().map(|c| c.trim_end_matches(' ').to_owned()).collect();
        Self {
            name,
            columns,
            naming,
            text: String::new(),
            ends: Vec::new(),
            limit: TableLimit::default(),
            filled: 0,
            ragged: Vec::new(),
            unfit: Vec::new(),
            shown: Vec::new(),
            hidden_rows: Vec::new(),
            hidden_columns: Vec::new(),
        }
    }

    /// The empty table, which becomes no larger than that.
    #[must_use]
    pub fn within(self, limit: TableLimit) -> Self {
        Self { limit, ..self }
    }

    /// Begins a row, which has this position in its sheet or file, from 0.
    pub fn begin_row(&mut self, position: u32) {
        self.begin_row_of(0, position);
    }

    /// Begins a row of an origin, by its number, which has this position there, from 0.
    pub fn begin_row_of(&mut self, origin: u32, position: u32) {
        match &mut self.naming {
            RowNaming::Cells(cells) => cells.rows.push(position),
            RowNaming::Origins(_, rows) => rows.push((origin, position)),
            RowNaming::Numbers | RowNaming::Keys => {}
        }
    }

    /// Adds the next cell of the row without its trailing blanks (1.1); an empty one is NULL. Cells
    /// beyond the header are counted and dropped.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn push_cell(&mut self, cell: &str) -> Result<(), TooLarge> {
        self.filled += 1;
        if self.filled <= self.columns.len() {
            let cell = cell.trim_end_matches(' ');
            self.limit.admit_text((self.text.len() + cell.len()) as u64)?;
            self.text.push_str(cell);
            self.ends.push(u32::try_from(self.text.len()).map_err(|_| TooLarge::Text)?);
        }
        Ok(())
    }

    /// Adds a cell that has no exact text, such as a binary float or a blob. The validation refuses
    /// it with `reason` and the code of its column.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn push_unfit(&mut self, cell: &str, reason: impl Into<String>) -> Result<(), TooLarge> {
        let (row, column) = (self.rows(), self.filled);
        self.push_cell(cell)?;
        self.unfit.push(UnfitCell { row, column, reason: reason.into() });
        Ok(())
    }

    /// Adds a cell that its source displays as `shown`.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn push_shown(
        &mut self,
        cell: &str,
        display: CellDisplay,
        shown: String,
    ) -> Result<(), TooLarge> {
        self.shown.push(ShownCell { row: self.rows(), column: self.filled, display, shown });
        self.push_cell(cell)
    }

    /// Marks the row that is being filled as hidden in the source.
    pub fn mark_hidden_row(&mut self) {
        self.hidden_rows.push(self.rows());
    }

    /// Marks a column as hidden in the source.
    pub fn mark_hidden_column(&mut self, column: usize) {
        self.hidden_columns.push(column);
    }

    /// Ends the row. A row with more or fewer cells than the header is ragged.
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
        if self.rows() > self.limit.rows {
            return Err(TooLarge::Rows(self.limit.rows));
        }
        Ok(())
    }

    /// Adds a row of these cells.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn push_row(&mut self, row: impl IntoIterator<Item: AsRef<str>>) -> Result<(), TooLarge> {
        for cell in row {
            self.push_cell(cell.as_ref())?;
        }
        self.end_row()
    }

    /// The name, as the source spells it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the table another name.
    pub fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    /// The header, as the source spells it, without trailing blanks.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of complete rows.
    pub fn rows(&self) -> usize {
        self.ends.len().checked_div(self.columns.len()).unwrap_or(0)
    }

    /// The text of a cell, both positions from 0.
    pub fn cell(&self, row: usize, column: usize) -> &str {
        let at = row * self.columns.len() + column;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[start..self.ends[at] as usize]
    }

    /// How reports name a row, or some of its cells; `None` if by the row's key. Without a row it
    /// is the header, which only a sheet has a name for.
    pub fn place(&self, row: Option<usize>, columns: &[usize]) -> Option<String> {
        let SheetCells { sheet, columns: all, rows } = match &self.naming {
            RowNaming::Numbers => {
                return Some(row.map_or_else(String::new, |r| (r + 1).to_string()));
            }
            RowNaming::Keys => return None,
            RowNaming::Origins(origins, rows) => {
                let Some(row) = row else { return Some(String::new()) };
                let (origin, row) = rows.get(row).copied().unwrap_or_default();
                return origins.get(origin as usize).and_then(|origin| origin.place(row, columns));
            }
            RowNaming::Cells(cells) => &**cells,
        };
        let row = row.map_or(0, |row| rows.get(row).copied().unwrap_or_default());
        let cells: Vec<String> = columns.iter().map(|column| address(all[*column], row)).collect();
        match cells.is_empty() {
            true => Some(format!("{sheet}!{0}:{0}", u64::from(row) + 1)),
            false => Some(format!("{sheet}!{}", cells.join(","))),
        }
    }

    /// The number of cells of a ragged row; `None` for a row as long as the header.
    pub fn ragged(&self, row: usize) -> Option<usize> {
        self.ragged.binary_search_by_key(&row, |(row, _)| *row).ok().map(|at| self.ragged[at].1)
    }

    /// Why a cell has no exact text; `None` if it has one.
    pub fn unfit(&self, row: usize, column: usize) -> Option<&str> {
        let place = |unfit: &UnfitCell| (unfit.row, unfit.column);
        let at = self.unfit.binary_search_by_key(&(row, column), place).ok()?;
        Some(&self.unfit[at].reason)
    }

    /// The cells that the source displays other than it stores them, by row and column.
    pub fn shown_cells(&self) -> &[ShownCell] {
        &self.shown
    }

    /// How the source displays a cell; `None` if as it is stored.
    pub fn shown(&self, row: usize, column: usize) -> Option<&ShownCell> {
        let at = self.shown.binary_search_by_key(&(row, column), |cell| (cell.row, cell.column));
        Some(&self.shown[at.ok()?])
    }

    /// The rows that the source hides, from 0.
    pub fn hidden_rows(&self) -> &[usize] {
        &self.hidden_rows
    }

    /// The columns that the source hides, from 0.
    pub fn hidden_columns(&self) -> &[usize] {
        &self.hidden_columns
    }

    /// Whether the texts of all cells are plain: ASCII without control characters.
    pub fn is_plain(&self) -> bool {
        self.text.bytes().all(|byte| (b' '..0x7f).contains(&byte))
    }

    /// Whether any cell has a NUL character, which no database stores in a text.
    pub fn has_nul(&self) -> bool {
        self.text.as_bytes().contains(&0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_becomes_no_larger_than_its_limit() {
        let limit = TableLimit { rows: 2, bytes: 5 };
        let mut table = RawTable::new("t", vec!["a".into()], true).within(limit);
        for cell in ["12 ", "345"] {
            table.push_row([cell]).unwrap();
        }
        assert_eq!(table.push_cell("6"), Err(TooLarge::Bytes(5)));
        let mut table = RawTable::new("t", vec!["a".into()], true).within(limit);
        for _ in 0..2 {
            table.push_row([""]).unwrap();
        }
        table.push_cell("").unwrap();
        assert_eq!(table.end_row(), Err(TooLarge::Rows(2)));
    }

    #[test]
    fn keeps_cells_trimmed_and_remembers_ragged_and_unfit_ones() {
        let mut table = RawTable::new("t", vec!["a ".into(), "b".into()], true);
        for (row, unfit) in
            [(vec!["1 ", " x"], false), (vec!["2"], false), (vec!["3", "y", "z"], true)]
        {
            table.push_row(row).unwrap();
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
            table.push_row(["1", "2"]).unwrap();
        }
        let place = |row, columns: &[usize]| table.place(row, columns).unwrap();
        assert_eq!(place(Some(1), &[1]), "loan!C17");
        assert_eq!(place(Some(0), &[0, 1]), "loan!A2,C2");
        assert_eq!(place(Some(1), &[]), "loan!17:17");
        assert_eq!(place(None, &[1]), "loan!C1");
    }

    #[test]
    fn mapped_rows_are_named_by_their_files_and_sheets() {
        let mut sheet = RawTable::of_sheet("Pipeline", vec![("a".into(), 0), ("b".into(), 2)]);
        sheet.begin_row(16);
        let origins = vec![sheet.origin(&[Some(1), None]), RowOrigin::file("tape.csv")];
        let mut table = RawTable::mapped("loan", vec!["x".into(), "y".into()], origins);
        for (origin, row) in [(0, sheet.position(0)), (1, 3)] {
            table.begin_row_of(origin, row);
            table.push_row(["1", "2"]).unwrap();
        }
        let place = |row, columns: &[usize]| table.place(Some(row), columns).unwrap();
        assert_eq!(place(0, &[0]), "Pipeline!C17");
        assert_eq!(place(0, &[1]), "Pipeline!17:17");
        assert_eq!(place(1, &[0]), "tape.csv:4");
        assert_eq!(table.place(None, &[0]).as_deref(), Some(""));
    }
}
