//! A CSV text, parsed.

use std::path::Path;

/// Columns, and rows with one cell per column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// Ignores a byte order mark and blank lines.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
        let cells = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
        let mut records = reader.records().map(|record| cells(record.expect("well-formed CSV")));
        let columns = records.next().unwrap_or_default();
        Self { columns, rows: records.collect() }
    }

    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read(path);
        Self::parse(&text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    pub(crate) fn write(&self, path: &Path) {
        let mut writer = csv::Writer::from_path(path).expect("the file can be written");
        for record in std::iter::once(&self.columns).chain(&self.rows) {
            writer.write_record(record).expect("the file can be written");
        }
        writer.flush().expect("the file can be written");
    }

    /// The index of a column.
    #[track_caller]
    pub(crate) fn index(&self, column: &str) -> usize {
        let index = self.columns.iter().position(|name| name == column);
        index.unwrap_or_else(|| panic!("no column {column} among {:?}", self.columns))
    }

    /// The cells of a column.
    pub(crate) fn column(&self, column: &str) -> Vec<&str> {
        let index = self.index(column);
        self.rows.iter().map(|row| row[index].as_str()).collect()
    }

    /// Only these columns; a missing one is empty.
    pub(crate) fn pick(&self, columns: &[&str]) -> Vec<Vec<&str>> {
        let indexes: Vec<Option<usize>> = columns
            .iter()
            .map(|column| self.columns.iter().position(|name| name == column))
            .collect();
        self.rows
            .iter()
            .map(|row| indexes.iter().map(|at| at.map_or("", |at| row[at].as_str())).collect())
            .collect()
    }

    /// All columns except these.
    pub(crate) fn without(&self, columns: &[&str]) -> Self {
        let keep: Vec<bool> =
            self.columns.iter().map(|name| !columns.contains(&name.as_str())).collect();
        let kept = |cells: &[String]| {
            cells.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(c, _)| c.clone()).collect()
        };
        Self { columns: kept(&self.columns), rows: self.rows.iter().map(|row| kept(row)).collect() }
    }
}
