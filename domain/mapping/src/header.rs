//! Finds the header of a file for the draft of a mapping: below titles, of several rows, above a
//! row of units, or none.

use std::collections::BTreeSet;

use powerfill_events::values::fold;

use crate::draft::quoted;
use crate::formats::{CellFormats, trim};
use crate::mapping::{FileForm, HeaderPlace};
use crate::schema::MappingUse;

/// One of the first rows of a file or a sheet.
#[derive(Debug, Clone)]
pub struct FirstRow {
    /// Its position, from 0.
    pub position: u32,
    /// Its cells.
    pub cells: Vec<String>,
}

/// Units that are written below a header.
const UNITS: &str = "USD DOLLARS PERCENT PCT BPS POINTS TEXT NUMBER NUM DATE Y/N MM/DD/YYYY \
                     YYYY-MM-DD M/D/YYYY";

/// What a row is, as far as its cells show it.
struct RowProfile<'r> {
    row: &'r FirstRow,
    /// The cells that are not blank, with their columns.
    filled: Vec<(usize, &'r str)>,
    /// How many of them are numbers or dates.
    data: usize,
}

impl FileForm {
    /// Puts the header where the first rows show it, if the form leaves that to them. Returns the
    /// lines of a mapping that say so, with the reasons; none for a header in the first row.
    pub fn detect_header(&mut self, rows: &[FirstRow]) -> Vec<String> {
        if self.header != HeaderPlace::Detected {
            return Vec::new();
        }
        self.header = HeaderPlace::First;
        let formats = CellFormats::of_use(MappingUse::Comparison);
        let profiles: Vec<RowProfile<'_>> = rows
            .iter()
            .map(|row| RowProfile::of(row, &formats))
            .filter(|row| row.counts())
            .collect();
        let most = profiles.iter().map(|row| row.filled.len()).max().unwrap_or_default();
        // A title can have a date, but it is not as wide as the data, and no data is below it.
        let is_data = |at: &usize| {
            let row = &profiles[*at];
            let continues = profiles.get(at + 1).is_none_or(RowProfile::is_data);
            row.is_data() && row.filled.len() * 2 >= most && (row.data > 1 || continues)
        };
        let data = (0..profiles.len()).find(is_data);
        match data {
            Some(data) => self.place_above(&profiles, data, most),
            // Texts alone: the first row that is about as wide as the others.
            None => match profiles.iter().position(|row| row.filled.len() * 5 >= most * 4) {
                Some(at) if at > 0 => {
                    self.place(&profiles, at..at + 1, "the rows above are titles")
                }
                _ => Vec::new(),
            },
        }
    }

    /// Puts the header above the first row of data.
    fn place_above(&mut self, rows: &[RowProfile<'_>], data: usize, most: usize) -> Vec<String> {
        let is_names = |row: &RowProfile<'_>| row.filled.len() > 1 || row.filled.len() == most;
        let mut lowest = data.checked_sub(1);
        let mut units = None;
        if let Some(at) = lowest.filter(|at| *at > 0 && rows[*at].has_units()) {
            units = Some(at);
            lowest = Some(at - 1);
        }
        let Some(names) = lowest.filter(|at| is_names(&rows[*at])) else {
            return self.place_nowhere(&rows[data]);
        };
        let below = &rows[data..];
        let above = names.checked_sub(1).map(|at| &rows[at]);
        let above = above.filter(|row| row.groups(&rows[names]) && is_names(row));
        let mut lines = match above {
            Some(_) if rows[names].names_all(below) => {
                let reason = format!("row {} groups these columns", rows[names - 1].number());
                self.place(rows, names..names + 1, &reason)
            }
            Some(_) => {
                let reason = "two rows of names above the data; names of both are joined";
                self.place(rows, names - 1..names + 1, reason)
            }
            None if names > 0 => self.place(rows, names..names + 1, "the rows above are titles"),
            None => Vec::new(),
        };
        if let Some(at) = units {
            let first = rows[data].number();
            self.first_row = Some(first);
            let row = rows[at].number();
            lines.push(format!("first_row = {first}  # row {row} has units, and no data"));
        }
        lines
    }

    fn place(
        &mut self,
        rows: &[RowProfile<'_>],
        header: std::ops::Range<usize>,
        reason: &str,
    ) -> Vec<String> {
        let numbers: Vec<u32> = rows[header].iter().map(RowProfile::number).collect();
        let value = match &numbers[..] {
            [one] => one.to_string(),
            several => format!("{several:?}"),
        };
        self.header = HeaderPlace::Rows(numbers);
        vec![format!("header = {value}  # {reason}")]
    }

    /// A file without a header: its columns are numbered, and a person names them.
    fn place_nowhere(&mut self, first: &RowProfile<'_>) -> Vec<String> {
        let number = first.number();
        let names: Vec<String> =
            (1..=first.row.cells.len()).map(|at| format!("column {at}")).collect();
        let mut lines = vec![format!(
            "header = false  # row {number} has values already, as the rows below it"
        )];
        if number > 1 {
            self.first_row = Some(number);
            lines.push(format!("first_row = {number}  # the first row of data"));
        }
        lines.push("# Name the columns; behind each is its first value.".to_owned());
        lines.push("columns = [".to_owned());
        for (name, value) in names.iter().zip(&first.row.cells) {
            lines.push(format!("    \"{name}\",  # {}", quoted(value)));
        }
        lines.push("]".to_owned());
        self.header = HeaderPlace::Absent;
        self.columns = Some(names);
        lines
    }
}

impl<'r> RowProfile<'r> {
    fn of(row: &'r FirstRow, formats: &CellFormats) -> Self {
        let cells = row.cells.iter().enumerate().map(|(at, cell)| (at, trim(cell)));
        let filled: Vec<(usize, &str)> = cells.filter(|(_, cell)| !cell.is_empty()).collect();
        let is_data = |cell: &str| {
            let has_digit = cell.contains(|c: char| c.is_ascii_digit());
            has_digit && (!cell.contains(char::is_alphabetic) || formats.day(cell).is_ok())
        };
        let data = filled.iter().filter(|(_, cell)| is_data(cell)).count();
        Self { row, filled, data }
    }

    /// Whether the row is neither blank nor the line of dashes under a header.
    fn counts(&self) -> bool {
        !self.filled.iter().all(|(_, cell)| cell.bytes().all(|byte| byte == b'-'))
    }

    /// Whether at least a third of the row is numbers and dates.
    fn is_data(&self) -> bool {
        self.data > 0 && self.data * 3 >= self.filled.len()
    }

    /// The number of the row, from 1.
    const fn number(&self) -> u32 {
        self.row.position.saturating_add(1)
    }

    /// Whether the row says how values below it are written.
    fn has_units(&self) -> bool {
        let is_unit = |cell: &str| {
            let bare = cell.trim_matches(['(', ')', '[', ']']);
            !bare.contains(char::is_alphabetic)
                || UNITS.split_whitespace().any(|unit| fold(bare) == unit)
        };
        self.filled.iter().all(|(_, cell)| is_unit(cell))
    }

    /// Whether the row is right above another row of names and can belong to it: its names are not
    /// only at the beginning, as those of a title are.
    fn groups(&self, below: &Self) -> bool {
        let spans = self.filled.last().is_some_and(|(last, _)| *last >= self.filled.len());
        let fills = self.filled.len() * 2 > below.filled.len();
        self.row.position + 1 == below.row.position && self.data == 0 && (spans || fills)
    }

    /// Whether the row names each column that has values, and no two alike.
    fn names_all(&self, below: &[Self]) -> bool {
        let named: BTreeSet<usize> = self.filled.iter().map(|(at, _)| *at).collect();
        let names: BTreeSet<String> = self.filled.iter().map(|(_, name)| fold(name)).collect();
        let mut used = below.iter().flat_map(|row| &row.filled);
        names.len() == self.filled.len() && used.all(|(at, _)| named.contains(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of the draft for rows that are separated by `;`, with cells by commas.
    fn lines(text: &str) -> Vec<String> {
        let rows = text.split(';').zip(0..).map(|(row, position)| FirstRow {
            position,
            cells: row.split(',').map(str::to_owned).collect(),
        });
        let mut form = FileForm { header: HeaderPlace::Detected, ..FileForm::default() };
        form.detect_header(&rows.collect::<Vec<_>>())
    }

    #[test]
    fn a_header_in_the_first_row_needs_no_line() {
        for text in [
            "id,rate;A,6.5;B,6.625",
            "name,rule;High,ltv over 80;Low,ltv below 80",
            "id,30 Yr,15 Yr;A,6.5,5.5",
            "id;1",
        ] {
            assert_eq!(lines(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn titles_are_passed_over() {
        let header = ["header = 4  # the rows above are titles"];
        assert_eq!(lines("ACME;As of,1/15/2026;;id,status,amount,rate;A,Closed,3,6.5"), header);
        assert_eq!(
            lines("Prepared by,Ann;id,status,amount,rate;A,Closed,3,6.5")[0],
            "header = 2  # the rows above are titles"
        );
        assert_eq!(
            lines("Rules of ACME;name,rule,why;High,ltv over 80,risk")[0],
            "header = 2  # the rows above are titles"
        );
    }

    #[test]
    fn names_in_two_rows_are_joined_or_the_lower_ones_are_enough() {
        assert_eq!(
            lines("Loan,,Credit,;id,amount,fico,ltv;A,3,700,80"),
            ["header = 2  # row 1 groups these columns"]
        );
        assert_eq!(
            lines("ACME;Loan,,Rate,Lock;No.,Amount,,Date;A,3,6.5,2026-01-05"),
            ["header = [2, 3]  # two rows of names above the data; names of both are joined"]
        );
        // Two columns of the lower row have one name.
        assert_eq!(
            lines("Buyer,Seller;Name,Name;9,8")[0],
            "header = [1, 2]  # two rows of names above the data; names of both are joined"
        );
    }

    #[test]
    fn units_are_no_data_and_no_names() {
        assert_eq!(
            lines("id,amount,rate,closed;,($),%,(MM/DD/YYYY);A,3,6.5,1/5/2026"),
            ["first_row = 3  # row 2 has units, and no data"]
        );
    }

    #[test]
    fn a_file_without_a_header_gets_numbered_columns() {
        assert_eq!(
            lines("0001,171000.00,CA;0002,99000.00,TX"),
            [
                "header = false  # row 1 has values already, as the rows below it",
                "# Name the columns; behind each is its first value.",
                "columns = [",
                "    \"column 1\",  # \"0001\"",
                "    \"column 2\",  # \"171000.00\"",
                "    \"column 3\",  # \"CA\"",
                "]",
            ]
        );
        assert_eq!(lines("ACME pipeline;1,2,x;3,4,y")[1], "first_row = 2  # the first row of data");
    }
}
